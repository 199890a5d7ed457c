//! When a batch may go: before that moment no chunk of it is given out by itself, and no intent is
//! taken, whatever else happens to it.

use crate::given::*;
use crate::world::{World, on_every_engine};
use domain::payout::State;
use domain::{BatchId, BatchState, ChunkId, Millis, Priority, Terms};
use ledger::{Claim, Guard, Ledger, Token, Written};

on_every_engine![
    a_batch_keeps_its_terms,
    nothing_of_a_batch_is_given_out_before_its_time_and_all_of_it_after,
    no_intent_is_taken_before_the_time_whoever_holds_the_chunk,
    an_approval_a_pause_and_a_resumption_do_not_bring_a_batch_forward,
    a_holder_that_saw_a_pause_does_not_sleep_past_the_time,
    a_fact_wakes_a_waiting_chunk_and_still_nothing_is_sent,
    a_row_that_was_never_sent_has_all_its_time_from_then_on,
    a_time_that_has_passed_is_now,
];

fn not_before(at: Millis) -> Terms {
    Terms { not_before: at, ..Terms::default() }
}

/// A moment that no test reaches.
async fn far(world: &World) -> Millis {
    world.now().await.plus(LONG)
}

/// Whether the intent of a chunk's first row is taken under a lease.
async fn may_send(ledger: &dyn Ledger, chunk: ChunkId, token: Token) -> bool {
    let stands = payouts(ledger, chunk).await[0];
    let intent = vec![into_state(0, stands, State::Submitting)];
    match ledger.write(chunk, Guard::Intent(token), intent).await.unwrap() {
        Written::Done(conflicts) => conflicts.is_empty(),
        Written::Refused => false,
    }
}

async fn a_batch_keeps_its_terms(world: World) {
    let ledger = &*world.ledger;
    let terms = Terms { not_before: far(&world).await, priority: Priority::Low };
    let id = active_on(ledger, 1, &[1], terms).await;
    assert_eq!(world.second.batch(id).await.unwrap().unwrap().terms, terms);
    assert_eq!(ledger.batches(None, 9).await.unwrap()[0].terms, terms);
    let claim = ledger.claim(chunk_id(id, 0), LONG).await.unwrap();
    assert!(matches!(claim, Claim::Held { terms: told, .. } if told == terms), "{claim:?}");
    settle(ledger, chunk_id(id, 0), &[0], State::Paid).await;
    let report = ledger.claim_report(id, LONG).await.unwrap().expect("it is over");
    assert_eq!(report.terms, terms);
    let plain = active(ledger, 2, &[1]).await;
    assert_eq!(ledger.batch(plain).await.unwrap().unwrap().terms, Terms::default());
}

async fn nothing_of_a_batch_is_given_out_before_its_time_and_all_of_it_after(world: World) {
    let ledger = &*world.ledger;
    active_on(ledger, 1, &[1, 1], not_before(far(&world).await)).await;
    assert_eq!(ready(&world).await, []);
    let at = world.now().await.plus(50);
    let soon = active_on(ledger, 2, &[1, 1], not_before(at)).await;
    world.pass(50).await;
    assert_eq!(ready(&world).await, [chunk_id(soon, 0), chunk_id(soon, 1)]);
    let (token, _) = held(ledger, chunk_id(soon, 0), LONG).await;
    assert!(may_send(ledger, chunk_id(soon, 0), token).await);
}

async fn no_intent_is_taken_before_the_time_whoever_holds_the_chunk(world: World) {
    let ledger = &*world.ledger;
    let id = active_on(ledger, 1, &[1], not_before(far(&world).await)).await;
    let chunk = chunk_id(id, 0);
    let (token, seen) = held(ledger, chunk, LONG).await;
    assert!(!may_send(ledger, chunk, token).await);
    assert_eq!(payouts(ledger, chunk).await, seen.payouts);
    let cancelled = vec![into_state(0, seen.payouts[0], State::Cancelled)];
    let written = ledger.write(chunk, Guard::Held(token), cancelled).await.unwrap();
    assert_eq!(written, Written::Done(vec![]), "only sending has to wait");
}

