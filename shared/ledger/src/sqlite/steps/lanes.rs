//! Lane records, permits, fetched rules.

use crate::api::LedgerError;
use crate::rules::pace;
use crate::sqlite::sql;
use crate::types::{LaneRecord, Pace, Permits, check_rules};
use domain::{LaneName, Millis};
use rusqlite::Connection;

pub fn get(db: &Connection, name: LaneName) -> Result<LaneRecord, LedgerError> {
    Ok(sql::lanes::record(db, &name)?.unwrap_or_else(|| LaneRecord::new(name)))
}

pub fn put(db: &Connection, mut record: LaneRecord) -> Result<bool, LedgerError> {
    record.version += 1;
    Ok(sql::lanes::put_record(db, &record)?)
}

pub fn permits(
    db: &Connection,
    lane: &LaneName,
    want: u32,
    pace: Pace,
    now: Millis,
) -> Result<Permits, LedgerError> {
    let mut next_us = sql::lanes::next_slot_us(db, lane)?;
    let permits = pace::draw(&mut next_us, want, pace, now);
    if permits.count > 0 {
        sql::lanes::put_next_slot_us(db, lane, next_us)?;
    }
    Ok(permits)
}

pub fn put_rules(
    db: &Connection,
    lane: &LaneName,
    text: &str,
    now: Millis,
) -> Result<(), LedgerError> {
    check_rules(text)?;
    Ok(sql::lanes::put_rules(db, lane, text, now)?)
}
