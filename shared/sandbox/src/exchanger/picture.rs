//! The ledger in memory. Live changes and the reading back at start go through the same functions,
//! so that a restart cannot come to another picture.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::bid::{Bid, Change, Notified, Order, Status, Withdrawal};

/// A line of the ledger's file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Record<'a> {
    Created(Cow<'a, Order>),
    Changed {
        seq: usize,
        at_ms: u64,
        status: Status,
    },
    Notified {
        seq: usize,
        change: usize,
        notified: Notified,
    },
    /// Money for an order that did not wait for any.
    Overpaid {
        seq: usize,
        at_ms: u64,
    },
    Withdrawn(Cow<'a, Withdrawal>),
    WithdrawalPaid {
        place: usize,
    },
}

#[derive(Default)]
pub(super) struct Picture {
    /// In the order of creation; `Order::seq` is the index.
    pub(super) bids: Vec<Bid>,
    /// What was paid for or is to be: each order once, and once more each time that it was paid
    /// for again.
    pub(super) entries: Vec<usize>,
    pub(super) withdrawals: Vec<Withdrawal>,
    /// Numeric ids of the client, without leading zeros.
    numbers: HashSet<Box<str>>,
    /// Every order by its last change; the count of changes tells two of one millisecond apart.
    recent: BTreeSet<(u64, u64, usize)>,
    changes: u64,
    /// The place of each order in `recent`.
    places: Vec<(u64, u64)>,
}

impl Picture {
    /// Replays one record; `None` if it cannot follow what came before it.
    pub(super) fn replay(&mut self, record: Record<'_>) -> Option<()> {
        match record {
            Record::Created(order) => {
                self.created(order.into_owned());
            }
            Record::Changed { seq, at_ms, status } => {
                self.changed(seq, at_ms, status)?;
            }
            Record::Notified { seq, change, notified } => self.notified(seq, change, notified)?,
            Record::Overpaid { seq, at_ms: _ } => self.overpaid(seq)?,
            Record::Withdrawn(withdrawal) => self.withdrawals.push(withdrawal.into_owned()),
            Record::WithdrawalPaid { place } => self.withdrawals.get_mut(place)?.is_paid = true,
        }
        Some(())
    }

    /// Puts the next order into its place and returns it.
    pub(super) fn created(&mut self, mut order: Order) -> Arc<Order> {
        order.seq = self.bids.len();
        let order = Arc::new(order);
        self.numbers.extend(number(&order.api_id).map(Box::from));
        self.entries.push(order.seq);
        self.bids.push(Bid { order: Arc::clone(&order), changes: Vec::new() });
        self.places.push((0, 0));
        self.push_change(order.seq, order.created_ms, Status::New, Notified::Unasked);
        order
    }

    /// Returns which change of the order it is; `None`, and nothing changes, without the order.
    pub(super) fn changed(&mut self, seq: usize, at_ms: u64, status: Status) -> Option<usize> {
        let is_silent = self.bids.get(seq)?.order.callback_url.is_empty();
        let notified = if is_silent { Notified::Unasked } else { Notified::Owed };
        self.push_change(seq, at_ms, status, notified);
        self.bids.get(seq)?.changes.len().checked_sub(1)
    }

    fn push_change(&mut self, seq: usize, at_ms: u64, status: Status, notified: Notified) {
        let (Some(bid), Some(place)) = (self.bids.get_mut(seq), self.places.get_mut(seq)) else {
            return;
        };
        bid.changes.push(Change { at_ms, status, notified });
        self.recent.remove(&(place.0, place.1, seq));
        self.changes += 1;
        *place = (at_ms, self.changes);
        self.recent.insert((at_ms, self.changes, seq));
    }

    pub(super) fn notified(&mut self, seq: usize, change: usize, now: Notified) -> Option<()> {
        self.bids.get_mut(seq)?.changes.get_mut(change)?.notified = now;
        Some(())
    }

    pub(super) fn overpaid(&mut self, seq: usize) -> Option<()> {
        self.bids.get(seq)?;
        self.entries.push(seq);
        Some(())
    }

    /// Every order, the one that changed last first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Bid> {
        self.recent.iter().rev().filter_map(|(_, _, seq)| self.bids.get(*seq))
    }

    /// Does an order stand under this id, if it is one that must be unique?
    pub(super) fn is_taken(&self, api_id: &str) -> bool {
        number(api_id).is_some_and(|number| self.numbers.contains(number))
    }

    /// Orders and their sums, counted anew: `success_bid` can turn any of them around.
    pub(super) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        // Without an id of the client only the order itself can be paid for twice.
        let mut times: HashMap<(&str, Option<usize>), u64> = HashMap::new();
        for bid in self.entries.iter().filter_map(|seq| self.bids.get(*seq)) {
            totals.accepted += 1;
            totals.paid += u64::from(bid.status() == Status::Success);
            totals.pending += u64::from(!bid.status().is_final());
            let Order { seq, api_id, .. } = &*bid.order;
            *times.entry((api_id, api_id.is_empty().then_some(*seq))).or_default() += 1;
        }
        totals.duplicates = times.values().map(|count| u64::from(*count > 1)).sum();
        totals
    }

    /// USD that the partner took out.
    pub(super) fn withdrawn(&self) -> Decimal {
        self.withdrawals.iter().map(|withdrawal| withdrawal.original).sum()
    }
}

/// Counts of the ledger's entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) accepted: u64,
    pub(super) paid: u64,
    pub(super) pending: u64,
    /// Ids of the client with more than one entry.
    pub(super) duplicates: u64,
}

/// The digits of an `api_id` that is a number above 0, without leading zeros.
fn number(api_id: &str) -> Option<&str> {
    let digits = api_id.trim_start_matches('0');
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(digits)
}
