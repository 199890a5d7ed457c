//! From promised to final: when a payout moves, to what, and who is told when.

use std::time::Duration;

use tokio::sync::oneshot;

use super::book::Moved;
use super::gateway::Gateway;
use super::magic::{self, Magic};
use super::order::{Notified, Order, State};
use super::webhook::Delivery;
use crate::clock::{lock, unix_ms};

/// Payouts moved under one lock and with one write.
const GROUP_MAX: usize = 512;
/// After a failed write of the ledger.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// What is due later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Move { seq: usize },
    Deliver { moved: Moved, tries: u32 },
}

impl Gateway {
    /// What an order becomes in the end; `None` is `PROCESSING` for ever.
    fn outcome(&self, order: &Order) -> Option<State> {
        match magic::of(order.amount) {
            Magic::Settles(outcome) if self.config.magic => outcome,
            _ => Some(State::Completed),
        }
    }

    /// What follows a state of its own accord.
    fn next(&self, order: &Order, state: State) -> Option<State> {
        match state {
            State::Created => Some(State::Processing),
            State::Processing => self.outcome(order),
            State::Completed | State::Rejected | State::Cancelled => None,
        }
    }

    /// After a start: open payouts go on, webhooks that were not answered 2xx are sent again.
    pub(super) fn take_up_promises(&self) {
        let book = lock(&self.book);
        for payout in book.from(0) {
            let seq = payout.order.seq;
            self.move_later(&payout.order, payout.state());
            let owed = payout.changes.iter().enumerate();
            for (change, _) in owed.filter(|(_, change)| change.notified == Notified::Owed) {
                self.deliver_now(Delivery::first(Moved { seq, change }));
            }
        }
    }

    /// Has a payout in this state take the next one when its time has come.
    pub(super) fn move_later(&self, order: &Order, state: State) {
        if self.next(order, state).is_none() {
            return;
        }
        let whole_ms = self.config.settle_after_ms;
        let due_ms = if state == State::Created { whole_ms / 2 } else { whole_ms };
        let age_ms = unix_ms().saturating_sub(order.created_ms);
        let rest = Duration::from_millis(due_ms.saturating_sub(age_ms));
        self.timers.push(rest, Due::Move { seq: order.seq });
    }

    /// Moves each on by one state, if one follows; who hears of it is the caller's.
    fn step(&self, seqs: &[usize]) -> Vec<Moved> {
        let mut book = lock(&self.book);
        let steps: Vec<(usize, State)> = seqs
            .iter()
            .filter_map(|seq| book.get(*seq))
            .filter_map(|p| Some((p.order.seq, self.next(&p.order, p.state())?)))
            .collect();
        match book.advance(&steps, unix_ms()) {
            Ok(moved) => {
                let payouts = moved.iter().filter_map(|moved| book.get(moved.seq));
                payouts.for_each(|payout| self.move_later(&payout.order, payout.state()));
                moved
            }
            Err(error) => {
                tracing::error!(%error, payouts = steps.len(), "moving on is tried again");
                for (seq, _) in steps {
                    self.timers.push(WRITE_AGAIN, Due::Move { seq });
                }
                Vec::new()
            }
        }
    }

    /// Moves everything to its end, but for what has none; returns how many became final.
    pub(super) fn settle_now(&self) -> usize {
        let open: Vec<usize> = {
            let book = lock(&self.book);
            let all = book.from(0).iter().filter(|payout| !payout.state().is_final());
            let ending = all.filter(|payout| self.outcome(&payout.order).is_some());
            ending.map(|payout| payout.order.seq).collect()
        };
        open.chunks(GROUP_MAX).map(|group| self.settle_and_tell(group)).sum()
    }

    fn settle_and_tell(&self, seqs: &[usize]) -> usize {
        let moved = self.to_the_end(seqs);
        moved.iter().for_each(|moved| self.tell(*moved));
        let book = lock(&self.book);
        let changes = moved.iter().filter_map(|of| book.get(of.seq)?.changes.get(of.change));
        changes.filter(|change| change.state.is_final()).count()
    }

    /// Two steps: no payout is further than that from its end.
    fn to_the_end(&self, seqs: &[usize]) -> Vec<Moved> {
        let mut moved = self.step(seqs);
        moved.extend(self.step(seqs));
        moved
    }

    /// Moves a payout to its end and waits until its webhooks were tried.
    pub(super) async fn settle_and_wait(&self, seq: usize) {
        for moved in self.to_the_end(&[seq]) {
            // The sending is the senders': it goes on if the client hangs up and this is dropped.
            let (done, tried) = oneshot::channel();
            self.deliver_now(Delivery::reported(moved, done));
            let _ = tried.await;
        }
    }

    /// Has the webhook of a change sent, if one is registered: now, or as late as the dial says.
    pub(super) fn tell(&self, moved: Moved) {
        let is_registered = lock(&self.book).webhook().is_some();
        if !is_registered {
            return self.close(moved, Notified::Dropped);
        }
        let delay = self.dial.callback_delay();
        if delay.is_zero() {
            self.deliver_now(Delivery::first(moved));
        } else {
            self.timers.push(delay, Due::Deliver { moved, tries: 0 });
        }
    }

    pub(super) async fn run_timers(&self) {
        loop {
            let mut seqs = Vec::new();
            for due in self.timers.due().await {
                match due {
                    Due::Move { seq } => seqs.push(seq),
                    Due::Deliver { moved, tries } => {
                        self.deliver_now(Delivery::again(moved, tries));
                    }
                }
            }
            self.step(&seqs).into_iter().for_each(|moved| self.tell(moved));
        }
    }
}
