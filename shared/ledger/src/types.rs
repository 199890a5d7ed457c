//! What goes into a ledger and comes out of it.

use crate::api::LedgerError;
use domain::batch::Totals;
use domain::{
    BatchId, BatchState, ChunkId, LaneName, LedgerId, Millis, Payout, Place, ReferenceFormat, Terms,
};
use serde::{Deserialize, Serialize};

/// A ledger's identity and clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// The short id that every provider reference carries (S5).
    pub id: LedgerId,
    /// The ledger's time at the moment of the answer.
    pub now: Millis,
    /// Its life at that moment.
    pub life: Life,
}

/// Changes whenever the ledger was started anew, and so may have gone back in time (S18): the
/// run of a Redis server in one history of its data. An engine that lives in its file has one life; what was put back in its
/// place is found at the next start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Life(pub u64);

/// A small text under a name, with its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// Parts divided by `/`: `sender/12`.
    pub name: String,
    /// Grows with every change; 0 for one that was never stored.
    pub version: u64,
    /// What it says.
    pub text: String,
}

/// The longest text of a register.
pub const REGISTER_BYTES_MAX: usize = 64 << 10;

/// Refuses a register that is longer than any engine keeps.
pub(crate) fn check_register(register: &Register) -> Result<(), LedgerError> {
    if register.text.len() <= REGISTER_BYTES_MAX {
        return Ok(());
    }
    let (name, found) = (&register.name, register.text.len());
    Err(LedgerError::Broken(format!(
        "register {name} of {found} bytes; at most {REGISTER_BYTES_MAX} are kept"
    )))
}

/// A batch to open.
#[derive(Clone, Debug)]
pub struct NewBatch {
    /// Made by the caller.
    pub id: BatchId,
    /// The file's name without its folder.
    pub name: String,
    /// SHA-256 of the file, hex.
    pub file_sha256: String,
    /// How long the intake lease lasts without an append.
    pub lease_ms: u64,
    /// When it may go, and before whom.
    pub terms: Terms,
}

/// What [`crate::Ledger::open_batch`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The batch is open.
    Fresh,
    /// The same bytes were taken before, and that batch stands.
    SameFile(BatchId),
}

/// A reference that somebody else holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Index into what was wanted.
    pub index: usize,
    /// Where it lies.
    pub by: Place,
}

/// A chunk to write.
#[derive(Clone, Debug)]
pub struct NewChunk {
    /// Batch and number.
    pub id: ChunkId,
    /// How it is paid.
    pub first: Via,
    /// How what the first lane refuses is paid (S15), where a route names a second one.
    pub second: Option<Via>,
    /// How many rows, 1 to 1,000.
    pub rows: u16,
    /// Ordinal of its first row in the file.
    pub first_ordinal: u32,
    /// From now, or from when the batch may go, until a row that was never sent fails.
    pub unsent_give_up_ms: u64,
    /// The rows, by [`crate::rows::encode`].
    pub blocks: Vec<Vec<u8>>,
    /// How long the intake lease lasts from now.
    pub lease_ms: u64,
}

/// Sealing a batch.
#[derive(Clone, Debug)]
pub struct Seal {
    /// The batch.
    pub id: BatchId,
    /// Rows and money.
    pub totals: Totals,
    /// Chunks written; numbers 0 to `chunks - 1`.
    pub chunks: u16,
    /// `Active`, or `Awaiting` where somebody must approve.
    pub state: BatchState,
}

/// A chunk as the ledger knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Batch and number.
    pub id: ChunkId,
    /// How it is paid; its schedule stands with this lane.
    pub first: Via,
    /// How what the first lane refused is paid (S15).
    pub second: Option<Via>,
    /// Ordinal of its first row in the file.
    pub first_ordinal: u32,
    /// One per row.
    pub payouts: Vec<Payout>,
}

