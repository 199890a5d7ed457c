//! The seed's randomness (SplitMix64): the same numbers on every machine and version.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the state grows by with each number.
const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// Shared dice.
#[derive(Clone)]
pub struct Dice(Arc<AtomicU64>);

impl Dice {
    /// Dice for a seed.
    pub fn new(seed: u64) -> Dice {
        Dice(Arc::new(AtomicU64::new(seed)))
    }

    /// Sixty-four random bits.
    pub fn bits(&self) -> u64 {
        let mut z = self.0.fetch_add(GAMMA, Ordering::Relaxed).wrapping_add(GAMMA);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `0..range`; 0 for an empty range.
    pub fn below(&self, range: u64) -> u64 {
        self.bits() % range.max(1)
    }

    /// True `per_mille` times in a thousand.
    pub fn chance(&self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }
}
