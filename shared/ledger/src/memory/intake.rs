//! Files, references, chunks, seal (S2).

use super::store::{ChunkRecord, Store, chunks_of};
use crate::api::LedgerError;
use crate::rules::batch::{BatchRecord, Found};
use crate::rules::schedule::Schedule;
use crate::rules::write;
use crate::types::{Chunk, Held, NewBatch, NewChunk, Note, Opened, Seal};
use domain::payout::PACKED_LEN;
use domain::{BatchId, ChunkId, Millis, Place, ReferenceKey};

impl Store {
    pub(super) fn open_batch(&mut self, new: NewBatch, now: Millis) -> Result<Opened, LedgerError> {
        if let Some(record) = self.batches.get(&new.id) {
            record.opened_again(&new)?;
            return Ok(Opened::Fresh);
        }
        if let Some(holder) = self.files.get(&new.file_sha256) {
            let free = self.batches.get_mut(holder).is_none_or(|b| b.gives_file_back(now));
            if !free {
                return Ok(Opened::SameFile(*holder));
            }
        }
        self.files.insert(new.file_sha256.clone(), new.id);
        self.batches.insert(new.id, BatchRecord::open(&new, now));
        Ok(Opened::Fresh)
    }

    pub(super) fn reserve(&mut self, wanted: Vec<(ReferenceKey, Place)>) -> Vec<Held> {
        let mut held = Vec::new();
        for (index, (key, place)) in wanted.into_iter().enumerate() {
            let by = *self.references.entry(key).or_insert(place);
            if by != place {
                held.push(Held { index, by });
            }
        }
        held
    }

    pub(super) fn take_over(&mut self, key: ReferenceKey, from: Place, to: Place) -> bool {
        match self.references.get_mut(&key) {
            Some(place) if *place == from => {
                *place = to;
                true
            }
            _ => false,
        }
    }

    pub(super) fn find(&self, key: ReferenceKey) -> Option<Place> {
        self.references.get(&key).copied()
    }

    pub(super) fn append(&mut self, new: NewChunk, now: Millis) -> Result<bool, LedgerError> {
        let record = self.batches.get_mut(&new.id.batch);
        let terms = record.as_ref().map(|record| record.batch.terms).unwrap_or_default();
        let give_up_at = terms.give_up_at(now, new.unsent_give_up_ms);
        let slots = write::fresh(new.rows, now, give_up_at)?;
        if !record.is_some_and(|record| record.appended(new.lease_ms, now)) {
            return Ok(false);
        }
        let chunk = ChunkRecord {
            first: new.first,
            second: new.second,
            first_ordinal: new.first_ordinal,
            blocks: new.blocks,
            slots,
            notes: Vec::new(),
            schedule: Schedule::new(terms.not_before),
        };
        self.chunks.insert(new.id, chunk);
        Ok(true)
    }

    pub(super) fn seal(&mut self, seal: &Seal) -> Result<bool, LedgerError> {
        let chunks = || self.chunks.range(chunks_of(seal.id));
        let rows: usize = chunks().map(|(_, chunk)| chunk.slots.len() / PACKED_LEN).sum();
        let found = Found {
            chunks: wide(chunks().count()),
            last: chunks().next_back().map(|(id, _)| id.no),
            rows: wide(rows),
        };
        self.batches.get_mut(&seal.id).map_or(Ok(false), |record| record.seal(seal, found))
    }

    pub(super) fn reject(
        &mut self,
        batch: BatchId,
        reason: &str,
        only_if_abandoned: bool,
        now: Millis,
    ) -> bool {
        let record = self.batches.get_mut(&batch);
        record.is_some_and(|record| record.reject(reason, only_if_abandoned, now))
    }

    pub(super) fn chunk(&self, id: ChunkId) -> Result<Option<Chunk>, LedgerError> {
        let sealed = self.batches.get(&id.batch).is_some_and(|r| r.batch.state.was_sealed());
        match self.chunks.get(&id) {
            Some(chunk) if sealed => chunk.to_chunk(id).map(Some),
            _ => Ok(None),
        }
    }

    pub(super) fn blocks(&self, id: ChunkId, first: u16, last: u16) -> Vec<Vec<u8>> {
        let wanted = usize::from(first)..=usize::from(last);
        let blocks = self.chunks.get(&id).map_or(&[][..], |chunk| &chunk.blocks);
        let numbered = blocks.iter().enumerate();
        numbered.filter(|(no, _)| wanted.contains(no)).map(|(_, block)| block.clone()).collect()
    }

    pub(super) fn notes(&self, id: ChunkId) -> Result<Vec<(u16, Note)>, LedgerError> {
        self.chunks.get(&id).map_or(Ok(Vec::new()), |chunk| crate::notes::decode(&chunk.notes))
    }
}

impl ChunkRecord {
    pub(super) fn to_chunk(&self, id: ChunkId) -> Result<Chunk, LedgerError> {
        Ok(Chunk {
            id,
            first: self.first.clone(),
            second: self.second.clone(),
            first_ordinal: self.first_ordinal,
            payouts: write::unpack_all(&self.slots)?,
        })
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
