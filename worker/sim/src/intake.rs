//! Takes the batch of a run in, as the producer does.

use crate::gateway::lane_name;
use crate::run::policy;
use domain::batch::Totals;
use domain::{
    BatchId, BatchState, ChunkId, Currencies, Currency, Destination, Method, Money, PayerReference,
    Place, ReferenceFormat, Row, Terms,
};
use ledger::memory::MemoryLedger;
use ledger::{Ledger, NewBatch, NewChunk, Seal, Via};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use ulid::Ulid;

/// How our references are made.
pub const FORMAT: ReferenceFormat = ReferenceFormat::Text { max_bytes: 64 };

/// A sealed batch of so many payouts, in chunks of so many rows.
pub async fn take_in(
    memory: &MemoryLedger,
    payouts: u16,
    chunk_rows: u16,
    terms: Terms,
    second: Option<Via>,
) -> BatchId {
    let id = BatchId(Ulid::from_parts(1, 1));
    let fail = "the in-memory ledger takes a batch";
    let (name, file_sha256) = ("sim.csv".into(), "0".into());
    let new = NewBatch { id, name, file_sha256, lease_ms: 60_000, terms };
    memory.open_batch(new).await.expect(fail);
    let mut totals = Totals::default();
    let ordinals: Vec<u32> = (1..=u32::from(payouts)).collect();
    let mut chunks = 0;
    for (no, ordinals) in (0u16..).zip(ordinals.chunks(usize::from(chunk_rows))) {
        let rows: Vec<Row> = ordinals.iter().map(|ordinal| row(*ordinal)).collect();
        let chunk = ChunkId { batch: id, no };
        let places = (0u16..).map(|row| Place { chunk, row });
        let wanted = rows.iter().map(|r| r.reference.key()).zip(places).collect();
        assert!(memory.reserve(wanted).await.expect(fail).is_empty());
        rows.iter().for_each(|r| totals.add(&r.money));
        let new = NewChunk {
            id: chunk,
            first: Via { lane: lane_name(), format: FORMAT },
            second: second.clone(),
            rows: u16::try_from(rows.len()).unwrap_or(chunk_rows),
            first_ordinal: ordinals[0],
            unsent_give_up_ms: policy().unsent_give_up_ms,
            blocks: ledger::rows::encode(&rows).expect(fail),
            lease_ms: 60_000,
        };
        assert!(memory.append(new).await.expect(fail));
        chunks += 1;
    }
    let seal = Seal { id, totals, chunks, state: BatchState::Active };
    assert!(memory.seal(seal).await.expect(fail));
    id
}

/// The one currency of the file. Looking it up builds the whole table.
static EUR: LazyLock<Currency> =
    LazyLock::new(|| Currencies::default().find("EUR").expect("EUR is known"));

/// What a file of so many rows adds up to, in minor units.
pub fn total(payouts: u16) -> i128 {
    (1..=u32::from(payouts)).map(|ordinal| row(ordinal).money.minor_units()).sum()
}

/// The row that stands at an ordinal of the file.
pub fn row(ordinal: u32) -> Row {
    Row {
        ordinal,
        line: ordinal + 1,
        reference: PayerReference::new(&format!("P-{ordinal}")).expect("a valid reference"),
        money: Money::parse(&format!("{ordinal}.50"), &EUR, '.').expect("a valid amount"),
        method: Method::Card,
        destination: Destination::new("4111111111111111".to_owned()),
        fields: BTreeMap::new(),
    }
}
