//! The queue of a pool: apalis-redis, one queue per lane.
//!
//! Keys of a lane: `{core:apalis:queues:list}:<prefix>:<lane>:…`. The odd tag is the name of the
//! one fixed key that apalis writes, so that on Redis Cluster all of them lie in its slot.
//!
//! apalis stamps a job with the pusher's wall clock, in seconds, and fetches it when the
//! fetcher's clock has come there: clocks that differ by some seconds delay hints by as much.

mod scripts;
mod worker;

use crate::hint::Hint;
use crate::pump::Backlog;
use crate::queue::QueueError;
use apalis::prelude::TaskSink;
use apalis_redis::{Config, RedisStorage};
use domain::LaneName;
use futures::task::AtomicWaker;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, Notify};

/// An idle worker looks again after this long at the latest.
pub const LOOK_AGAIN_MS: u64 = 200;

/// How often a worker says that it lives. What a dead one had fetched is given to another after
/// [`MISSED_HEARTBEATS`] of these; the ledger gives it again much earlier.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// After so many missed heartbeats a worker counts as dead.
const MISSED_HEARTBEATS: usize = 3;

/// A Redis that does not answer within this time counts as away.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

type Storage = RedisStorage<Hint, MultiplexedConnection>;

/// The pool's queues.
pub(crate) struct Pool {
    client: Client,
    prefix: String,
    /// For pushes and questions; each worker has a connection of its own. Empty after an error.
    link: AsyncMutex<Option<MultiplexedConnection>>,
    /// Wakes this process's worker of a lane when this process pushed.
    pushed: Mutex<BTreeMap<LaneName, Arc<AtomicWaker>>>,
    /// Told whenever a hint was taken: the pump tops up.
    pub(crate) taken: Arc<Notify>,
}

impl Pool {
    pub(crate) fn new(url: &str, prefix: &str) -> Result<Pool, QueueError> {
        Ok(Pool {
            client: Client::open(url).map_err(|_| not_an_address())?,
            prefix: prefix.to_owned(),
            link: AsyncMutex::default(),
            pushed: Mutex::default(),
            taken: Arc::default(),
        })
    }

    /// Pushes hints in one round trip.
    pub(crate) async fn push(&self, lane: &LaneName, hints: Vec<Hint>) -> Result<(), QueueError> {
        let mut storage = Storage::new(self.linked().await?).with_config(self.config(lane));
        let pushed = storage.push_bulk(hints).await;
        self.checked(pushed.map_err(away)).await?;
        self.waker(lane).wake();
        Ok(())
    }

    /// What waits on these lanes, in one round trip.
    pub(crate) async fn backlogs(&self, lanes: &[LaneName]) -> Result<Vec<Backlog>, QueueError> {
        let mut questions = redis::pipe();
        for lane in lanes {
            let config = self.config(lane);
            questions.llen(config.active_jobs_list());
            questions.zcard(config.scheduled_jobs_set());
            questions.zcard(config.workers_set());
        }
        let mut link = self.linked().await?;
        let answers = questions.query_async::<Vec<u64>>(&mut link).await.map_err(away);
        let answers = self.checked(answers).await?;
        let backlog = |of_lane: &[u64; 3]| {
            let [active, scheduled, workers] = *of_lane;
            Backlog { waiting: active + scheduled, workers }
        };
        Ok(answers.as_chunks().0.iter().map(backlog).collect())
    }

    fn config(&self, lane: &LaneName) -> Config {
        Config::default()
            .queue(format!("{{core:apalis:queues:list}}:{}:{lane}", self.prefix))
            .batch_size(1)
            .heartbeat_interval(HEARTBEAT)
            .missed_heartbeats(MISSED_HEARTBEATS)
            // The ledger's lease locks; apalis's own lock scans the backlog for every job.
            .lock_tasks(false)
            // Without results nothing is acknowledged, and every job would be an orphan.
            .persist_results(true)
            .emit_events(false)
    }

    async fn connect(&self) -> Result<MultiplexedConnection, QueueError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN));
        self.client.get_multiplexed_async_connection_with_config(&config).await.map_err(away)
    }

    async fn linked(&self) -> Result<MultiplexedConnection, QueueError> {
        let mut link = self.link.lock().await;
        if let Some(link) = &*link {
            return Ok(link.clone());
        }
        Ok(link.insert(self.connect().await?).clone())
    }

    /// Forgets the connection after an error: the next call connects anew.
    async fn checked<T>(&self, answer: Result<T, QueueError>) -> Result<T, QueueError> {
        if answer.is_err() {
            *self.link.lock().await = None;
        }
        answer
    }

    fn waker(&self, lane: &LaneName) -> Arc<AtomicWaker> {
        let mut pushed = self.pushed.lock().unwrap_or_else(PoisonError::into_inner);
        pushed.entry(lane.clone()).or_default().clone()
    }
}

fn away(error: impl std::fmt::Display) -> QueueError {
    QueueError(error.to_string())
}

/// Without the address: it may carry a password.
fn not_an_address() -> QueueError {
    let text = "not an address of Redis; expected redis://[user:password@]host:port[/db]";
    QueueError(text.to_owned())
}
