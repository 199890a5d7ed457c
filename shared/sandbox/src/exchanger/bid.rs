//! The nouns of the site: an order ("bid"), its status, and each change of it.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Where an order stands, in the words of the product's source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// Created; nobody paid for it.
    New,
    /// Paid for, or said to be; the site pays out.
    Payed,
    /// Paid out.
    Success,
    /// Given up.
    Cancel,
}

impl Status {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Payed => "payed",
            Self::Success => "success",
            Self::Cancel => "cancel",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::New => "Waiting for payment",
            Self::Payed => "Paid, the exchange is being processed",
            Self::Success => "Completed",
            Self::Cancel => "Cancelled",
        }
    }

    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::Success | Self::Cancel)
    }
}

/// An order that was accepted: it never changes again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    /// Its place in the ledger, from 0; the order of the file's lines says it.
    #[serde(skip)]
    pub(super) seq: usize,
    pub(super) created_ms: u64,
    pub(super) direction_id: u32,
    /// Empty if the client gave none.
    pub(super) api_id: Box<str>,
    pub(super) partner_id: u64,
    pub(super) give: Decimal,
    pub(super) get: Decimal,
    pub(super) account1: Box<str>,
    pub(super) account2: Box<str>,
    /// Empty if nobody is to be called back.
    pub(super) callback_url: Box<str>,
}

/// What became of the callback of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Notified {
    /// Nobody waits for one.
    Unasked,
    Owed,
    Acknowledged,
    /// By the dial: nobody will ever hear of it.
    Dropped,
}

/// One change of status.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) at_ms: u64,
    pub(super) status: Status,
    pub(super) notified: Notified,
}

/// An order and what became of it.
#[derive(Clone)]
pub(super) struct Bid {
    pub(super) order: Arc<Order>,
    /// Oldest first; the first is its creation.
    pub(super) changes: Vec<Change>,
}

impl Bid {
    pub(super) fn last(&self) -> Change {
        let created_ms = self.order.created_ms;
        let new = Change { at_ms: created_ms, status: Status::New, notified: Notified::Unasked };
        self.changes.last().copied().unwrap_or(new)
    }

    pub(super) fn status(&self) -> Status {
        self.last().status
    }
}

/// A partner's withdrawal: the whole balance of its moment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Withdrawal {
    pub(super) at_ms: u64,
    pub(super) method_id: u64,
    pub(super) account: Box<str>,
    /// USD taken off the balance.
    pub(super) original: Decimal,
    /// In the method's currency, less commission.
    pub(super) pay: Decimal,
    pub(super) is_paid: bool,
}
