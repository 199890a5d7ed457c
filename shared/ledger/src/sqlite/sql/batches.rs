//! Batches, and which of them holds a file.

use super::{from_json, not_ours, to_json};
use crate::rules::batch::BatchRecord;
use domain::payout::State;
use domain::{Batch, BatchId, BatchState, Counts, Millis, Priority, Terms};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

const COLUMNS: &str = "id, name, file_sha256, state, created_ms, totals, chunks, counts, changes,
    reported, reason, intake_until_ms, report_until_ms, ever_sent, not_before_ms, priority";

/// A batch.
pub fn get(db: &Connection, id: BatchId) -> rusqlite::Result<Option<BatchRecord>> {
    let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM batch WHERE id = ?1"))?;
    statement.query_row([id.to_bytes()], read).optional()
}

/// Batches older than `before`, the newest first.
pub fn list(db: &Connection, before: Option<BatchId>, limit: u32) -> rusqlite::Result<Vec<Batch>> {
    let before = before.map(BatchId::to_bytes);
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM batch WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2"
    ))?;
    let rows = statement.query_map(params![before, limit], read)?;
    rows.map(|record| record.map(|record| record.batch)).collect()
}

/// Stores a batch, new or changed. *Crash after*: state, counters and count of changes are
/// those of the write that stood in the same transaction.
pub fn put(db: &Connection, record: &BatchRecord) -> rusqlite::Result<()> {
    let batch = &record.batch;
    let mut statement = db.prepare_cached(&format!(
        "INSERT OR REPLACE INTO batch ({COLUMNS}, is_followed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
    ))?;
    statement.execute(params![
        batch.id.to_bytes(),
        batch.name,
        batch.file_sha256,
        batch.state.name(),
        batch.created.0,
        to_json(&batch.totals)?,
        batch.chunks,
        pack(&batch.counts),
        batch.changes,
        batch.reported,
        batch.reason,
        record.intake_until.0,
        record.report_until.0,
        record.ever_sent,
        batch.terms.not_before.0,
        batch.terms.priority.name(),
        record.is_followed(),
    ])?;
    Ok(())
}

/// The batch that holds a file.
pub fn holder(db: &Connection, sha256: &str) -> rusqlite::Result<Option<BatchId>> {
    let mut statement = db.prepare_cached("SELECT batch FROM file WHERE sha256 = ?1")?;
    statement.query_row([sha256], |row| row.get(0).map(BatchId::from_bytes)).optional()
}

/// Makes `batch` the holder of a file, whoever held it. *Crash before the commit*: whoever held
/// it does so still, in the state he was in.
pub fn hold(db: &Connection, sha256: &str, batch: BatchId) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO file (sha256, batch) VALUES (?1, ?2)";
    db.prepare_cached(sql)?.execute(params![sha256, batch.to_bytes()]).map(drop)
}

fn read(row: &Row<'_>) -> rusqlite::Result<BatchRecord> {
    let state: String = row.get(3)?;
    let counts: [u8; COUNTS_LEN] = row.get(7)?;
    let priority: String = row.get(15)?;
    Ok(BatchRecord {
        batch: Batch {
            id: BatchId::from_bytes(row.get(0)?),
            name: row.get(1)?,
            file_sha256: row.get(2)?,
            state: BatchState::from_name(&state).ok_or_else(|| not_ours(3, Type::Text))?,
            created: Millis(row.get(4)?),
            terms: Terms {
                not_before: Millis(row.get(14)?),
                priority: Priority::from_name(&priority).ok_or_else(|| not_ours(15, Type::Text))?,
            },
            totals: from_json(row, 5)?,
            chunks: row.get(6)?,
            counts: unpack(&counts),
            changes: row.get(8)?,
            reported: row.get(9)?,
            reason: row.get(10)?,
        },
        intake_until: Millis(row.get(11)?),
        report_until: Millis(row.get(12)?),
        ever_sent: row.get(13)?,
    })
}

const COUNT_LEN: usize = size_of::<u64>();
const COUNTS_LEN: usize = State::ALL.len() * COUNT_LEN;

fn pack(counts: &Counts) -> Vec<u8> {
    State::ALL.iter().flat_map(|state| counts.get(*state).to_le_bytes()).collect()
}

fn unpack(bytes: &[u8; COUNTS_LEN]) -> Counts {
    let mut counts = [0; State::ALL.len()];
    for (count, bytes) in counts.iter_mut().zip(bytes.as_chunks::<COUNT_LEN>().0) {
        *count = u64::from_le_bytes(*bytes);
    }
    Counts::from_array(counts)
}
