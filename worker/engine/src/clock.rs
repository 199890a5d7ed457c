//! Ledger time between two answers of the ledger.
//!
//! A holder measures ledger time on its own boot-time clock, from *before* the call that told it
//! (S19): so its reading is never behind the ledger's, and a deadline is never judged too late.

use crate::env::Env;
use domain::Millis;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Reads ledger time without asking the ledger.
pub struct Clock {
    env: Arc<dyn Env>,
    /// Ledger time minus our time, at the last answer.
    ahead_ms: AtomicU64,
}

impl Clock {
    /// A clock that knows that the ledger said `told` to a question asked at `asked_ms`.
    pub fn new(env: Arc<dyn Env>, asked_ms: u64, told: Millis) -> Clock {
        let clock = Clock { env, ahead_ms: AtomicU64::new(0) };
        clock.learn(asked_ms, told);
        clock
    }

    /// The ledger said `told` to a question asked at `asked_ms`.
    pub fn learn(&self, asked_ms: u64, told: Millis) {
        self.ahead_ms.store(told.0.wrapping_sub(asked_ms), Ordering::Relaxed);
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
