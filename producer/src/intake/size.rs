//! How large a file is, told so that a person notices a slip: its largest rows, and its total beside
//! the batches before it (S23).

use super::source::Packed;
use domain::batch::Totals;
use domain::money::minor_to_text;
use ledger::{Ledger, LedgerError};
use std::collections::BTreeMap;

/// Rows that are shown per currency.
const LARGEST_MAX: usize = 5;
/// Batches that a total is compared with.
const COMPARED_MAX: usize = 10;
/// Batches that are looked at to find so many: rejected ones do not count.
const LOOKED_AT_MAX: u32 = 50;
/// A total so many times the usual one is warned of.
pub const UNUSUAL_TIMES: i128 = 10;

/// One of the largest rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargeRow {
    /// Its line.
    pub line: u32,
    /// The payer's reference.
    pub reference: String,
    /// `12.34 EUR`.
    pub amount: String,
    /// Masked.
    pub destination: String,
}

/// An amount in smallest units, and its packed row.
type Weighed = (i128, Box<[u8]>);

/// The largest rows so far, by currency; a handful of packed rows.
#[derive(Debug, Default)]
pub struct Largest(BTreeMap<String, Vec<Weighed>>);

impl Largest {
    /// Looks at a row.
    pub fn see(&mut self, row: &Packed) {
        let code = row.currency.code();
        // A code is looked up before it is copied: this runs once per row.
        if !self.0.contains_key(code) {
            self.0.insert(code.to_owned(), Vec::new());
        }
        let Some(rows) = self.0.get_mut(code) else { return };
        let is_small = rows.last().is_some_and(|(least, _)| row.minor <= *least);
        if rows.len() >= LARGEST_MAX && is_small {
            return;
        }
        let at = rows.partition_point(|(minor, _)| *minor >= row.minor);
        rows.insert(at, (row.minor, row.row.clone()));
        rows.truncate(LARGEST_MAX);
    }

    /// The rows, the largest of each currency first.
    pub fn rows(&self) -> Result<Vec<LargeRow>, LedgerError> {
        let one = |(_, packed): &Weighed| {
            let row = ledger::rows::unpack(packed)?;
            Ok(LargeRow {
                line: row.line,
                reference: crate::rules::problem::shown(row.reference.as_str()),
                amount: row.money.to_string(),
                destination: row.destination.to_string(),
            })
        };
        self.0.values().flatten().map(one).collect()
    }
}

/// A total beside the usual one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The currency.
    pub currency: String,
    /// This batch's total.
    pub total: String,
    /// The median of the batches before.
    pub median: String,
    /// How many those are.
    pub batches: usize,
    /// It is [`UNUSUAL_TIMES`] as large, or more.
    pub is_unusual: bool,
}

/// Compares with the last batches that hold the currency.
pub async fn compare(ledger: &dyn Ledger, totals: &Totals) -> Result<Vec<Compared>, LedgerError> {
    let batches = ledger.batches(None, LOOKED_AT_MAX).await?;
    let mut all = Vec::new();
    for (code, total) in &totals.0 {
        let sealed = batches.iter().filter(|batch| batch.state.was_sealed());
        let before = sealed.filter_map(|batch| batch.totals.0.get(code)).map(|total| total.minor);
        let mut before: Vec<i128> = before.take(COMPARED_MAX).collect();
        before.sort_unstable();
        let Some(median) = before.get(before.len() / 2).copied() else { continue };
        let text = |minor| minor_to_text(minor, total.exponent);
        all.push(Compared {
            currency: code.clone(),
            total: text(total.minor),
            median: text(median),
            batches: before.len(),
            is_unusual: total.minor >= median.saturating_mul(UNUSUAL_TIMES),
        });
    }
    Ok(all)
}
