//! The order of a lane is a cache: losing any of it loses nothing, because this finds every
//! batch that is to be followed again.
//!
//! Every few seconds each process reads the batches that were not seen to be over; about once a
//! minute one process of the pool reads all of them, for those that became active again by a
//! late fact in a process that died right after it.

use super::RedisLedger;
use super::values::{self, Fields, take};
use crate::api::LedgerError;
use crate::redis::reading::batch_ids;
use domain::{BatchId, BatchState, LaneName, Priority};
use redis::Cmd;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Between two looks of one process at the open batches.
const OPEN_EVERY: Duration = Duration::from_secs(5);

/// Between two looks of the whole pool at all batches.
const ALL_EVERY_MS: u64 = 60_000;

/// Batches read in one round trip.
const PAGE: usize = 256;

/// Where a batch waits for its turn: in one order of each of its lanes.
pub(super) struct Orders {
    lanes: Vec<LaneName>,
    priority: Priority,
}

impl Orders {
    /// As its hash holds them.
    pub fn read(lanes: Option<&str>, priority: Option<&str>) -> Result<Orders, LedgerError> {
        let lanes = values::lane_names(lanes.unwrap_or_default())?;
        Ok(Orders { lanes, priority: values::priority(priority)? })
    }
}

/// When this process looked last.
#[derive(Debug, Default)]
pub(super) struct Last(Mutex<Option<Instant>>);

impl Last {
    /// True once in [`OPEN_EVERY`]: the one who gets it looks.
    fn is_due(&self) -> bool {
        let Ok(mut last) = self.0.lock() else { return true };
        let due = last.is_none_or(|at| at.elapsed() >= OPEN_EVERY);
        if due {
            *last = Some(Instant::now());
        }
        due
    }

    /// It did not come to an end: the next call looks again.
    fn forget(&self) {
        if let Ok(mut last) = self.0.lock() {
            *last = None;
        }
    }
}

impl RedisLedger {
    pub(super) async fn rebuild_if_due(&self) -> Result<(), LedgerError> {
        if !self.rebuilt.is_due() {
            return Ok(());
        }
        let done = self.rebuild().await;
        if done.is_err() {
            self.rebuilt.forget();
        }
        done
    }

    async fn rebuild(&self) -> Result<(), LedgerError> {
        let mut members = redis::cmd("SMEMBERS");
        members.arg(self.keys.installation("open"));
        let open: Vec<String> = take(self.link.one(members).await?, "the open batches")?;
        for page in batch_ids(&open)?.chunks(PAGE) {
            self.rejoin(page).await?;
        }

        let mut turn = redis::cmd("SET");
        turn.arg(self.keys.installation("sweep")).arg(1).arg("NX").arg("PX").arg(ALL_EVERY_MS);
        if take::<Option<String>>(self.link.one(turn).await?, "whose turn it is")?.is_none() {
            return Ok(());
        }
        let mut before = None;
        loop {
            let page = self.batch_ids_before(before, PAGE).await?;
            self.rejoin(&page).await?;
            if page.len() < PAGE {
                return Ok(());
            }
            before = page.last().copied();
        }
    }

    /// Puts those of `ids` that are followed into their lanes, and forgets those that are over.
    async fn rejoin(&self, ids: &[BatchId]) -> Result<(), LedgerError> {
        let read = |id: &BatchId| {
            let mut get = redis::cmd("HGETALL");
            get.arg(self.keys.meta(*id));
            get
        };
        let answers = self.link.all(ids.iter().map(read).collect()).await?;
        let mut calls = Vec::new();
        for (id, answer) in ids.iter().zip(answers) {
            let fields: Fields = take(answer, "a batch")?;
            let batch = values::batch(*id, &fields)?;
            let text = |name: &str| fields.get(name).map(String::as_str);
            let orders = || Orders::read(text("lanes"), text("priority"));
            let open = batch.as_ref().is_some_and(|b| b.counts.open() > 0);
            match batch.map(|b| b.state) {
                Some(BatchState::Active | BatchState::Paused) => {
                    calls.extend(self.join_calls(*id, &orders()?));
                }
                Some(BatchState::Cancelled) if open => {
                    calls.extend(self.join_calls(*id, &orders()?));
                }
                Some(BatchState::Receiving | BatchState::Awaiting) => {}
                None
                | Some(BatchState::Complete | BatchState::Rejected | BatchState::Cancelled) => {
                    let mut over = redis::cmd("SREM");
                    over.arg(self.keys.installation("open")).arg(id.to_string());
                    calls.push(over);
                }
            }
        }
        self.link.all(calls).await?;
        Ok(())
    }

    fn join_calls(&self, id: BatchId, orders: &Orders) -> Vec<Cmd> {
        let join = |lane: &LaneName| {
            let mut join = redis::cmd("ZADD");
            // A new batch counts as never served; the lane's time lifts it to the present.
            let order = self.keys.turns(lane, "order", orders.priority);
            join.arg(order).arg("NX").arg(0).arg(id.to_string());
            join
        };
        let mut open = redis::cmd("SADD");
        open.arg(self.keys.installation("open")).arg(id.to_string());
        orders.lanes.iter().map(join).chain([open]).collect()
    }

    /// Puts a batch into the order of its lanes. What it follows is done already, so a failure
    /// is not the caller's: the next rebuild makes up for it.
    pub(super) async fn join_lanes(&self, id: BatchId, orders: &Orders) {
        if let Err(error) = self.link.all(self.join_calls(id, orders)).await {
            tracing::warn!(batch = %id, %error, "a ready batch waits for the next rebuild");
        }
    }

    /// Takes batches that are not followed out of a lane's order.
    pub(super) async fn leave_lane(
        &self,
        lane: &LaneName,
        gone: &[(BatchId, Priority)],
    ) -> Result<(), LedgerError> {
        if gone.is_empty() {
            return Ok(());
        }
        let leave = |(id, priority): &(BatchId, Priority)| {
            let mut leave = redis::cmd("ZREM");
            leave.arg(self.keys.turns(lane, "order", *priority)).arg(id.to_string());
            leave
        };
        self.link.all(gone.iter().map(leave).collect()).await?;
        Ok(())
    }
}
