//! Scheduling, leases and writes.

use super::store::{Store, chunks_of};
use crate::api::LedgerError;
use crate::rules::fair::{self, Waiting};
use crate::rules::write;
use crate::types::{Change, Claim, Guard, Token, Written};
use domain::{BatchId, ChunkId, LaneName, Millis};

impl Store {
    pub(super) fn take_ready(
        &mut self,
        name: LaneName,
        max: u16,
        hint_ms: u64,
        now: Millis,
    ) -> Vec<ChunkId> {
        let followed = self.batches.values().filter(|record| record.is_followed());
        let mut waiting: Vec<Waiting> = followed
            .map(|record| Waiting {
                batch: record.batch.id,
                priority: record.batch.terms.priority,
                served: 0,
                chunks: self.ready_chunks(record.batch.id, &name, now),
            })
            .collect();
        let lane = self.lanes.entry(name).or_default();
        for one in &mut waiting {
            one.served = lane.served.get(&one.batch).copied().unwrap_or(0);
        }
        let chosen = fair::choose(&mut waiting, &mut lane.turns, max);
        lane.served = waiting.into_iter().map(|one| (one.batch, one.served)).collect();
        let ids: Vec<_> = chosen.into_iter().map(|(batch, no)| ChunkId { batch, no }).collect();
        for id in &ids {
            if let Some(chunk) = self.chunks.get_mut(id) {
                chunk.schedule.next_at = now.plus(hint_ms);
            }
        }
        ids
    }

    fn ready_chunks<C: FromIterator<u16>>(
        &self,
        batch: BatchId,
        lane: &LaneName,
        now: Millis,
    ) -> C {
        let mut ready: Vec<(Millis, u16)> = self
            .chunks
            .range(chunks_of(batch))
            .filter(|(_, chunk)| chunk.first.lane == *lane && chunk.schedule.next_at <= now)
            .map(|(id, chunk)| (chunk.schedule.next_at, id.no))
            .collect();
        ready.sort_unstable();
        ready.into_iter().map(|(_, no)| no).collect()
    }

    pub(super) fn claim(
        &mut self,
        id: ChunkId,
        lease_ms: u64,
        now: Millis,
    ) -> Result<Claim, LedgerError> {
        let record = self.batches.get(&id.batch).filter(|record| record.is_claimable());
        let (Some(record), Some(chunk)) = (record, self.chunks.get_mut(&id)) else {
            return Ok(Claim::Gone);
        };
        let Some(token) = chunk.schedule.claim(lease_ms, now) else { return Ok(Claim::Busy) };
        let (batch, terms) = (record.batch.state, record.batch.terms);
        Ok(Claim::Held { token, chunk: chunk.to_chunk(id)?, batch, terms, now })
    }

    pub(super) fn renew(&mut self, id: ChunkId, token: Token, lease_ms: u64, now: Millis) -> bool {
        self.chunks.get_mut(&id).is_some_and(|chunk| chunk.schedule.renew(token, lease_ms, now))
    }

    pub(super) fn release(&mut self, id: ChunkId, token: Token, next_at: Millis) {
        if let Some(chunk) = self.chunks.get_mut(&id) {
            chunk.schedule.release(token, next_at);
        }
    }

    pub(super) fn write(
        &mut self,
        id: ChunkId,
        guard: Guard,
        changes: Vec<Change>,
        now: Millis,
    ) -> Result<Written, LedgerError> {
        let (Some(batch), Some(chunk)) =
            (self.batches.get_mut(&id.batch), self.chunks.get_mut(&id))
        else {
            return Ok(Written::Refused);
        };
        if !write::holds(guard, batch, &chunk.schedule, now) {
            return Ok(Written::Refused);
        }
        // Changed beside the store and put back whole, so that an error leaves nothing behind.
        let (mut slots, mut record, mut schedule) =
            (chunk.slots.clone(), batch.clone(), chunk.schedule);
        let effect = write::write(&mut slots, &mut record, &mut schedule, guard, changes)?;
        (chunk.slots, *batch, chunk.schedule) = (slots, record, schedule);
        chunk.notes.extend(crate::notes::encode(&effect.notes));
        Ok(Written::Done(effect.conflicts))
    }
}
