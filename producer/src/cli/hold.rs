//! `producer pause`, `producer resume` and `producer lane stop`: what is held and why, and what is
//! under way all the same.

use super::commands::Office;
use super::{Drain, Failure, Pause};
use crate::progress::Counting;
use crate::show;
use crate::steer::drain::{self, Patience, QUIET_MS, UnderWay};
use crate::steer::pause::{self, Paused};
use crate::steer::stop_lane;
use domain::{Batch, BatchId, BatchState, LaneName};
use ledger::spend::{self, Hold, Holder};
use serde_json::Value;

impl Office {
    pub(super) async fn stop_lane(
        &self,
        lane: &LaneName,
        reason: &str,
        args: &Drain,
    ) -> Result<(), Failure> {
        let changed = stop_lane(&*self.ledger, &self.rules, lane, reason).await?;
        println!("lane {lane} {}", if changed { "is stopped" } else { "was stopped already" });
        if !args.wait {
            return Ok(());
        }
        let line = Counting::start();
        let tell = |sending| line.show(&show::pause::sending(sending));
        let found = drain::lane(&*self.ledger, lane, patience(args, QUIET_MS), tell).await;
        line.end();
        drained(&format!("lane {lane} is stopped"), found?, args)
    }

    pub(super) async fn pause(&self, args: Pause) -> Result<(), Failure> {
        let id = args.batch;
        let reason = args.reason.as_deref();
        match pause::pause(&*self.ledger, &self.rules, id, reason).await? {
            Paused::Now => println!(
                "batch {id} is paused: nothing more of it is sent until `producer resume {id}`"
            ),
            Paused::Before(hold) => {
                println!("batch {id} was paused already{}", show::pause::words(hold.as_ref()));
            }
        }
        if !args.drain.wait {
            return Ok(());
        }
        let line = Counting::start();
        let tell = |sending| line.show(&show::pause::sending(sending));
        let found = drain::batch(&*self.ledger, id, patience(&args.drain, 0), tell).await;
        line.end();
        drained(&format!("batch {id} is paused"), found?, &args.drain)
    }

    pub(super) async fn resume(&self, id: BatchId) -> Result<(), Failure> {
        let resumed = pause::resume(&*self.ledger, &self.rules, id).await?;
        println!("batch {id} {}", if resumed { "goes on" } else { "was not paused" });
        Ok(())
    }

    /// Why each of these batches is paused or holds, for people; empty where none does.
    pub(super) async fn holds(&self, batches: &[Batch]) -> Result<String, Failure> {
        let mut out = String::new();
        for batch in batches {
            let hold = pause::hold(&*self.ledger, batch).await?;
            out += &show::pause::to_do(batch, hold.as_ref());
            for (holder, hold) in self.spend_held(batch).await? {
                out += &show::spend::line(&holder, &hold);
            }
        }
        Ok(out)
    }

    /// The caps that hold a batch which could go on.
    async fn spend_held(&self, batch: &Batch) -> Result<Vec<(Holder, Hold)>, Failure> {
        if !matches!(batch.state, BatchState::Active | BatchState::Paused) {
            return Ok(Vec::new());
        }
        let now = self.ledger.about().await?.now;
        let caps = |lane: &LaneName| self.rules.spend_caps(lane).batch;
        Ok(spend::holds_of_batch(&*self.ledger, batch.id, caps, now).await?)
    }

    /// The same for scripts: one for each lane that holds it.
    pub(super) async fn spend_held_json(&self, batch: &Batch) -> Result<Value, Failure> {
        let held = self.spend_held(batch).await?;
        Ok(held.iter().map(|(holder, hold)| show::spend::to_json(holder, hold)).collect())
    }

    /// The same for scripts: null where the batch is not paused.
    pub(super) async fn hold_json(&self, batch: &Batch) -> Result<Value, Failure> {
        Ok(show::pause::to_json(pause::hold(&*self.ledger, batch).await?.as_ref()))
    }
}

fn patience(args: &Drain, quiet_ms: u64) -> Patience {
    Patience { within_ms: args.within.saturating_mul(1_000), quiet_ms }
}

/// What is under way when the wait is over; a failure where some of it is still being sent.
fn drained(held: &str, found: UnderWay, args: &Drain) -> Result<(), Failure> {
    if found.submitting == 0 {
        println!("{}", show::pause::drained(&found));
        return Ok(());
    }
    let sending = show::pause::sending(found.submitting);
    Err(Failure::NotDone(format!(
        "{held}, but after {} seconds {sending}; what a worker that is gone was sending is looked up \
         when its lease has ended, by any worker that runs",
        args.within
    )))
}
