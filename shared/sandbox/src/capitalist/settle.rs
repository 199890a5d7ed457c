//! From promised to final: when a record settles, how, and what it is called until then.

use std::time::Duration;

use super::magic::{self, Magic};
use super::office::Office;
use super::picture::Picture;
use super::record::{Entry, Stage, State};
use crate::clock::{lock, unix_ms};

/// Records settled under one lock and with one write.
const GROUP_MAX: usize = 512;
/// After a failed write of the ledger.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

impl Office {
    /// Is it paid? `None` is never anything.
    fn outcome(&self, entry: &Entry) -> Option<bool> {
        match entry.line().map(|line| magic::of(line.amount)) {
            Some(Magic::Declines) if self.config.magic => Some(false),
            Some(Magic::Stays) if self.config.magic => None,
            _ => Some(true),
        }
    }

    /// Where a record stands now: its last stage is in the ledger, those before it come with time.
    pub(super) fn stage(&self, picture: &Picture, entry: &Entry) -> Stage {
        let started_ms = picture.batch(entry.batch).and_then(|batch| batch.started_ms);
        match (entry.state, started_ms) {
            (State::Paid, _) => Stage::Processed,
            (State::Declined, _) => Stage::Declined,
            (State::Pending, None) => Stage::Ready,
            (State::Pending, Some(started_ms)) => {
                let age_ms = unix_ms().saturating_sub(started_ms);
                let is_new = age_ms < self.config.settle_after_ms / 4;
                if is_new { Stage::New } else { Stage::InProcess }
            }
        }
    }

    /// After a start: batches that were on their way go on.
    pub(super) fn take_up_promises(&self) {
        let batches: Vec<usize> = {
            let book = lock(&self.book);
            let mut places: Vec<usize> = book
                .picture()
                .entries()
                .iter()
                .filter(|entry| entry.state == State::Pending)
                .map(|entry| entry.batch)
                .collect();
            places.dedup();
            places
        };
        batches.into_iter().for_each(|batch| self.settle_later(batch));
    }

    /// Gives each pending record of a started batch its time: one after the other, in the order of
    /// the lines, so that a page read twice shows progress.
    pub(super) fn settle_later(&self, place: usize) {
        let book = lock(&self.book);
        let Some(batch) = book.picture().batch(place) else { return };
        let Some(started_ms) = batch.started_ms else { return };
        let age_ms = unix_ms().saturating_sub(started_ms);
        for (index, seq) in batch.entries.iter().enumerate() {
            let entry = seq.and_then(|seq| book.picture().entries().get(seq));
            let Some(entry) = entry.filter(|entry| entry.state == State::Pending) else { continue };
            if self.outcome(entry).is_some() {
                let due_ms = due_ms(self.config.settle_after_ms, index, batch.entries.len());
                let rest = Duration::from_millis(due_ms.saturating_sub(age_ms));
                self.timers.push(rest, entry.seq);
            }
        }
    }

    fn settle(&self, seqs: &[usize]) -> usize {
        let mut book = lock(&self.book);
        let entries = book.picture().entries();
        let outcomes: Vec<(usize, bool)> =
            seqs.iter().filter_map(|seq| Some((*seq, self.outcome(entries.get(*seq)?)?))).collect();
        book.settle(&outcomes, unix_ms()).unwrap_or_else(|error| {
            tracing::error!(%error, records = outcomes.len(), "settling is tried again");
            outcomes.iter().for_each(|(seq, _)| self.timers.push(WRITE_AGAIN, *seq));
            0
        })
    }

    /// Settles everything that is pending now, but for what waits for a code or never settles.
    pub(super) fn settle_now(&self) -> usize {
        let pending: Vec<usize> = {
            let book = lock(&self.book);
            let picture = book.picture();
            let is_due = |entry: &&Entry| {
                let batch = picture.batch(entry.batch);
                entry.state == State::Pending
                    && batch.is_some_and(|batch| batch.started_ms.is_some())
            };
            picture.entries().iter().filter(is_due).map(|entry| entry.seq).collect()
        };
        pending.chunks(GROUP_MAX).map(|group| self.settle(group)).sum()
    }

    pub(super) async fn run_timers(&self) {
        loop {
            let due = self.timers.due().await;
            self.settle(&due);
        }
    }
}

/// When the record at `index` of `count` settles: the first half of the time passes before any
/// does, the last record takes all of it.
fn due_ms(settle_after_ms: u64, index: usize, count: usize) -> u64 {
    let half = settle_after_ms / 2;
    let share = u128::from(settle_after_ms - half) * (index as u128 + 1) / (count as u128).max(1);
    half.saturating_add(u64::try_from(share).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_settle_one_after_the_other_and_the_last_in_time() {
        let due: Vec<u64> = (0..4).map(|index| due_ms(300, index, 4)).collect();
        assert_eq!(due, [187, 225, 262, 300]);
        assert_eq!(due_ms(300, 0, 1), 300);
        assert_eq!(due_ms(u64::MAX, 999, 1_000), u64::MAX);
        assert_eq!(due_ms(0, 5, 10), 0);
    }
}
