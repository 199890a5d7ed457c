//! The writing task: full chunks are compressed and appended beside the reading of the next ones.

use super::{INTAKE_LEASE_MS, IntakeError, run_blocking};
use crate::rules::{Lane, Rules, Way};
use domain::{BatchId, ChunkId};
use ledger::{Ledger, NewChunk, Via};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

/// Chunks that are compressed or written at once.
const AT_ONCE: usize = 3;

/// A chunk that is full, or the last of its lane.
#[derive(Debug)]
pub struct Building {
    /// Its number.
    pub no: u16,
    /// Where its rows go.
    pub way: Way,
    /// Ordinal of its first row.
    pub first_ordinal: u32,
    /// Its rows, by [`ledger::rows::pack`].
    pub rows: Vec<Box<[u8]>>,
}

enum Order {
    Write(Building),
    Drain(oneshot::Sender<()>),
}

/// A handle on the task.
pub struct Packing {
    orders: mpsc::Sender<Order>,
    task: JoinHandle<Result<(), IntakeError>>,
}

impl Packing {
    /// Starts the task for a batch.
    pub fn start(ledger: Arc<dyn Ledger>, rules: Arc<Rules>, batch: BatchId) -> Packing {
        let (orders, received) = mpsc::channel(1);
        Packing { orders, task: tokio::spawn(work(received, ledger, rules, batch)) }
    }

    /// Hands a chunk over; waits while enough are under way.
    pub async fn send(&self, building: Building) -> Result<(), IntakeError> {
        self.orders.send(Order::Write(building)).await.map_err(|_| IntakeError::WriterGone)
    }

    /// Waits until all chunks that were handed over are in the ledger.
    pub async fn drain(&self) -> Result<(), IntakeError> {
        let (sender, done) = oneshot::channel();
        self.orders.send(Order::Drain(sender)).await.map_err(|_| IntakeError::WriterGone)?;
        done.await.map_err(|_| IntakeError::WriterGone)
    }

    /// Waits for the task's end; its error says why it ended early.
    pub async fn finish(self) -> Result<(), IntakeError> {
        drop(self.orders);
        self.task.await.map_err(|_| IntakeError::WriterGone)?
    }
}

async fn work(
    mut orders: mpsc::Receiver<Order>,
    ledger: Arc<dyn Ledger>,
    rules: Arc<Rules>,
    batch: BatchId,
) -> Result<(), IntakeError> {
    let mut under_way = JoinSet::new();
    while let Some(order) = orders.recv().await {
        match order {
            Order::Write(building) => {
                if under_way.len() >= AT_ONCE {
                    one(&mut under_way).await?;
                }
                under_way.spawn(write(building, ledger.clone(), rules.clone(), batch));
            }
            Order::Drain(done) => {
                while !under_way.is_empty() {
                    one(&mut under_way).await?;
                }
                // Whoever asked may have given up meanwhile.
                let _ = done.send(());
            }
        }
    }
    while !under_way.is_empty() {
        one(&mut under_way).await?;
    }
    Ok(())
}

async fn one(under_way: &mut JoinSet<Result<(), IntakeError>>) -> Result<(), IntakeError> {
    match under_way.join_next().await {
        Some(joined) => joined.map_err(|_| IntakeError::WriterGone)?,
        None => Ok(()),
    }
}

async fn write(
    building: Building,
    ledger: Arc<dyn Ledger>,
    rules: Arc<Rules>,
    batch: BatchId,
) -> Result<(), IntakeError> {
    let Building { no, way, first_ordinal, rows } = building;
    let lane = &rules.lanes[way.lane];
    let count = u16::try_from(rows.len()).map_err(|_| IntakeError::TooLarge)?;
    let blocks = run_blocking(move || ledger::rows::encode_packed(&rows)).await??;
    let chunk = NewChunk {
        id: ChunkId { batch, no },
        first: via(lane),
        second: way.failover.map(|at| via(&rules.lanes[at])),
        rows: count,
        first_ordinal,
        unsent_give_up_ms: lane.policy.unsent_give_up_ms,
        blocks,
        lease_ms: INTAKE_LEASE_MS,
    };
    match ledger.append(chunk).await? {
        true => Ok(()),
        false => Err(IntakeError::Overtaken { batch }),
    }
}

fn via(lane: &Lane) -> Via {
    Via { lane: lane.name.clone(), format: lane.provider.limits().reference }
}
