//! The last second of calls, sliding: no second, wherever it starts, is missed.
//!
//! Its users stamp a call with its first byte, so that a limit and `max_per_second` mean the same
//! second. A body that comes late, a lock that is waited for, an answer that is slow: none of
//! them moves a call into another second.

use std::collections::VecDeque;

const SECOND_NS: u64 = 1_000_000_000;

/// Stamps of the last second, oldest first, and the most that ever stood in one.
#[derive(Default)]
pub(crate) struct Window {
    stamps_ns: VecDeque<u64>,
    most: usize,
}

impl Window {
    /// Counts a call and gives how many stand in the second now. Stamps may come slightly out of
    /// order: two connections race to this lock.
    pub(crate) fn add(&mut self, at_ns: u64) -> u64 {
        let later = self.stamps_ns.iter().rev().take_while(|stamp| **stamp > at_ns).count();
        self.stamps_ns.insert(self.stamps_ns.len() - later, at_ns);
        self.forget_before(self.stamps_ns.back().copied().unwrap_or(at_ns));
        self.most = self.most.max(self.stamps_ns.len());
        u64::try_from(self.stamps_ns.len()).unwrap_or(u64::MAX)
    }

    /// Counts a call unless `limit` calls already stand in the second that ends with it.
    pub(crate) fn admit(&mut self, at_ns: u64, limit: u64) -> bool {
        self.forget_before(at_ns);
        let is_free = u64::try_from(self.stamps_ns.len()).unwrap_or(u64::MAX) < limit;
        if is_free {
            self.add(at_ns);
        }
        is_free
    }

    /// The most calls in any sliding second so far.
    pub(crate) fn most(&self) -> u64 {
        u64::try_from(self.most).unwrap_or(u64::MAX)
    }

    fn forget_before(&mut self, now_ns: u64) {
        while self.stamps_ns.front().is_some_and(|stamp| stamp + SECOND_NS <= now_ns) {
            self.stamps_ns.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_burst_across_the_turn_of_a_second_is_seen_whole() {
        let mut window = Window::default();
        for at in [900, 950, 999, 1_001, 1_050, 1_899] {
            window.add(at * MS);
        }
        assert_eq!(window.most(), 6);
        window.add(1_900 * MS);
        assert_eq!(window.most(), 6, "the call at 900 ms is a whole second old");
    }

    #[test]
    fn a_refused_call_does_not_use_up_the_limit() {
        let mut window = Window::default();
        assert!(window.admit(1, 2) && window.admit(2, 2));
        assert!(!window.admit(3, 2) && !window.admit(4, 2));
        assert!(window.admit(SECOND_NS + 1, 2), "the first call has left the window");
        assert!(!window.admit(SECOND_NS + 1, 2));
    }

    #[test]
    fn stamps_out_of_order_are_put_in_order() {
        let mut window = Window::default();
        for at in [10, 30, 20] {
            window.add(at);
        }
        assert_eq!(window.stamps_ns, [10, 20, 30]);
    }
}
