//! Audit chains (S20): entries by number, without gaps, never changed.

use rusqlite::{Connection, OptionalExtension, params};

/// Entry number `seq`.
pub fn get(db: &Connection, chain: &str, seq: i64) -> rusqlite::Result<Option<Vec<u8>>> {
    let sql = "SELECT data FROM entry WHERE chain = ?1 AND seq = ?2";
    db.prepare_cached(sql)?.query_row(params![chain, seq], |row| row.get(0)).optional()
}

/// Entries from number `from`, in order.
pub fn list(db: &Connection, chain: &str, from: i64, limit: u32) -> rusqlite::Result<Vec<Vec<u8>>> {
    let sql = "SELECT data FROM entry WHERE chain = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params![chain, from, limit], |row| row.get(0))?;
    rows.collect()
}

/// How many there are: they have no gaps.
pub fn count(db: &Connection, chain: &str) -> rusqlite::Result<u64> {
    let sql = "SELECT coalesce(max(seq) + 1, 0) FROM entry WHERE chain = ?1";
    db.prepare_cached(sql)?.query_row([chain], |row| row.get(0))
}

/// Adds entry number `seq`, which must be the next. *Crash before the commit*: it is not there;
/// *after*: it stands for good.
pub fn add(db: &Connection, chain: &str, seq: i64, data: &[u8]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO entry (chain, seq, data) VALUES (?1, ?2, ?3)";
    db.prepare_cached(sql)?.execute(params![chain, seq, data]).map(drop)
}