/// Nothing of it is ready, and nothing can be sent by whoever takes it all the same.
async fn waits(world: &World, id: BatchId) {
    assert_eq!(ready(world).await, []);
    let (token, _) = held(&*world.ledger, chunk_id(id, 0), LONG).await;
    assert!(!may_send(&*world.ledger, chunk_id(id, 0), token).await);
    let at = world.ledger.batch(id).await.unwrap().unwrap().terms.not_before;
    world.ledger.release(chunk_id(id, 0), token, at).await.unwrap();
}

async fn an_approval_a_pause_and_a_resumption_do_not_bring_a_batch_forward(world: World) {
    let ledger = &*world.ledger;
    let terms = not_before(far(&world).await);
    let id = sealed_on(ledger, 1, &[1, 1], terms, BatchState::Awaiting).await;
    let go = async |from, to| assert!(ledger.set_batch_state(id, from, to).await.unwrap());
    waits(&world, id).await;
    go(BatchState::Awaiting, BatchState::Active).await;
    waits(&world, id).await;
    go(BatchState::Active, BatchState::Paused).await;
    waits(&world, id).await;
    go(BatchState::Paused, BatchState::Active).await;
    waits(&world, id).await;
}

async fn a_holder_that_saw_a_pause_does_not_sleep_past_the_time(world: World) {
    let ledger = &*world.ledger;
    let at = world.now().await.plus(300);
    let id = active_on(ledger, 1, &[1, 1], not_before(at)).await;
    let go = async |from, to| assert!(ledger.set_batch_state(id, from, to).await.unwrap());
    go(BatchState::Active, BatchState::Paused).await;
    let (first, _) = held(ledger, chunk_id(id, 0), LONG).await;
    ledger.release(chunk_id(id, 0), first, Millis::NEVER).await.unwrap();
    let (second, _) = held(ledger, chunk_id(id, 1), LONG).await;
    go(BatchState::Paused, BatchState::Active).await;
    ledger.release(chunk_id(id, 1), second, Millis::NEVER).await.unwrap();
    world.pass(300).await;
    assert_eq!(ready(&world).await, [chunk_id(id, 0), chunk_id(id, 1)]);
}

async fn a_fact_wakes_a_waiting_chunk_and_still_nothing_is_sent(world: World) {
    let ledger = &*world.ledger;
    let id = active_on(ledger, 1, &[2], not_before(far(&world).await)).await;
    let chunk = chunk_id(id, 0);
    let from = payouts(ledger, chunk).await[1];
    let to = next(from, State::Submitted, Millis(5));
    let fact = ledger::Change { row: 1, from, to, notes: vec![] };
    assert_eq!(ledger.write(chunk, Guard::Fact, vec![fact]).await.unwrap(), Written::Done(vec![]));
    assert_eq!(ready(&world).await, [chunk], "what was heard is looked up");
    let (token, _) = held(ledger, chunk, LONG).await;
    assert!(!may_send(ledger, chunk, token).await);
}

async fn a_row_that_was_never_sent_has_all_its_time_from_then_on(world: World) {
    let ledger = &*world.ledger;
    let at = far(&world).await;
    let id = active_on(ledger, 1, &[1], not_before(at)).await;
    let payout = payouts(ledger, chunk_id(id, 0)).await[0];
    let waits = payout.give_up_at.since(at);
    assert!(waits.abs_diff(LONG) <= 1_000, "it gives up {waits} ms after it may go");
    assert!(payout.since.0.abs_diff(world.now().await.0) <= 60_000, "it was taken in now");
}

async fn a_time_that_has_passed_is_now(world: World) {
    let ledger = &*world.ledger;
    let past = Millis(world.now().await.0 - 5_000);
    let id = active_on(ledger, 1, &[1], not_before(past)).await;
    assert_eq!(ready(&world).await, [chunk_id(id, 0)]);
    let payout = payouts(ledger, chunk_id(id, 0)).await[0];
    let waits = payout.give_up_at.since(payout.since);
    assert!(waits.abs_diff(LONG) <= 1_000, "it gives up after {waits} ms");
}
