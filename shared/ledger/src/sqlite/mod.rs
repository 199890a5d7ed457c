//! The ledger in one SQLite file: durable when it answers, shared by the processes of a machine.
//!
//! Every step runs in a transaction of the writer thread, together with the steps that were
//! waiting beside it, and is answered after their commit has reached the disk. Nothing that
//! another process can change is kept in memory.
//!
//! ```text
//! callers ──▶ bounded channel ──▶ writer: BEGIN IMMEDIATE, step, step, …, COMMIT ──▶ answers
//!         └─▶ bounded channel ──▶ reader: one snapshot a question                ──▶ answers
//! ```
//!
//! - `open`: the file, its pragmas and its schema
//! - `threads`: writer and reader
//! - `clock`: ledger time, which never goes back
//! - `steps`: what each call does, by the rules that all engines share
//! - `sql`: all statements

mod clock;
mod error;
mod open;
mod sql;
mod steps;
mod threads;

use crate::api::{Answer, Ledger, LedgerError};
use crate::types::*;
use domain::{
    Batch, BatchId, BatchState, ChunkId, LaneName, LedgerId, Millis, Place, ReferenceKey,
};
use rusqlite::Connection;
use std::path::Path;
use threads::Desk;

/// A ledger in a file. A clone is the same ledger; its threads end with the last one.
#[derive(Clone)]
pub struct SqliteLedger {
    id: LedgerId,
    writer: Desk,
    reader: Desk,
}

impl SqliteLedger {
    /// Opens the ledger in the file at `path`, or makes a new one there that only its owner can
    /// read. Any number of processes of one machine may have it open; it must not lie on a
    /// network file system.
    pub fn open(path: &Path) -> Result<SqliteLedger, LedgerError> {
        let opened = open::open(path)?;
        let clock = clock::LedgerClock::new();
        Ok(SqliteLedger {
            id: opened.id,
            writer: threads::writer(opened.writer, clock.clone())?,
            reader: threads::reader(opened.reader, clock)?,
        })
    }

    /// What was kept for a lane that nobody could place, oldest first.
    pub fn strays(&self, lane: LaneName) -> Answer<'_, Vec<String>> {
        self.read(move |db, _| Ok(sql::lanes::strays(db, &lane)?))
    }

    /// A step that may write.
    fn step<'a, T: Send + 'static>(
        &'a self,
        work: impl FnOnce(&Connection, Millis) -> Result<T, LedgerError> + Send + 'static,
    ) -> Answer<'a, T> {
        Box::pin(self.writer.ask(work))
    }

    /// A question to one snapshot.
    fn read<'a, T: Send + 'static>(
        &'a self,
        work: impl FnOnce(&Connection, Millis) -> Result<T, LedgerError> + Send + 'static,
    ) -> Answer<'a, T> {
        Box::pin(self.reader.ask(work))
    }
}

