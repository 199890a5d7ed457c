//! `producer pause` and `producer resume`.

use super::commands::Office;
use super::{Failure, Pause};
use crate::steer::pause::{self, Paused};
use crate::{progress, show};
use domain::{Batch, BatchId};
use serde_json::Value;

impl Office {
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
        if args.wait {
            progress::drained(&*self.ledger, id).await?;
            println!("nothing of it is being sent any more");
        }
        Ok(())
    }

    pub(super) async fn resume(&self, id: BatchId) -> Result<(), Failure> {
        let resumed = pause::resume(&*self.ledger, &self.rules, id).await?;
        println!("batch {id} {}", if resumed { "goes on" } else { "was not paused" });
        Ok(())
    }

    /// Why each of these batches is paused, for people; empty where none is.
    pub(super) async fn holds(&self, batches: &[Batch]) -> Result<String, Failure> {
        let mut out = String::new();
        for batch in batches {
            let hold = pause::hold(&*self.ledger, batch).await?;
            out += &show::pause::to_do(batch, hold.as_ref());
        }
        Ok(out)
    }

    /// The same for scripts: null where the batch is not paused.
    pub(super) async fn hold_json(&self, batch: &Batch) -> Result<Value, Failure> {
        Ok(show::pause::to_json(pause::hold(&*self.ledger, batch).await?.as_ref()))
    }
}
