//! The nouns of the gateway: a method, a status, an accepted order, and what a client may see.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// How the recipient is paid, and so which requisite a create carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// `number_card`
    Card,
    /// `phone_number` and `bank_name`
    Sbp,
    /// `number_score`
    Score,
    /// `iban_number`
    Iban,
}

/// Where a payout stands, in the document's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Accepted, not paid yet.
    Expectation,
    /// Paid.
    Successful,
    /// Not paid in time.
    RejectedTimeout,
    /// Cancelled by the merchant.
    RejectedMerchant,
    /// Rejected by the platform's support.
    RejectedGate,
}

impl Status {
    /// The document's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Expectation => "expectation",
            Self::Successful => "successful",
            Self::RejectedTimeout => "rejected_timeout",
            Self::RejectedMerchant => "rejected_merchant",
            Self::RejectedGate => "rejected_gate",
        }
    }
}

impl Method {
    /// The document's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Sbp => "sbp",
            Self::Score => "score",
            Self::Iban => "iban",
        }
    }

    pub(super) const ALL: [Self; 4] = [Self::Card, Self::Sbp, Self::Score, Self::Iban];

    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.word() == word)
    }
}

/// A create that was accepted: it never changes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    /// Its place in the ledger, from 0. Not written: the order of the file's lines says it, so that
    /// a line can be made before the lock is taken.
    #[serde(skip)]
    pub(super) seq: usize,
    pub(super) created_ms: u64,
    pub(super) order_id: Box<str>,
    pub(super) method: Method,
    pub(super) fiat: Decimal,
    pub(super) currency: Box<str>,
    pub(super) requisite: Box<str>,
    pub(super) bank_name: Box<str>,
    pub(super) full_name: Box<str>,
    pub(super) success_url: Box<str>,
    pub(super) error_url: Box<str>,
    pub(super) usdt: Decimal,
    pub(super) spent: Decimal,
    pub(super) rate: Decimal,
}

/// Is the callback of a final payout still owed?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Notified {
    Owed,
    Acknowledged,
    /// By the dial: nobody will ever hear of it.
    Dropped,
}

/// An order and what became of it.
#[derive(Debug, Clone)]
pub(super) struct Payout {
    pub(super) order: Arc<Order>,
    pub(super) status: Status,
    pub(super) updated_ms: u64,
    pub(super) notified: Notified,
}
