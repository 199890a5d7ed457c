//! The ledger in memory. Live changes and the reading back at start go through the same two
//! functions, `accepted` and `settled`, so that a restart cannot come to another picture.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::order::{Notified, Order, Payout, Status};

/// A line of the ledger's file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Record<'a> {
    Accepted(Cow<'a, Order>),
    Settled { seq: usize, at_ms: u64, status: Status },
    Notified { seq: usize, notified: Notified },
}

/// USDT.
#[derive(Debug, Clone, Copy)]
pub(super) struct Money {
    /// All that was not paid out yet.
    pub(super) balance: Decimal,
    /// Promised to pending payouts.
    pub(super) hold: Decimal,
}

impl Money {
    pub(super) fn available(self) -> Decimal {
        self.balance - self.hold
    }
}

/// Counts that are cheaper to keep than to count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) accepted: u64,
    pub(super) paid: u64,
    pub(super) pending: u64,
    /// Order ids accepted more than once.
    pub(super) duplicates: u64,
}

pub(super) struct Picture {
    /// In the order of acceptance; `Order::seq` is the index.
    payouts: Vec<Payout>,
    /// The newest payout under each order id, and how many there are.
    by_order_id: HashMap<Box<str>, (usize, u32)>,
    pub(super) money: Money,
    pub(super) totals: Totals,
}

impl Picture {
    pub(super) fn new(balance: Decimal) -> Self {
        Self {
            payouts: Vec::new(),
            by_order_id: HashMap::new(),
            money: Money { balance, hold: Decimal::ZERO },
            totals: Totals::default(),
        }
    }

    pub(super) fn payouts(&self) -> &[Payout] {
        &self.payouts
    }

    /// The newest payout under an order id.
    pub(super) fn newest(&self, order_id: &str) -> Option<&Payout> {
        self.by_order_id.get(order_id).and_then(|(seq, _)| self.payouts.get(*seq))
    }

    /// Replays one record; `None` if it cannot follow what came before it.
    pub(super) fn replay(&mut self, record: Record<'_>) -> Option<()> {
        match record {
            Record::Accepted(order) => {
                self.accepted(order.into_owned());
                Some(())
            }
            Record::Settled { seq, at_ms, status } => self.settled(seq, at_ms, status),
            Record::Notified { seq, notified } => self.notified(seq, notified),
        }
    }

    /// Puts the next order into its place and returns it.
    pub(super) fn accepted(&mut self, mut order: Order) -> Arc<Order> {
        order.seq = self.payouts.len();
        let order = Arc::new(order);
        let (newest, times) = self.by_order_id.entry(order.order_id.clone()).or_default();
        *newest = order.seq;
        *times += 1;
        if *times == 2 {
            self.totals.duplicates += 1;
        }
        self.totals.accepted += 1;
        self.totals.pending += 1;
        self.money.hold += order.spent;
        let updated_ms = order.created_ms;
        let (status, notified) = (Status::Expectation, Notified::Owed);
        self.payouts.push(Payout { order: Arc::clone(&order), status, updated_ms, notified });
        order
    }

    /// Makes a pending payout final; `None`, and nothing changes, if it is not pending.
    pub(super) fn settled(&mut self, seq: usize, at_ms: u64, status: Status) -> Option<()> {
        let payout = self.payouts.get_mut(seq).filter(|p| p.status == Status::Expectation)?;
        payout.status = status;
        payout.updated_ms = at_ms;
        self.totals.pending -= 1;
        self.money.hold -= payout.order.spent;
        if status == Status::Successful {
            self.totals.paid += 1;
            self.money.balance -= payout.order.spent;
        }
        Some(())
    }

    pub(super) fn notified(&mut self, seq: usize, notified: Notified) -> Option<()> {
        self.payouts.get_mut(seq)?.notified = notified;
        Some(())
    }
}
