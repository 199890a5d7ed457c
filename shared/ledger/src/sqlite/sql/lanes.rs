//! Lanes: records, pace, fairness, fetched rules, strays.

use super::{from_json, to_json};
use crate::rules::fair::{Turns, Waiting};
use crate::types::LaneRecord;
use domain::{LaneName, Millis, Priority};
use rusqlite::{Connection, OptionalExtension, params};

/// Strays kept per lane; the oldest go first (S16).
const STRAYS_MAX: i64 = 10_000;

/// A lane's record, where one was stored.
pub fn record(db: &Connection, lane: &LaneName) -> rusqlite::Result<Option<LaneRecord>> {
    let sql = "SELECT record FROM lane WHERE name = ?1 AND record IS NOT NULL";
    let mut statement = db.prepare_cached(sql)?;
    statement.query_row([lane.as_str()], |row| from_json(row, 0)).optional()
}

/// Stores a record as version `record.version`, over the version before; whether that stood.
pub fn put_record(db: &Connection, record: &LaneRecord) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO lane (name, version, record) SELECT ?1, ?2, ?3
               WHERE coalesce((SELECT version FROM lane WHERE name = ?1), 0) = ?2 - 1
               ON CONFLICT DO UPDATE SET version = excluded.version, record = excluded.record";
    let values = params![record.name.as_str(), record.version, to_json(record)?];
    Ok(db.prepare_cached(sql)?.execute(values)? == 1)
}

/// A lane's first free slot of time, in microseconds.
pub fn next_slot_us(db: &Connection, lane: &LaneName) -> rusqlite::Result<u64> {
    let mut statement = db.prepare_cached("SELECT next_slot_us FROM lane WHERE name = ?1")?;
    Ok(statement.query_row([lane.as_str()], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Slots before `next_us` are given away. *Crash after*: they pass unused.
pub fn put_next_slot_us(db: &Connection, lane: &LaneName, next_us: u64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO lane (name, next_slot_us) VALUES (?1, ?2)
               ON CONFLICT DO UPDATE SET next_slot_us = excluded.next_slot_us";
    let next_us = next_us.min(i64::MAX.unsigned_abs());
    db.prepare_cached(sql)?.execute(params![lane.as_str(), next_us]).map(drop)
}

/// How far a lane has come.
pub fn turns(db: &Connection, lane: &LaneName) -> rusqlite::Result<Turns> {
    let sql = "SELECT turns FROM lane WHERE name = ?1 AND turns IS NOT NULL";
    let mut statement = db.prepare_cached(sql)?;
    Ok(statement
        .query_row([lane.as_str()], |row| from_json(row, 0))
        .optional()?
        .unwrap_or_default())
}

/// Stores how far a lane has come, and forgets the batches that lie behind it: they would start
/// there anyway.
pub fn put_turns(db: &Connection, lane: &LaneName, turns: &Turns) -> rusqlite::Result<()> {
    let sql = "INSERT INTO lane (name, turns) VALUES (?1, ?2)
               ON CONFLICT DO UPDATE SET turns = excluded.turns";
    db.prepare_cached(sql)?.execute(params![lane.as_str(), to_json(turns)?])?;
    let sql = "DELETE FROM served WHERE lane = ?1 AND priority = ?2 AND virtual_time <= ?3";
    let mut statement = db.prepare_cached(sql)?;
    for (priority, time) in Priority::ALL.into_iter().zip(turns.times) {
        statement.execute(params![lane.as_str(), priority.name(), time])?;
    }
    Ok(())
}

/// Stores a batch's virtual time on a lane.
pub fn put_served(db: &Connection, lane: &LaneName, waiting: &Waiting) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO served (lane, batch, priority, virtual_time)
               VALUES (?1, ?2, ?3, ?4)";
    let Waiting { batch, priority, served, .. } = waiting;
    let values = params![lane.as_str(), batch.to_bytes(), priority.name(), served];
    db.prepare_cached(sql)?.execute(values).map(drop)
}

/// The rules that were fetched for a lane, and when.
pub fn rules(db: &Connection, lane: &LaneName) -> rusqlite::Result<Option<(Millis, String)>> {
    let sql = "SELECT fetched_ms, text FROM rules WHERE lane = ?1";
    let mut statement = db.prepare_cached(sql)?;
    let read = |row: &rusqlite::Row<'_>| Ok((Millis(row.get(0)?), row.get(1)?));
    statement.query_row([lane.as_str()], read).optional()
}

/// Stores fetched rules over the older ones.
pub fn put_rules(
    db: &Connection,
    lane: &LaneName,
    text: &str,
    now: Millis,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO rules (lane, fetched_ms, text) VALUES (?1, ?2, ?3)";
    db.prepare_cached(sql)?.execute(params![lane.as_str(), now.0, text]).map(drop)
}

/// Keeps a stray and lets the oldest go.
pub fn keep_stray(db: &Connection, lane: &LaneName, text: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO stray (lane, seq, text)
               VALUES (?1, (SELECT coalesce(max(seq), 0) + 1 FROM stray WHERE lane = ?1), ?2)";
    db.prepare_cached(sql)?.execute(params![lane.as_str(), text])?;
    let sql = "DELETE FROM stray WHERE lane = ?1
               AND seq <= (SELECT max(seq) FROM stray WHERE lane = ?1) - ?2";
    db.prepare_cached(sql)?.execute(params![lane.as_str(), STRAYS_MAX]).map(drop)
}

/// The strays of a lane, the oldest first.
pub fn strays(db: &Connection, lane: &LaneName) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare_cached("SELECT text FROM stray WHERE lane = ?1 ORDER BY seq")?;
    let rows = statement.query_map([lane.as_str()], |row| row.get(0))?;
    rows.collect()
}
