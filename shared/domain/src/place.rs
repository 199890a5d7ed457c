//! Where a row lies. A place never changes: chunks are not split, merged or moved.

use crate::time::Millis;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use ulid::Ulid;

/// A batch: one uploaded file. Sorts by time of intake.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BatchId(pub Ulid);

impl BatchId {
    /// The sixteen bytes that the reference index stores.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_bytes()
    }

    /// The inverse of [`BatchId::to_bytes`].
    pub fn from_bytes(bytes: [u8; 16]) -> BatchId {
        BatchId(Ulid::from_bytes(bytes))
    }

    /// When its intake began, by the clock of whoever took it in.
    pub fn taken_in(self) -> Millis {
        Millis(self.0.timestamp_ms())
    }
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for BatchId {
    type Err = NotAPlace;
    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        Ulid::from_string(&text.to_ascii_uppercase()).map(BatchId).map_err(|_| NotAPlace)
    }
}

/// At most [`ChunkId::MAX_ROWS`] rows of one batch on one lane: what a job names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChunkId {
    /// The batch.
    pub batch: BatchId,
    /// Counts from 0 in the order of intake.
    pub no: u16,
}

impl ChunkId {
    /// The most rows that a chunk holds.
    pub const MAX_ROWS: u16 = 1000;
    /// The most chunks of a batch, and so 65 million rows.
    pub const MAX_CHUNKS: u16 = u16::MAX;
}

impl fmt::Display for ChunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.batch, self.no)
    }
}

impl fmt::Debug for ChunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One row of one chunk. Written `<batch>.<chunk>.<row>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The chunk.
    pub chunk: ChunkId,
    /// Counts from 0 inside the chunk.
    pub row: u16,
}

/// A text that names no batch, chunk or row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a place; expected <batch>.<chunk>.<row>, such as 01JABCDEFGHJKMNPQRSTVWXYZ0.3.17")]
pub struct NotAPlace;

impl Place {
    /// The twenty bytes that the reference index stores.
    pub fn to_bytes(self) -> [u8; 20] {
        let mut out = [0; 20];
        out[..16].copy_from_slice(&self.chunk.batch.to_bytes());
        out[16..18].copy_from_slice(&self.chunk.no.to_le_bytes());
        out[18..].copy_from_slice(&self.row.to_le_bytes());
        out
    }

    /// The inverse of [`Place::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Option<Place> {
        let bytes: &[u8; 20] = bytes.try_into().ok()?;
        let batch = BatchId::from_bytes(bytes[..16].try_into().ok()?);
        let no = u16::from_le_bytes([bytes[16], bytes[17]]);
        let row = u16::from_le_bytes([bytes[18], bytes[19]]);
        Some(Place { chunk: ChunkId { batch, no }, row })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.chunk, self.row)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Place {
    type Err = NotAPlace;
    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let mut parts = text.split('.');
        let (Some(batch), Some(no), Some(row), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotAPlace);
        };
        let chunk = ChunkId { batch: batch.parse()?, no: no.parse().map_err(|_| NotAPlace)? };
        Ok(Place { chunk, row: row.parse().map_err(|_| NotAPlace)? })
    }
}

/// The name of a lane: lower-case letters, digits and dashes, at most 32. It stands in keys,
/// file names, metric labels and callback URLs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LaneName(String);

/// A text that cannot name a lane.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" cannot name a lane; use 1 to 32 lower-case letters, digits and dashes")]
pub struct NotALane(String);

impl LaneName {
    /// Checks and takes a name.
    pub fn new(name: &str) -> Result<LaneName, NotALane> {
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=32).contains(&name.len()) && name.bytes().all(good) {
            Ok(LaneName(name.to_owned()))
        } else {
            Err(NotALane(name.chars().take(40).collect()))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LaneName {
    type Error = NotALane;
    fn try_from(name: String) -> Result<Self, NotALane> {
        LaneName::new(&name)
    }
}

impl From<LaneName> for String {
    fn from(name: LaneName) -> String {
        name.0
    }
}

impl fmt::Display for LaneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LaneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_text_and_bytes() {
        let batch = BatchId(Ulid::from_parts(1, 2));
        let place = Place { chunk: ChunkId { batch, no: 513 }, row: 999 };
        assert_eq!(place.to_string().parse(), Ok(place));
        assert_eq!(Place::from_bytes(&place.to_bytes()), Some(place));
        assert_eq!("x.1.2".parse::<Place>(), Err(NotAPlace));
        assert_eq!(format!("{place}.4").parse::<Place>(), Err(NotAPlace));
    }
}
