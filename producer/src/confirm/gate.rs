//! The deadline of a step (S7), on the clock that goes on while the machine sleeps.

use providers::SendGate;
use rustix::time::{ClockId, clock_gettime};

/// Closes so long after it was made; what has started by then has the request's whole time more.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    closes_ms: u64,
    ends_ms: u64,
}

impl Deadline {
    /// Made before the intent is written, it never closes later than the ledger's own reading.
    pub fn after(ms: u64, request_ms: u64) -> Deadline {
        let closes_ms = boot_ms().saturating_add(ms);
        Deadline { closes_ms, ends_ms: closes_ms.saturating_add(request_ms) }
    }
}

impl SendGate for Deadline {
    fn is_open(&self) -> bool {
        boot_ms() < self.closes_ms
    }

    fn may_go_on(&self) -> bool {
        boot_ms() < self.ends_ms
    }
}

/// Milliseconds since the machine started. Sleep and wrong wall clocks change nothing of it.
fn boot_ms() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    // The boot-time clock starts at 0 and its nanoseconds stay below a second.
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds * 1_000 + nanos / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_deadline_is_open_before_and_closed_for_ever_after() {
        assert!(Deadline::after(60_000, 0).is_open());
        let short = Deadline::after(5, 60_000);
        let mut looks = 0;
        while short.is_open() {
            looks += 1;
            assert!(looks < 10_000, "it never closes");
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        assert!(!short.is_open() && !Deadline::after(0, 0).is_open());
        assert!(short.may_go_on() && !Deadline::after(0, 0).may_go_on());
    }
}