/// A lane, and how its provider wants references.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    /// The lane.
    pub lane: LaneName,
    /// How provider references are made.
    pub format: ReferenceFormat,
}

impl Chunk {
    /// How a payout of it goes now.
    pub fn via(&self, payout: &Payout) -> &Via {
        self.via_of(payout, payout.attempt)
    }

    /// How an attempt of a payout goes, or went.
    pub fn via_of(&self, payout: &Payout, attempt: u8) -> &Via {
        let second = self.second.as_ref().filter(|_| payout.goes_by_second(attempt));
        second.unwrap_or(&self.first)
    }

    /// The lanes that its payouts go by.
    pub fn vias(&self) -> impl Iterator<Item = &Via> {
        std::iter::once(&self.first).chain(&self.second)
    }

    /// Those of its payouts that go by `lane` now, with their rows.
    pub fn on(&self, lane: &LaneName) -> impl Iterator<Item = (u16, &Payout)> {
        (0u16..).zip(&self.payouts).filter(move |(_, payout)| self.via(payout).lane == *lane)
    }
}

/// A fencing token: grows with every claim of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(pub u64);

/// What a claim gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The lease is ours.
    Held {
        /// Proves it.
        token: Token,
        /// The chunk as it stands.
        chunk: Chunk,
        /// The batch's state at this moment.
        batch: BatchState,
        /// When it may go.
        terms: Terms,
        /// Ledger time at this moment.
        now: Millis,
    },
    /// Somebody holds it.
    Busy,
    /// No such chunk, or its batch is not sealed, rejected or cancelled.
    Gone,
}

/// What must hold for a write, checked in the same atomic step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// For intents (S6): the lease is current, the batch active, and its time has come.
    Intent(Token),
    /// The lease is current.
    Held(Token),
    /// Facts and outcomes: the compare-and-set alone.
    Fact,
}

/// One payout's change: stored only if it still is what was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its row.
    pub row: u16,
    /// What was read.
    pub from: Payout,
    /// What it becomes; equal to `from` where only notes are added.
    pub to: Payout,
    /// What is to be kept beside it.
    pub notes: Vec<Note>,
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// Done, but for these rows, which changed meanwhile: as they stand now.
    Done(Vec<(u16, Payout)>),
    /// The guard did not hold: nothing was written.
    Refused,
}

/// Something kept beside a payout, in the order of writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What it is.
    pub kind: NoteKind,
    /// Text; never a secret, never a whole destination. At most [`Note::MAX_BYTES`].
    pub text: String,
}

impl Note {
    /// Longer texts are cut at a character boundary.
    pub const MAX_BYTES: usize = 2_048;

    /// Makes a note.
    pub fn new(kind: NoteKind, text: impl Into<String>) -> Note {
        let mut text = text.into();
        if text.len() > Self::MAX_BYTES {
            let end = (0..=Self::MAX_BYTES).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(end.unwrap_or(0));
        }
        Note { kind, text }
    }
}

/// What a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum NoteKind {
    /// The provider's id of the payout; the newest counts.
    ProviderId = 0,
    /// The provider's words, or ours, on why it stands where it stands; the newest counts.
    Reason = 1,
    /// What it cost, as the provider told: `rate 100.2472, spent 49.2500 USDT`.
    Cost = 2,
    /// A link to a receipt.
    Receipt = 3,
    /// An event that changed nothing, kept as evidence.
    Evidence = 4,
    /// At a row of a shipment: which rows it carried, and the provider's id of it ([`crate::shipment`]).
    Shipment = 5,
}

impl NoteKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [NoteKind; 6] = [
        NoteKind::ProviderId,
        NoteKind::Reason,
        NoteKind::Cost,
        NoteKind::Receipt,
        NoteKind::Evidence,
        NoteKind::Shipment,
    ];
}

