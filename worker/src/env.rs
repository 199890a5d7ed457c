//! The world around the engine in production: the boot-time clock, tokio, the system's
//! randomness.

use engine::Env;
use futures::future::BoxFuture;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Production.
#[derive(Clone, Copy, Debug, Default)]
pub struct Production;

impl Env for Production {
    /// Goes on while the machine sleeps, so that a request held up by a suspend is never sent
    /// late (S7) and a lease that ended meanwhile counts as ended (S19).
    fn now_ms(&self) -> u64 {
        let now = clock_gettime(ClockId::Boottime);
        // The boot-time clock starts at 0 and its nanoseconds stay below a second.
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        let nanos = u64::try_from(now.tv_nsec).unwrap_or(0);
        seconds * 1_000 + nanos / 1_000_000
    }

    fn sleep(&self, ms: u64) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(Duration::from_millis(ms)))
    }

    fn random(&self) -> u64 {
        rand::random()
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        tokio::spawn(task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_clock_moves_by_what_was_slept() {
        let before = Production.now_ms();
        Production.sleep(30).await;
        let slept = Production.now_ms() - before;
        assert!((30..5_000).contains(&slept), "{slept} ms");
    }
}
