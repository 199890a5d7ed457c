//! A ledger at which something happens right before a write, or instead of it.

use domain::ChunkId;
use ledger::*;
use std::sync::{Arc, Mutex};

/// What happens at the next write.
pub enum Meddle {
    /// This is written first.
    Before(ChunkId, Vec<Change>),
    /// It goes away, and the write is not taken.
    Away,
    /// So many writes are taken, and then it goes away.
    AwayAfter(u32),
}

/// The ledger; meddled with once.
pub struct Between {
    pub inner: Arc<dyn Ledger>,
    pub next: Mutex<Option<Meddle>>,
}

impl Between {
    async fn meddled_write(
        &self,
        chunk: ChunkId,
        guard: Guard,
        changes: Vec<Change>,
    ) -> Result<Written, LedgerError> {
        let next = self.next.lock().unwrap().take();
        match next {
            Some(Meddle::AwayAfter(0) | Meddle::Away) => {
                return Err(LedgerError::Unavailable("gone".to_owned()));
            }
            Some(Meddle::Before(chunk, changes)) => {
                let done = self.inner.write(chunk, Guard::Fact, changes).await?;
                assert_eq!(done, Written::Done(Vec::new()), "the meddling itself");
            }
            Some(Meddle::AwayAfter(n)) => {
                *self.next.lock().unwrap() = Some(Meddle::AwayAfter(n - 1));
            }
            None => {}
        }
        self.inner.write(chunk, guard, changes).await
    }
}

impl Ledger for Between {
    ledger::forward! { self.inner =>
        about, trust, open_batch, reserve, take_over, find, append, seal, reject, batch, batches,
        chunk, blocks, notes, take_ready, claim, renew, release, set_batch_state, claim_report,
        reported, lane, put_lane, permits, rules, put_rules, keep_stray, register, registers,
        put_register, append_entry, entries, entry_count
    }

    fn write(&self, chunk: ChunkId, guard: Guard, changes: Vec<Change>) -> Answer<'_, Written> {
        Box::pin(self.meddled_write(chunk, guard, changes))
    }
}
