//! The pool's engine: any number of machines on one Redis (6.2 or newer).
//!
//! Every step is one Lua script on one family of keys, with Redis' own clock (S19), and compares
//! before it sets: a step whose answer was lost can be asked for again. No script knows what an
//! event does to a payout; [`domain::decide()`] does, and a script only stores its bytes.
//!
//! | keys (behind the prefix) | what |
//! |---|---|
//! | `{b:<batch>}:meta` | a hash: name, file hash, state, counters, leases of intake and report |
//! | `{b:…}:c:<chunk>` | a hash: lane, format, first ordinal, token, lease, wake time |
//! | `{b:…}:s:<chunk>`, `:r:`, `:n:` | slots of 40 bytes; blocks of rows; notes, one element a write |
//! | `{b:…}:due:<lane>` | a sorted set: chunk → when it is ready |
//! | `{r:<00-ff>}:<00-3f>` | 16,384 hashes: reference key → place, listpacks up to 8 million |
//! | `{l:<lane>}:order`, `:time` | a cache: batches by how often they were served ([`rebuild`]); behind them `:high`, `:low` for those |
//! | `{l:…}:taken` | chunks that were given out |
//! | `{l:…}:record`, `:slot`, `:strays` | the lane's record, its first free slot, its strays |
//! | `{l:…}:rules` | a hash: rules that were fetched from the lane's provider, and when |
//! | `{f}:files` | file hash → batch |
//! | `{f}:registers`, `:names` | a hash: name → version and text; a sorted set of the names |
//! | `{f}:chain:<name>` | a list: the entries of an audit chain (S20) |
//! | `{i}:id`, `:layout` | the ledger's id; the number of this table ([`lanes::LAYOUT`]) |
//! | `{i}:batches`, `:open` | all batches; those not seen to be over |
//!
//! Across families only the protocol of S2 is used: a batch exists before its file's hash or a
//! reference names it, and whoever meets a name of a batch that died rejects the batch first.
//! Keys of one family share a hash tag, so the layout fits a cluster; one primary is supported.
//!
//! - [`link`]: the connection: bounded in time, its own healer; it knows which life of the ledger it
//!   leads to; [`life`]: what a life is (S18); [`durability`](mod@durability): what an answer is worth
//! - [`scripts`]: all Lua; [`keys`]: all names
//! - [`intake`], [`index`], [`reading`], [`schedule`], [`write`], [`batches`], [`lanes`],
//!   [`shared`]: the methods; [`rebuild`]: what a crash between two families left behind

mod batches;
mod durability;
mod index;
mod intake;
mod keys;
mod lanes;
mod life;
mod link;
mod reading;
mod rebuild;
mod schedule;
mod scripts;
mod shared;
#[cfg(test)]
mod tests;
mod values;
mod write;

use crate::api::{Answer, Ledger, LedgerError};
use crate::types::*;
use domain::{Batch, BatchId, BatchState, ChunkId, LaneName, Millis, Place, ReferenceKey};
pub use durability::Durability;
use durability::Promise;
use keys::Keys;
use link::Link;
use std::sync::{Mutex, PoisonError};

/// The prefix of all keys where none is configured.
pub const DEFAULT_PREFIX: &str = "payout";

/// A ledger in Redis.
#[derive(Debug)]
pub struct RedisLedger {
    link: Link,
    keys: Keys,
    promise: Promise,
    rebuilt: rebuild::Last,
    /// The life in which intents are taken (S18); none before somebody vouched for one.
    trusted: Mutex<Option<Life>>,
}

impl RedisLedger {
    /// Connects, and gives the ledger its id if it is new.
    pub async fn connect(url: &str, prefix: &str) -> Result<RedisLedger, LedgerError> {
        let keys = Keys::new(prefix)?;
        let link = Link::open(url)?;
        lanes::make(&link, &keys, prefix).await?;
        let promise = Promise::of(&link).await?;
        let (rebuilt, trusted) = Default::default();
        Ok(RedisLedger { link, keys, promise, rebuilt, trusted })
    }

    fn trusted(&self) -> Option<Life> {
        *self.trusted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an answer of Redis is worth, as far as was seen; no intent is taken once it is less
    /// than it was at first.
    pub fn durability(&self) -> Durability {
        self.promise.worth()
    }
}

impl Ledger for RedisLedger {
    fn about(&self) -> Answer<'_, About> {
        Box::pin(self.get_about())
    }

