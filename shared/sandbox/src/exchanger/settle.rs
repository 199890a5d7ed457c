//! From funded to final: when an order settles, how, and who is told when.

use std::time::Duration;

use super::bid::{Bid, Notified, Order, Status};
use super::callback::Delivery;
use super::magic::{self, Magic};
use super::site::Site;
use crate::clock::{lock, unix_ms};

/// After a failed write of the ledger.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// What is due later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Settle { seq: usize },
    Withdrawal { place: usize },
    Deliver { seq: usize, change: usize, tries: u32 },
}

impl Site {
    fn magic(&self, order: &Order) -> Magic {
        let plain = Magic::Settles(Some(Status::Success));
        if self.config.magic { magic::of(order.get) } else { plain }
    }

    /// What an order that stands like this becomes next by itself; `None` is nothing.
    fn outcome(&self, bid: &Bid) -> Option<Status> {
        match (bid.status(), self.magic(&bid.order)) {
            (Status::New | Status::Payed, Magic::Cancelled) => Some(Status::Cancel),
            (Status::Payed, Magic::Settles(outcome)) => outcome,
            (Status::Payed, _) => Some(Status::Success),
            _ => None,
        }
    }

    /// After a start: what is under way goes on, callbacks not answered 2xx are sent again.
    pub(super) fn take_up_promises(&self) {
        let book = lock(&self.book);
        for bid in book.bids() {
            let seq = bid.order.seq;
            if self.outcome(bid).is_some() {
                self.timers.push(self.rest(bid.last().at_ms), Due::Settle { seq });
            }
            let owed = |change: usize| bid.changes[change].notified == Notified::Owed;
            for change in (0..bid.changes.len()).filter(|change| owed(*change)) {
                self.deliveries.push(Delivery { seq, change, tries: 0 });
            }
        }
        for (place, withdrawal) in book.withdrawals().iter().enumerate() {
            if !withdrawal.is_paid {
                self.timers.push(self.rest(withdrawal.at_ms), Due::Withdrawal { place });
            }
        }
    }

    /// What is left of the time to settle.
    fn rest(&self, since_ms: u64) -> Duration {
        let age_ms = unix_ms().saturating_sub(since_ms);
        Duration::from_millis(self.config.settle_after_ms.saturating_sub(age_ms))
    }

    /// A new order may be one that the site gives up.
    pub(super) fn cancel_later(&self, order: &Order) {
        if self.magic(order) == Magic::Cancelled {
            self.timers.push(self.rest(order.created_ms), Due::Settle { seq: order.seq });
        }
    }

    pub(super) fn settle_later(&self, seq: usize) {
        self.timers.push(self.rest(unix_ms()), Due::Settle { seq });
    }

    pub(super) fn pay_withdrawal_later(&self, place: usize) {
        self.timers.push(self.rest(unix_ms()), Due::Withdrawal { place });
    }

    /// Brings an order to its end, if it has one; was it not there before?
    fn settle(&self, seq: usize) -> bool {
        let bid = lock(&self.book).get(seq).cloned();
        let Some((from, to)) = bid.and_then(|bid| Some((bid.status(), self.outcome(&bid)?))) else {
            return false;
        };
        self.change(seq, &[from], to).unwrap_or_else(|error| {
            tracing::error!(%error, seq, "settling is tried again");
            self.timers.push(WRITE_AGAIN, Due::Settle { seq });
            false
        })
    }

    fn pay_withdrawal(&self, place: usize) {
        if let Err(error) = lock(&self.book).pay_withdrawal(place) {
            tracing::error!(%error, place, "paying a withdrawal is tried again");
            self.timers.push(WRITE_AGAIN, Due::Withdrawal { place });
        }
    }

    /// Settles everything that is funded now, and pays withdrawals; returns how many orders became
    /// final.
    pub(super) fn settle_now(&self) -> usize {
        let (seqs, places) = {
            let book = lock(&self.book);
            let open = book.bids().iter().filter(|bid| self.outcome(bid).is_some());
            let seqs: Vec<usize> = open.map(|bid| bid.order.seq).collect();
            (seqs, book.withdrawals().len())
        };
        (0..places).for_each(|place| self.pay_withdrawal(place));
        seqs.into_iter().filter(|seq| self.settle(*seq)).count()
    }

    /// Has the callback of a change sent: now, or as late as the dial says.
    pub(super) fn tell(&self, seq: usize, change: usize) {
        let is_asked = |bid: &Bid| !bid.order.callback_url.is_empty();
        if !lock(&self.book).get(seq).is_some_and(is_asked) {
            return;
        }
        let delay = self.dial.callback_delay();
        if delay.is_zero() {
            self.deliveries.push(Delivery { seq, change, tries: 0 });
        } else {
            self.timers.push(delay, Due::Deliver { seq, change, tries: 0 });
        }
    }

    pub(super) async fn run_timers(&self) {
        loop {
            for due in self.timers.due().await {
                match due {
                    Due::Settle { seq } => {
                        self.settle(seq);
                    }
                    Due::Withdrawal { place } => self.pay_withdrawal(place),
                    Due::Deliver { seq, change, tries } => {
                        self.deliveries.push(Delivery { seq, change, tries });
                    }
                }
            }
        }
    }
}
