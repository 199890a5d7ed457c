//! Samples how far the batches are that this process works on: what `producer status` says of their
//! end is measured by it ([`ledger::forecast`]).
//!
//! Whatever the queue offers names its batch here, which is one entry in a set; every ten seconds the
//! set is emptied, and of each batch in it one sample is written, unless another process of the pool
//! just did. Nothing waits for it, and nothing is decided by it.

use domain::BatchId;
use ledger::{Ledger, forecast};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often this process samples.
pub const USUAL: Duration = Duration::from_millis(forecast::SAMPLE_EVERY_MS);

/// Batches of one round; more than a pool works on at once, and few enough to be read in a moment.
const BATCHES_MAX: usize = 1_000;

/// The batches that were seen since the last round.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<Mutex<BTreeSet<BatchId>>>);

impl Seen {
    /// This batch has work.
    pub fn see(&self, batch: BatchId) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < BATCHES_MAX {
            seen.insert(batch);
        }
    }

    fn take(&self) -> BTreeSet<BatchId> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Running samples.
pub struct Sampling(JoinHandle<()>);

impl Sampling {
    /// Samples what was seen, so often.
    pub fn keep(ledger: &Arc<dyn Ledger>, seen: Seen, every: Duration) -> Sampling {
        let ledger = Arc::clone(ledger);
        Sampling(tokio::spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                for batch in seen.take() {
                    if let Err(error) = forecast::sample(&*ledger, batch).await {
                        tracing::debug!(%batch, %error, "no sample of how far it is");
                    }
                }
            }
        }))
    }

    /// Ends it.
    pub async fn stop(self) {
        self.0.abort();
        let _ = self.0.await;
    }
}