/// What the whole pool knows of a lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneRecord {
    /// Its name.
    pub name: LaneName,
    /// Grows with every change; 0 for a lane that was never stored.
    pub version: u64,
    /// The account behind it (S4).
    pub fingerprint: String,
    /// Why nothing is sent, if nothing is.
    pub stopped: Option<Stop>,
    /// A payout of this fingerprint that the provider accepted: what look-ups prove themselves
    /// by (S11), and the end of the canary (S10).
    pub control: Option<Place>,
    /// The canary that is under way while there is no control yet (S10).
    pub canary: Option<Canary>,
    /// Canaries that were refused or went to review.
    pub canaries_lost: u8,
    /// Payouts that tried a provider that had not answered, in vain, one after the other.
    #[serde(default)]
    pub probes_lost: u8,
    /// The provider said that more rows in one call are too many.
    #[serde(default)]
    pub rows_per_call: Option<u16>,
    /// The provider said that so many requests are too many.
    #[serde(default)]
    pub slow: Option<Slow>,
    /// Other ledgers whose references may stand at this account: they are retired (S5).
    #[serde(default)]
    pub adopted: Vec<LedgerId>,
    /// When the provider's list was last held against the ledger (S22).
    #[serde(default)]
    pub comparison: Comparison,
}

/// When a provider's list was last held against the ledger, and what was found (S22).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// When a process last began one.
    pub begun: Option<Millis>,
    /// When one last came to its end.
    pub ended: Option<Millis>,
    /// Differences for which the lane has stopped already, by their hash: who started it again has
    /// seen them.
    pub told: Vec<u64>,
}

impl LaneRecord {
    /// A lane that nobody stored yet.
    pub fn new(name: LaneName) -> LaneRecord {
        LaneRecord {
            name,
            version: 0,
            fingerprint: String::new(),
            stopped: None,
            control: None,
            canary: None,
            canaries_lost: 0,
            probes_lost: 0,
            rows_per_call: None,
            slow: None,
            adopted: Vec::new(),
            comparison: Comparison::default(),
        }
    }
}

impl LaneRecord {
    /// Until when the provider wants to be left alone, where it does now.
    pub fn paused_until(&self, now: Millis) -> Option<Millis> {
        self.slow.map(|slow| slow.until).filter(|until| *until > now)
    }
}

/// One bout of "too many requests", and what it did to the pace of the whole pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slow {
    /// When the first of them came.
    pub since: Millis,
    /// Nothing is sent before this moment.
    pub until: Millis,
    /// So many of them were counted.
    pub refusals: u32,
    /// Microseconds between two requests when the first of them came.
    pub met_us: u64,
    /// Microseconds between two requests when sending begins again.
    pub cut_us: u64,
}

/// Why a lane sends nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// For people: what happened and what to do.
    pub reason: String,
    /// Since when.
    pub since: Millis,
    /// When it tries again by itself; `None` waits for a person.
    pub until: Option<Millis>,
}

/// The one payout that tries a new lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// Which.
    pub place: Place,
    /// When another may be chosen if nobody heard of this one.
    pub until: Millis,
}

/// A lane's rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Microseconds between two requests.
    pub interval_us: u64,
    /// How far ahead of now slots are given.
    pub horizon_ms: u64,
}

/// Slots of time: `first`, `first + interval`, …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permits {
    /// How many; may be 0.
    pub count: u32,
    /// Milliseconds from `at` to the first slot; with `count` 0, until asking again makes sense.
    pub wait_ms: u64,
    /// When they were drawn.
    pub at: Millis,
}

/// The longest text of fetched rules: limits and required fields of hundreds of directions.
pub const RULES_BYTES_MAX: usize = 4 << 20;

/// Refuses rules that are longer than any engine keeps.
pub(crate) fn check_rules(text: &str) -> Result<(), LedgerError> {
    if text.len() <= RULES_BYTES_MAX {
        return Ok(());
    }
    let found = text.len();
    Err(LedgerError::Broken(format!(
        "rules of {found} bytes; at most {RULES_BYTES_MAX} are kept for a lane"
    )))
}
