//! The judge: a result file against the payer's file and against what the provider really paid.

use crate::batch::{Batch, Payout};
use crate::money::cents;
use crate::results::ResultRow;
use crate::sandbox::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// How the rows of a result ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows in each state.
    pub states: BTreeMap<String, usize>,
    /// What was paid, in hundredths, by currency.
    pub paid_cents: BTreeMap<String, u64>,
}

impl Tally {
    /// Rows in `state`.
    pub fn rows(&self, state: &str) -> usize {
        self.states.get(state).copied().unwrap_or(0)
    }
}

/// Compares row by row. The provider's entries must be of this batch alone.
///
/// - the result has the payer's rows in the payer's order, unchanged
/// - no reference was accepted twice by the provider, none that the payer did not ask for
/// - a row is `paid` if and only if the provider paid it, with amount, currency and card as asked;
///   only a row in `review` may have been paid without the ledger knowing
/// - the sums agree to the cent
#[track_caller]
pub fn agree(batch: &Batch, results: &[ResultRow], entries: &[Entry]) -> Tally {
    assert_eq!(results.len(), batch.rows.len(), "rows of {}", batch.name);
    for (row, asked) in results.iter().zip(&batch.rows) {
        assert_eq!(row.reference, asked.reference, "the payer's order");
        assert_eq!(cents(&row.amount), cents(&asked.amount), "{asked:?}");
        assert_eq!(row.currency, asked.currency, "{asked:?}");
    }
    let entries = by_reference(batch, entries);
    judge(results, |row| entries.get(&row.reference).copied())
}

/// The same for files whose rows the test did not make: rows and entries are matched by the
/// provider's id, which every row that was accepted must have.
#[track_caller]
pub fn agree_by_provider_id(results: &[ResultRow], entries: &[Entry]) -> Tally {
    let id = |entry: &Entry| entry.internal_transaction_id.clone();
    let mut known: BTreeMap<String, &Entry> = entries.iter().map(|e| (id(e), e)).collect();
    let orders: BTreeSet<&str> = entries.iter().map(|entry| entry.order_id.as_str()).collect();
    assert_eq!(orders.len(), entries.len(), "an order was accepted twice");
    let tally = judge(results, |row| {
        let entry = known.remove(&row.provider_id)?;
        assert_eq!(cents(&entry.amount), cents(&row.amount), "{row:?}, {entry:?}");
        assert_eq!(entry.currency.to_uppercase(), row.currency, "{row:?}, {entry:?}");
        Some(entry)
    });
    assert!(known.is_empty(), "accepted, but in no result: {known:?}");
    tally
}

/// The same for any provider: rows and entries are matched by the card alone, so that no
/// reference of ours stands between what was asked and what was paid. No card is paid twice.
#[track_caller]
pub fn agree_by_card(batch: &Batch, results: &[ResultRow], entries: &[Entry]) -> Tally {
    let asked: BTreeMap<&str, &Payout> =
        batch.rows.iter().map(|row| (row.card.as_str(), row)).collect();
    let mut known: BTreeMap<&str, &Entry> = BTreeMap::new();
    for entry in entries {
        let row = asked.get(entry.destination.as_str());
        let row = row.unwrap_or_else(|| panic!("nobody asked for {entry:?}"));
        assert_eq!(cents(&entry.amount), cents(&row.amount), "{entry:?}");
        assert_eq!(entry.currency(), row.currency, "{entry:?}");
        let earlier = known.insert(&row.reference, entry);
        assert!(earlier.is_none(), "accepted twice: {earlier:?} and {entry:?}");
    }
    judge(results, |row| known.get(row.reference.as_str()).copied())
}

#[track_caller]
fn judge<'a>(
    results: &[ResultRow],
    mut entry_of: impl FnMut(&ResultRow) -> Option<&'a Entry>,
) -> Tally {
    let mut tally = Tally::default();
    let mut moved: BTreeMap<String, u64> = BTreeMap::new();
    for row in results {
        *tally.states.entry(row.state.clone()).or_default() += 1;
        let entry = entry_of(row);
        let paid = entry.is_some_and(|entry| entry.paid);
        match row.state.as_str() {
            "paid" => assert!(paid, "reported as paid, but it was not: {row:?}, {entry:?}"),
            "review" => continue,
            _ => assert!(!paid, "paid, but reported otherwise: {row:?}, {entry:?}"),
        }
        if let Some(entry) = entry.filter(|entry| entry.paid) {
            *moved.entry(entry.currency()).or_default() += cents(&entry.amount);
            *tally.paid_cents.entry(row.currency.clone()).or_default() += cents(&row.amount);
        }
    }
    assert_eq!(tally.paid_cents, moved, "the sums differ");
    tally
}

