//! What the entries of a batch's chain say. Names and sums, no destinations.

use crate::report::summary::Sum;
use domain::batch::Totals;
use domain::{Millis, Payout, Priority, Row, State, Terms};
use ledger::audit::Hash;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Rows and money per currency.
pub type Sums = BTreeMap<String, Sum>;

/// An intake, told before the batch is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntakeTold {
    /// The file's name.
    pub file: String,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// What is taken.
    pub totals: Sums,
    /// What is left out.
    pub left_out: LeftOut,
    /// Rows per lane.
    #[serde(default)]
    pub lanes: BTreeMap<String, u64>,
    /// When nothing of it may be sent before, and whom it goes before; empty where nothing was asked.
    #[serde(default, skip_serializing_if = "TermsTold::is_plain")]
    pub terms: TermsTold,
    /// Told only when the result was written: whoever took the file in told nothing.
    #[serde(default)]
    pub late: bool,
}

/// What was asked of a batch beside its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermsTold {
    /// Milliseconds of ledger time; none for at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before_ms: Option<u64>,
    /// `high` or `low`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
}

impl TermsTold {
    /// As the ledger holds them.
    pub fn of(terms: Terms) -> TermsTold {
        let Terms { not_before, priority } = terms;
        TermsTold {
            not_before_ms: (not_before > Millis(0)).then_some(not_before.0),
            priority: (priority != Priority::Normal).then(|| priority.name().to_owned()),
        }
    }

    fn is_plain(&self) -> bool {
        *self == TermsTold::default()
    }
}

/// Rows of a file that are not taken, so that every row of it is accounted for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// All of them.
    pub rows: u64,
    /// Those with an amount that can be read.
    pub amounts: Sums,
    /// Those without.
    pub unreadable: u64,
}

impl LeftOut {
    /// Counts a row.
    pub fn add(&mut self, amount: Option<(&str, u8, i128)>) {
        self.rows += 1;
        let Some((code, exponent, minor)) = amount else {
            self.unreadable += 1;
            return;
        };
        let sum = self.amounts.entry(code.to_owned()).or_default();
        sum.0.exponent = exponent;
        sum.0.rows += 1;
        sum.0.minor += minor;
    }
}

/// What became of settled chunks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettledTold {
    /// Each of them.
    pub chunks: Vec<ChunkTold>,
}

/// What became of a chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkTold {
    /// Its number.
    pub no: u16,
    /// SHA-256 over its packed payouts, in order.
    pub sha256: Hash,
    /// Rows per state, where there are any.
    pub payouts: BTreeMap<State, u64>,
    /// The payouts that a person must decide, each with its cause; `disputed` among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub review: Vec<RowTold>,
    /// The payouts that came back after they were paid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returned: Vec<RowTold>,
}

/// A payout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowTold {
    /// Its line in the file.
    pub line: u32,
    /// The payer's reference.
    pub reference: String,
    /// `12.34 EUR`.
    pub amount: String,
    /// Why it stands so.
    pub cause: String,
}

impl RowTold {
    /// Tells of a payout.
    pub fn of(row: &Row, payout: &Payout) -> RowTold {
        RowTold {
            line: row.line,
            reference: row.reference.as_str().to_owned(),
            amount: format!("{} {}", row.money.amount(), row.money.currency()),
            cause: payout.cause.sentence().to_owned(),
        }
    }
}

/// The digest of a chunk: of all that the ledger knows of its payouts.
pub fn digest(payouts: &[Payout]) -> Hash {
    let packed: Vec<u8> = payouts.iter().flat_map(Payout::pack).collect();
    Hash::of(&packed)
}

/// Totals as the entries write them.
pub fn sums(totals: &Totals) -> Sums {
    totals.0.iter().map(|(code, total)| (code.clone(), Sum(*total))).collect()
}
