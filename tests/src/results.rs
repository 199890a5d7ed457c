//! Result files, as a payer's own program would read them: by the names in the header.

use serde::Deserialize;
use std::path::Path;

/// One row of a result file.
#[derive(Clone, Debug, Deserialize)]
pub struct ResultRow {
    /// The payer's reference.
    pub reference: String,
    /// As in the payer's file.
    pub amount: String,
    /// As in ISO 4217.
    pub currency: String,
    /// Through whom.
    pub lane: String,
    /// `paid`, `failed`, `review` …
    pub state: String,
    /// The provider's own id, where it was told.
    pub provider_id: String,
    /// Why it stands so.
    pub reason: String,
}

/// The rows of a result file, in its order.
#[track_caller]
pub fn read(path: &Path) -> Vec<ResultRow> {
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|e| panic!("no result file {}: {e}", path.display()));
    parse(&text)
}

/// The rows of a result, in its order.
#[track_caller]
pub fn parse(text: &str) -> Vec<ResultRow> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Result<Vec<ResultRow>, _> = reader.deserialize().collect();
    rows.unwrap_or_else(|e| panic!("not a result file: {e}\n{text}"))
}
