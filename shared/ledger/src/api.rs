//! The [`Ledger`] trait: narrow, object-safe, the same for all engines.
//!
//! Every method is one atomic step or a read. No caller passes the time: the ledger has its own
//! clock (S19). An error of kind [`LedgerError::Unavailable`] leaves open whether the step was
//! taken; every step may be asked for twice, and the second time changes nothing or says so.

use crate::types::*;
use domain::{Batch, BatchId, BatchState, ChunkId, LaneName, Millis, Place, ReferenceKey};
use futures::future::BoxFuture;

/// What every method gives.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, LedgerError>>;

/// Why a ledger did not answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LedgerError {
    /// It cannot be reached or did not answer: the step may or may not have been taken.
    #[error("the ledger is not available: {0}")]
    Unavailable(String),
    /// What it holds cannot be read, or the caller asked for the impossible. Never retried.
    #[error("the ledger is damaged or misused: {0}")]
    Broken(String),
    /// The rows that were asked for are not kept any more (S24); what became of each payout is.
    #[error("the rows of batch {batch} were destroyed at retention on {on}")]
    Destroyed {
        /// Whose rows.
        batch: BatchId,
        /// Which day, in UTC.
        on: String,
    },
}

/// The one truth about every payout.
pub trait Ledger: Send + Sync + 'static {
    /// The ledger's identity, its clock, and its life.
    fn about(&self) -> Answer<'_, About>;

    /// Whoever calls this has compared what all senders remember with what the ledger knows
    /// (S18): from now on this connection takes intents in that life of the ledger. An intent in
    /// a life that nobody vouched for is [`LedgerError::Unavailable`]. Mostly it was not written;
    /// but where the life ended in the very moment of the write it may stand, as any step may that
    /// ends so. Its caller sends nothing, and takes back what stands of it or leaves it to be looked
    /// up.
    fn trust(&self, life: Life);

    // ---- intake (S2) ----

    /// Opens a batch in state `receiving` under an intake lease, and reserves the file's hash.
    /// *Crash before*: nothing. *After*: the batch stays `receiving` until its lease ends; then
    /// the next intake of the same file or references rejects it and takes over.
    /// The same id opened twice with the same hash is [`Opened::Fresh`] again.
    fn open_batch(&self, new: NewBatch) -> Answer<'_, Opened>;

    /// Reserves references for places, in groups as large as the caller likes. Gives the
    /// places that are held already, by index into `wanted`; all others are now ours. A
    /// reference that this very place holds already counts as ours.
    /// *Crash after*: held by a batch that nobody seals; released by take-over.
    fn reserve(&self, wanted: Vec<(ReferenceKey, Place)>) -> Answer<'_, Vec<Held>>;

    /// Moves a reservation by compare-and-set: `key` from `from` to `to`. Gives false if it no
    /// longer stands at `from`. Only [`crate::intake`] calls it, after it made sure that `from`
    /// never had and never will have an intent.
    fn take_over(&self, key: ReferenceKey, from: Place, to: Place) -> Answer<'_, bool>;

    /// Where a reference lies, if anywhere.
    fn find(&self, key: ReferenceKey) -> Answer<'_, Option<Place>>;

    /// Writes a chunk of a `receiving` batch and renews the intake lease. Gives false if the
    /// batch is no longer `receiving`. Writing the same chunk again replaces it.
    fn append(&self, chunk: NewChunk) -> Answer<'_, bool>;

    /// Seals: `receiving → active` (or `awaiting`) by compare-and-set. From then on, and not
    /// before, its payouts are payable and its chunks ready. Gives false if the batch was not
    /// `receiving` (somebody rejected it meanwhile); true again if it was sealed by the same
    /// call before. *Crash before*: as after [`Ledger::open_batch`]. *After*: sealed for good.
    fn seal(&self, seal: Seal) -> Answer<'_, bool>;

    /// `receiving → rejected`, on the same field that sealing uses. With `only_if_abandoned`,
    /// only where the intake lease has ended. Gives whether the batch is rejected now.
    fn reject(&self, batch: BatchId, reason: String, only_if_abandoned: bool) -> Answer<'_, bool>;

    // ---- reading ----

    /// A batch with its counters.
    fn batch(&self, id: BatchId) -> Answer<'_, Option<Batch>>;

    /// Batches from the newest to the oldest, those before `before`, at most `limit`.
    fn batches(&self, before: Option<BatchId>, limit: u32) -> Answer<'_, Vec<Batch>>;

    /// A chunk with its payouts; `None` where the batch is not sealed or has no such chunk.
    fn chunk(&self, id: ChunkId) -> Answer<'_, Option<Chunk>>;

    /// The compressed blocks `first..=last` of a chunk's rows ([`crate::rows`]).
    fn blocks(&self, chunk: ChunkId, first: u16, last: u16) -> Answer<'_, Vec<Vec<u8>>>;

    /// All notes about a chunk's rows, oldest first.
    fn notes(&self, chunk: ChunkId) -> Answer<'_, Vec<(u16, Note)>>;

    // ---- scheduling ----

    /// Chunks of sealed, not cancelled batches on `lane` whose `next_at` has come, at most
    /// `max`, fair between batches: the batch that was served least goes first. Each is marked
    /// as hinted: it is not given again for `hint_ms`, so a lost hint comes back by itself.
    fn take_ready(&self, lane: LaneName, max: u16, hint_ms: u64) -> Answer<'_, Vec<ChunkId>>;

    /// Takes the lease of a chunk, with a new fencing token, if nobody holds it.
    /// *Crash after*: the chunk is ready again when the lease ends.
    fn claim(&self, chunk: ChunkId, lease_ms: u64) -> Answer<'_, Claim>;

    /// Renews a lease; false if the token is no longer current or the lease has ended.
    fn renew(&self, chunk: ChunkId, token: Token, lease_ms: u64) -> Answer<'_, bool>;

    /// Gives a lease back. The chunk is ready again at `next_at`, or earlier where a fact that
    /// came meanwhile wants it. Does nothing with an old token.
    fn release(&self, chunk: ChunkId, token: Token, next_at: domain::Millis) -> Answer<'_, ()>;

    // ---- the money ----

    /// Changes payouts of one chunk, each by compare-and-set on all that was read of it, and
    /// keeps the batch's counters, its state (`active | paused → complete` when nothing is open
    /// any more and back when something is) and its count of changes with them, all in one
    /// atomic step. Rows that changed meanwhile are given back and left alone; the others are
    /// written. If the guard does not hold, nothing is written.
    ///
    /// *Crash before*: nothing. *After*: everything, durably.
    fn write(&self, chunk: ChunkId, guard: Guard, changes: Vec<Change>) -> Answer<'_, Written>;

    // ---- batches ----

    /// A batch goes from one state to another by compare-and-set; false if it was not in
    /// `from` or may not go there. Becoming active makes all its chunks ready, as soon as its
    /// time has come ([`domain::Terms`]).
    fn set_batch_state(&self, id: BatchId, from: BatchState, to: BatchState) -> Answer<'_, bool>;

    /// The totals and chunk count again with the batch, for a complete or cancelled batch whose
    /// newest result file is older than its newest change: takes the report lease. `None` if
    /// the report is current, the batch not complete, or somebody else is writing it.
    fn claim_report(&self, id: BatchId, lease_ms: u64) -> Answer<'_, Option<Batch>>;

    /// The result file that shows change number `changes` lies where it belongs; ends the
    /// report lease.
    fn reported(&self, id: BatchId, changes: u64) -> Answer<'_, ()>;

    // ---- lanes ----

    /// What the whole pool knows of a lane; an empty record with version 0 for a new one.
    fn lane(&self, name: LaneName) -> Answer<'_, LaneRecord>;

    /// Stores a lane's record if its version is still `record.version`, as version + 1.
    fn put_lane(&self, record: LaneRecord) -> Answer<'_, bool>;

    /// Draws permits: slots of time, spaced evenly, for the whole pool (GCRA). At most
    /// `horizon_ms` ahead of now; may give none, then `wait_ms` says when to ask again.
    fn permits(&self, lane: LaneName, want: u32, pace: Pace) -> Answer<'_, Permits>;

    /// The rules for rows that were fetched from a lane's provider, and when, in ledger time.
    fn rules(&self, lane: LaneName) -> Answer<'_, Option<(Millis, String)>>;

    /// Stores fetched rules over the older ones; their age begins now. Longer than
    /// [`RULES_BYTES_MAX`] is [`LedgerError::Broken`]. *Crash after*: stored; twice changes
    /// only the age.
    fn put_rules(&self, lane: LaneName, text: String) -> Answer<'_, ()>;

    /// Keeps what a provider sent us and nobody can place (S16); bounded, oldest go first.
    fn keep_stray(&self, lane: LaneName, text: String) -> Answer<'_, ()>;

    // ---- registers: small texts that all processes share ----

    /// A register, if it was ever stored.
    fn register(&self, name: String) -> Answer<'_, Option<Register>>;

    /// All registers whose names begin with `prefix`, in the order of their names.
    fn registers(&self, prefix: String) -> Answer<'_, Vec<Register>>;

    /// Stores a register if its version still is `register.version` (0 for a new one), as
    /// version + 1. Longer than [`REGISTER_BYTES_MAX`] is [`LedgerError::Broken`].
    fn put_register(&self, register: Register) -> Answer<'_, bool>;

    // ---- audit chains (S20) ----

    /// Appends entry number `seq` (from 0) to a chain, if the chain has exactly `seq` entries.
    /// True again if this very entry stands there already; false if another does, or a gap
    /// would be left. What it holds, and how it is linked, is `crate::audit`'s affair.
    fn append_entry(&self, chain: String, seq: u64, entry: Vec<u8>) -> Answer<'_, bool>;

    /// Entries of a chain from number `from`, at most `limit`.
    fn entries(&self, chain: String, from: u64, limit: u32) -> Answer<'_, Vec<Vec<u8>>>;

    /// How many entries a chain has.
    fn entry_count(&self, chain: String) -> Answer<'_, u64>;
}
