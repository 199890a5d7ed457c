//! `status_pay_out`: where one payout stands, and the ways in which a look-up may lie about it.

use hyper::StatusCode;

use super::config::StatusId;
use super::gateway::Gateway;
use super::order::{Payout, Status};
use crate::clock::{lock, unix_ms};
use crate::dial::Fault;
use crate::server::{Call, Reply};

/// The `error` of a look-up, with HTTP 404, for a payout that does not exist.
pub const NOT_FOUND: &str = "pay out not found";

impl Gateway {
    pub(super) fn status(&self, call: &Call, pay_out_id: &str) -> Reply {
        self.counters.status.add();
        let found = self.find(&percent_decode(pay_out_id));
        self.note_age(found.as_ref());
        if let Err(reply) = self.admit_lookup(call) {
            return reply;
        }
        if let Some(reply) = self.fault_of_lookup() {
            return reply;
        }
        let found = found.filter(|_| !self.dial.strikes(Fault::StatusBlind));
        let Some(payout) = found else {
            lock(&self.reasons).missed();
            return self.not_found();
        };
        let after_ms = self.config.look_ups_after_ms;
        if !lock(&self.reasons).take(&payout.order, after_ms, unix_ms()) {
            tracing::warn!(order_id = %payout.order.order_id, "asked about without a reason");
            self.counters.unlisted.add();
        }
        Reply::text(StatusCode::OK, "application/json", self.render_status(&payout))
    }

    /// How soon somebody asks: whether he waits for callbacks, or polls.
    fn note_age(&self, payout: Option<&Payout>) {
        let age_ms = match payout {
            None => 0,
            Some(Payout { order, status: Status::Expectation | Status::Successful, .. }) => {
                unix_ms().saturating_sub(order.created_ms)
            }
            Some(_) => return,
        };
        self.counters.youngest_asked_ms.see(age_ms);
    }

    pub(super) fn not_found(&self) -> Reply {
        self.error(StatusCode::NOT_FOUND, NOT_FOUND)
    }

    fn find(&self, id: &str) -> Option<Payout> {
        let book = lock(&self.book);
        match self.config.status_id {
            StatusId::OrderId => book.newest(id).cloned(),
            StatusId::InternalTransactionId => book.get(self.seq_of(id)?).cloned(),
        }
    }

    fn fault_of_lookup(&self) -> Option<Reply> {
        if self.dial.strikes(Fault::StatusHang) {
            return Some(Reply::Hang);
        }
        if self.dial.strikes(Fault::StatusError) {
            return Some(self.internal_error());
        }
        if self.dial.strikes(Fault::StatusEmpty) {
            return Some(Reply::empty(StatusCode::OK));
        }
        self.dial.strikes(Fault::StatusBare404).then(|| Reply::empty(StatusCode::NOT_FOUND))
    }
}

/// Undoes `%41`; what is no escape stands for itself.
fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped =
            tail.get(..2).filter(|_| *first == b'%').and_then(|hex| hex::decode(hex).ok());
        match escaped {
            Some(decoded) => {
                bytes.extend(decoded);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_nothing_else() {
        assert_eq!(percent_decode("a%2Fb%20c"), "a/b c");
        assert_eq!(percent_decode("%D1%8F"), "я");
        assert_eq!(percent_decode("100%"), "100%");
        assert_eq!(percent_decode("%zz"), "%zz");
    }
}
