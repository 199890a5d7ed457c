//! A ledger at which something happens right before a write, or instead of it.

use domain::{Batch, BatchId, BatchState, ChunkId, LaneName, Millis, Place, ReferenceKey};
use ledger::*;
use std::sync::{Arc, Mutex};

/// What happens at the next write.
pub enum Meddle {
    /// This is written first.
    Before(ChunkId, Vec<Change>),
    /// It goes away, and the write is not taken.
    Away,
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
            Some(Meddle::Away) => return Err(LedgerError::Unavailable("gone".to_owned())),
            Some(Meddle::Before(chunk, changes)) => {
                let done = self.inner.write(chunk, Guard::Fact, changes).await?;
                assert_eq!(done, Written::Done(Vec::new()), "the meddling itself");
            }
            None => {}
        }
        self.inner.write(chunk, guard, changes).await
    }
}

macro_rules! pass_on {
    ($($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)+) => {
        impl Ledger for Between {
            $(fn $name(&self, $($arg: $type),*) -> Answer<'_, $answer> {
                self.inner.$name($($arg),*)
            })+

            fn trust(&self, life: Life) {
                self.inner.trust(life);
            }

            fn write(&self, chunk: ChunkId, guard: Guard, changes: Vec<Change>) -> Answer<'_, Written> {
                Box::pin(self.meddled_write(chunk, guard, changes))
            }
        }
    };
}

pass_on! {
    about() -> About;
    open_batch(new: NewBatch) -> Opened;
    reserve(wanted: Vec<(ReferenceKey, Place)>) -> Vec<Held>;
    take_over(key: ReferenceKey, from: Place, to: Place) -> bool;
    find(key: ReferenceKey) -> Option<Place>;
    append(chunk: NewChunk) -> bool;
    seal(seal: Seal) -> bool;
    reject(batch: BatchId, reason: String, only_if_abandoned: bool) -> bool;
    batch(id: BatchId) -> Option<Batch>;
    batches(before: Option<BatchId>, limit: u32) -> Vec<Batch>;
    chunk(id: ChunkId) -> Option<Chunk>;
    blocks(chunk: ChunkId, first: u16, last: u16) -> Vec<Vec<u8>>;
    notes(chunk: ChunkId) -> Vec<(u16, Note)>;
    take_ready(lane: LaneName, max: u16, hint_ms: u64) -> Vec<ChunkId>;
    claim(chunk: ChunkId, lease_ms: u64) -> Claim;
    renew(chunk: ChunkId, token: Token, lease_ms: u64) -> bool;
    release(chunk: ChunkId, token: Token, next_at: Millis) -> ();
    set_batch_state(id: BatchId, from: BatchState, to: BatchState) -> bool;
    claim_report(id: BatchId, lease_ms: u64) -> Option<Batch>;
    reported(id: BatchId, changes: u64) -> ();
    lane(name: LaneName) -> LaneRecord;
    put_lane(record: LaneRecord) -> bool;
    permits(lane: LaneName, want: u32, pace: Pace) -> Permits;
    rules(lane: LaneName) -> Option<(Millis, String)>;
    put_rules(lane: LaneName, text: String) -> ();
    register(name: String) -> Option<Register>;
    registers(prefix: String) -> Vec<Register>;
    put_register(register: Register) -> bool;
    append_entry(chain: String, seq: u64, entry: Vec<u8>) -> bool;
    entries(chain: String, from: u64, limit: u32) -> Vec<Vec<u8>>;
    entry_count(chain: String) -> u64;
    keep_stray(lane: LaneName, text: String) -> ();
}
