//! Registers and audit chains.

use crate::api::LedgerError;
use crate::sqlite::sql;
use crate::types::{Register, check_register};
use rusqlite::Connection;

pub fn put_register(db: &Connection, register: &Register) -> Result<bool, LedgerError> {
    check_register(register)?;
    Ok(sql::registers::put(db, register)?)
}

pub fn append_entry(
    db: &Connection,
    chain: &str,
    seq: u64,
    entry: &[u8],
) -> Result<bool, LedgerError> {
    let Ok(at) = i64::try_from(seq) else { return Ok(false) };
    if let Some(stands) = sql::entries::get(db, chain, at)? {
        return Ok(stands == entry);
    }
    let is_next = sql::entries::count(db, chain)? == seq;
    if is_next {
        sql::entries::add(db, chain, at, entry)?;
    }
    Ok(is_next)
}

pub fn entries(
    db: &Connection,
    chain: &str,
    from: u64,
    limit: u32,
) -> Result<Vec<Vec<u8>>, LedgerError> {
    let Ok(from) = i64::try_from(from) else { return Ok(Vec::new()) };
    Ok(sql::entries::list(db, chain, from, limit)?)
}
