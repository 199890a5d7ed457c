//! From promised to final: when a payout settles, how, and who is told when.

use std::time::Duration;

use super::callback::Delivery;
use super::gateway::Gateway;
use super::magic::{self, Magic};
use super::order::{Notified, Order, Status};
use crate::clock::{lock, unix_ms};

/// Payouts settled under one lock and with one write.
const GROUP_MAX: usize = 512;
/// After a failed write of the ledger.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// What is due later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Settle { seq: usize },
    Deliver { seq: usize, tries: u32 },
}

impl Gateway {
    /// What an order becomes; `None` is never anything.
    fn outcome(&self, order: &Order) -> Option<Status> {
        match magic::of(order.fiat) {
            Magic::Settles(outcome) if self.config.magic => outcome,
            _ => Some(Status::Successful),
        }
    }

    /// After a start: pending payouts go on, callbacks that were not answered 2xx are sent again.
    pub(super) fn take_up_promises(&self) {
        let book = lock(&self.book);
        for payout in book.from(0) {
            let seq = payout.order.seq;
            match (payout.status, payout.notified) {
                (Status::Expectation, _) => self.settle_later(&payout.order),
                (_, Notified::Owed) => self.deliveries.push(Delivery::first(seq)),
                (_, Notified::Acknowledged | Notified::Dropped) => {}
            }
        }
    }

    pub(super) fn settle_later(&self, order: &Order) {
        if self.outcome(order).is_some() {
            let age_ms = unix_ms().saturating_sub(order.created_ms);
            let rest_ms = self.config.settle_after_ms.saturating_sub(age_ms);
            self.timers.push(Duration::from_millis(rest_ms), Due::Settle { seq: order.seq });
        }
    }

    /// Settles those that are pending and returns them; their callbacks are the caller's.
    pub(super) fn settle(&self, seqs: &[usize]) -> Vec<usize> {
        let mut book = lock(&self.book);
        let outcomes: Vec<(usize, Status)> = seqs
            .iter()
            .filter_map(|seq| Some((*seq, self.outcome(&book.get(*seq)?.order)?)))
            .collect();
        match book.settle(&outcomes, unix_ms()) {
            Ok(settled) => settled,
            Err(error) => {
                tracing::error!(%error, payouts = outcomes.len(), "settling is tried again");
                for (seq, _) in outcomes {
                    self.timers.push(WRITE_AGAIN, Due::Settle { seq });
                }
                Vec::new()
            }
        }
    }

    /// Settles everything that is pending now, but for what never settles; returns how many.
    pub(super) fn settle_now(&self) -> usize {
        let pending: Vec<usize> = {
            let book = lock(&self.book);
            let is_pending = |status| status == Status::Expectation;
            let all = book.from(0).iter().filter(|payout| is_pending(payout.status));
            all.map(|payout| payout.order.seq).collect()
        };
        pending.chunks(GROUP_MAX).map(|group| self.settle_and_tell(group)).sum()
    }

    fn settle_and_tell(&self, seqs: &[usize]) -> usize {
        let settled = self.settle(seqs);
        for seq in &settled {
            self.tell(*seq);
        }
        settled.len()
    }

    /// Has the callback of a payout that just became final sent: now, or as late as the dial says.
    pub(super) fn tell(&self, seq: usize) {
        let delay = self.dial.callback_delay();
        if delay.is_zero() {
            self.deliveries.push(Delivery::first(seq));
        } else {
            self.timers.push(delay, Due::Deliver { seq, tries: 0 });
        }
    }

    pub(super) async fn run_timers(&self) {
        loop {
            let mut seqs = Vec::new();
            for due in self.timers.due().await {
                match due {
                    Due::Settle { seq } => seqs.push(seq),
                    Due::Deliver { seq, tries } => {
                        self.deliveries.push(Delivery::again(seq, tries));
                    }
                }
            }
            if !seqs.is_empty() {
                self.settle_and_tell(&seqs);
            }
        }
    }
}
