//! The dial's positions as data: read whole, changed in part.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Fault;

/// How often a fault strikes: certainly for the next `next` calls, then by chance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chance {
    /// Of a thousand calls, how many; 1000 is always.
    pub per_mille: u16,
    /// The next so many calls certainly; counts down.
    pub next: u32,
}

impl Chance {
    /// Every call.
    pub const ALWAYS: Self = Self { per_mille: 1000, next: 0 };

    /// No call.
    pub const NEVER: Self = Self { per_mille: 0, next: 0 };

    /// The next `calls` calls, then none.
    pub const fn next(calls: u32) -> Self {
        Self { per_mille: 0, next: calls }
    }

    /// By chance, `per_mille` of a thousand calls.
    pub const fn per_mille(per_mille: u16) -> Self {
        Self { per_mille, next: 0 }
    }
}

/// Where the whole dial stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialSettings {
    /// Every answer of a provider waits so long.
    pub latency_ms: u64,
    /// And up to so much longer, drawn anew each time.
    pub latency_jitter_ms: u64,
    /// Creates admitted in any sliding second; more are answered 429. 0 is no limit.
    pub creates_per_second: u64,
    /// Look-ups admitted in any sliding second; more are answered 429. 0 is no limit.
    pub lookups_per_second: u64,
    /// What a 429 says in `Retry-After`.
    pub retry_after_s: u64,
    /// What `callback_late` adds.
    pub callback_late_ms: u64,
    /// The most that `callback_reordered` adds.
    pub callback_reorder_ms: u64,
    /// What the draws are seeded with; setting it starts them anew.
    pub seed: u64,
    /// Each fault's chance.
    pub faults: BTreeMap<Fault, Chance>,
}

impl Default for DialSettings {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            latency_jitter_ms: 0,
            creates_per_second: 0,
            lookups_per_second: 0,
            retry_after_s: 1,
            callback_late_ms: 1_000,
            callback_reorder_ms: 200,
            seed: 1,
            faults: Fault::ALL.into_iter().map(|fault| (fault, Chance::NEVER)).collect(),
        }
    }
}

/// A change of some positions; what is not named stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each field is the one of the same name in `DialSettings`")]
pub struct DialChange {
    pub latency_ms: Option<u64>,
    pub latency_jitter_ms: Option<u64>,
    pub creates_per_second: Option<u64>,
    pub lookups_per_second: Option<u64>,
    pub retry_after_s: Option<u64>,
    pub callback_late_ms: Option<u64>,
    pub callback_reorder_ms: Option<u64>,
    pub seed: Option<u64>,
    pub faults: BTreeMap<Fault, ChanceChange>,
}

/// A change of one fault's chance; what is not named stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "each field is the one of the same name in `Chance`")]
pub struct ChanceChange {
    pub per_mille: Option<u16>,
    pub next: Option<u32>,
}

/// A change that was refused; nothing of it was applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// More than always.
    #[error("{fault:?}: per_mille is {per_mille}; at most 1000 is possible")]
    TooLikely {
        /// The fault that was to be set.
        fault: Fault,
        /// What was asked for.
        per_mille: u16,
    },
}

impl DialSettings {
    /// Applies the whole change or, if a part of it is impossible, nothing.
    pub(super) fn apply(&mut self, change: &DialChange) -> Result<(), DialError> {
        for (&fault, chance) in &change.faults {
            if let Some(per_mille) = chance.per_mille.filter(|p| *p > 1000) {
                return Err(DialError::TooLikely { fault, per_mille });
            }
        }
        let set = |field: &mut u64, value: Option<u64>| *field = value.unwrap_or(*field);
        set(&mut self.latency_ms, change.latency_ms);
        set(&mut self.latency_jitter_ms, change.latency_jitter_ms);
        set(&mut self.creates_per_second, change.creates_per_second);
        set(&mut self.lookups_per_second, change.lookups_per_second);
        set(&mut self.retry_after_s, change.retry_after_s);
        set(&mut self.callback_late_ms, change.callback_late_ms);
        set(&mut self.callback_reorder_ms, change.callback_reorder_ms);
        set(&mut self.seed, change.seed);
        for (&fault, change) in &change.faults {
            let chance = self.faults.entry(fault).or_default();
            chance.per_mille = change.per_mille.unwrap_or(chance.per_mille);
            chance.next = change.next.unwrap_or(chance.next);
        }
        Ok(())
    }
}
