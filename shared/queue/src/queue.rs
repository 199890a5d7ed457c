//! One API over the two backends.

use crate::embedded::Embedded;
use crate::hint::Hint;
use crate::pool::Pool;
use crate::pump::Backlog;
use crate::taker::Taker;
use domain::LaneName;
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

pub use crate::pool::LOOK_AGAIN_MS;

/// The queue cannot be reached. Nothing is lost by it: hints come back by themselves.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the queue is not available: {0}")]
pub struct QueueError(pub(crate) String);

/// The queues of all lanes.
#[derive(Clone)]
pub struct Queue(Kind);

#[derive(Clone)]
enum Kind {
    Embedded(Arc<Embedded>),
    Pool(Arc<Pool>),
}

impl Queue {
    /// For one process alone.
    pub fn embedded() -> Queue {
        Queue(Kind::Embedded(Arc::default()))
    }

    /// For any number of processes on one Redis. Connects when it is first used, and again
    /// whenever the connection is lost.
    pub fn pool(url: &str, prefix: &str) -> Result<Queue, QueueError> {
        Ok(Queue(Kind::Pool(Arc::new(Pool::new(url, prefix)?))))
    }

    /// Pushes hints. Fails if the queue is away; then they are lost and come back.
    pub async fn push(&self, lane: &LaneName, hints: Vec<Hint>) -> Result<(), QueueError> {
        match &self.0 {
            Kind::Embedded(queue) => {
                queue.push(hints);
                Ok(())
            }
            Kind::Pool(queue) => queue.push(lane, hints).await,
        }
    }

    /// What waits on each of these lanes, in their order.
    pub async fn backlogs(&self, lanes: &[LaneName]) -> Result<Vec<Backlog>, QueueError> {
        match &self.0 {
            Kind::Embedded(queue) => Ok(lanes.iter().map(|lane| queue.backlog(lane)).collect()),
            Kind::Pool(queue) => queue.backlogs(lanes).await,
        }
    }

    /// Gives the hints of these lanes to `taker`, as far as it has room, until stopped.
    pub fn listen(&self, lanes: &[LaneName], taker: &Arc<dyn Taker>) -> Listening {
        let (stop, stopped) = watch::channel(false);
        let one = |lane: &LaneName| match &self.0 {
            Kind::Embedded(queue) => {
                tokio::spawn(queue.clone().listen(lane.clone(), taker.clone(), stopped.clone()))
            }
            Kind::Pool(queue) => {
                tokio::spawn(queue.clone().listen(lane.clone(), taker.clone(), stopped.clone()))
            }
        };
        Listening { tasks: lanes.iter().map(one).collect(), stop }
    }

    /// Told whenever this process took a hint.
    pub(crate) fn taken(&self) -> Arc<Notify> {
        match &self.0 {
            Kind::Embedded(queue) => queue.taken.clone(),
            Kind::Pool(queue) => queue.taken.clone(),
        }
    }
}

/// The workers that listen. Dropping it stops them too, without waiting.
pub struct Listening {
    tasks: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
}

impl Listening {
    /// Takes no more hints; returns when the workers have left the queue, or after a second.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            // A task that panicked has ended, which is all that is wanted here.
            let _ = task.await;
        }
    }
}
