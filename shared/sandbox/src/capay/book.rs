//! Capay's ledger: **nothing is visible before it is written**, and nothing written is lost.
//!
//! One lock (around the book) guards the file and the picture of it in memory. Each change is
//! written first and made second, inside that lock: what a client was ever told stands in the file.
//! Only acknowledgements of webhooks lag behind; losing one repeats a webhook.

use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::config::CapayRepeat;
use super::order::{Notified, Order, Payout, State};
use super::picture::{Picture, Record, Totals};
use crate::journal::Journal;

pub(super) struct Book {
    journal: Journal,
    picture: Picture,
}

/// An order that may be accepted, and its line in the file: made outside the book's lock.
pub(super) struct Draft {
    order: Order,
    line: Vec<u8>,
}

impl Draft {
    pub(super) fn new(order: Order) -> io::Result<Self> {
        let mut line = Vec::with_capacity(512);
        write_line(&mut line, &Record::Accepted(Cow::Borrowed(&order)))?;
        Ok(Self { order, line })
    }
}

/// What a create comes to.
pub(super) enum Accepted {
    /// Promised anew.
    Now(Arc<Order>),
    /// Promised before, under the same `Idempotency-Key`.
    Before(Arc<Order>),
}

/// Why an order was not accepted; nothing was paid.
#[derive(Debug, thiserror::Error)]
pub(super) enum AcceptError {
    #[error("a payout with this reference already exists")]
    Repeated,
    #[error("this Idempotency-Key was used for another payout")]
    OtherBody,
    #[error("the ledger could not be written: {0}")]
    Write(#[from] io::Error),
}

/// A payout took its next state; `change` counts its changes from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moved {
    pub(super) seq: usize,
    pub(super) change: usize,
}

impl Book {
    /// Reads the ledger back, or starts one.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut picture = Picture::default();
        let mut number = 0usize;
        let journal = Journal::open(path, |line| {
            number += 1;
            let record = serde_json::from_slice(line).ok();
            record.and_then(|record| picture.replay(record)).ok_or_else(|| damaged(number))
        })?;
        Ok(Self { journal, picture })
    }

    /// Promises to pay. A crash before it returns leaves no answer and maybe an entry; a crash
    /// after it leaves the entry.
    pub(super) fn accept(
        &mut self,
        draft: Draft,
        repeat: CapayRepeat,
    ) -> Result<Accepted, AcceptError> {
        let Draft { order, line } = draft;
        match repeat {
            CapayRepeat::PaysAgain => {}
            CapayRepeat::Conflict if self.under(&order.reference).is_empty() => {}
            CapayRepeat::Conflict => return Err(AcceptError::Repeated),
            CapayRepeat::SamePayout => {
                let key = order.idempotency_key.as_deref();
                if let Some(first) = key.and_then(|key| self.picture.first_with(key)) {
                    return if is_same(first, &order) {
                        Ok(Accepted::Before(Arc::clone(first)))
                    } else {
                        Err(AcceptError::OtherBody)
                    };
                }
            }
        }
        self.journal.append(&line)?;
        Ok(Accepted::Now(self.picture.accepted(order)))
    }

    /// Makes those changes that are legal, in one write, and returns them. At most one a payout.
    pub(super) fn advance(
        &mut self,
        steps: &[(usize, State)],
        at_ms: u64,
    ) -> io::Result<Vec<Moved>> {
        let is_legal = |(seq, state): &&(usize, State)| {
            self.get(*seq).is_some_and(|payout| payout.state().may_become(*state))
        };
        let legal: Vec<(usize, State)> = steps.iter().filter(is_legal).copied().collect();
        let mut lines = Vec::new();
        for &(seq, state) in &legal {
            write_line(&mut lines, &Record::Moved { seq, at_ms, state })?;
        }
        self.journal.append(&lines)?;
        let made = legal.into_iter().filter_map(|(seq, state)| {
            Some(Moved { seq, change: self.picture.moved(seq, at_ms, state)? })
        });
        Ok(made.collect())
    }

    /// Notes that nobody needs to be told of a change any more.
    pub(super) fn notified(&mut self, of: Moved, notified: Notified) -> io::Result<()> {
        let Moved { seq, change } = of;
        let known = self.get(seq).and_then(|payout| payout.changes.get(change));
        if known.is_none_or(|change| change.notified != Notified::Owed) {
            return Ok(());
        }
        let mut line = Vec::new();
        write_line(&mut line, &Record::Notified { seq, change, notified })?;
        self.journal.append_later(&line)?;
        self.picture.notified(seq, change, notified);
        Ok(())
    }

    /// Registers where webhooks go, or that they go nowhere.
    pub(super) fn set_webhook(&mut self, url: Option<&str>) -> io::Result<()> {
        let record = Record::Webhook { url: url.map(Cow::Borrowed) };
        let mut line = Vec::new();
        write_line(&mut line, &record)?;
        self.journal.append(&line)?;
        self.picture.webhook = url.map(Into::into);
        Ok(())
    }

    pub(super) fn webhook(&self) -> Option<&str> {
        self.picture.webhook.as_deref()
    }

    /// Writes the acknowledgements that lag behind.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.journal.flush()
    }

    pub(super) fn get(&self, seq: usize) -> Option<&Payout> {
        self.picture.payouts().get(seq)
    }

    /// The places of all payouts under a reference, oldest first.
    pub(super) fn under(&self, reference: &str) -> &[usize] {
        self.picture.under(reference)
    }

    /// From `seq` on, in the order of acceptance.
    pub(super) fn from(&self, seq: usize) -> &[Payout] {
        self.picture.payouts().get(seq..).unwrap_or_default()
    }

    pub(super) fn totals(&self) -> Totals {
        self.picture.totals
    }
}

