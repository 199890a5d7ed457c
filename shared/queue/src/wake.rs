//! When an idle worker looks again.
//!
//! By itself an apalis worker that found its queue empty sleeps until its next heartbeat. Its own
//! interval strategy is not enough: a delay that ends in the same poll in which an empty answer
//! arrives is replaced by one that nobody has polled, and the worker sleeps on. Here the timer is
//! polled until it is pending, so that its waker always stands.

use apalis::prelude::{PollSnapshot, PollStrategy};
use futures::task::AtomicWaker;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior};

/// Wakes a worker on an interval, and at once when this process pushed.
pub(crate) struct LookAgain {
    ticks: Interval,
    pushed: Arc<AtomicWaker>,
}

impl LookAgain {
    /// Looks again after `period` at the latest. Must be made inside a tokio runtime.
    pub(crate) fn new(period: Duration, pushed: Arc<AtomicWaker>) -> LookAgain {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        LookAgain { ticks, pushed }
    }
}

impl PollStrategy for LookAgain {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        self.pushed.register(cx.waker());
        while self.ticks.poll_tick(cx).is_ready() {}
        Poll::Pending
    }
}
