//! No hint is fetched that nobody has room for.
//!
//! A worker that fetched and then declined would keep the hint from another process that could
//! have taken it. apalis asks its service whether it is ready before it fetches, so the gate is a
//! service that is not ready while the taker is full. The fetch size is 1 for the same reason:
//! a fetched hint is never kept waiting, so the worker's heartbeat never stops behind it.

use crate::taker::Taker;
use domain::LaneName;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;
use tower::{Layer, Service};

/// The first pause before a full taker is asked again; each further one is twice as long, so a
/// slot that is free for a moment is found quickly and a lane that is busy for seconds costs
/// nothing.
const FIRST_PAUSE: Duration = Duration::from_millis(2);

/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(25);

/// Makes [`Gate`]s.
#[derive(Clone)]
pub(crate) struct GateLayer {
    pub(crate) taker: Arc<dyn Taker>,
    pub(crate) lane: LaneName,
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, inner: S) -> Gate<S> {
        Gate { inner, asked: self.clone(), pause: FIRST_PAUSE, asleep: None }
    }
}

/// A service that is ready only while the taker has room.
pub(crate) struct Gate<S> {
    inner: S,
    asked: GateLayer,
    pause: Duration,
    asleep: Option<Pin<Box<Sleep>>>,
}

impl<S, Job> Service<Job> for Gate<S>
where
    S: Service<Job>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        while self.asked.taker.room(&self.asked.lane) == 0 {
            let pause = self.pause;
            let asleep = self.asleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
            if asleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.asleep = None;
            self.pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.asleep = None;
        self.pause = FIRST_PAUSE;
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, job: Job) -> S::Future {
        self.inner.call(job)
    }
}
