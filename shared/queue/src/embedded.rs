//! The queue of a single process: apalis's in-memory storage, one per lane.
//!
//! Another process cannot push here; its work is found by the pump, in the ledger.

use crate::gate::GateLayer;
use crate::hint::Hint;
use crate::pump::Backlog;
use crate::rebuild::{Life, Stop, hand_over, keep_alive};
use crate::taker::Taker;
use apalis::prelude::{MemorySink, MemoryStorage, MemoryStorageError};
use apalis::prelude::{RandomId, Task, TaskBuilder, TaskId, WorkerBuilder};
use domain::LaneName;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::lock::Mutex as AsyncMutex;
use futures::{FutureExt, Sink, SinkExt, TryFutureExt};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// One channel per lane; the pump bounds what waits in it.
#[derive(Default)]
pub(crate) struct Embedded {
    lanes: Mutex<BTreeMap<LaneName, Channel>>,
    /// Told whenever a hint was taken: the pump tops up.
    pub(crate) taken: Arc<Notify>,
}

struct Channel {
    push: UnboundedSender<Task<Hint>>,
    /// Waits here until a worker takes it.
    take: Option<UnboundedReceiver<Task<Hint>>>,
}

impl Channel {
    fn new() -> Channel {
        let (push, take) = unbounded();
        Channel { push, take: Some(take) }
    }
}

impl Embedded {
    /// Pushes hints. They go to the channel that the storage reads and not through apalis's
    /// `MemorySink`, which panics when its worker polls it at the same moment.
    pub(crate) fn push(&self, hints: Vec<Hint>) {
        for hint in hints {
            let lane = hint.lane.clone();
            let id = TaskId::from_string(RandomId::default());
            let task = TaskBuilder::new(hint).task_id(id).build();
            // It fails only if the worker died a moment ago: a lost hint.
            let _ = self.with(&lane, |channel| channel.push.unbounded_send(task));
        }
    }

    /// What waits on a lane.
    pub(crate) fn backlog(&self, lane: &LaneName) -> Backlog {
        let waiting = self.with(lane, |channel| channel.push.len());
        Backlog { waiting: u64::try_from(waiting).unwrap_or(u64::MAX), workers: 1 }
    }

    /// Gives the hints of a lane to `taker` until told to stop.
    pub(crate) async fn listen(self: Arc<Self>, lane: LaneName, taker: Arc<dyn Taker>, stop: Stop) {
        let live = |name| self.life(name, &lane, &taker);
        keep_alive(lane.clone(), stop, live, |_| std::future::ready(()).boxed()).await;
    }

    fn life(&self, name: String, lane: &LaneName, taker: &Arc<dyn Taker>) -> Life {
        let gate = GateLayer { taker: taker.clone(), lane: lane.clone() };
        let hand_over = hand_over(taker.clone(), self.taken.clone());
        let worker =
            WorkerBuilder::new(name).backend(self.storage(lane)).layer(gate).build(hand_over);
        worker.run().map_err(|error| error.to_string()).boxed()
    }

    /// The storage of a lane's next life. A life that ended took its receiver along, so a later
    /// one gets a new channel.
    fn storage(&self, lane: &LaneName) -> MemoryStorage<Hint> {
        let (push, take) = self.with(lane, |channel| {
            if channel.take.is_none() {
                *channel = Channel::new();
            }
            (channel.push.clone(), channel.take.take())
        });
        let unused: Box<dyn Sink<Task<Hint>, Error = MemoryStorageError> + Send + Sync + Unpin> =
            Box::new(push.sink_map_err(MemoryStorageError::from));
        let unused = MemorySink::new(Arc::new(AsyncMutex::new(unused)));
        match take {
            Some(take) => MemoryStorage::new_with(unused, Box::pin(take)),
            None => MemoryStorage::new(),
        }
    }

    fn with<T>(&self, lane: &LaneName, act: impl FnOnce(&mut Channel) -> T) -> T {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        act(lanes.entry(lane.clone()).or_insert_with(Channel::new))
    }
}
