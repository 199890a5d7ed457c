//! What `producer status` says of the time of a batch: that it waits, or when it will be through.

use super::Failure;
use super::commands::Office;
use crate::show;
use domain::Batch;
use ledger::forecast;
use serde_json::Value;

impl Office {
    /// For people, of each batch that is to be sent; empty where none is.
    pub(super) async fn prospects(&self, batches: &[Batch]) -> Result<String, Failure> {
        let now = self.ledger.about().await?.now;
        let mut out = String::new();
        for batch in batches {
            out += &show::terms::waits(batch, now);
            if let Some(told) = forecast::of(&*self.ledger, batch, now).await? {
                out += &show::forecast::words(batch.id, told, now);
            }
        }
        Ok(out)
    }

    /// A batch for scripts.
    pub(super) async fn batch_json(&self, batch: &Batch) -> Result<Value, Failure> {
        let now = self.ledger.about().await?.now;
        let mut told = show::batches::to_json(batch);
        told["waits"] = show::terms::is_waiting(batch, now).into();
        told["forecast"] = show::forecast::to_json(forecast::of(&*self.ledger, batch, now).await?);
        Ok(told)
    }
}