/// Do two creates ask for the same?
fn is_same(first: &Order, second: &Order) -> bool {
    let Order { seq: _, created_ms: _, reference, amount, currency, .. } = first;
    (reference, amount, currency) == (&second.reference, &second.amount, &second.currency)
        && (&first.purpose, &first.client_id) == (&second.purpose, &second.client_id)
        && first.payee == second.payee
}

fn write_line(lines: &mut Vec<u8>, record: &Record<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *lines, record)?;
    lines.push(b'\n');
    Ok(())
}

/// Told by its number: the line itself holds where money went.
fn damaged(number: usize) -> io::Error {
    let text = format!("line {number} is no record, or does not follow from those before it");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCEPTED: &str = concat!(
        r#"{"kind":"accepted","created_ms":1,"reference":"r","amount":"1.00","currency":"EUR","#,
        r#""payee":{"beneficiary":{"type":"card","account":"4111111111111111"}}}"#,
        "\n"
    );

    fn opened(more: &str) -> io::Result<Book> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("book");
        std::fs::write(&path, format!("{ACCEPTED}{more}")).unwrap();
        Book::open(&path)
    }

    #[test]
    fn a_ledger_is_read_back_with_its_changes() {
        let more = r#"{"kind":"moved","seq":0,"at_ms":2,"state":"PROCESSING"}"#;
        let book = opened(&format!("{more}\n")).unwrap();
        assert_eq!(book.get(0).unwrap().state(), State::Processing);
        assert_eq!((book.totals().accepted, book.totals().pending), (1, 1));
        assert_eq!(book.under("r"), [0]);
    }

    #[test]
    fn a_change_that_does_not_follow_stops_the_start_and_tells_no_account() {
        for more in [
            r#"{"kind":"moved","seq":0,"at_ms":2,"state":"COMPLETED"}"#,
            r#"{"kind":"notified","seq":0,"change":0,"notified":"acknowledged"}"#,
            &ACCEPTED.replace("amount", "4111111111111111"),
        ] {
            let error = opened(&format!("{more}\n")).err().unwrap().to_string();
            assert!(error.starts_with("line 2 ") && !error.contains("4111"), "{error}");
        }
    }
}
