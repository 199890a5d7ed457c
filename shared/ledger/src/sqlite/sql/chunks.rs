//! Chunks: what intake wrote, the schedule, the payouts, the notes.

use super::{from_json, not_ours, to_json};
use crate::rules::batch::Found;
use crate::rules::schedule::Schedule;
use crate::types::{NewChunk, Token, Via};
use domain::{BatchId, ChunkId, LaneName, Millis, Priority, ReferenceFormat};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

/// A chunk without its payouts.
pub struct ChunkRow {
    /// Its key in the tables beside.
    pub key: i64,
    pub first: Via,
    pub second: Option<Via>,
    pub first_ordinal: u32,
    pub schedule: Schedule,
}

/// What stands in the column `format`. A program that knows nothing of second lanes can read a chunk
/// with one as little as we could read nonsense, so that it never sends anything of it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Formats {
    OneLane(ReferenceFormat),
    TwoLanes { first: ReferenceFormat, second: Via },
}

impl Formats {
    fn of(chunk: &NewChunk) -> Formats {
        let first = chunk.first.format;
        match chunk.second.clone() {
            None => Formats::OneLane(first),
            Some(second) => Formats::TwoLanes { first, second },
        }
    }
}

/// A chunk.
pub fn get(db: &Connection, id: ChunkId) -> rusqlite::Result<Option<ChunkRow>> {
    let sql = "SELECT id, lane, first_ordinal, format, next_at_ms, wake_ms, lease_until_ms, token
               FROM chunk WHERE batch = ?1 AND no = ?2";
    let mut statement = db.prepare_cached(sql)?;
    statement.query_row(params![id.batch.to_bytes(), id.no], read).optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<ChunkRow> {
    let lane: String = row.get(1)?;
    let (format, second) = match from_json(row, 3)? {
        Formats::OneLane(format) => (format, None),
        Formats::TwoLanes { first, second } => (first, Some(second)),
    };
    let lane = LaneName::new(&lane).map_err(|_| not_ours(1, Type::Text))?;
    Ok(ChunkRow {
        key: row.get(0)?,
        first: Via { lane, format },
        second,
        first_ordinal: row.get(2)?,
        schedule: Schedule {
            next_at: Millis(row.get(4)?),
            wake: Millis(row.get(5)?),
            lease_until: Millis(row.get(6)?),
            token: Token(row.get(7)?),
        },
    })
}

/// Writes a chunk with its payouts and rows, over one that was written before under the same
/// number. *Crash after*: it belongs to a batch that is not sealed, and nobody pays it.
pub fn append(
    db: &Connection,
    chunk: &NewChunk,
    slots: &[u8],
    not_before: Millis,
) -> rusqlite::Result<()> {
    remove(db, chunk.id)?;
    let sql = "INSERT INTO chunk (batch, no, lane, rows, first_ordinal, format,
                                  next_at_ms, wake_ms, lease_until_ms, token)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let schedule = Schedule::new(not_before);
    let key = db.prepare_cached(sql)?.insert(params![
        chunk.id.batch.to_bytes(),
        chunk.id.no,
        chunk.first.lane.as_str(),
        chunk.rows,
        chunk.first_ordinal,
        to_json(&Formats::of(chunk))?,
        schedule.next_at.0,
        schedule.wake.0,
        schedule.lease_until.0,
        schedule.token.0,
    ])?;
    let sql = "INSERT INTO slots (chunk, packed) VALUES (?1, ?2)";
    db.prepare_cached(sql)?.execute(params![key, slots])?;
    let sql = "INSERT INTO block (chunk, no, data) VALUES (?1, ?2, ?3)";
    let mut statement = db.prepare_cached(sql)?;
    for (no, block) in chunk.blocks.iter().enumerate() {
        statement.execute(params![key, no, block])?;
    }
    Ok(())
}

fn remove(db: &Connection, id: ChunkId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM chunk WHERE batch = ?1 AND no = ?2 RETURNING id";
    let mut statement = db.prepare_cached(sql)?;
    let key = statement.query_row(params![id.batch.to_bytes(), id.no], |row| row.get::<_, i64>(0));
    let Some(key) = key.optional()? else { return Ok(()) };
    for sql in ["DELETE FROM slots WHERE chunk = ?1", "DELETE FROM block WHERE chunk = ?1"] {
        db.prepare_cached(sql)?.execute([key])?;
    }
    Ok(())
}

/// What was written of a batch.
pub fn found(db: &Connection, batch: BatchId) -> rusqlite::Result<Found> {
    let sql = "SELECT count(*), max(no), coalesce(sum(rows), 0) FROM chunk WHERE batch = ?1";
    db.prepare_cached(sql)?.query_row([batch.to_bytes()], |row| {
        Ok(Found { chunks: row.get(0)?, last: row.get(1)?, rows: row.get(2)? })
    })
}

/// A chunk's packed payouts.
pub fn slots(db: &Connection, key: i64) -> rusqlite::Result<Vec<u8>> {
    let sql = "SELECT packed FROM slots WHERE chunk = ?1";
    db.prepare_cached(sql)?.query_row([key], |row| row.get(0))
}

