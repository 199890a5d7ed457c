//! How fast a batch comes forward, and when it will be through at that pace.
//!
//! The pace is measured. Of each batch that is worked on, a register keeps a ring of samples: when,
//! and how many of its payouts were answered. One sample in ten seconds is written for the whole pool,
//! whoever is there to write it; a lost one costs a little exactness. Whoever asks holds the batch as it
//! stands now against the ring: so a batch that stopped is seen to stand still although nobody samples
//! it any more.
//!
//! Nothing is decided by what stands here.

use crate::api::{Ledger, LedgerError};
use crate::register;
use domain::{Batch, BatchId, BatchState, Millis};
use serde::{Deserialize, Serialize};

/// How often a pool samples a batch.
pub const SAMPLE_EVERY_MS: u64 = 10_000;

/// A sample that is younger makes another one needless. A little less than [`SAMPLE_EVERY_MS`]: who
/// comes a moment early would else come a whole round late.
const FRESH_MS: u64 = 9_000;

/// Samples of a ring: two minutes of them, so that a pace that changed is forgotten soon.
const SAMPLES_MAX: usize = 13;

/// Samples that are older tell nothing of the present pace.
const WINDOW_MS: u64 = 150_000;

/// Less time than that is too short to measure a pace in.
const SPAN_MS_MIN: u64 = 5_000;

/// A batch of which nothing was answered for so long stands still. Providers take seconds to answer,
/// and lanes may send one payout in many seconds.
const STILL_MS: u64 = 30_000;

/// How far a batch was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// When, in ledger time.
    pub at: Millis,
    /// Payouts that were answered by then ([`domain::Counts::answered`]).
    pub answered: u64,
}

/// The newest samples of a batch, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ring(Vec<Sample>);

/// Payouts that were answered in so many milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// At least one.
    pub payouts: u64,
    /// At least [`SPAN_MS_MIN`].
    pub in_ms: u64,
}

/// When a batch will be through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forecast {
    /// Too little was seen.
    NotKnownYet,
    /// Nothing was answered since then.
    StandsStill {
        /// The oldest sample that shows the same.
        since: Millis,
    },
    /// All are answered; those that are not final are followed to their end.
    AllAnswered,
    /// At the present pace.
    At {
        /// The last answer.
        at: Millis,
        /// The pace.
        pace: Measured,
    },
}

impl Ring {
    /// Takes a sample in, unless the newest is fresh; gives whether it did.
    pub fn push(&mut self, sample: Sample) -> bool {
        let is_due = self.0.last().is_none_or(|newest| sample.at.since(newest.at) >= FRESH_MS);
        if is_due {
            self.0.push(sample);
            let surplus = self.0.len().saturating_sub(SAMPLES_MAX);
            self.0.drain(..surplus);
        }
        is_due
    }

    /// When a batch that stands like `now`, with so many payouts left, will be through: as many in
    /// the same time as since the oldest sample of the window.
    pub fn forecast(&self, now: Sample, left: u64) -> Forecast {
        if left == 0 {
            return Forecast::AllAnswered;
        }
        let same = self.0.iter().rev().take_while(|sample| sample.answered >= now.answered).last();
        if let Some(first) = same
            && now.at.since(first.at) >= STILL_MS
        {
            return Forecast::StandsStill { since: first.at };
        }
        let in_window = |sample: &&Sample| now.at.since(sample.at) <= WINDOW_MS;
        let Some(base) = self.0.iter().find(in_window) else { return Forecast::NotKnownYet };
        let in_ms = now.at.since(base.at);
        let payouts = now.answered.saturating_sub(base.answered);
        if in_ms < SPAN_MS_MIN || payouts == 0 {
            return Forecast::NotKnownYet;
        }
        let wait_ms = (u128::from(left) * u128::from(in_ms)).div_ceil(u128::from(payouts));
        let at = now.at.plus(u64::try_from(wait_ms).unwrap_or(u64::MAX));
        Forecast::At { at, pace: Measured { payouts, in_ms } }
    }
}

fn name(batch: BatchId) -> String {
    format!("forecast/{batch}")
}

/// Samples a batch that is being paid, unless somebody just did. Whoever loses a race has nothing to
/// add.
pub async fn sample(ledger: &dyn Ledger, id: BatchId) -> Result<(), LedgerError> {
    let Some(batch) = ledger.batch(id).await? else { return Ok(()) };
    let (version, mut ring): (u64, Ring) = register::read(ledger, name(id)).await?;
    let at = ledger.about().await?.now;
    let is_paid = batch.state == BatchState::Active && !batch.terms.waits(at);
    if is_paid && ring.push(Sample { at, answered: batch.counts.answered() }) {
        register::put(ledger, name(id), version, &ring).await?;
    }
    Ok(())
}

/// When a batch will be through; none for one that is not being paid now.
pub async fn of(
    ledger: &dyn Ledger,
    batch: &Batch,
    now: Millis,
) -> Result<Option<Forecast>, LedgerError> {
    if batch.state != BatchState::Active || batch.terms.waits(now) {
        return Ok(None);
    }
    let answered = batch.counts.answered();
    let left = batch.counts.total().saturating_sub(answered);
    let (_, ring): (_, Ring) = register::read(ledger, name(batch.id)).await?;
    Ok(Some(ring.forecast(Sample { at: now, answered }, left)))
}

#[cfg(test)]
mod tests;