impl Ledger for SqliteLedger {
    fn about(&self) -> Answer<'_, About> {
        let id = self.id;
        self.read(move |_, now| Ok(About { id, now, life: Life::default() }))
    }

    fn open_batch(&self, new: NewBatch) -> Answer<'_, Opened> {
        self.step(move |db, now| steps::intake::open_batch(db, &new, now))
    }

    fn reserve(&self, wanted: Vec<(ReferenceKey, Place)>) -> Answer<'_, Vec<Held>> {
        self.step(move |db, _| steps::intake::reserve(db, wanted))
    }

    fn take_over(&self, key: ReferenceKey, from: Place, to: Place) -> Answer<'_, bool> {
        self.step(move |db, _| Ok(sql::references::move_place(db, key, from, to)?))
    }

    fn find(&self, key: ReferenceKey) -> Answer<'_, Option<Place>> {
        self.read(move |db, _| Ok(sql::references::find(db, key)?))
    }

    fn append(&self, chunk: NewChunk) -> Answer<'_, bool> {
        self.step(move |db, now| steps::intake::append(db, &chunk, now))
    }

    fn seal(&self, seal: Seal) -> Answer<'_, bool> {
        self.step(move |db, _| steps::intake::seal(db, &seal))
    }

    fn reject(&self, batch: BatchId, reason: String, only_if_abandoned: bool) -> Answer<'_, bool> {
        self.step(move |db, now| steps::batches::reject(db, batch, &reason, only_if_abandoned, now))
    }

    fn batch(&self, id: BatchId) -> Answer<'_, Option<Batch>> {
        self.read(move |db, _| Ok(sql::batches::get(db, id)?.map(|record| record.batch)))
    }

    fn batches(&self, before: Option<BatchId>, limit: u32) -> Answer<'_, Vec<Batch>> {
        self.read(move |db, _| Ok(sql::batches::list(db, before, limit)?))
    }

    fn chunk(&self, id: ChunkId) -> Answer<'_, Option<Chunk>> {
        self.read(move |db, _| steps::chunks::read(db, id))
    }

    fn blocks(&self, chunk: ChunkId, first: u16, last: u16) -> Answer<'_, Vec<Vec<u8>>> {
        self.read(move |db, _| Ok(sql::chunks::blocks(db, chunk, first, last)?))
    }

    fn notes(&self, chunk: ChunkId) -> Answer<'_, Vec<(u16, Note)>> {
        self.read(move |db, _| crate::notes::decode(&sql::chunks::notes(db, chunk)?))
    }

    fn take_ready(&self, lane: LaneName, max: u16, hint_ms: u64) -> Answer<'_, Vec<ChunkId>> {
        self.step(move |db, now| steps::ready::take(db, &lane, max, hint_ms, now))
    }

    fn claim(&self, chunk: ChunkId, lease_ms: u64) -> Answer<'_, Claim> {
        self.step(move |db, now| steps::chunks::claim(db, chunk, lease_ms, now))
    }

    fn renew(&self, chunk: ChunkId, token: Token, lease_ms: u64) -> Answer<'_, bool> {
        self.step(move |db, now| steps::chunks::renew(db, chunk, token, lease_ms, now))
    }

    fn release(&self, chunk: ChunkId, token: Token, next_at: Millis) -> Answer<'_, ()> {
        self.step(move |db, _| steps::chunks::release(db, chunk, token, next_at))
    }

    fn write(&self, chunk: ChunkId, guard: Guard, changes: Vec<Change>) -> Answer<'_, Written> {
        self.step(move |db, now| steps::chunks::write(db, chunk, guard, changes, now))
    }

    fn set_batch_state(&self, id: BatchId, from: BatchState, to: BatchState) -> Answer<'_, bool> {
        self.step(move |db, _| steps::batches::go(db, id, from, to))
    }

    fn claim_report(&self, id: BatchId, lease_ms: u64) -> Answer<'_, Option<Batch>> {
        self.step(move |db, now| steps::batches::claim_report(db, id, lease_ms, now))
    }

    fn reported(&self, id: BatchId, changes: u64) -> Answer<'_, ()> {
        self.step(move |db, _| steps::batches::reported(db, id, changes))
    }

    fn lane(&self, name: LaneName) -> Answer<'_, LaneRecord> {
        self.read(move |db, _| steps::lanes::get(db, name))
    }

    fn put_lane(&self, record: LaneRecord) -> Answer<'_, bool> {
        self.step(move |db, _| steps::lanes::put(db, record))
    }

    fn permits(&self, lane: LaneName, want: u32, pace: Pace) -> Answer<'_, Permits> {
        self.step(move |db, now| steps::lanes::permits(db, &lane, want, pace, now))
    }

    fn rules(&self, lane: LaneName) -> Answer<'_, Option<(Millis, String)>> {
        self.read(move |db, _| Ok(sql::lanes::rules(db, &lane)?))
    }

    fn put_rules(&self, lane: LaneName, text: String) -> Answer<'_, ()> {
        self.step(move |db, now| steps::lanes::put_rules(db, &lane, &text, now))
    }

    fn keep_stray(&self, lane: LaneName, text: String) -> Answer<'_, ()> {
        self.step(move |db, _| Ok(sql::lanes::keep_stray(db, &lane, &text)?))
    }

    /// What was put in the place of the file is found at the next start, by the same comparison:
    /// an open file stays what it is.
    fn trust(&self, _: Life) {}

    fn register(&self, name: String) -> Answer<'_, Option<Register>> {
        self.read(move |db, _| Ok(sql::registers::get(db, &name)?))
    }

    fn registers(&self, prefix: String) -> Answer<'_, Vec<Register>> {
        self.read(move |db, _| Ok(sql::registers::list(db, &prefix)?))
    }

    fn put_register(&self, register: Register) -> Answer<'_, bool> {
        self.step(move |db, _| steps::shared::put_register(db, &register))
    }

    fn append_entry(&self, chain: String, seq: u64, entry: Vec<u8>) -> Answer<'_, bool> {
        self.step(move |db, _| steps::shared::append_entry(db, &chain, seq, &entry))
    }

    fn entries(&self, chain: String, from: u64, limit: u32) -> Answer<'_, Vec<Vec<u8>>> {
        self.read(move |db, _| steps::shared::entries(db, &chain, from, limit))
    }

    fn entry_count(&self, chain: String) -> Answer<'_, u64> {
        self.read(move |db, _| Ok(sql::entries::count(db, &chain)?))
    }
}