/// Stores a chunk's packed payouts. *Crash before the commit*: none of the write's rows
/// changed, and neither did the batch's counters.
pub fn put_slots(db: &Connection, key: i64, slots: &[u8]) -> rusqlite::Result<()> {
    let sql = "UPDATE slots SET packed = ?2 WHERE chunk = ?1";
    db.prepare_cached(sql)?.execute(params![key, slots]).map(drop)
}

/// Stores a chunk's place in time. *Crash after a claim*: the chunk is ready again when the
/// lease ends.
pub fn put_schedule(db: &Connection, key: i64, schedule: &Schedule) -> rusqlite::Result<()> {
    let sql = "UPDATE chunk SET next_at_ms = ?2, wake_ms = ?3, lease_until_ms = ?4, token = ?5
               WHERE id = ?1";
    let Schedule { next_at, wake, lease_until, token } = schedule;
    let values = params![key, next_at.0, wake.0, lease_until.0, token.0];
    db.prepare_cached(sql)?.execute(values).map(drop)
}

/// [`Schedule::wake_at`] for all chunks of a batch.
pub fn wake_all(db: &Connection, batch: BatchId, due: Millis) -> rusqlite::Result<()> {
    let sql = "UPDATE chunk SET next_at_ms = min(next_at_ms, ?2), wake_ms = min(wake_ms, ?2)
               WHERE batch = ?1";
    db.prepare_cached(sql)?.execute(params![batch.to_bytes(), due.0]).map(drop)
}

/// The compressed rows `first..=last` in blocks.
pub fn blocks(
    db: &Connection,
    id: ChunkId,
    first: u16,
    last: u16,
) -> rusqlite::Result<Vec<Vec<u8>>> {
    let sql = "SELECT data FROM block
               WHERE chunk = (SELECT id FROM chunk WHERE batch = ?1 AND no = ?2)
                 AND no BETWEEN ?3 AND ?4
               ORDER BY no";
    let mut statement = db.prepare_cached(sql)?;
    let rows =
        statement.query_map(params![id.batch.to_bytes(), id.no, first, last], |r| r.get(0))?;
    rows.collect()
}

/// A chunk's packed notes, the oldest first.
pub fn notes(db: &Connection, id: ChunkId) -> rusqlite::Result<Vec<u8>> {
    let sql = "SELECT notes FROM note
               WHERE chunk = (SELECT id FROM chunk WHERE batch = ?1 AND no = ?2)
               ORDER BY seq";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params![id.batch.to_bytes(), id.no], |row| row.get(0))?;
    let writes: Vec<Vec<u8>> = rows.collect::<rusqlite::Result<_>>()?;
    Ok(writes.concat())
}

/// Appends the packed notes of one write. *Crash before the commit*: the write is gone too.
pub fn add_notes(db: &Connection, key: i64, notes: &[u8]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO note (chunk, seq, notes)
               VALUES (?1, (SELECT coalesce(max(seq), 0) + 1 FROM note WHERE chunk = ?1), ?2)";
    db.prepare_cached(sql)?.execute(params![key, notes]).map(drop)
}

/// Followed batches that have a ready chunk on a lane, with their priorities and virtual times.
pub fn ready_batches(
    db: &Connection,
    lane: &LaneName,
    now: Millis,
) -> rusqlite::Result<Vec<(BatchId, Priority, u64)>> {
    let sql = "SELECT batch.id, batch.priority, coalesce(served.virtual_time, 0)
               FROM batch
               LEFT JOIN served ON served.lane = ?1 AND served.batch = batch.id
               WHERE batch.is_followed = 1 AND EXISTS (
                   SELECT 1 FROM chunk
                   WHERE lane = ?1 AND chunk.batch = batch.id AND next_at_ms <= ?2)";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params![lane.as_str(), now.0], |row| {
        let named = Priority::from_name(&row.get::<_, String>(1)?);
        let priority = named.ok_or_else(|| not_ours(1, Type::Text))?;
        Ok((BatchId::from_bytes(row.get(0)?), priority, row.get(2)?))
    })?;
    rows.collect()
}

/// Ready chunks of a batch on a lane, the one that waited longest first.
pub fn ready_chunks<C: FromIterator<u16>>(
    db: &Connection,
    lane: &LaneName,
    batch: BatchId,
    now: Millis,
    max: u16,
) -> rusqlite::Result<C> {
    let sql = "SELECT no FROM chunk WHERE lane = ?1 AND batch = ?2 AND next_at_ms <= ?3
               ORDER BY next_at_ms, no LIMIT ?4";
    let mut statement = db.prepare_cached(sql)?;
    let values = params![lane.as_str(), batch.to_bytes(), now.0, max];
    let rows = statement.query_map(values, |row| row.get(0))?;
    rows.collect()
}

/// When a chunk is given out next. *Crash after*: a hint that nobody took comes back then.
pub fn put_next_at(db: &Connection, id: ChunkId, next_at: Millis) -> rusqlite::Result<()> {
    let sql = "UPDATE chunk SET next_at_ms = ?3 WHERE batch = ?1 AND no = ?2";
    db.prepare_cached(sql)?.execute(params![id.batch.to_bytes(), id.no, next_at.0]).map(drop)
}
