//! What a storm cost, and the judgement by the provider's own ledger.

use super::profile::FAULTS;
use crate::batch::Batch;
use crate::compare::{agree, by_reference};
use crate::money::cents;
use crate::results::ResultRow;
use crate::sandbox::{Counters, Entry};
use std::fmt;
use std::time::Duration;

/// One row of so many may end with a person; the others must settle by themselves.
const ROWS_PER_REVIEW: usize = 1_000;

/// The toll.
#[derive(Clone, Debug, Default)]
pub struct Toll {
    /// Workers killed.
    pub kills: u32,
    /// Workers that ended by themselves and were started again.
    pub own_ends: u32,
    /// Deaths of Redis.
    pub redis_deaths: u32,
    /// When the killing was over.
    pub calm_after: Duration,
    /// When the batch was complete.
    pub took: Duration,
    /// Creates that the sandbox saw.
    pub creates: u64,
    /// Look-ups that it saw.
    pub look_ups: u64,
    /// Genuine callbacks that it sent, repeats included.
    pub callbacks: u64,
    /// Forged ones.
    pub forged: u64,
    /// Rows of the file.
    pub rows: usize,
    /// Rows paid, as the result says and the sandbox confirms.
    pub paid: usize,
    /// What they are worth, in hundredths.
    pub paid_cents: u64,
    /// Rows in review, each with what the sandbox knows of it.
    pub reviews: Vec<String>,
}

impl Toll {
    /// Judges a result by the sandbox's ledger. No row of a storm has a reason to fail, so each is
    /// paid once or stands in review, and a row that failed was failed by a lie.
    #[track_caller]
    pub(super) fn judge(
        batch: &Batch,
        results: &[ResultRow],
        entries: &[Entry],
        counters: &Counters,
    ) -> Toll {
        for fault in FAULTS {
            assert!(counters.struck(fault) > 0, "the storm had no {fault}: {counters:?}");
        }
        assert_eq!(counters.duplicates, 0, "paid twice");
        let tally = agree(batch, results, entries);
        let known = by_reference(batch, entries);
        let in_review: Vec<&ResultRow> = results.iter().filter(|r| r.state == "review").collect();
        let astray = results.iter().find(|r| r.state != "paid" && r.state != "review");
        assert!(astray.is_none(), "neither paid nor in review: {astray:?}");

        // To the cent: the file is what was paid and what is in review; the sandbox paid the
        // first, and of the others what it says itself.
        let paid_cents = tally.paid_cents.values().sum::<u64>();
        let of = |amounts: &[&ResultRow]| amounts.iter().map(|r| cents(&r.amount)).sum::<u64>();
        let asked = batch.rows.iter().map(|row| cents(&row.amount)).sum::<u64>();
        assert_eq!(paid_cents + of(&in_review), asked, "the file's total");
        let is_paid = |r: &ResultRow| known.get(&r.reference).is_some_and(|entry| entry.paid);
        let mut paid_in_review = in_review.clone();
        paid_in_review.retain(|row| is_paid(row));
        let spent = entries.iter().filter(|e| e.paid).map(|e| cents(&e.amount)).sum::<u64>();
        assert_eq!(paid_cents + of(&paid_in_review), spent, "the sandbox's total");

        let tell = |row: &&ResultRow| {
            let sandbox = if is_paid(row) { "paid" } else { "not paid" };
            format!("{} ({sandbox} at the sandbox): {}", row.reference, row.reason)
        };
        let reviews: Vec<String> = in_review.iter().map(tell).collect();
        let bound = batch.rows.len().div_ceil(ROWS_PER_REVIEW);
        assert!(reviews.len() <= bound, "{} rows in review: {reviews:#?}", reviews.len());
        Toll {
            creates: counters.create,
            look_ups: counters.status,
            callbacks: counters.callbacks_sent,
            forged: counters.forged_sent,
            rows: batch.rows.len(),
            paid: tally.rows("paid"),
            paid_cents,
            reviews,
            ..Toll::default()
        }
    }
}

impl fmt::Display for Toll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Toll { kills, own_ends, redis_deaths, rows, paid, reviews, .. } = self;
        let Toll { creates, look_ups, callbacks, forged, paid_cents, .. } = self;
        let (calm, took) = (self.calm_after.as_secs(), self.took.as_secs());
        writeln!(f, "{kills} workers killed in {calm} s, {own_ends} more ended by themselves;")?;
        writeln!(f, "Redis killed {redis_deaths} times; complete after {took} s")?;
        writeln!(
            f,
            "{creates} creates, {look_ups} look-ups, {callbacks} callbacks, {forged} forged"
        )?;
        let (units, hundredths) = (paid_cents / 100, paid_cents % 100);
        writeln!(f, "{paid} of {rows} rows paid once, {units}.{hundredths:02} in all;")?;
        write!(f, "0 twice, 0 lost, 0 forged accepted, {} in review", reviews.len())?;
        reviews.iter().try_for_each(|review| write!(f, "\n  {review}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::tests::three_paid_rows;

    fn stormy() -> Counters {
        let faults = FAULTS.map(|fault| (fault.to_owned(), 1)).into();
        Counters { faults, ..Counters::default() }
    }

    #[test]
    fn a_row_in_review_is_named_with_what_the_provider_knows_of_it() {
        let (batch, mut results, entries) = three_paid_rows();
        results[1].state = "review".to_owned();
        results[1].reason = "nobody knows".to_owned();
        let toll = Toll::judge(&batch, &results, &entries, &stormy());
        assert_eq!((toll.paid, toll.rows), (2, 3));
        assert_eq!(toll.reviews, ["b-000002 (paid at the sandbox): nobody knows"]);
    }

    #[test]
    #[should_panic(expected = "2 rows in review")]
    fn more_reviews_than_one_in_a_thousand_rows_are_too_many() {
        let (batch, mut results, entries) = three_paid_rows();
        results[..2].iter_mut().for_each(|row| row.state = "review".to_owned());
        Toll::judge(&batch, &results, &entries, &stormy());
    }

    #[test]
    #[should_panic(expected = "neither paid nor in review")]
    fn a_row_that_was_given_up_is_seen() {
        let (batch, mut results, mut entries) = three_paid_rows();
        results[2].state = "failed".to_owned();
        entries.pop();
        Toll::judge(&batch, &results, &entries, &stormy());
    }

    #[test]
    #[should_panic(expected = "the storm had no error_after")]
    fn a_calm_day_proves_nothing() {
        let (batch, results, entries) = three_paid_rows();
        Toll::judge(&batch, &results, &entries, &Counters::default());
    }
}
