//! What the conformance suite cannot see: memory, restarts, and what a crash between two
//! families of keys leaves behind.

mod cost;
mod layout;
mod leftovers;
mod life;
mod outage;
mod promise;
mod relay;

use super::RedisLedger;
use super::values::take;
use crate::api::Ledger;
use crate::apply::{Applied, Happening, apply};
use crate::types::{Claim, Guard, NewBatch, NewChunk, Note, NoteKind, Seal, Token, Via};
use domain::batch::{CurrencyTotal, Totals};
use domain::{BatchId, BatchState, ChunkId, Event, LaneName, News, Outcome, Payout, Policy};
use domain::{Place, ReferenceFormat, ReferenceKey};
use system_tests::redis_server::RedisServer;
use ulid::Ulid;

/// Longer than any test.
const LONG_MS: u64 = 600_000;

/// A connection on which intents are taken.
async fn connect(server: &RedisServer) -> RedisLedger {
    let ledger = RedisLedger::connect(&server.url(), super::DEFAULT_PREFIX).await.unwrap();
    ledger.trust(ledger.about().await.unwrap().life);
    ledger
}

fn lane() -> LaneName {
    LaneName::new("cards").unwrap()
}

fn batch_id(n: u64) -> BatchId {
    BatchId(Ulid::from_parts(1_700_000_000_000 + n, u128::from(n)))
}

fn new_batch(n: u64) -> NewBatch {
    NewBatch {
        id: batch_id(n),
        name: format!("{n}.csv"),
        file_sha256: format!("{n:064x}"),
        lease_ms: LONG_MS,
        terms: domain::Terms::default(),
    }
}

/// Opens batch number `n` and writes chunks of so many rows.
async fn received(ledger: &RedisLedger, n: u64, chunks: u16, rows: u16) -> BatchId {
    let id = batch_id(n);
    ledger.open_batch(new_batch(n)).await.unwrap();
    for no in 0..chunks {
        let chunk = NewChunk {
            id: ChunkId { batch: id, no },
            first: Via { lane: lane(), format: ReferenceFormat::Number },
            second: None,
            rows,
            first_ordinal: u32::from(no) * u32::from(rows) + 1,
            unsent_give_up_ms: LONG_MS,
            blocks: vec![vec![7; 3_000]; usize::from(rows.div_ceil(100))],
            lease_ms: LONG_MS,
        };
        assert!(ledger.append(chunk).await.unwrap());
    }
    id
}

/// What seals a batch that [`received`] made.
fn seal_of(id: BatchId, chunks: u16, rows: u16) -> Seal {
    let rows = u64::from(chunks) * u64::from(rows);
    let total = CurrencyTotal { rows, minor: i128::from(rows), exponent: 2 };
    let totals = Totals([("EUR".to_owned(), total)].into());
    Seal { id, totals, chunks, state: BatchState::Active }
}

async fn sealed(ledger: &RedisLedger, n: u64, chunks: u16, rows: u16) -> BatchId {
    let id = received(ledger, n, chunks, rows).await;
    assert!(ledger.seal(seal_of(id, chunks, rows)).await.unwrap());
    id
}

async fn held(ledger: &RedisLedger, chunk: ChunkId) -> (Token, Vec<Payout>) {
    match ledger.claim(chunk, LONG_MS).await.unwrap() {
        Claim::Held { token, chunk, .. } => (token, chunk.payouts),
        other => panic!("{chunk} could not be claimed: {other:?}"),
    }
}

/// The three events of a payout that is paid, with the provider's id of 36 bytes.
fn intent() -> Event {
    Event::Intent {
        send_before: domain::Millis(1_900_000_000_000),
        sender: domain::Sender(1),
        account: domain::Account(1),
    }
}

fn accepted() -> Event {
    Event::Outcome { intent: 1, outcome: Outcome::Accepted }
}

fn paid() -> Event {
    Event::News { attempt: 1, news: News::Paid }
}

fn provider_id(row: u16) -> Note {
    Note::new(NoteKind::ProviderId, format!("3f2504e0-4f89-11d3-9a0c-{row:012}"))
}

/// Applies one event to rows, given with their payouts; all of them change.
async fn all_change(
    ledger: &RedisLedger,
    chunk: ChunkId,
    guard: Guard,
    event: Event,
    rows: &mut [(u16, Payout)],
) {
    let now = domain::Millis(1_800_000_000_000);
    let noted = matches!(event, Event::Outcome { .. });
    let happening = |(row, payout): &(u16, Payout)| Happening {
        row: *row,
        payout: *payout,
        event: event.clone(),
        notes: if noted { vec![provider_id(*row)] } else { Vec::new() },
    };
    let happenings = rows.iter().map(happening).collect();
    let policy = Policy::default();
    let applied = apply(ledger, chunk, guard, now, &policy, happenings).await.unwrap().unwrap();
    for ((row, payout), (applied_row, applied)) in rows.iter_mut().zip(applied) {
        assert_eq!(*row, applied_row);
        assert!(matches!(applied, Applied::Changed(_)), "{applied:?}");
        *payout = applied.payout();
    }
}

fn numbered(payouts: Vec<Payout>) -> Vec<(u16, Payout)> {
    (0..).zip(payouts).collect()
}

/// References that spread over the whole index.
fn references(batch: BatchId, first: u32, count: u32) -> Vec<(ReferenceKey, Place)> {
    let reference = |n: u32| {
        let text = format!("INV-{n}");
        let chunk = ChunkId { batch, no: u16::try_from((n / 1_000) % 60_000).unwrap() };
        let row = u16::try_from(n % 1_000).unwrap();
        (domain::PayerReference::new(&text).unwrap().key(), Place { chunk, row })
    };
    (first..first + count).map(reference).collect()
}

async fn keys_like(ledger: &RedisLedger, pattern: &str) -> Vec<String> {
    let mut keys = redis::cmd("KEYS");
    keys.arg(pattern);
    take(ledger.link.one(keys).await.unwrap(), "keys").unwrap()
}
