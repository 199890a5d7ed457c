//! Reading batches, chunks, rows and notes. Plain commands: each is atomic, and a batch that was
//! sealed stays so.

use super::RedisLedger;
use super::values::{self, Fields, damaged, take};
use crate::api::LedgerError;
use crate::notes;
use crate::types::{Chunk, Note, Via};
use domain::{Batch, BatchId, ChunkId};
use redis::Cmd;

/// Batches read in one round trip.
const PAGE: usize = 256;

impl RedisLedger {
    pub(super) async fn get_batch(&self, id: BatchId) -> Result<Option<Batch>, LedgerError> {
        let fields: Fields = take(self.link.one(self.read_meta(id)).await?, "a batch")?;
        values::batch(id, &fields)
    }

    fn read_meta(&self, id: BatchId) -> Cmd {
        let mut read = redis::cmd("HGETALL");
        read.arg(self.keys.meta(id));
        read
    }

    pub(super) async fn get_batches(
        &self,
        before: Option<BatchId>,
        limit: u32,
    ) -> Result<Vec<Batch>, LedgerError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut batches = Vec::new();
        let mut before = before;
        // A batch that was opened for a file which another one holds stands in the index without
        // a record; a page with such ones is filled from the next.
        while batches.len() < limit {
            let wanted = PAGE.min(limit - batches.len());
            let ids = self.batch_ids_before(before, wanted).await?;
            let answers = self.link.all(ids.iter().map(|id| self.read_meta(*id)).collect()).await?;
            for (id, answer) in ids.iter().zip(answers) {
                batches.extend(values::batch(*id, &take(answer, "a batch")?)?);
            }
            if ids.len() < wanted {
                break;
            }
            before = ids.last().copied();
        }
        Ok(batches)
    }

    /// Ids of batches from the newest to the oldest.
    pub(super) async fn batch_ids_before(
        &self,
        before: Option<BatchId>,
        limit: usize,
    ) -> Result<Vec<BatchId>, LedgerError> {
        let newest = before.map_or("+".to_owned(), |id| format!("({id}"));
        let mut range = redis::cmd("ZREVRANGEBYLEX");
        range.arg(self.keys.installation("batches")).arg(newest).arg("-");
        range.arg("LIMIT").arg(0).arg(limit);
        batch_ids(&take::<Vec<String>>(self.link.one(range).await?, "the index of batches")?)
    }

    pub(super) async fn get_chunk(&self, id: ChunkId) -> Result<Option<Chunk>, LedgerError> {
        let mut meta = redis::cmd("HMGET");
        meta.arg(self.keys.meta(id.batch)).arg(&["state", "chunks"]);
        let mut chunk = redis::cmd("HMGET");
        chunk.arg(self.keys.chunk(id)).arg(&["lane", "format", "first"]);
        let mut slots = redis::cmd("GET");
        slots.arg(self.keys.slots(id));
        let answers = self.link.all(vec![meta, chunk, slots]).await?;
        let [meta, chunk, slots]: [_; 3] = answers.try_into().map_err(|_| damaged("a chunk"))?;
        let (state, chunks): (Option<String>, Option<u16>) = take(meta, "a batch")?;
        let Some(state) = state else { return Ok(None) };
        let there = values::batch_state(&state)?.was_sealed() && chunks.is_some_and(|n| id.no < n);
        if !there {
            return Ok(None);
        }
        let (lane, format, first): (String, String, u32) = take(chunk, "a chunk")?;
        let slots: Vec<u8> = take(slots, "a chunk's payouts")?;
        stored_chunk(id, &lane, &format, first, &slots).map(Some)
    }

    pub(super) async fn get_blocks(
        &self,
        chunk: ChunkId,
        first: u16,
        last: u16,
    ) -> Result<Vec<Vec<u8>>, LedgerError> {
        let mut range = redis::cmd("LRANGE");
        range.arg(self.keys.blocks(chunk)).arg(first).arg(last);
        take(self.link.one(range).await?, "blocks of rows")
    }

    pub(super) async fn get_notes(&self, chunk: ChunkId) -> Result<Vec<(u16, Note)>, LedgerError> {
        let mut range = redis::cmd("LRANGE");
        range.arg(self.keys.notes(chunk)).arg(0).arg(-1);
        let writes: Vec<Vec<u8>> = take(self.link.one(range).await?, "notes")?;
        notes::decode(&writes.concat())
    }
}

/// Puts a chunk together from what is stored of it.
pub(super) fn stored_chunk(
    id: ChunkId,
    lane: &str,
    format: &str,
    first_ordinal: u32,
    slots: &[u8],
) -> Result<Chunk, LedgerError> {
    let (format, second) = values::parse_formats(format)?;
    Ok(Chunk {
        id,
        first: Via { lane: values::lane_name(lane)?, format },
        second,
        first_ordinal,
        payouts: values::payouts(slots)?,
    })
}

/// Batches by their names in an index.
pub(super) fn batch_ids(names: &[String]) -> Result<Vec<BatchId>, LedgerError> {
    names.iter().map(|name| name.parse().map_err(|_| damaged("a batch's id"))).collect()
}
