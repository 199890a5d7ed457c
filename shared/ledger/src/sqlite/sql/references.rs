//! The index of references (S1).

use super::not_ours;
use domain::{Place, ReferenceKey};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Takes a reference for `place` if nobody holds it; whether it was free. *Crash after*: held
/// by a batch that nobody seals, until somebody takes it over.
pub fn insert(db: &Connection, key: ReferenceKey, place: Place) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO reference (key, place) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    let inserted = db.prepare_cached(sql)?.execute(params![key.0, place.to_bytes()])?;
    Ok(inserted == 1)
}

/// Where a reference lies.
pub fn find(db: &Connection, key: ReferenceKey) -> rusqlite::Result<Option<Place>> {
    let mut statement = db.prepare_cached("SELECT place FROM reference WHERE key = ?1")?;
    statement.query_row([key.0], read).optional()
}

/// Moves a reference by compare-and-set. *Crash before the commit*: it stands at `from`.
pub fn move_place(
    db: &Connection,
    key: ReferenceKey,
    from: Place,
    to: Place,
) -> rusqlite::Result<bool> {
    let sql = "UPDATE reference SET place = ?3 WHERE key = ?1 AND place = ?2";
    let (from, to) = (from.to_bytes(), to.to_bytes());
    Ok(db.prepare_cached(sql)?.execute(params![key.0, from, to])? == 1)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Place> {
    let bytes: [u8; 20] = row.get(0)?;
    Place::from_bytes(&bytes).ok_or_else(|| not_ours(0, Type::Blob))
}