/// The provider's entries by our reference: each once, and each as the payer asked.
#[track_caller]
pub fn by_reference<'a>(batch: &Batch, entries: &'a [Entry]) -> BTreeMap<String, &'a Entry> {
    let asked = batch.by_reference();
    let mut found = BTreeMap::new();
    for entry in entries {
        let reference = payer_reference(&entry.order_id);
        let row = asked.get(reference).unwrap_or_else(|| panic!("nobody asked for {entry:?}"));
        assert_eq!(cents(&entry.amount), cents(&row.amount), "{entry:?}");
        assert_eq!(entry.currency, row.currency.to_lowercase(), "{entry:?}");
        assert_eq!(entry.destination, row.card, "{entry:?}");
        let earlier = found.insert(reference.to_owned(), entry);
        assert!(earlier.is_none(), "accepted twice: {earlier:?} and {entry:?}");
    }
    found
}

/// The provider's reference begins with the four letters of the ledger and a dash. A second
/// attempt ends with `.2`; no test asks for one, so it would be a reference that nobody asked for.
fn payer_reference(order_id: &str) -> &str {
    order_id.split_once('-').map_or(order_id, |(_, reference)| reference)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn three_paid_rows() -> (Batch, Vec<ResultRow>, Vec<Entry>) {
        let batch = Batch::new("b", 3);
        let results = batch.rows.iter().map(|row| ResultRow {
            reference: row.reference.clone(),
            amount: row.amount.clone(),
            currency: row.currency.to_owned(),
            lane: "merchant".to_owned(),
            state: "paid".to_owned(),
            provider_id: format!("id of {}", row.reference),
            reason: String::new(),
        });
        let entries = batch.rows.iter().map(|row| Entry {
            order_id: format!("abcd-{}", row.reference),
            internal_transaction_id: format!("id of {}", row.reference),
            amount: row.amount.clone(),
            currency: "rub".to_owned(),
            destination: row.card.clone(),
            paid: true,
            created_ms: 0,
        });
        let (results, entries) = (results.collect(), entries.collect());
        (batch, results, entries)
    }

    #[test]
    fn what_agrees_is_summed() {
        let (batch, results, entries) = three_paid_rows();
        let tally = agree(&batch, &results, &entries);
        assert_eq!(tally.rows("paid"), 3);
        assert_eq!(tally.paid_cents, BTreeMap::from([("RUB".to_owned(), 207 + 314 + 421)]));
        assert_eq!(agree_by_provider_id(&results, &entries), tally);
        assert_eq!(agree_by_card(&batch, &results, &entries), tally);
    }

    #[test]
    #[should_panic(expected = "accepted twice")]
    fn a_second_payment_is_seen() {
        let (batch, results, mut entries) = three_paid_rows();
        entries.push(entries[1].clone());
        agree(&batch, &results, &entries);
    }

    #[test]
    #[should_panic(expected = "accepted twice")]
    fn a_second_payment_under_another_reference_is_seen() {
        let (batch, results, mut entries) = three_paid_rows();
        entries.push(Entry { order_id: "another".to_owned(), ..entries[1].clone() });
        agree_by_card(&batch, &results, &entries);
    }

    #[test]
    #[should_panic(expected = "in no result")]
    fn a_payment_without_a_row_is_seen() {
        let (_, mut results, entries) = three_paid_rows();
        results.pop();
        agree_by_provider_id(&results, &entries);
    }

    #[test]
    #[should_panic(expected = "nobody asked for")]
    fn a_second_attempt_is_seen() {
        let (batch, results, mut entries) = three_paid_rows();
        entries[1].order_id += ".2";
        agree(&batch, &results, &entries);
    }

    #[test]
    #[should_panic(expected = "reported as paid, but it was not")]
    fn a_payment_that_never_was_is_seen() {
        let (batch, results, mut entries) = three_paid_rows();
        entries.pop();
        agree(&batch, &results, &entries);
    }

    #[test]
    #[should_panic(expected = "paid, but reported otherwise")]
    fn a_payment_that_was_forgotten_is_seen() {
        let (batch, mut results, entries) = three_paid_rows();
        results[0].state = "failed".to_owned();
        agree(&batch, &results, &entries);
    }
}
