//! From an older version of the tables to ours, within the transaction that opens the file.
//! *Crash before its commit*: the file is as it was, of the version that it was.

use super::schema::{ADDED_IN_2, ADDED_IN_3, VERSION};
use crate::api::LedgerError;
use crate::sqlite::error::damaged;
use domain::payout::PACKED_LEN;
use rusqlite::Connection;

/// Bytes of a packed payout up to version 2: without its sender and account.
const PACKED_LEN_OF_2: usize = 32;

/// Brings the tables up from version `older`.
pub fn from(db: &Connection, older: i64) -> Result<(), LedgerError> {
    if older < 2 {
        db.execute_batch(ADDED_IN_2)?;
    }
    db.execute_batch(ADDED_IN_3)?;
    widen_slots(db)?;
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
