//! The ledger in memory. Live changes and the reading back at start go through the same functions,
//! so that a restart cannot come to another picture.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::order::{Change, Notified, Order, Payout, State};

/// A line of the ledger's file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Record<'a> {
    Accepted(Cow<'a, Order>),
    Moved {
        seq: usize,
        at_ms: u64,
        state: State,
    },
    /// `change` counts the payout's changes from 0.
    Notified {
        seq: usize,
        change: usize,
        notified: Notified,
    },
    /// From now on webhooks go there; without a URL, nowhere.
    Webhook {
        url: Option<Cow<'a, str>>,
    },
}

/// Counts that are cheaper to keep than to count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) accepted: u64,
    pub(super) paid: u64,
    pub(super) pending: u64,
    /// References accepted more than once.
    pub(super) duplicates: u64,
}

#[derive(Default)]
pub(super) struct Picture {
    /// In the order of acceptance; `Order::seq` is the index.
    payouts: Vec<Payout>,
    by_reference: HashMap<Box<str>, Vec<usize>>,
    /// The first payout under each `Idempotency-Key`.
    by_key: HashMap<Box<str>, usize>,
    pub(super) webhook: Option<Box<str>>,
    pub(super) totals: Totals,
}

impl Picture {
    pub(super) fn payouts(&self) -> &[Payout] {
        &self.payouts
    }

    /// The places of all payouts under a reference, oldest first.
    pub(super) fn under(&self, reference: &str) -> &[usize] {
        self.by_reference.get(reference).map_or(&[], Vec::as_slice)
    }

    /// The order that an `Idempotency-Key` was first used for.
    pub(super) fn first_with(&self, key: &str) -> Option<&Arc<Order>> {
        self.by_key.get(key).and_then(|seq| self.payouts.get(*seq)).map(|payout| &payout.order)
    }

    /// Replays one record; `None` if it cannot follow what came before it.
    pub(super) fn replay(&mut self, record: Record<'_>) -> Option<()> {
        match record {
            Record::Accepted(order) => {
                self.accepted(order.into_owned());
                Some(())
            }
            Record::Moved { seq, at_ms, state } => self.moved(seq, at_ms, state).map(drop),
            Record::Notified { seq, change, notified } => self.notified(seq, change, notified),
            Record::Webhook { url } => {
                self.webhook = url.map(|url| url.as_ref().into());
                Some(())
            }
        }
    }

    /// Puts the next order into its place and returns it.
    pub(super) fn accepted(&mut self, mut order: Order) -> Arc<Order> {
        order.seq = self.payouts.len();
        let order = Arc::new(order);
        let same = self.by_reference.entry(order.reference.clone()).or_default();
        same.push(order.seq);
        if same.len() == 2 {
            self.totals.duplicates += 1;
        }
        if let Some(key) = &order.idempotency_key {
            self.by_key.entry(key.clone()).or_insert(order.seq);
        }
        self.totals.accepted += 1;
        self.totals.pending += 1;
        self.payouts.push(Payout { order: Arc::clone(&order), changes: Vec::new() });
        order
    }

    /// Makes a legal change and returns its number; `None`, and nothing changes, if it is none.
    pub(super) fn moved(&mut self, seq: usize, at_ms: u64, state: State) -> Option<usize> {
        let payout = self.payouts.get_mut(seq).filter(|p| p.state().may_become(state))?;
        payout.changes.push(Change { state, at_ms, notified: Notified::Owed });
        if state.is_final() {
            self.totals.pending -= 1;
        }
        if state == State::Completed {
            self.totals.paid += 1;
        }
        Some(payout.changes.len() - 1)
    }

    pub(super) fn notified(&mut self, seq: usize, change: usize, notified: Notified) -> Option<()> {
        self.payouts.get_mut(seq)?.changes.get_mut(change)?.notified = notified;
        Some(())
    }
}
