//! Why a batch is paused, and from where on its brakes count: one register for each batch that was
//! ever held, changed by compare-and-set.
//!
//! The register explains and the batch's state decides: nothing is held by what stands here. So
//! whoever holds a batch writes the register first and the state after it. *Crash between*: the
//! batch goes on, under words that nobody shows; whoever held it does so again. It is never held
//! without words. A resumption keeps the words and writes from where to count, then the state.
//! *Crash between*: still paused, still explained; the same command lets it go on.

use crate::api::{Ledger, LedgerError};
use crate::register;
use domain::{BatchId, Counts, Millis};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What the register of a batch says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Why it was held last. It is held by it only while its state is `paused`.
    pub hold: Option<Hold>,
    /// What a person has seen and let go on.
    #[serde(default)]
    pub seen: Seen,
}

/// Who holds a batch, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// `anna@host (producer)`, or `worker` for a brake.
    pub who: String,
    /// Since when.
    pub since: Millis,
    /// For people: what happened and what to do.
    pub reason: String,
    /// The chunk whose canaries were lost, where that is why.
    #[serde(default)]
    pub canaries: Option<u16>,
}

/// What stood there when a person let the batch go on: nothing of it closes a brake again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Where its payouts stood; all zero for a batch that nobody let go on yet.
    pub counts: Counts,
    /// Lost canaries by chunk: the rows behind them take their turn.
    pub canaries: BTreeMap<u16, BTreeSet<u16>>,
}

fn name(batch: BatchId) -> String {
    format!("pause/{batch}")
}

/// The register of a batch, with its version; version 0 and nothing for one that was never held.
pub async fn read(ledger: &dyn Ledger, batch: BatchId) -> Result<(u64, Pause), LedgerError> {
    register::read(ledger, name(batch)).await
}

/// Stores it, if nobody changed it since `version` was read.
pub async fn put(
    ledger: &dyn Ledger,
    batch: BatchId,
    version: u64,
    pause: &Pause,
) -> Result<bool, LedgerError> {
    register::put(ledger, name(batch), version, pause).await
}
