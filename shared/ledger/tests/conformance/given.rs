//! Batches, chunks and changes to start from.

use crate::world::World;
use domain::batch::{CurrencyTotal, Totals};
use domain::payout::State;
use domain::{
    BatchId, BatchState, ChunkId, Counts, LaneName, Millis, Payout, Place, ReferenceFormat,
    ReferenceKey, Terms,
};
use ledger::{
    Change, Chunk, Claim, Guard, Ledger, NewBatch, NewChunk, Note, Seal, Token, Via, Written,
};
use std::sync::Arc;
use tokio::sync::Barrier;
use ulid::Ulid;

/// A lease that stands for the whole test, in milliseconds.
pub const LONG: u64 = 600_000;
/// A lease that ends while one waits for it.
pub const SHORT: u64 = 20;

/// The lane that tests use unless they need two.
pub fn lane() -> LaneName {
    LaneName::new("lane-a").unwrap()
}

/// Batch number `n`; a later number is a newer batch.
pub fn batch_id(n: u64) -> BatchId {
    BatchId(Ulid::from_parts(1_700_000_000_000 + n, u128::from(n)))
}

pub fn chunk_id(batch: BatchId, no: u16) -> ChunkId {
    ChunkId { batch, no }
}

pub fn place(batch: BatchId, row: u16) -> Place {
    Place { chunk: chunk_id(batch, 0), row }
}

pub fn key(n: u64) -> ReferenceKey {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&n.to_le_bytes());
    ReferenceKey(bytes)
}

/// Batch number `n` with a file of its own.
pub fn new_batch(n: u64) -> NewBatch {
    with_file(n, n)
}

/// Batch number `n` with file number `file`.
pub fn with_file(n: u64, file: u64) -> NewBatch {
    NewBatch {
        id: batch_id(n),
        name: format!("{n}.csv"),
        file_sha256: format!("{file:064x}"),
        lease_ms: LONG,
        terms: domain::Terms::default(),
    }
}

pub fn new_chunk(id: ChunkId, rows: u16) -> NewChunk {
    NewChunk {
        id,
        first: Via { lane: lane(), format: ReferenceFormat::Text { max_bytes: 64 } },
        second: None,
        rows,
        first_ordinal: u32::from(id.no) * 1_000 + 1,
        unsent_give_up_ms: LONG,
        blocks: vec![vec![1, 2, 3]],
        lease_ms: LONG,
    }
}

/// The totals of so many rows of one currency.
pub fn totals(rows: u64) -> Totals {
    let total = CurrencyTotal { rows, minor: i128::from(rows) * 1_234, exponent: 2 };
    Totals([("EUR".to_owned(), total)].into())
}

pub fn seal_of(id: BatchId, chunks: &[u16], state: BatchState) -> Seal {
    let rows = chunks.iter().map(|rows| u64::from(*rows)).sum();
    Seal { id, totals: totals(rows), chunks: u16::try_from(chunks.len()).unwrap(), state }
}

/// Opens batch number `n` and appends chunks of so many rows.
pub async fn received(ledger: &dyn Ledger, n: u64, chunks: &[u16]) -> BatchId {
    let id = batch_id(n);
    ledger.open_batch(new_batch(n)).await.unwrap();
    for (no, rows) in (0..).zip(chunks) {
        assert!(ledger.append(new_chunk(chunk_id(id, no), *rows)).await.unwrap());
    }
    id
}

/// The same, sealed as active.
pub async fn active(ledger: &dyn Ledger, n: u64, chunks: &[u16]) -> BatchId {
    active_on(ledger, n, chunks, Terms::default()).await
}

/// The same, on these terms.
pub async fn active_on(ledger: &dyn Ledger, n: u64, chunks: &[u16], terms: Terms) -> BatchId {
    sealed_on(ledger, n, chunks, terms, BatchState::Active).await
}

