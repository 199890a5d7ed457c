//! The pump: one per process. It carries hints from the ledger to the queues, and keeps the
//! queues short: about two hints per slot of this process's engine, at most [`MOST_WAITING`].
//!
//! A round asks how much waits, takes from the ledger what is missing, and pushes it. Rounds
//! come every [`TICK`], when somebody pokes, and when a hint was taken, but never closer
//! together than [`SPACING`]. If the queue is away nothing is taken from the ledger; if a push
//! fails the hints are lost, and the ledger gives the chunks again after [`HINT_MS`].

use crate::hint::Hint;
use crate::queue::Queue;
use domain::{ChunkId, LaneName};
use futures::future::BoxFuture;
use ledger::{Ledger, LedgerError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// The longest time between two rounds while all is well.
const TICK: Duration = Duration::from_millis(250);

/// The shortest time between two rounds.
const SPACING: Duration = Duration::from_millis(20);

/// The longest pause while the ledger or the queue is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// After this long the ledger gives a chunk again whose hint did not lead to a claim.
pub const HINT_MS: u64 = 5_000;

/// The most hints per process and lane that wait in a queue.
pub const MOST_WAITING: u16 = 16;

/// What waits on a lane's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Hints.
    pub waiting: u64,
    /// Workers that listen, of all processes; those that died lately included.
    pub workers: u64,
}

/// Gives chunks that have work: the one thing that the pump wants of a ledger.
pub trait Ready: Send + Sync + 'static {
    /// See [`Ledger::take_ready`].
    fn take_ready(
        &self,
        lane: LaneName,
        max: u16,
        hint_ms: u64,
    ) -> BoxFuture<'_, Result<Vec<ChunkId>, LedgerError>>;
}

impl Ready for Arc<dyn Ledger> {
    fn take_ready(
        &self,
        lane: LaneName,
        max: u16,
        hint_ms: u64,
    ) -> BoxFuture<'_, Result<Vec<ChunkId>, LedgerError>> {
        Ledger::take_ready(&**self, lane, max, hint_ms)
    }
}

/// How many hints this process adds to a lane's queue: what is missing of two per slot, where
/// its share of what waits already counts.
pub fn missing(slots: u16, backlog: Backlog) -> u16 {
    let wanted = slots.saturating_mul(2).min(MOST_WAITING);
    let share = backlog.waiting / backlog.workers.max(1);
    wanted.saturating_sub(u16::try_from(share).unwrap_or(u16::MAX))
}

/// A running pump. Dropping it stops it too, without waiting.
pub struct Pump {
    poked: Arc<Notify>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Pump {
    /// Starts pumping for `lanes`; the engine of this process has `slots` slots for each.
    pub fn start(queue: Queue, ledger: Arc<dyn Ready>, lanes: Vec<LaneName>, slots: u16) -> Pump {
        let poked = Arc::new(Notify::new());
        let (stop, stopped) = watch::channel(false);
        let rounds = Rounds { queue, ledger, lanes, slots };
        let task = tokio::spawn(rounds.run(poked.clone(), stopped));
        Pump { poked, stop, task }
    }

    /// There may be new work: look now.
    pub fn poke(&self) {
        self.poked.notify_one();
    }

    /// Stops; returns when the round under way has ended.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // A pump that panicked has ended, which is all that is wanted here.
        let _ = self.task.await;
    }
}

struct Rounds {
    queue: Queue,
    ledger: Arc<dyn Ready>,
    lanes: Vec<LaneName>,
    slots: u16,
}

impl Rounds {
    async fn run(self, poked: Arc<Notify>, mut stop: watch::Receiver<bool>) {
        let taken = self.queue.taken();
        let mut pause = TICK;
        let mut in_trouble = false;
        loop {
            match self.round().await {
                Ok(()) => {
                    if in_trouble {
                        tracing::info!("ledger and queue are back");
                    }
                    (pause, in_trouble) = (TICK, false);
                }
                Err(error) => {
                    if !in_trouble {
                        tracing::warn!(error, "no new work is taken up; trying again");
                    }
                    (pause, in_trouble) = ((pause * 2).min(LONGEST_PAUSE), true);
                }
            }
            let early = async {
                tokio::time::sleep(SPACING).await;
                tokio::select! { () = poked.notified() => {}, () = taken.notified() => {} }
            };
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(pause) => {}
                () = early, if !in_trouble => {}
            }
        }
    }

    async fn round(&self) -> Result<(), String> {
        let backlogs = self.queue.backlogs(&self.lanes).await.map_err(|error| error.to_string())?;
        for (lane, backlog) in self.lanes.iter().zip(backlogs) {
            let max = missing(self.slots, backlog);
            if max == 0 {
                continue;
            }
            let chunks = self.ledger.take_ready(lane.clone(), max, HINT_MS).await;
            let chunks = chunks.map_err(|error| error.to_string())?;
            if chunks.is_empty() {
                continue;
            }
            let hint = |chunk| Hint { chunk, lane: lane.clone() };
            let hints = chunks.into_iter().map(hint).collect();
            self.queue.push(lane, hints).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hints_per_slot_wait_and_never_more_than_the_bound() {
        let empty = Backlog { waiting: 0, workers: 1 };
        assert_eq!(missing(4, empty), 8);
        assert_eq!(missing(100, empty), MOST_WAITING);
        assert_eq!(missing(0, empty), 0);
    }

    #[test]
    fn what_waits_already_counts_by_this_processs_share() {
        assert_eq!(missing(4, Backlog { waiting: 5, workers: 1 }), 3);
        assert_eq!(missing(4, Backlog { waiting: 8, workers: 2 }), 4);
        assert_eq!(missing(4, Backlog { waiting: 9_000_000, workers: 2 }), 0);
    }

    #[test]
    fn a_lane_without_workers_is_filled_once() {
        assert_eq!(missing(4, Backlog { waiting: 0, workers: 0 }), 8);
        assert_eq!(missing(4, Backlog { waiting: 8, workers: 0 }), 0);
    }
}
