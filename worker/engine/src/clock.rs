//! Ledger time between two answers of the ledger.
//!
//! A holder measures ledger time on its own boot-time clock, from *before* the call that told it
//! (S19): so its reading is never behind the ledger's, and a deadline is never judged too late. It
//! is ahead by as long as the call took, at most; since windows of look-ups are wide enough for
//! [`CLOCK_AHEAD_MAX_MS`] and no more, an answer that took longer teaches nothing.

use crate::env::Env;
use domain::Millis;
use ledger::{About, Ledger, LedgerError};
use providers::CLOCK_AHEAD_MAX_MS;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// So often the ledger is asked for the time at the start, until it tells it soon enough.
const FIRST_TRIES: u8 = 3;

/// Reads ledger time without asking the ledger.
pub struct Clock {
    env: Arc<dyn Env>,
    /// Ledger time minus our time, at the last answer.
    ahead_ms: AtomicU64,
}

impl Clock {
    /// A clock that the ledger has just told the time; and what else it told. A ledger that is
    /// never quick enough is none to start with.
    pub async fn ask(
        env: Arc<dyn Env>,
        ledger: &dyn Ledger,
    ) -> Result<(Clock, About), LedgerError> {
        let clock = Clock { env, ahead_ms: AtomicU64::new(0) };
        for _ in 0..FIRST_TRIES {
            let asked_ms = clock.boot_ms();
            let about = ledger.about().await?;
            if clock.learn(asked_ms, about.now) {
                return Ok((clock, about));
            }
        }
        let text = format!("it does not tell the time within {CLOCK_AHEAD_MAX_MS} ms");
        Err(LedgerError::Unavailable(text))
    }

    /// The ledger said `told` to a question asked at `asked_ms`. Gives whether that was soon enough
    /// to be learned from.
    pub fn learn(&self, asked_ms: u64, told: Millis) -> bool {
        let is_quick = self.env.now_ms().saturating_sub(asked_ms) <= CLOCK_AHEAD_MAX_MS;
        if is_quick {
            self.ahead_ms.store(told.0.wrapping_sub(asked_ms), Ordering::Relaxed);
        }
        is_quick
    }

    /// Ledger time now.
    pub fn now(&self) -> Millis {
        Millis(self.env.now_ms().wrapping_add(self.ahead_ms.load(Ordering::Relaxed)))
    }

    /// The world's own clock, for deadlines that only this process judges.
    pub fn boot_ms(&self) -> u64 {
        self.env.now_ms()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::BoxFuture;

    /// A world whose time a test sets.
    struct Hand(AtomicU64);

    impl Env for Hand {
        fn now_ms(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }

        fn sleep(&self, _: u64) -> BoxFuture<'static, ()> {
            Box::pin(std::future::ready(()))
        }

        fn random(&self) -> u64 {
            0
        }

        fn spawn(&self, _: BoxFuture<'static, ()>) {}
    }

    #[test]
    fn what_took_too_long_to_be_told_teaches_nothing() {
        let hand = Arc::new(Hand(AtomicU64::new(1_000)));
        let clock = Clock { env: Arc::<Hand>::clone(&hand), ahead_ms: AtomicU64::new(0) };
        hand.0.store(1_000 + CLOCK_AHEAD_MAX_MS, Ordering::Relaxed);
        assert!(clock.learn(1_000, Millis(700_000)), "just in time");
        assert_eq!(clock.now(), Millis(700_000 + CLOCK_AHEAD_MAX_MS));
        hand.0.store(20_000, Ordering::Relaxed);
        assert!(!clock.learn(19_999 - CLOCK_AHEAD_MAX_MS, Millis(900_000)));
        assert_eq!(clock.now(), Millis(719_000), "as the first answer told it");
    }
}
