//! A batch: one uploaded file, its life, and the counters that say where its payouts stand.

use crate::payout::State;
use crate::place::BatchId;
use crate::terms::Terms;
use crate::time::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Where a batch stands: `receiving → active ⇄ paused → complete`, or `rejected`, `cancelled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchState {
    /// Intake writes its chunks; nothing of it can be paid.
    Receiving,
    /// Sealed; a person must approve it before anything is paid.
    Awaiting,
    /// Sealed: its payouts are payable.
    Active,
    /// Nothing new is sent; what is under way is followed to its end.
    Paused,
    /// Every payout is final or in review. A late change may make it active again.
    Complete,
    /// Intake did not seal it: nothing of it was or will be paid.
    Rejected,
    /// Cancelled by an operator: what had not been sent will not be.
    Cancelled,
}

impl BatchState {
    /// All states.
    pub const ALL: [BatchState; 7] = [
        BatchState::Receiving,
        BatchState::Awaiting,
        BatchState::Active,
        BatchState::Paused,
        BatchState::Complete,
        BatchState::Rejected,
        BatchState::Cancelled,
    ];

    /// The name in stores and on screens.
    pub fn name(self) -> &'static str {
        match self {
            BatchState::Receiving => "receiving",
            BatchState::Awaiting => "awaiting",
            BatchState::Active => "active",
            BatchState::Paused => "paused",
            BatchState::Complete => "complete",
            BatchState::Rejected => "rejected",
            BatchState::Cancelled => "cancelled",
        }
    }

    /// The inverse of [`BatchState::name`].
    pub fn from_name(name: &str) -> Option<BatchState> {
        BatchState::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether a batch may go from this state to `next`.
    pub fn may_become(self, next: BatchState) -> bool {
        use BatchState::{Active, Awaiting, Cancelled, Complete, Paused, Receiving, Rejected};
        matches!(
            (self, next),
            (Receiving, Awaiting | Active | Rejected)
                | (Awaiting, Active | Cancelled)
                | (Active, Paused | Complete | Cancelled)
                | (Paused, Active | Complete | Cancelled)
                | (Complete, Active)
        )
    }

    /// Sealed at some time: its payouts exist.
    pub fn was_sealed(self) -> bool {
        !matches!(self, BatchState::Receiving | BatchState::Rejected)
    }
}

impl fmt::Display for BatchState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many payouts stand in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts([u64; 9]);

impl Counts {
    /// A batch of `rows` payouts that was just sealed.
    pub fn all_accepted(rows: u64) -> Counts {
        let mut counts = Counts::default();
        counts.0[State::Accepted.index()] = rows;
        counts
    }

    /// Counts given in the order of [`State::ALL`].
    pub fn from_array(counts: [u64; 9]) -> Counts {
        Counts(counts)
    }

    /// Payouts in `state`.
    pub fn get(&self, state: State) -> u64 {
        self.0[state.index()]
    }

    /// One payout goes from one state to another.
    pub fn shift(&mut self, from: State, to: State) {
        self.0[from.index()] = self.0[from.index()].saturating_sub(1);
        self.0[to.index()] += 1;
    }

    /// All payouts.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Payouts that the batch still waits for.
    pub fn open(&self) -> u64 {
        State::ALL.into_iter().filter(|s| s.is_open()).map(|s| self.get(s)).sum()
    }

    /// Payouts that a provider has answered for, or that have an end: the whole of which
    /// [`Counts::unpaid`] is a part. Those that it took count although they are not paid yet: a
    /// refusal comes at once and a payment after hours, so among the ends alone nearly all would
    /// be refusals at first.
    pub fn answered(&self) -> u64 {
        self.total()
            - [State::Accepted, State::Submitting, State::Unknown]
                .map(|s| self.get(s))
                .iter()
                .sum::<u64>()
    }

    /// Payouts that failed, or that a person must decide about.
    pub fn unpaid(&self) -> u64 {
        self.get(State::Failed) + self.get(State::Review)
    }
}

/// Rows and money per currency, in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals(pub BTreeMap<String, CurrencyTotal>);

/// Rows and money of one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrencyTotal {
    /// Rows.
    pub rows: u64,
    /// Sum in minor units.
    pub minor: i128,
    /// Decimals of the currency.
    pub exponent: u8,
}

impl Totals {
    /// Adds one row.
    pub fn add(&mut self, money: &crate::Money) {
        let currency = money.currency();
        let total = self.0.entry(currency.code().to_owned()).or_default();
        total.exponent = currency.exponent();
        total.rows += 1;
        total.minor += money.minor_units();
    }

    /// All rows.
    pub fn rows(&self) -> u64 {
        self.0.values().map(|total| total.rows).sum()
    }
}

/// What the ledger keeps of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its id.
    pub id: BatchId,
    /// The file's name without its folder.
    pub name: String,
    /// SHA-256 of the file, hex.
    pub file_sha256: String,
    /// Where it stands.
    pub state: BatchState,
    /// When intake opened it.
    pub created: Millis,
    /// When it may go, and before whom.
    pub terms: Terms,
    /// Rows and money at seal; empty before.
    pub totals: Totals,
    /// Chunks at seal; 0 before.
    pub chunks: u16,
    /// Where its payouts stand.
    pub counts: Counts,
    /// Grows with every change of a payout: a result file is current if it carries this number.
    pub changes: u64,
    /// The `changes` that the newest result file shows, if one was written.
    pub reported: Option<u64>,
    /// Why it was rejected; empty otherwise.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_never_returns_from_rejected_or_cancelled() {
        for next in BatchState::ALL {
            assert!(!BatchState::Rejected.may_become(next));
            assert!(!BatchState::Cancelled.may_become(next));
        }
    }

    #[test]
    fn what_is_not_sent_or_in_doubt_is_not_answered_and_a_cancelled_payout_is_no_failure() {
        let counts = Counts::from_array([1, 2, 4, 8, 16, 32, 64, 128, 256]);
        assert_eq!(counts.answered(), 4 + 8 + 32 + 64 + 128 + 256);
        assert_eq!(counts.unpaid(), 64 + 256);
    }

    #[test]
    fn counts_keep_their_total() {
        let mut counts = Counts::all_accepted(3);
        counts.shift(State::Accepted, State::Submitting);
        counts.shift(State::Submitting, State::Paid);
        assert_eq!((counts.total(), counts.open(), counts.get(State::Paid)), (3, 2, 1));
    }
}
