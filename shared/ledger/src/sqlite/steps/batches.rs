//! A batch's life after and beside its writes.

use crate::api::LedgerError;
use crate::rules::batch::BatchRecord;
use crate::sqlite::sql;
use domain::{Batch, BatchId, BatchState, Millis};
use rusqlite::Connection;

pub fn reject(
    db: &Connection,
    id: BatchId,
    reason: &str,
    only_if_abandoned: bool,
    now: Millis,
) -> Result<bool, LedgerError> {
    change(db, id, |record| record.reject(reason, only_if_abandoned, now))
}

pub fn go(
    db: &Connection,
    id: BatchId,
    from: BatchState,
    to: BatchState,
) -> Result<bool, LedgerError> {
    let mut not_before = Millis(0);
    let went = change(db, id, |record| {
        not_before = record.batch.terms.not_before;
        record.go(from, to)
    })?;
    if went && to == BatchState::Active {
        sql::chunks::wake_all(db, id, not_before)?;
    }
    Ok(went)
}

pub fn claim_report(
    db: &Connection,
    id: BatchId,
    lease_ms: u64,
    now: Millis,
) -> Result<Option<Batch>, LedgerError> {
    let mut batch = None;
    change(db, id, |record| {
        let claimed = record.claim_report(lease_ms, now);
        batch = claimed.then(|| record.batch.clone());
        claimed
    })?;
    Ok(batch)
}

pub fn reported(db: &Connection, id: BatchId, changes: u64) -> Result<(), LedgerError> {
    change(db, id, |record| {
        record.reported(changes);
        true
    })?;
    Ok(())
}

/// Stores what `rule` makes of a batch, if it says so; false too where there is no such batch.
fn change(
    db: &Connection,
    id: BatchId,
    rule: impl FnOnce(&mut BatchRecord) -> bool,
) -> Result<bool, LedgerError> {
    let Some(mut record) = sql::batches::get(db, id)? else { return Ok(false) };
    let changed = rule(&mut record);
    if changed {
        sql::batches::put(db, &record)?;
    }
    Ok(changed)
}
