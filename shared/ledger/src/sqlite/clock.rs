//! Ledger time (S19): the wall clock behind a high-water mark. It may stand still for a while
//! when somebody sets the clock back, and never goes back, in this process or across a restart.
//!
//! The mark lies in the file and moves with every commit that wrote something, so what any
//! process has written was written at or before the mark.

use domain::Millis;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Makes ledger time. A clone is the same clock.
#[derive(Clone, Default)]
pub struct LedgerClock {
    /// The latest time that this process was told.
    latest_ms: Arc<AtomicU64>,
}

impl LedgerClock {
    pub fn new() -> LedgerClock {
        LedgerClock::default()
    }

    /// The time now, given the mark that stands in the file.
    pub fn now(&self, mark: Millis) -> Millis {
        self.not_before(mark, wall_ms())
    }

    fn not_before(&self, mark: Millis, wall_ms: u64) -> Millis {
        let now_ms = wall_ms.max(mark.0);
        Millis(now_ms.max(self.latest_ms.fetch_max(now_ms, Ordering::SeqCst)))
    }
}

fn wall_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX).min(Millis::NEVER.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_still_while_the_wall_clock_is_behind_and_then_goes_on() {
        let clock = LedgerClock::new();
        assert_eq!(clock.not_before(Millis(0), 100), Millis(100));
        assert_eq!(clock.not_before(Millis(0), 60), Millis(100));
        assert_eq!(clock.not_before(Millis(120), 70), Millis(120), "another process was ahead");
        assert_eq!(clock.not_before(Millis(0), 80), Millis(120));
        assert_eq!(clock.not_before(Millis(0), 121), Millis(121));
    }
}
