//! Waiting for conditions: the only place where a test sleeps, but for the turns of a storm.

use std::time::{Duration, Instant};

/// Between two looks.
const LOOK_MS: u64 = 10;

/// Looks until `condition` gives something; fails the test with `what` after `within`.
#[track_caller]
pub fn wait_for<T>(what: &str, within: Duration, condition: impl FnMut() -> Option<T>) -> T {
    wait_with(what, within, Duration::from_millis(LOOK_MS), condition)
}

/// The same with a pause of its own between two looks, where a look costs more than a moment.
#[track_caller]
pub fn wait_with<T>(
    what: &str,
    within: Duration,
    pause: Duration,
    mut condition: impl FnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(start.elapsed() < within, "waited {within:?} in vain: {what}");
        std::thread::sleep(pause);
    }
}

/// Looks until `condition` holds; fails the test with `what` after `within`.
#[track_caller]
pub fn wait_until(what: &str, within: Duration, mut condition: impl FnMut() -> bool) {
    wait_for(what, within, || condition().then_some(()));
}

/// Fails the test if `condition` does not hold for all of `span`.
#[track_caller]
pub fn holds_for(what: &str, span: Duration, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while start.elapsed() < span {
        assert!(condition(), "held for {:?} only: {what}", start.elapsed());
        std::thread::sleep(Duration::from_millis(LOOK_MS));
    }
}
