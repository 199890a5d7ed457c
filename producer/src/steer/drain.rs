//! Waits until nothing is being sent any more: of a lane that was stopped, of a batch that was paused.
//!
//! The invariant: *when it says that nothing is being sent, no request of it leaves again before a
//! person lets it*. A pause holds in the very statement that writes an intent (S6), so one sight
//! without any is enough. A lane's stop stands in the lane's record, which a worker reads with each
//! claim and after each short wait; so there must be none for [`QUIET_MS`] on end.
//!
//! What the provider has by then is under way all the same: callbacks and look-ups settle it.

use domain::{Batch, BatchId, ChunkId, LaneName, Payout, State};
use ledger::{Ledger, LedgerError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A worker in the middle of a slice writes intents for no longer than this after a stop: a slice
/// is a second at the lane's pace, and one without a pace reads the record whenever it has waited.
pub const QUIET_MS: u64 = 2_000;
/// How often it is looked.
const LOOK_MS: u64 = 300;
/// Batches that are read at once.
const PAGE: u32 = 100;

/// How long to wait. What is quiet at the end of it is still waited for until it is so long enough.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// At most so long.
    pub within_ms: u64,
    /// Nothing must have been seen being sent for so long.
    pub quiet_ms: u64,
}

/// Payouts between being sent and being final.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnderWay {
    /// A request is on its way, or the worker that sent it is gone.
    pub submitting: u64,
    /// The provider has them.
    pub submitted: u64,
    /// They wait for a person at the provider.
    pub waiting: u64,
    /// Nobody knows; look-ups ask.
    pub unknown: u64,
}

impl UnderWay {
    fn add(&mut self, state: State, payouts: u64) {
        match state {
            State::Submitting => self.submitting += payouts,
            State::Submitted => self.submitted += payouts,
            State::Waiting => self.waiting += payouts,
            State::Unknown => self.unknown += payouts,
            _ => {}
        }
    }

    /// Where the wait ended without quiet, that nothing was being sent a moment later proves nothing.
    fn while_sending(self, sending: u64) -> UnderWay {
        UnderWay { submitting: self.submitting.max(sending), ..self }
    }

    fn of_batch(batch: &Batch) -> UnderWay {
        let mut all = UnderWay::default();
        State::ALL.into_iter().for_each(|state| all.add(state, batch.counts.get(state)));
        all
    }
}

/// Waits for a paused batch; gives what is under way then. Some of it is still being sent only where
/// the time was over first. `tell` hears how many are, now and then.
pub async fn batch(
    ledger: &dyn Ledger,
    id: BatchId,
    patience: Patience,
    tell: impl FnMut(u64),
) -> Result<UnderWay, LedgerError> {
    let look =
        async || Ok(ledger.batch(id).await?.map_or(0, |b| UnderWay::of_batch(&b).submitting));
    let sending = wait(patience, look, tell).await?;
    let found = ledger.batch(id).await?.map_or_else(UnderWay::default, |b| UnderWay::of_batch(&b));
    Ok(found.while_sending(sending))
}

/// The same for a stopped lane, over all batches.
pub async fn lane(
    ledger: &dyn Ledger,
    lane: &LaneName,
    patience: Patience,
    tell: impl FnMut(u64),
) -> Result<UnderWay, LedgerError> {
    // What is sealed from now on begins nothing: whoever claims it reads that the lane is stopped.
    let share = Share::of(ledger, lane).await?;
    let look = async || share.submitting(ledger).await;
    let sending = wait(patience, look, tell).await?;
    Ok(share.under_way(ledger).await?.while_sending(sending))
}

/// Ends when `look` has given nothing for long enough, or the time is over; gives what it gave last.
async fn wait(
    patience: Patience,
    mut look: impl AsyncFnMut() -> Result<u64, LedgerError>,
    mut tell: impl FnMut(u64),
) -> Result<u64, LedgerError> {
    let began = Instant::now();
    let mut quiet_since: Option<Instant> = None;
    loop {
        // Quiet lasts from the end of the first look that saw it to the beginning of the last.
        let now = Instant::now();
        let sending = look().await?;
        let since = (sending == 0).then(|| *quiet_since.get_or_insert_with(Instant::now));
        quiet_since = since;
        let is_quiet = since
            .is_some_and(|since| now.saturating_duration_since(since) >= ms(patience.quiet_ms));
        let is_over = sending > 0 && began.elapsed() >= ms(patience.within_ms);
        if is_quiet || is_over {
            return Ok(sending);
        }
        tell(sending);
        sleep(ms(LOOK_MS)).await;
    }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The chunks of a lane in batches of which anything is open.
struct Share<'a> {
    lane: &'a LaneName,
    batches: Vec<(BatchId, Vec<ChunkId>)>,
}

impl<'a> Share<'a> {
    async fn of(ledger: &dyn Ledger, lane: &'a LaneName) -> Result<Share<'a>, LedgerError> {
        let mut share = Share { lane, batches: Vec::new() };
        let mut before = None;
        loop {
            let batches = ledger.batches(before, PAGE).await?;
            let Some(last) = batches.last() else { return Ok(share) };
            before = Some(last.id);
            for batch in batches.iter().filter(|b| b.state.was_sealed() && b.counts.open() > 0) {
                let mut chunks = Vec::new();
                for no in 0..batch.chunks {
                    let id = ChunkId { batch: batch.id, no };
                    let chunk = ledger.chunk(id).await?;
                    if chunk.is_some_and(|chunk| chunk.vias().any(|via| via.lane == *lane)) {
                        chunks.push(id);
                    }
                }
                if !chunks.is_empty() {
                    share.batches.push((batch.id, chunks));
                }
            }
        }
    }

    /// Reads a batch's chunks only where its counters say that anything of it is being sent.
    async fn submitting(&self, ledger: &dyn Ledger) -> Result<u64, LedgerError> {
        let mut submitting = 0;
        for (batch, chunks) in &self.batches {
            let batch = ledger.batch(*batch).await?;
            if batch.is_some_and(|batch| batch.counts.get(State::Submitting) > 0) {
                submitting += self.of_chunks(ledger, chunks).await?.submitting;
            }
        }
        Ok(submitting)
    }

    async fn under_way(&self, ledger: &dyn Ledger) -> Result<UnderWay, LedgerError> {
        let chunks = self.batches.iter().flat_map(|(_, chunks)| chunks).copied();
        self.of_chunks(ledger, &chunks.collect::<Vec<ChunkId>>()).await
    }

    async fn of_chunks(
        &self,
        ledger: &dyn Ledger,
        chunks: &[ChunkId],
    ) -> Result<UnderWay, LedgerError> {
        let mut all = UnderWay::default();
        for id in chunks {
            let Some(chunk) = ledger.chunk(*id).await? else { continue };
            // What goes by the second lane hangs on the first one's schedule.
            let is_first = chunk.first.lane == *self.lane;
            let via = |payout: &Payout| is_first || chunk.via(payout).lane == *self.lane;
            let own = chunk.payouts.iter().filter(|payout| via(payout));
            own.for_each(|payout| all.add(payout.state, 1));
        }
        Ok(all)
    }
}
