//! Leases and writes.

use crate::api::LedgerError;
use crate::rules::schedule::Schedule;
use crate::rules::write;
use crate::sqlite::sql;
use crate::sqlite::sql::chunks::ChunkRow;
use crate::types::{Change, Chunk, Claim, Guard, Token, Written};
use domain::{ChunkId, Millis};
use rusqlite::Connection;

pub fn read(db: &Connection, id: ChunkId) -> Result<Option<Chunk>, LedgerError> {
    let sealed = sql::batches::get(db, id.batch)?.is_some_and(|r| r.batch.state.was_sealed());
    match sql::chunks::get(db, id)? {
        Some(row) if sealed => whole(db, id, row).map(Some),
        _ => Ok(None),
    }
}

fn whole(db: &Connection, id: ChunkId, row: ChunkRow) -> Result<Chunk, LedgerError> {
    Ok(Chunk {
        id,
        first: row.first,
        second: row.second,
        first_ordinal: row.first_ordinal,
        payouts: write::unpack_all(&sql::chunks::slots(db, row.key)?)?,
    })
}

pub fn claim(
    db: &Connection,
    id: ChunkId,
    lease_ms: u64,
    now: Millis,
) -> Result<Claim, LedgerError> {
    let record = sql::batches::get(db, id.batch)?.filter(|record| record.is_claimable());
    let (Some(record), Some(mut row)) = (record, sql::chunks::get(db, id)?) else {
        return Ok(Claim::Gone);
    };
    let Some(token) = row.schedule.claim(lease_ms, now) else { return Ok(Claim::Busy) };
    sql::chunks::put_schedule(db, row.key, &row.schedule)?;
    let (batch, terms) = (record.batch.state, record.batch.terms);
    Ok(Claim::Held { token, chunk: whole(db, id, row)?, batch, terms, now })
}

pub fn renew(
    db: &Connection,
    id: ChunkId,
    token: Token,
    lease_ms: u64,
    now: Millis,
) -> Result<bool, LedgerError> {
    reschedule(db, id, |schedule| schedule.renew(token, lease_ms, now))
}

pub fn release(
    db: &Connection,
    id: ChunkId,
    token: Token,
    next_at: Millis,
) -> Result<(), LedgerError> {
    reschedule(db, id, |schedule| schedule.release(token, next_at))?;
    Ok(())
}

/// Stores what `rule` makes of a chunk's schedule, if it says so.
fn reschedule(
    db: &Connection,
    id: ChunkId,
    rule: impl FnOnce(&mut Schedule) -> bool,
) -> Result<bool, LedgerError> {
    let Some(mut row) = sql::chunks::get(db, id)? else { return Ok(false) };
    let changed = rule(&mut row.schedule);
    if changed {
        sql::chunks::put_schedule(db, row.key, &row.schedule)?;
    }
    Ok(changed)
}

pub fn write(
    db: &Connection,
    id: ChunkId,
    guard: Guard,
    changes: Vec<Change>,
    now: Millis,
) -> Result<Written, LedgerError> {
    let (Some(mut batch), Some(row)) =
        (sql::batches::get(db, id.batch)?, sql::chunks::get(db, id)?)
    else {
        return Ok(Written::Refused);
    };
    if !write::holds(guard, &batch, &row.schedule, now) {
        return Ok(Written::Refused);
    }
    let mut slots = sql::chunks::slots(db, row.key)?;
    let mut schedule = row.schedule;
    let effect = write::write(&mut slots, &mut batch, &mut schedule, guard, changes)?;
    if effect.changed {
        sql::chunks::put_slots(db, row.key, &slots)?;
        sql::batches::put(db, &batch)?;
    }
    if schedule != row.schedule {
        sql::chunks::put_schedule(db, row.key, &schedule)?;
    }
    if !effect.notes.is_empty() {
        sql::chunks::add_notes(db, row.key, &crate::notes::encode(&effect.notes))?;
    }
    Ok(Written::Done(effect.conflicts))
}
