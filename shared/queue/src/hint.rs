//! The job type.

use domain::{ChunkId, LaneName};
use serde::{Deserialize, Serialize};

/// "This chunk of this batch on this lane may have work", and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// The chunk.
    pub chunk: ChunkId,
    /// Its lane.
    pub lane: LaneName,
}
