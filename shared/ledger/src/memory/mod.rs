//! The ledger in memory: the simulator's, and the reference that the other engines are held to.
//!
//! Each call is computed whole at its first poll, under one lock: one poll is one atomic step.
//! It has no clock and no randomness of its own, and its maps are ordered, so the same calls at
//! the same times give the same answers.
//!
//! - `store`: what it holds, and the batches
//! - `intake`: files, references, chunks, seal
//! - `chunks`: scheduling, leases, writes
//! - `lanes`: records, permits, fetched rules, strays
//! - `shared`: registers and audit chains

mod chunks;
mod intake;
mod lanes;
mod shared;
mod store;

use crate::api::{Answer, Ledger, LedgerError};
use crate::types::*;
use domain::{
    Batch, BatchId, BatchState, ChunkId, LaneName, LedgerId, Millis, Place, ReferenceKey,
};
use std::sync::{Arc, Mutex, PoisonError};
use store::Store;

/// Where a [`MemoryLedger`] gets its time from.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// A ledger in memory. A clone is the same ledger.
#[derive(Clone)]
pub struct MemoryLedger {
    id: LedgerId,
    clock: Clock,
    store: Arc<Mutex<Store>>,
}

/// What a ledger held at one moment.
#[derive(Clone)]
pub struct Backup(Store);

impl MemoryLedger {
    /// An empty ledger that takes its time from `clock`, which must never go back.
    pub fn new(id: LedgerId, clock: Clock) -> MemoryLedger {
        MemoryLedger { id, clock, store: Arc::default() }
    }

    /// What was kept for a lane that nobody could place, oldest first.
    pub fn strays(&self, lane: &LaneName) -> Vec<String> {
        self.with_store(|store| store.strays(lane))
    }

    /// All that it holds, to be put back later.
    pub fn copy(&self) -> Backup {
        Backup(self.with_store(|store| store.clone()))
    }

    /// The ledger goes back in time (S18): it holds what `copy` holds, and lives anew.
    pub fn put_back(&self, copy: Backup) {
        self.with_store(|store| {
            let life = Life(store.life.0 + 1);
            *store = copy.0;
            store.life = life;
        });
    }

    fn with_store<T>(&self, work: impl FnOnce(&mut Store) -> T) -> T {
        work(&mut self.store.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One atomic step, taken at the first poll.
    fn try_step<'a, T: 'a>(
        &'a self,
        work: impl FnOnce(&mut Store, Millis) -> Result<T, LedgerError> + Send + 'a,
    ) -> Answer<'a, T> {
        Box::pin(async move { self.with_store(|store| work(store, (self.clock)())) })
    }

    /// One that cannot fail.
    fn step<'a, T: 'a>(
        &'a self,
        work: impl FnOnce(&mut Store, Millis) -> T + Send + 'a,
    ) -> Answer<'a, T> {
        self.try_step(|store, now| Ok(work(store, now)))
    }
}

