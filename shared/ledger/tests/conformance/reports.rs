//! Result files: one writer at a time, and the newest change is always shown in the end.

use crate::given::*;
use crate::world::{World, on_every_engine};
use domain::payout::State;
use domain::{BatchId, BatchState};

on_every_engine![
    an_open_batch_has_no_report,
    one_writes_the_report_at_a_time,
    a_report_whose_writer_died_is_due_again,
    a_change_after_the_report_makes_it_due_again,
    a_change_while_the_report_is_written_is_not_lost,
    an_older_report_does_not_hide_a_newer_one,
    a_cancelled_batch_is_reported_when_nothing_is_open,
    a_batch_that_does_not_exist_has_no_report,
];

/// A complete batch of one paid row.
async fn complete(world: &World) -> BatchId {
    let id = active(&*world.ledger, 1, &[1]).await;
    settle(&*world.ledger, chunk_id(id, 0), &[0], State::Paid).await;
    id
}

async fn an_open_batch_has_no_report(world: World) {
    let id = active(&*world.ledger, 1, &[2]).await;
    settle(&*world.ledger, chunk_id(id, 0), &[0], State::Paid).await;
    assert_eq!(world.ledger.claim_report(id, LONG).await.unwrap(), None);
}

async fn one_writes_the_report_at_a_time(world: World) {
    let id = complete(&world).await;
    let batch = world.ledger.claim_report(id, LONG).await.unwrap().unwrap();
    assert_eq!((batch.changes, batch.chunks, batch.totals), (1, 1, totals(1)));
    assert_eq!(world.second.claim_report(id, LONG).await.unwrap(), None);
    for _ in 0..2 {
        world.ledger.reported(id, batch.changes).await.unwrap();
        assert_eq!(world.ledger.batch(id).await.unwrap().unwrap().reported, Some(1));
        assert_eq!(world.second.claim_report(id, LONG).await.unwrap(), None, "it is current");
    }
}

async fn a_report_whose_writer_died_is_due_again(world: World) {
    let id = complete(&world).await;
    assert!(world.ledger.claim_report(id, SHORT).await.unwrap().is_some());
    world.pass(SHORT).await;
    assert!(world.second.claim_report(id, LONG).await.unwrap().is_some());
}

async fn a_change_after_the_report_makes_it_due_again(world: World) {
    let id = complete(&world).await;
    let batch = world.ledger.claim_report(id, LONG).await.unwrap().unwrap();
    world.ledger.reported(id, batch.changes).await.unwrap();
    settle(&*world.ledger, chunk_id(id, 0), &[0], State::Review).await;
    let batch = world.ledger.claim_report(id, LONG).await.unwrap().unwrap();
    assert_eq!((batch.changes, batch.reported), (2, Some(1)));
}

async fn a_change_while_the_report_is_written_is_not_lost(world: World) {
    let id = complete(&world).await;
    let batch = world.ledger.claim_report(id, LONG).await.unwrap().unwrap();
    settle(&*world.second, chunk_id(id, 0), &[0], State::Review).await;
    world.ledger.reported(id, batch.changes).await.unwrap();
    assert!(world.ledger.claim_report(id, LONG).await.unwrap().is_some());
}

async fn an_older_report_does_not_hide_a_newer_one(world: World) {
    let id = complete(&world).await;
    world.ledger.reported(id, 1).await.unwrap();
    world.ledger.reported(id, 0).await.unwrap();
    assert_eq!(world.ledger.batch(id).await.unwrap().unwrap().reported, Some(1));
}

async fn a_cancelled_batch_is_reported_when_nothing_is_open(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[2]).await;
    ledger.set_batch_state(id, BatchState::Active, BatchState::Cancelled).await.unwrap();
    settle(ledger, chunk_id(id, 0), &[0], State::Cancelled).await;
    assert_eq!(ledger.claim_report(id, LONG).await.unwrap(), None);
    settle(ledger, chunk_id(id, 0), &[1], State::Cancelled).await;
    let batch = ledger.claim_report(id, LONG).await.unwrap().unwrap();
    assert_eq!((batch.state, batch.changes), (BatchState::Cancelled, 2));
}

async fn a_batch_that_does_not_exist_has_no_report(world: World) {
    assert_eq!(world.ledger.claim_report(batch_id(1), LONG).await.unwrap(), None);
    world.ledger.reported(batch_id(1), 5).await.unwrap();
    assert_eq!(world.ledger.batch(batch_id(1)).await.unwrap(), None);
}
