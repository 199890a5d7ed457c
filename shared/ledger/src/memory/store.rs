//! What the ledger holds, and its batches.

use crate::rules::batch::BatchRecord;
use crate::rules::fair::Turns;
use crate::rules::schedule::Schedule;
use crate::types::{LaneRecord, Life, Via};
use domain::{Batch, BatchId, BatchState, ChunkId, LaneName, Millis, Place, ReferenceKey};
use std::collections::{BTreeMap, VecDeque};

/// All that a ledger holds.
#[derive(Clone, Default)]
pub struct Store {
    pub(super) batches: BTreeMap<BatchId, BatchRecord>,
    /// The batch that holds a file, by the file's hash.
    pub(super) files: BTreeMap<String, BatchId>,
    pub(super) references: BTreeMap<ReferenceKey, Place>,
    pub(super) chunks: BTreeMap<ChunkId, ChunkRecord>,
    pub(super) lanes: BTreeMap<LaneName, Lane>,
    pub(super) registers: BTreeMap<String, (u64, String)>,
    pub(super) chains: BTreeMap<String, Vec<Vec<u8>>>,
    pub(super) life: Life,
}

/// A chunk: what intake wrote, what changes, and what came beside it.
#[derive(Clone)]
pub(super) struct ChunkRecord {
    pub first: Via,
    pub second: Option<Via>,
    pub first_ordinal: u32,
    pub blocks: Vec<Vec<u8>>,
    /// Packed payouts, one behind the other.
    pub slots: Vec<u8>,
    /// Packed by [`crate::notes`], in the order of writing.
    pub notes: Vec<u8>,
    pub schedule: Schedule,
}

/// A lane: what the pool knows of it, its pace, and who was served how often on it.
#[derive(Clone, Default)]
pub(super) struct Lane {
    pub record: Option<LaneRecord>,
    pub next_slot_us: u64,
    pub turns: Turns,
    pub served: BTreeMap<BatchId, u64>,
    pub strays: VecDeque<String>,
    pub rules: Option<(Millis, String)>,
}

impl Store {
    pub(super) fn batch(&self, id: BatchId) -> Option<Batch> {
        self.batches.get(&id).map(|record| record.batch.clone())
    }

    pub(super) fn batches(&self, before: Option<BatchId>, limit: u32) -> Vec<Batch> {
        let older = self.batches.values().rev().map(|record| &record.batch);
        older
            .filter(|batch| before.is_none_or(|before| batch.id < before))
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .cloned()
            .collect()
    }

    pub(super) fn set_batch_state(
        &mut self,
        id: BatchId,
        from: BatchState,
        to: BatchState,
    ) -> bool {
        let Some(record) = self.batches.get_mut(&id) else { return false };
        let went = record.go(from, to);
        if went && to == BatchState::Active {
            for (_, chunk) in self.chunks.range_mut(chunks_of(id)) {
                chunk.schedule.wake_at(record.batch.terms.not_before);
            }
        }
        went
    }

    pub(super) fn claim_report(
        &mut self,
        id: BatchId,
        lease_ms: u64,
        now: Millis,
    ) -> Option<Batch> {
        let record = self.batches.get_mut(&id)?;
        record.claim_report(lease_ms, now).then(|| record.batch.clone())
    }

    pub(super) fn reported(&mut self, id: BatchId, changes: u64) {
        if let Some(record) = self.batches.get_mut(&id) {
            record.reported(changes);
        }
    }
}

/// All chunks that a batch may have.
pub(super) fn chunks_of(batch: BatchId) -> std::ops::RangeInclusive<ChunkId> {
    ChunkId { batch, no: 0 }..=ChunkId { batch, no: u16::MAX }
}
