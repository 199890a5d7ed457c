//! The in-memory ledger behind a connection that lags and breaks: a call may fail before it was
//! executed, or be executed and lose its answer.

use crate::exec::Exec;
use domain::{Batch, BatchId, BatchState, ChunkId, LaneName, Millis, Place, ReferenceKey};
use futures::FutureExt;
use ledger::memory::MemoryLedger;
use ledger::*;

/// One process's connection to the ledger.
pub struct Connection {
    exec: Exec,
    inner: MemoryLedger,
    /// Calls in a thousand that fail, half of them after they were executed.
    breaks_per_mille: u64,
}

impl Connection {
    /// A connection.
    pub fn new(exec: Exec, inner: MemoryLedger, breaks_per_mille: u64) -> Connection {
        Connection { exec, inner, breaks_per_mille }
    }

    fn call<'a, T: Send + 'a>(&'a self, call: Answer<'a, T>) -> Answer<'a, T> {
        async move {
            let dice = self.exec.dice();
            let broken = || LedgerError::Unavailable("simulated".to_owned());
            let (there_ms, back_ms) = (dice.below(3), dice.below(3));
            let breaks = dice.chance(self.breaks_per_mille);
            let executed = dice.chance(500);
            self.exec.sleep(there_ms).await;
            if breaks && !executed {
                return Err(broken());
            }
            let answer = call.await;
            self.exec.sleep(back_ms).await;
            if breaks { Err(broken()) } else { answer }
        }
        .boxed()
    }
}

macro_rules! pass_on {
    ($($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)+) => {
        impl Ledger for Connection {
            $(fn $name(&self, $($arg: $type),*) -> Answer<'_, $answer> {
                self.call(self.inner.$name($($arg),*))
            })+

            fn trust(&self, life: Life) {
                self.inner.trust(life);
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
    write(chunk: ChunkId, guard: Guard, changes: Vec<Change>) -> Written;
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
