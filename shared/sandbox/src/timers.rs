//! What is due later, given out in groups so that a busy sandbox wakes once a millisecond, not once
//! a payout. A timer never fires early; nothing here survives a restart (the ledger rebuilds it).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Mutex;

use tokio::sync::Notify;
use tokio::time::{Duration, Instant, sleep, sleep_until};

use crate::clock::lock;

/// Groups are cut here, so that one group never holds the ledger's lock for long.
const GROUP_MAX: usize = 512;
/// What comes due within it is given out together.
const GROUP_WAIT: Duration = Duration::from_millis(1);

pub(crate) struct Timers<T> {
    heap: Mutex<BinaryHeap<Reverse<(Instant, T)>>>,
    earlier: Notify,
}

impl<T: Ord> Timers<T> {
    pub(crate) fn new() -> Self {
        Self { heap: Mutex::new(BinaryHeap::new()), earlier: Notify::new() }
    }

    pub(crate) fn push(&self, after: Duration, item: T) {
        // Past the end of representable time means "not in this process's life": a year will do.
        let at = Instant::now().checked_add(after.min(Duration::from_secs(31_536_000)));
        let Some(at) = at else { return };
        let mut heap = lock(&self.heap);
        let is_first = heap.peek().is_none_or(|Reverse((first, _))| at < *first);
        heap.push(Reverse((at, item)));
        drop(heap);
        if is_first {
            self.earlier.notify_one();
        }
    }

    /// Waits until something is due and returns it, with what else is due by now.
    pub(crate) async fn due(&self) -> Vec<T> {
        loop {
            let next = lock(&self.heap).peek().map(|Reverse((at, _))| *at);
            match next {
                None => self.earlier.notified().await,
                Some(at) if at > Instant::now() => {
                    tokio::select! {
                        () = sleep_until(at) => {}
                        () = self.earlier.notified() => {}
                    }
                }
                Some(_) => {
                    sleep(GROUP_WAIT).await;
                    return self.take_due();
                }
            }
        }
    }

    fn take_due(&self) -> Vec<T> {
        let now = Instant::now();
        let mut heap = lock(&self.heap);
        let mut group = Vec::new();
        while group.len() < GROUP_MAX && heap.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            group.extend(heap.pop().map(|Reverse((_, item))| item));
        }
        group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_due_first_comes_first_and_never_early() {
        let timers = Timers::new();
        let start = Instant::now();
        timers.push(Duration::from_millis(50), "second");
        timers.push(Duration::from_millis(10), "first");
        assert_eq!(timers.due().await, ["first"]);
        assert!(start.elapsed() >= Duration::from_millis(10));
        assert_eq!(timers.due().await, ["second"]);
        assert!(start.elapsed() >= Duration::from_millis(50));
    }
}
