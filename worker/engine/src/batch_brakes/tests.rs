//! Where the canaries of a batch lie.

use super::*;
use domain::batch::Totals;
use domain::{
    Currencies, Destination, LedgerId, Method, Money, PayerReference, ReferenceFormat, Row, Terms,
};
use futures::executor::block_on;
use ledger::memory::MemoryLedger;
use ledger::{NewBatch, NewChunk, Seal, Via};
use std::sync::Arc;

fn lane(name: &str) -> LaneName {
    LaneName::new(name).unwrap()
}

/// A sealed batch whose chunks, of one row each, lie on these lanes.
fn sealed(ledger: &MemoryLedger, lanes: &[&str]) -> BatchId {
    let id = BatchId::from_bytes([1; 16]);
    let (name, file_sha256) = ("a.csv".to_owned(), "0".to_owned());
    let new = NewBatch { id, name, file_sha256, lease_ms: 60_000, terms: Terms::default() };
    block_on(ledger.open_batch(new)).unwrap();
    let currency = Currencies::default().find("EUR").unwrap();
    let row = |ordinal| Row {
        ordinal,
        line: ordinal + 1,
        reference: PayerReference::new("P-1").unwrap(),
        money: Money::parse("1.00", &currency, '.').unwrap(),
        method: Method::Card,
        destination: Destination::new("4111111111111111".to_owned()),
        fields: BTreeMap::new(),
    };
    let mut totals = Totals::default();
    for (no, name) in (0u16..).zip(lanes) {
        let row = row(u32::from(no) + 1);
        totals.add(&row.money);
        let chunk = NewChunk {
            id: ChunkId { batch: id, no },
            first: Via { lane: lane(name), format: ReferenceFormat::Text { max_bytes: 64 } },
            second: None,
            rows: 1,
            first_ordinal: u32::from(no) + 1,
            unsent_give_up_ms: 1,
            blocks: ledger::rows::encode(&[row]).unwrap(),
            lease_ms: 60_000,
        };
        assert!(block_on(ledger.append(chunk)).unwrap());
    }
    let chunks = u16::try_from(lanes.len()).unwrap();
    let seal = Seal { id, totals, chunks, state: BatchState::Active };
    assert!(block_on(ledger.seal(seal)).unwrap());
    id
}

#[test]
fn each_lane_of_a_batch_has_its_canaries_in_its_own_first_chunk() {
    let ledger = MemoryLedger::new(LedgerId::from_random(0), Arc::new(|| Millis(1)));
    let batch = sealed(&ledger, &["a", "a", "b", "a", "b"]);
    let first = |no, name| block_on(first_chunk(&ledger, ChunkId { batch, no }, &lane(name)));
    assert_eq!([0, 1, 3].map(|no| first(no, "a").unwrap()), [0; 3]);
    assert_eq!([2, 4].map(|no| first(no, "b").unwrap()), [2; 2]);
}
