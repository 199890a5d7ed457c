//! All statements, each a named function. None commits: a crash before the commit of the group
//! it stands in leaves nothing of it, a crash after it leaves all of it.
//!
//! - `schema`: tables, version, pragmas; `migrate`: from older versions; `ledger`: identity, time
//! - `batches`, `references`, `chunks`, `lanes`, `registers`, `entries`: a file per table or group
//!   of tables
//!
//! Identifiers are stored as bytes (`BatchId` 16, `Place` 20, `ReferenceKey` 16), moments as
//! milliseconds, closed sets by name, and structures that SQL never looks into as JSON.

pub mod batches;
pub mod chunks;
pub mod entries;
pub mod lanes;
pub mod ledger;
mod migrate;
pub mod references;
pub mod registers;
pub mod schema;

use rusqlite::types::{FromSqlError, Type};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A structure as the text of a column.
fn to_json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
}

/// The structure that column number `column` holds.
fn from_json<T: DeserializeOwned>(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|e| unreadable(column, Type::Text, e))
}

fn unreadable(
    column: usize,
    kind: Type,
    why: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(why))
}

/// A value that we never write stands in column number `column`.
fn not_ours(column: usize, kind: Type) -> rusqlite::Error {
    unreadable(column, kind, FromSqlError::InvalidType)
}