impl Ledger for MemoryLedger {
    fn about(&self) -> Answer<'_, About> {
        self.step(|store, now| About { id: self.id, now, life: store.life })
    }

    /// One process's view is all there is: whoever puts a copy back ([`MemoryLedger::put_back`])
    /// starts its readers anew.
    fn trust(&self, _: Life) {}

    fn open_batch(&self, new: NewBatch) -> Answer<'_, Opened> {
        self.try_step(|store, now| store.open_batch(new, now))
    }

    fn reserve(&self, wanted: Vec<(ReferenceKey, Place)>) -> Answer<'_, Vec<Held>> {
        self.step(|store, _| store.reserve(wanted))
    }

    fn take_over(&self, key: ReferenceKey, from: Place, to: Place) -> Answer<'_, bool> {
        self.step(move |store, _| store.take_over(key, from, to))
    }

    fn find(&self, key: ReferenceKey) -> Answer<'_, Option<Place>> {
        self.step(move |store, _| store.find(key))
    }

    fn append(&self, chunk: NewChunk) -> Answer<'_, bool> {
        self.try_step(|store, now| store.append(chunk, now))
    }

    fn seal(&self, seal: Seal) -> Answer<'_, bool> {
        self.try_step(move |store, _| store.seal(&seal))
    }

    fn reject(&self, batch: BatchId, reason: String, only_if_abandoned: bool) -> Answer<'_, bool> {
        self.step(move |store, now| store.reject(batch, &reason, only_if_abandoned, now))
    }

    fn batch(&self, id: BatchId) -> Answer<'_, Option<Batch>> {
        self.step(move |store, _| store.batch(id))
    }

    fn batches(&self, before: Option<BatchId>, limit: u32) -> Answer<'_, Vec<Batch>> {
        self.step(move |store, _| store.batches(before, limit))
    }

    fn chunk(&self, id: ChunkId) -> Answer<'_, Option<Chunk>> {
        self.try_step(move |store, _| store.chunk(id))
    }

    fn blocks(&self, chunk: ChunkId, first: u16, last: u16) -> Answer<'_, Vec<Vec<u8>>> {
        self.step(move |store, _| store.blocks(chunk, first, last))
    }

    fn notes(&self, chunk: ChunkId) -> Answer<'_, Vec<(u16, Note)>> {
        self.try_step(move |store, _| store.notes(chunk))
    }

    fn take_ready(&self, lane: LaneName, max: u16, hint_ms: u64) -> Answer<'_, Vec<ChunkId>> {
        self.step(move |store, now| store.take_ready(lane, max, hint_ms, now))
    }

    fn claim(&self, chunk: ChunkId, lease_ms: u64) -> Answer<'_, Claim> {
        self.try_step(move |store, now| store.claim(chunk, lease_ms, now))
    }

    fn renew(&self, chunk: ChunkId, token: Token, lease_ms: u64) -> Answer<'_, bool> {
        self.step(move |store, now| store.renew(chunk, token, lease_ms, now))
    }

    fn release(&self, chunk: ChunkId, token: Token, next_at: Millis) -> Answer<'_, ()> {
        self.step(move |store, _| store.release(chunk, token, next_at))
    }

    fn write(&self, chunk: ChunkId, guard: Guard, changes: Vec<Change>) -> Answer<'_, Written> {
        self.try_step(move |store, now| store.write(chunk, guard, changes, now))
    }

    fn set_batch_state(&self, id: BatchId, from: BatchState, to: BatchState) -> Answer<'_, bool> {
        self.step(move |store, _| store.set_batch_state(id, from, to))
    }

    fn claim_report(&self, id: BatchId, lease_ms: u64) -> Answer<'_, Option<Batch>> {
        self.step(move |store, now| store.claim_report(id, lease_ms, now))
    }

    fn reported(&self, id: BatchId, changes: u64) -> Answer<'_, ()> {
        self.step(move |store, _| store.reported(id, changes))
    }

    fn lane(&self, name: LaneName) -> Answer<'_, LaneRecord> {
        self.step(|store, _| store.lane_record(name))
    }

    fn put_lane(&self, record: LaneRecord) -> Answer<'_, bool> {
        self.step(|store, _| store.put_lane(record))
    }

    fn permits(&self, lane: LaneName, want: u32, pace: Pace) -> Answer<'_, Permits> {
        self.step(move |store, now| store.permits(lane, want, pace, now))
    }

    fn rules(&self, lane: LaneName) -> Answer<'_, Option<(Millis, String)>> {
        self.step(move |store, _| store.rules(&lane))
    }

    fn put_rules(&self, lane: LaneName, text: String) -> Answer<'_, ()> {
        self.try_step(|store, now| store.put_rules(lane, text, now))
    }

    fn keep_stray(&self, lane: LaneName, text: String) -> Answer<'_, ()> {
        self.step(|store, _| store.keep_stray(lane, text))
    }

    fn register(&self, name: String) -> Answer<'_, Option<Register>> {
        self.step(move |store, _| store.register(&name))
    }

    fn registers(&self, prefix: String) -> Answer<'_, Vec<Register>> {
        self.step(move |store, _| store.registers(&prefix))
    }

    fn put_register(&self, register: Register) -> Answer<'_, bool> {
        self.try_step(|store, _| store.put_register(register))
    }

    fn append_entry(&self, chain: String, seq: u64, entry: Vec<u8>) -> Answer<'_, bool> {
        self.step(move |store, _| store.append_entry(chain, seq, entry))
    }

    fn entries(&self, chain: String, from: u64, limit: u32) -> Answer<'_, Vec<Vec<u8>>> {
        self.step(move |store, _| store.entries(&chain, from, limit))
    }

    fn entry_count(&self, chain: String) -> Answer<'_, u64> {
        self.step(move |store, _| store.entry_count(&chain))
    }
}
