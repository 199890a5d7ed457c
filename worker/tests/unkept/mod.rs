//! A ledger that answers, but keeps no stray.

use domain::{Batch, BatchId, BatchState, ChunkId, LaneName, Millis, Place, ReferenceKey};
use ledger::memory::MemoryLedger;
use ledger::*;

pub struct Unkept(pub MemoryLedger);

macro_rules! pass_on {
    ($($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)+) => {
        impl Ledger for Unkept {
            $(fn $name(&self, $($arg: $type),*) -> Answer<'_, $answer> {
                self.0.$name($($arg),*)
            })+

            fn trust(&self, life: Life) {
                self.0.trust(life);
            }

            fn keep_stray(&self, _: LaneName, _: String) -> Answer<'_, ()> {
                Box::pin(async { Err(LedgerError::Unavailable("away".to_owned())) })
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
}
