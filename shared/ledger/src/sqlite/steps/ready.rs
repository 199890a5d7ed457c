//! Which chunks go first.

use crate::api::LedgerError;
use crate::rules::fair::{self, Waiting};
use crate::sqlite::sql;
use domain::{ChunkId, LaneName, Millis};
use rusqlite::Connection;

pub fn take(
    db: &Connection,
    lane: &LaneName,
    max: u16,
    hint_ms: u64,
    now: Millis,
) -> Result<Vec<ChunkId>, LedgerError> {
    let mut waiting = Vec::new();
    for (batch, priority, served) in sql::chunks::ready_batches(db, lane, now)? {
        let chunks = sql::chunks::ready_chunks(db, lane, batch, now, max)?;
        waiting.push(Waiting { batch, priority, served, chunks });
    }
    let mut turns = sql::lanes::turns(db, lane)?;
    let chosen = fair::choose(&mut waiting, &mut turns, max);
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    for one in &waiting {
        sql::lanes::put_served(db, lane, one)?;
    }
    sql::lanes::put_turns(db, lane, &turns)?;
    let ids: Vec<_> = chosen.into_iter().map(|(batch, no)| ChunkId { batch, no }).collect();
    for id in &ids {
        sql::chunks::put_next_at(db, *id, now.plus(hint_ms))?;
    }
    Ok(ids)
}
