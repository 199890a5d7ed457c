//! Ledger time. Only a ledger makes it (S19); everybody else carries it about.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Milliseconds since the Unix epoch, by the ledger's clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Millis(pub u64);

impl Millis {
    /// The end of time: "never due". Fits the six bytes of the packed form.
    pub const NEVER: Millis = Millis((1 << 48) - 1);

    /// This moment, `ms` milliseconds later. [`Millis::NEVER`] stays never.
    pub fn plus(self, ms: u64) -> Millis {
        Millis(self.0.saturating_add(ms).min(Self::NEVER.0))
    }

    /// Milliseconds from `earlier` to this moment; 0 if that lies in the future.
    pub fn since(self, earlier: Millis) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Debug for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Millis::NEVER { f.write_str("never") } else { write!(f, "{}ms", self.0) }
    }
}
