//! From an older version of the tables to ours, within the transaction that opens the file.
//! *Crash before its commit*: the file is as it was, of the version that it was.

use super::schema::{ADDED_IN_2, ADDED_IN_3, VERSION};
use crate::api::LedgerError;
use crate::sqlite::error::damaged;
use domain::payout::PACKED_LEN;
use rusqlite::Connection;

/// Bytes of a packed payout up to version 2: without its sender and account.
const PACKED_LEN_OF_2: usize = 32;

/// What version 4 added: when a batch may go, and before whom. `followed` gets another name, so that
/// a process which still has the file open as version 3 is told "no such column" where it would store
/// a batch again without what was asked of it.
const ADDED_IN_4: &str = "
ALTER TABLE batch ADD COLUMN not_before_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batch ADD COLUMN priority TEXT NOT NULL DEFAULT 'normal';
ALTER TABLE batch RENAME COLUMN followed TO is_followed;
ALTER TABLE served ADD COLUMN priority TEXT NOT NULL DEFAULT 'normal';
ALTER TABLE lane ADD COLUMN turns TEXT;
UPDATE lane SET turns = json_object('taken', 0, 'times', json_array(0, virtual_time, 0));
ALTER TABLE lane DROP COLUMN virtual_time;
";

/// Brings the tables up from version `older`.
pub fn from(db: &Connection, older: i64) -> Result<(), LedgerError> {
    if older < 2 {
        db.execute_batch(ADDED_IN_2)?;
    }
    if older < 3 {
        db.execute_batch(ADDED_IN_3)?;
        widen_slots(db)?;
    }
    db.execute_batch(ADDED_IN_4)?;
    Ok(db.execute_batch(&format!("PRAGMA user_version = {VERSION};"))?)
}

/// A payout of version 2 names no sender and no account: zeros say so. The column gets another
/// name, so that a process which still has the file open as version 2 is told "no such column"
/// by its next statement and does not read wider payouts as narrow ones.
fn widen_slots(db: &Connection) -> Result<(), LedgerError> {
    db.execute_batch("ALTER TABLE slots RENAME COLUMN payouts TO packed")?;
    let mut keys = db.prepare("SELECT chunk FROM slots")?;
    let keys: Vec<i64> = keys.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for key in keys {
        let narrow = super::chunks::slots(db, key)?;
        super::chunks::put_slots(db, key, &widened(&narrow)?)?;
    }
    Ok(())
}

fn widened(narrow: &[u8]) -> Result<Vec<u8>, LedgerError> {
    let (payouts, rest) = narrow.as_chunks::<PACKED_LEN_OF_2>();
    if !rest.is_empty() {
        return Err(damaged("payouts of version 2"));
    }
    let widen = |payout: &[u8; PACKED_LEN_OF_2]| {
        let mut wide = [0; PACKED_LEN];
        wide[..PACKED_LEN_OF_2].copy_from_slice(payout);
        wide
    };
    Ok(payouts.iter().flat_map(widen).collect())
}
