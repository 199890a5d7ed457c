//! Registers: small texts under a name, by version.

use crate::types::Register;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A register.
pub fn get(db: &Connection, name: &str) -> rusqlite::Result<Option<Register>> {
    let sql = "SELECT name, version, text FROM register WHERE name = ?1";
    db.prepare_cached(sql)?.query_row([name], read).optional()
}

/// The registers whose names begin with `prefix`, by name.
pub fn list(db: &Connection, prefix: &str) -> rusqlite::Result<Vec<Register>> {
    let sql = "SELECT name, version, text FROM register WHERE name >= ?1 ORDER BY name";
    let mut statement = db.prepare_cached(sql)?;
    let from = statement.query_map([prefix], read)?;
    // Text has no greatest character to end at, so the first that is not wanted ends it.
    let wanted = |read: &rusqlite::Result<Register>| {
        read.as_ref().map_or(true, |register| register.name.starts_with(prefix))
    };
    from.take_while(wanted).collect()
}

/// Stores a register as the version after `register.version`, if that stands. *Crash before the
/// commit*: the older one stands. *After*: stored; asking again finds another version and says so.
pub fn put(db: &Connection, register: &Register) -> rusqlite::Result<bool> {
    // No version has ever grown so large: it is not the one that stands.
    let Ok(version) = i64::try_from(register.version) else { return Ok(false) };
    let sql = "INSERT INTO register (name, version, text) SELECT ?1, ?2 + 1, ?3
               WHERE coalesce((SELECT version FROM register WHERE name = ?1), 0) = ?2
               ON CONFLICT DO UPDATE SET version = excluded.version, text = excluded.text";
    let values = params![register.name, version, register.text];
    Ok(db.prepare_cached(sql)?.execute(values)? == 1)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Register> {
    Ok(Register { name: row.get(0)?, version: row.get(1)?, text: row.get(2)? })
}