    fn open_batch(&self, new: NewBatch) -> Answer<'_, Opened> {
        Box::pin(self.do_open(new))
    }

    fn reserve(&self, wanted: Vec<(ReferenceKey, Place)>) -> Answer<'_, Vec<Held>> {
        Box::pin(self.do_reserve(wanted))
    }

    fn take_over(&self, key: ReferenceKey, from: Place, to: Place) -> Answer<'_, bool> {
        Box::pin(self.do_take_over(key, from, to))
    }

    fn find(&self, key: ReferenceKey) -> Answer<'_, Option<Place>> {
        Box::pin(self.do_find(key))
    }

    fn append(&self, chunk: NewChunk) -> Answer<'_, bool> {
        Box::pin(self.do_append(chunk))
    }

    fn seal(&self, seal: Seal) -> Answer<'_, bool> {
        Box::pin(self.do_seal(seal))
    }

    fn reject(&self, batch: BatchId, reason: String, only_if_abandoned: bool) -> Answer<'_, bool> {
        Box::pin(self.do_reject(batch, reason, only_if_abandoned))
    }

    fn batch(&self, id: BatchId) -> Answer<'_, Option<Batch>> {
        Box::pin(self.get_batch(id))
    }

    fn batches(&self, before: Option<BatchId>, limit: u32) -> Answer<'_, Vec<Batch>> {
        Box::pin(self.get_batches(before, limit))
    }

    fn chunk(&self, id: ChunkId) -> Answer<'_, Option<Chunk>> {
        Box::pin(self.get_chunk(id))
    }

    fn blocks(&self, chunk: ChunkId, first: u16, last: u16) -> Answer<'_, Vec<Vec<u8>>> {
        Box::pin(self.get_blocks(chunk, first, last))
    }

    fn notes(&self, chunk: ChunkId) -> Answer<'_, Vec<(u16, Note)>> {
        Box::pin(self.get_notes(chunk))
    }

    fn take_ready(&self, lane: LaneName, max: u16, hint_ms: u64) -> Answer<'_, Vec<ChunkId>> {
        Box::pin(self.do_take_ready(lane, max, hint_ms))
    }

    fn claim(&self, chunk: ChunkId, lease_ms: u64) -> Answer<'_, Claim> {
        Box::pin(self.do_claim(chunk, lease_ms))
    }

    fn renew(&self, chunk: ChunkId, token: Token, lease_ms: u64) -> Answer<'_, bool> {
        Box::pin(self.do_renew(chunk, token, lease_ms))
    }

    fn release(&self, chunk: ChunkId, token: Token, next_at: Millis) -> Answer<'_, ()> {
        Box::pin(self.do_release(chunk, token, next_at))
    }

    fn write(&self, chunk: ChunkId, guard: Guard, changes: Vec<Change>) -> Answer<'_, Written> {
        Box::pin(self.do_write(chunk, guard, changes))
    }

    fn set_batch_state(&self, id: BatchId, from: BatchState, to: BatchState) -> Answer<'_, bool> {
        Box::pin(self.do_set_state(id, from, to))
    }

    fn claim_report(&self, id: BatchId, lease_ms: u64) -> Answer<'_, Option<Batch>> {
        Box::pin(self.do_claim_report(id, lease_ms))
    }

    fn reported(&self, id: BatchId, changes: u64) -> Answer<'_, ()> {
        Box::pin(self.do_reported(id, changes))
    }

    fn lane(&self, name: LaneName) -> Answer<'_, LaneRecord> {
        Box::pin(self.get_lane(name))
    }

    fn put_lane(&self, record: LaneRecord) -> Answer<'_, bool> {
        Box::pin(self.do_put_lane(record))
    }

    fn permits(&self, lane: LaneName, want: u32, pace: Pace) -> Answer<'_, Permits> {
        Box::pin(self.do_permits(lane, want, pace))
    }

    fn rules(&self, lane: LaneName) -> Answer<'_, Option<(Millis, String)>> {
        Box::pin(self.get_rules(lane))
    }

    fn put_rules(&self, lane: LaneName, text: String) -> Answer<'_, ()> {
        Box::pin(self.do_put_rules(lane, text))
    }

    fn keep_stray(&self, lane: LaneName, text: String) -> Answer<'_, ()> {
        Box::pin(self.do_keep_stray(lane, text))
    }

    fn trust(&self, life: Life) {
        *self.trusted.lock().unwrap_or_else(PoisonError::into_inner) = Some(life);
    }

    fn register(&self, name: String) -> Answer<'_, Option<Register>> {
        Box::pin(self.get_register(name))
    }

    fn registers(&self, prefix: String) -> Answer<'_, Vec<Register>> {
        Box::pin(self.get_registers(prefix))
    }

    fn put_register(&self, register: Register) -> Answer<'_, bool> {
        Box::pin(self.do_put_register(register))
    }

    fn append_entry(&self, chain: String, seq: u64, entry: Vec<u8>) -> Answer<'_, bool> {
        Box::pin(self.do_append_entry(chain, seq, entry))
    }

    fn entries(&self, chain: String, from: u64, limit: u32) -> Answer<'_, Vec<Vec<u8>>> {
        Box::pin(self.get_entries(chain, from, limit))
    }

    fn entry_count(&self, chain: String) -> Answer<'_, u64> {
        Box::pin(self.get_entry_count(chain))
    }
}
