//! What the engine gets from outside: time, sleep, randomness, tasks.
//!
//! In production these are the boot-time clock, tokio and the system's randomness; under the
//! simulator a virtual clock, a seed, and tasks that can be dropped or frozen at any step.

use futures::future::BoxFuture;

/// The world around the engine.
pub trait Env: Send + Sync + 'static {
    /// Milliseconds on a clock that goes on while the machine sleeps (S7, S19). Its zero means
    /// nothing.
    fn now_ms(&self) -> u64;

    /// Ends after at least `ms` milliseconds.
    fn sleep(&self, ms: u64) -> BoxFuture<'static, ()>;

    /// Sixty-four random bits.
    fn random(&self) -> u64;

    /// Runs a task to its end, beside the caller.
    fn spawn(&self, task: BoxFuture<'static, ()>);
}

/// A random number in `0..=max`.
pub fn up_to(env: &dyn Env, max: u64) -> u64 {
    match max.checked_add(1) {
        Some(range) => env.random() % range,
        None => env.random(),
    }
}
