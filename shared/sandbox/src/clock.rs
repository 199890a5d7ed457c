//! Two clocks, never mixed: wall time stands in records and answers, monotonic time measures.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, for records.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Nanoseconds since the first call in this process, never 0: 0 means "no stamp" to its users.
pub(crate) fn mono_ns() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let since = START.get_or_init(Instant::now).elapsed();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX).max(1)
}

/// Locks, also after a panic elsewhere: a panic never happens between two halves of an update
/// here, and a sandbox that stops answering would hide the panic behind a hundred timeouts.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
