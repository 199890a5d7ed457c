//! Files, references, chunks, seal (S2).

use crate::api::LedgerError;
use crate::rules::batch::BatchRecord;
use crate::rules::write;
use crate::sqlite::error::damaged;
use crate::sqlite::sql;
use crate::types::{Held, NewBatch, NewChunk, Opened, Seal};
use domain::{Millis, Place, ReferenceKey};
use rusqlite::Connection;

pub fn open_batch(db: &Connection, new: &NewBatch, now: Millis) -> Result<Opened, LedgerError> {
    if let Some(record) = sql::batches::get(db, new.id)? {
        record.opened_again(new)?;
        return Ok(Opened::Fresh);
    }
    if let Some(holder) = sql::batches::holder(db, &new.file_sha256)? {
        let mut record = sql::batches::get(db, holder)?.ok_or_else(|| damaged("a file's batch"))?;
        if !record.gives_file_back(now) {
            return Ok(Opened::SameFile(holder));
        }
        sql::batches::put(db, &record)?;
    }
    sql::batches::hold(db, &new.file_sha256, new.id)?;
    sql::batches::put(db, &BatchRecord::open(new, now))?;
    Ok(Opened::Fresh)
}

/// In the order of the keys, which is the order of the index: neighbours share its pages.
pub fn reserve(
    db: &Connection,
    wanted: Vec<(ReferenceKey, Place)>,
) -> Result<Vec<Held>, LedgerError> {
    let mut numbered: Vec<_> = wanted.into_iter().enumerate().collect();
    // By number among equal keys: of two in one group the first wins.
    numbered.sort_unstable_by_key(|(index, (key, _))| (*key, *index));
    let mut held = Vec::new();
    for (index, (key, place)) in numbered {
        if sql::references::insert(db, key, place)? {
            continue;
        }
        let by = sql::references::find(db, key)?.ok_or_else(|| damaged("a reference"))?;
        if by != place {
            held.push(Held { index, by });
        }
    }
    held.sort_unstable_by_key(|held| held.index);
    Ok(held)
}

pub fn append(db: &Connection, chunk: &NewChunk, now: Millis) -> Result<bool, LedgerError> {
    let found = sql::batches::get(db, chunk.id.batch)?;
    let terms = found.as_ref().map(|record| record.batch.terms).unwrap_or_default();
    let give_up_at = terms.give_up_at(now, chunk.unsent_give_up_ms);
    let slots = write::fresh(chunk.rows, now, give_up_at)?;
    let Some(mut record) = found else { return Ok(false) };
    if !record.appended(chunk.lease_ms, now) {
        return Ok(false);
    }
    sql::batches::put(db, &record)?;
    sql::chunks::append(db, chunk, &slots, terms.not_before)?;
    Ok(true)
}

pub fn seal(db: &Connection, seal: &Seal) -> Result<bool, LedgerError> {
    let Some(mut record) = sql::batches::get(db, seal.id)? else { return Ok(false) };
    let sealed = record.seal(seal, sql::chunks::found(db, seal.id)?)?;
    if sealed {
        sql::batches::put(db, &record)?;
    }
    Ok(sealed)
}