/// The same, sealed in this state.
pub async fn sealed_on(
    ledger: &dyn Ledger,
    n: u64,
    chunks: &[u16],
    terms: Terms,
    state: BatchState,
) -> BatchId {
    ledger.open_batch(NewBatch { terms, ..new_batch(n) }).await.unwrap();
    let id = received(ledger, n, chunks).await;
    assert!(ledger.seal(seal_of(id, chunks, state)).await.unwrap());
    id
}

/// Claims a chunk that must be free.
pub async fn held(ledger: &dyn Ledger, id: ChunkId, lease_ms: u64) -> (Token, Chunk) {
    match ledger.claim(id, lease_ms).await.unwrap() {
        Claim::Held { token, chunk, .. } => (token, chunk),
        other => panic!("{id} could not be claimed: {other:?}"),
    }
}

pub async fn payouts(ledger: &dyn Ledger, id: ChunkId) -> Vec<Payout> {
    ledger.chunk(id).await.unwrap().expect("the chunk to be there").payouts
}

/// The payout one version on, in `state`; due at `due` where that state is open.
pub fn next(from: Payout, state: State, due: Millis) -> Payout {
    let mut to = from;
    to.state = state;
    to.version += 1;
    to.due = if state.is_open() { due } else { Millis::NEVER };
    if state == State::Submitting {
        to.intents += 1;
    }
    to
}

/// A change of a row into `state`, due far away.
pub fn into_state(row: u16, from: Payout, state: State) -> Change {
    let far = Millis(from.give_up_at.0 * 2);
    Change { row, from, to: next(from, state, far), notes: Vec::new() }
}

/// Notes and no change.
pub fn only_notes(row: u16, stands: Payout, notes: Vec<Note>) -> Change {
    Change { row, from: stands, to: stands, notes }
}

/// Brings rows of a chunk into a state, as facts; none of them may conflict.
pub async fn settle(ledger: &dyn Ledger, id: ChunkId, rows: &[u16], state: State) {
    let stand = payouts(ledger, id).await;
    let change = |row: &u16| into_state(*row, stand[usize::from(*row)], state);
    let changes = rows.iter().map(change).collect();
    assert_eq!(ledger.write(id, Guard::Fact, changes).await.unwrap(), Written::Done(vec![]));
}

pub async fn state_of(ledger: &dyn Ledger, id: BatchId) -> BatchState {
    ledger.batch(id).await.unwrap().expect("the batch to be there").state
}

/// What is ready now, in order; it is given again to the next who asks.
pub async fn ready(world: &World) -> Vec<ChunkId> {
    world.ledger.take_ready(lane(), u16::MAX, 0).await.unwrap()
}

/// The counters must be what one gets by counting.
pub async fn assert_counted(ledger: &dyn Ledger, id: BatchId) {
    let batch = ledger.batch(id).await.unwrap().unwrap();
    let mut counted = [0; 9];
    for no in 0..batch.chunks {
        for payout in payouts(ledger, chunk_id(id, no)).await {
            counted[payout.state.index()] += 1;
        }
    }
    assert_eq!(batch.counts, Counts::from_array(counted), "the counters of {id}");
}

/// Runs `act` once on each handle, from two tasks that start together.
pub async fn at_once<T, F>(world: &World, act: impl Fn(Arc<dyn Ledger>, u64) -> F) -> [T; 2]
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(2));
    let start = |ledger: &Arc<dyn Ledger>, n| {
        let (barrier, acting) = (barrier.clone(), act(ledger.clone(), n));
        tokio::spawn(async move {
            barrier.wait().await;
            acting.await
        })
    };
    let (first, second) = (start(&world.ledger, 0), start(&world.second, 1));
    [first.await.unwrap(), second.await.unwrap()]
}

/// Entries of an audit chain, as text.
pub async fn texts(ledger: &dyn Ledger, chain: &str, from: u64, limit: u32) -> Vec<String> {
    let entries = ledger.entries(chain.to_owned(), from, limit).await.unwrap();
    entries.into_iter().map(|entry| String::from_utf8(entry).unwrap()).collect()
}
