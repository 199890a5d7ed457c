//! The nouns of Capay: a state, an accepted order, its changes, and a payout, which is all of them.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Where a payout stands.
///
/// ```text
/// CREATED ─▶ PROCESSING ─▶ COMPLETED | REJECTED
///    └───────────┴───────▶ CANCELLED, when the client asks for it
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum State {
    Created,
    Processing,
    Completed,
    Rejected,
    Cancelled,
}

impl State {
    /// The wire's word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Processing => "PROCESSING",
            Self::Completed => "COMPLETED",
            Self::Rejected => "REJECTED",
            Self::Cancelled => "CANCELLED",
        }
    }

    pub(super) fn is_final(self) -> bool {
        !matches!(self, Self::Created | Self::Processing)
    }

    /// The only transition table: live changes and the reading back of the ledger ask it.
    pub(super) fn may_become(self, next: Self) -> bool {
        match self {
            Self::Created => matches!(next, Self::Processing | Self::Cancelled),
            Self::Processing => next.is_final(),
            Self::Completed | Self::Rejected | Self::Cancelled => false,
        }
    }
}

/// Who is paid, as the create said it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Payee {
    /// One of the lists.
    BeneficiaryId(Box<str>),
    /// One that the create describes.
    Beneficiary(Beneficiary),
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Beneficiary {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Box<str>>,
    #[serde(rename = "type")]
    pub(super) kind: Box<str>,
    pub(super) account: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) bank_code: Option<Box<str>>,
}

impl Payee {
    /// What the ledger shows as the place where the money goes.
    pub(super) fn destination(&self) -> &str {
        match self {
            Self::BeneficiaryId(id) => id,
            Self::Beneficiary(beneficiary) => &beneficiary.account,
        }
    }
}

/// A create that was accepted: it never changes again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    /// Its place in the ledger, from 0. Not written: the order of the file's lines says it.
    #[serde(skip)]
    pub(super) seq: usize,
    pub(super) created_ms: u64,
    pub(super) reference: Box<str>,
    /// As it was sent, so with its decimals.
    pub(super) amount: Decimal,
    /// Upper case.
    pub(super) currency: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) purpose: Option<Box<str>>,
    /// Whose payout it is; the caller's own without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) idempotency_key: Option<Box<str>>,
    pub(super) payee: Payee,
}

/// Is a change's webhook still owed?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Notified {
    Owed,
    Acknowledged,
    /// By the dial, or because no webhook is registered: nobody will ever hear of it.
    Dropped,
}

/// The payout took another state, of which a webhook tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) state: State,
    pub(super) at_ms: u64,
    pub(super) notified: Notified,
}

/// An order and what became of it.
#[derive(Clone)]
pub(super) struct Payout {
    pub(super) order: Arc<Order>,
    /// Oldest first; at most two, since a state is never taken twice.
    pub(super) changes: Vec<Change>,
}

impl Payout {
    pub(super) fn state(&self) -> State {
        self.changes.last().map_or(State::Created, |change| change.state)
    }

    pub(super) fn updated_ms(&self) -> u64 {
        self.changes.last().map_or(self.order.created_ms, |change| change.at_ms)
    }

    /// Was the webhook of the final state answered 2xx?
    pub(super) fn is_acknowledged(&self) -> bool {
        let last = self.changes.last().filter(|change| change.state.is_final());
        last.is_some_and(|change| change.notified == Notified::Acknowledged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_a_final_state_and_nothing_is_settled_before_it_is_processed() {
        use State::*;
        let all = [Created, Processing, Completed, Rejected, Cancelled];
        let legal: Vec<(State, State)> = all
            .into_iter()
            .flat_map(|from| all.map(|to| (from, to)))
            .filter(|(from, to)| from.may_become(*to))
            .collect();
        let expected = [
            (Created, Processing),
            (Created, Cancelled),
            (Processing, Completed),
            (Processing, Rejected),
            (Processing, Cancelled),
        ];
        assert_eq!(legal, expected);
    }
}
