//! The ledger's chunks of one lane, from the newest batch to the oldest that matters.

use crate::DAY_MS;
use domain::{BatchId, ChunkId, LaneName, Millis, Payout, Row};
use ledger::{Chunk, Ledger, LedgerError, rows};
use std::collections::VecDeque;

/// Batches that are read from the ledger at a time.
const BATCHES: u32 = 100;

/// No payout is open for so long: older batches hold nothing that is sent or settled in a period.
pub(crate) const BATCH_AGE_MAX_MS: u64 = 35 * DAY_MS;

/// Reads one chunk after the other.
pub(crate) struct Walk<'a> {
    ledger: &'a dyn Ledger,
    lane: &'a LaneName,
    oldest: Millis,
    before: Option<BatchId>,
    /// Chunks of the batches that were read, still to be visited.
    waiting: VecDeque<ChunkId>,
    is_over: bool,
}

impl<'a> Walk<'a> {
    /// Batches that were made before `oldest` are left out.
    pub(crate) fn new(ledger: &'a dyn Ledger, lane: &'a LaneName, oldest: Millis) -> Walk<'a> {
        Walk { ledger, lane, oldest, before: None, waiting: VecDeque::new(), is_over: false }
    }

    /// The next chunk of the lane.
    pub(crate) async fn next(&mut self) -> Result<Option<Chunk>, LedgerError> {
        loop {
            while let Some(id) = self.waiting.pop_front() {
                if let Some(chunk) = self.ledger.chunk(id).await?
                    && chunk.vias().any(|via| via.lane == *self.lane)
                {
                    return Ok(Some(chunk));
                }
            }
            if self.is_over {
                return Ok(None);
            }
            let batches = self.ledger.batches(self.before, BATCHES).await?;
            self.before = batches.last().map(|batch| batch.id);
            self.is_over = batches.last().is_none_or(|batch| batch.created < self.oldest);
            for batch in batches.iter().filter(|b| b.created >= self.oldest && b.state.was_sealed())
            {
                self.waiting.extend((0..batch.chunks).map(|no| ChunkId { batch: batch.id, no }));
            }
        }
    }
}

/// All rows of a chunk, each with its payout; `None` where the rows were destroyed at retention (S24).
pub(crate) async fn rows_if_kept(
    ledger: &dyn Ledger,
    chunk: &Chunk,
) -> Result<Option<Vec<(Row, Payout)>>, LedgerError> {
    match rows_of(ledger, chunk).await {
        Ok(rows) => Ok(Some(rows)),
        Err(LedgerError::Destroyed { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn rows_of(ledger: &dyn Ledger, chunk: &Chunk) -> Result<Vec<(Row, Payout)>, LedgerError> {
    let last = u16::try_from(chunk.payouts.len().saturating_sub(1)).unwrap_or(u16::MAX);
    let mut all = Vec::with_capacity(chunk.payouts.len());
    for block in ledger.blocks(chunk.id, 0, rows::block_of(last)).await? {
        all.extend(rows::decode(&block)?);
    }
    if all.len() != chunk.payouts.len() {
        let text = format!("chunk {} has {} rows for {}", chunk.id, all.len(), chunk.payouts.len());
        return Err(LedgerError::Broken(text));
    }
    Ok(all.into_iter().zip(chunk.payouts.iter().copied()).collect())
}
