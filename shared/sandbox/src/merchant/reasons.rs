//! Why somebody may ask about a payout. Polling is forbidden here: what is asked about without any
//! of the reasons that the dossier lists is counted, and should be 0.
//!
//! | reason | how it is known here |
//! |---|---|
//! | the create had no true answer, or the order exists already | this side spoilt or refused it |
//! | a callback says that it failed, or proves nothing, or it was cancelled | this side sent or took it |
//! | the callback is overdue, or the create is in doubt for reasons of the asker's | the payout is old enough |
//! | a payout that is known to exist shows that look-ups work | another one was just not found |
//!
//! A payout whose callback was acknowledged a while ago is settled: age is no reason any more. Each
//! event is the reason of one look-up, and an answer that told nothing does not use it up.

use std::collections::HashMap;

use super::order::Order;

#[derive(Default)]
pub(super) struct Reasons {
    /// Look-ups that something called for and that have not come yet, by order id.
    called_for: HashMap<Box<str>, u32>,
    /// When the callback was acknowledged, by the place in the ledger.
    settled_ms: HashMap<usize, u64>,
    /// Look-ups that found nothing and no payout that exists was asked for after them.
    missed: u32,
}

impl Reasons {
    /// Something happened that one look-up is to clear up.
    pub(super) fn call_for(&mut self, order_id: &str) {
        *self.called_for.entry(order_id.into()).or_default() += 1;
    }

    pub(super) fn settled(&mut self, seq: usize, now_ms: u64) {
        self.settled_ms.insert(seq, now_ms);
    }

    pub(super) fn missed(&mut self) {
        self.missed = self.missed.saturating_add(1);
    }

    /// Whether there was a reason to ask about this order, which was told truly. It is used up.
    pub(super) fn take(&mut self, order: &Order, after_ms: u64, now_ms: u64) -> bool {
        let is_past = |since_ms: u64| now_ms.saturating_sub(since_ms) >= after_ms;
        let is_settled = self.settled_ms.get(&order.seq).is_some_and(|since| is_past(*since));
        if !is_settled && is_past(order.created_ms) {
            return true;
        }
        let called_for = self.called_for.get_mut(&order.order_id);
        called_for.is_some_and(use_up) || use_up(&mut self.missed)
    }
}

/// Takes one, if there is one.
fn use_up(count: &mut u32) -> bool {
    let is_there = *count > 0;
    *count = count.saturating_sub(1);
    is_there
}
