//! Leases and readiness: one holder, growing tokens, nothing sleeps for longer than it should.

use crate::given::*;
use crate::world::{World, on_every_engine};
use domain::payout::State;
use domain::{Account, BatchState, LaneName, Millis, Payout, Sender};
use ledger::{Change, Claim, Guard, Token, Written};

on_every_engine![
    a_claim_excludes_others_until_it_is_given_back,
    a_claim_tells_how_things_stand,
    an_ended_lease_goes_to_the_next_with_a_higher_token,
    an_old_token_cannot_write_renew_or_release,
    a_renewal_moves_the_end_of_the_lease,
    an_ended_lease_cannot_be_renewed_or_written_under,
    a_chunk_is_hinted_once_and_a_lost_hint_comes_back,
    a_chunk_whose_holder_died_is_ready_again,
    a_released_chunk_is_ready_when_its_holder_said,
    a_second_release_changes_nothing,
    a_fact_wakes_a_chunk_that_sleeps,
    a_fact_wakes_a_chunk_while_somebody_holds_it,
    a_fact_that_wants_nothing_wakes_nobody,
    a_fact_beside_a_conflict_wakes_at_its_own_time,
    the_holders_own_writes_leave_the_schedule_to_him,
    a_batch_that_becomes_active_again_wakes_its_chunks,
    a_paused_batch_is_followed_and_sends_nothing,
    a_cancelled_batch_is_followed_until_nothing_is_open,
    a_complete_batch_is_left_alone,
    a_lane_gives_its_own_chunks_only,
    nothing_is_known_of_a_chunk_that_does_not_exist,
];

async fn a_claim_excludes_others_until_it_is_given_back(world: World) {
    let ledger = &*world.ledger;
    let chunk = chunk_id(active(ledger, 1, &[1]).await, 0);
    let (first, _) = held(ledger, chunk, LONG).await;
    assert_eq!(world.second.claim(chunk, LONG).await.unwrap(), Claim::Busy);
    assert_eq!(ledger.claim(chunk, LONG).await.unwrap(), Claim::Busy, "not even its holder");
    ledger.release(chunk, first, Millis(0)).await.unwrap();
    let (second, _) = held(&*world.second, chunk, LONG).await;
    assert!(second > first);
}

async fn a_claim_tells_how_things_stand(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[2]).await;
    settle(ledger, chunk_id(id, 0), &[1], State::Review).await;
    let before = world.now().await;
    ledger.set_batch_state(id, BatchState::Active, BatchState::Paused).await.unwrap();
    let claim = ledger.claim(chunk_id(id, 0), LONG).await.unwrap();
    let Claim::Held { chunk, batch, now, .. } = claim else { panic!("{claim:?}") };
    assert_eq!(Some(chunk), ledger.chunk(chunk_id(id, 0)).await.unwrap());
    assert_eq!(batch, BatchState::Paused);
    assert!(now >= before);
}

async fn an_ended_lease_goes_to_the_next_with_a_higher_token(world: World) {
    let ledger = &*world.ledger;
    let chunk = chunk_id(active(ledger, 1, &[1]).await, 0);
    let mut last = Token(0);
    for _ in 0..3 {
        let (token, _) = held(ledger, chunk, SHORT).await;
        assert!(token > last);
        last = token;
        world.pass(SHORT).await;
    }
}

async fn an_old_token_cannot_write_renew_or_release(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[1]).await;
    let chunk = chunk_id(id, 0);
    let (old, seen) = held(ledger, chunk, SHORT).await;
    world.pass(SHORT).await;
    let (current, _) = held(ledger, chunk, LONG).await;
    assert!(!ledger.renew(chunk, old, LONG).await.unwrap());
    ledger.release(chunk, old, Millis(0)).await.unwrap();
    assert_eq!(ledger.claim(chunk, LONG).await.unwrap(), Claim::Busy);
    assert_eq!(ready(&world).await, []);
    for guard in [Guard::Intent(old), Guard::Held(old), Guard::Held(Token(current.0 + 1))] {
        let change = into_state(0, seen.payouts[0], State::Submitting);
        assert_eq!(ledger.write(chunk, guard, vec![change]).await.unwrap(), Written::Refused);
    }
    assert_eq!(payouts(ledger, chunk).await, seen.payouts);
    assert!(ledger.renew(chunk, current, LONG).await.unwrap());
}

async fn a_renewal_moves_the_end_of_the_lease(world: World) {
    let ledger = &*world.ledger;
    let chunk = chunk_id(active(ledger, 1, &[1]).await, 0);
    let (token, _) = held(ledger, chunk, LONG).await;
    assert!(ledger.renew(chunk, token, SHORT).await.unwrap());
    world.pass(SHORT).await;
    // On a slow machine a short lease may end before it is renewed: then it is taken again.
    let first_ms = 300;
    loop {
        let (token, _) = held(ledger, chunk, first_ms).await;
        if ledger.renew(chunk, token, LONG).await.unwrap() {
            break;
        }
    }
    world.pass(first_ms).await;
    assert_eq!(world.second.claim(chunk, LONG).await.unwrap(), Claim::Busy);
    assert_eq!(ready(&world).await, []);
}

async fn an_ended_lease_cannot_be_renewed_or_written_under(world: World) {
    let ledger = &*world.ledger;
    let chunk = chunk_id(active(ledger, 1, &[1]).await, 0);
    let (token, seen) = held(ledger, chunk, SHORT).await;
    world.pass(SHORT).await;
    assert!(!ledger.renew(chunk, token, LONG).await.unwrap());
    for guard in [Guard::Intent(token), Guard::Held(token)] {
        let change = into_state(0, seen.payouts[0], State::Submitting);
        assert_eq!(ledger.write(chunk, guard, vec![change]).await.unwrap(), Written::Refused);
    }
}

async fn a_chunk_is_hinted_once_and_a_lost_hint_comes_back(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[1, 1]).await;
    let take = |max, hint_ms| world.ledger.take_ready(lane(), max, hint_ms);
    assert_eq!(take(0, LONG).await.unwrap(), []);
    assert_eq!(take(1, LONG).await.unwrap(), [chunk_id(id, 0)]);
    assert_eq!(take(9, SHORT).await.unwrap(), [chunk_id(id, 1)]);
    world.pass(SHORT).await;
    assert_eq!(take(9, LONG).await.unwrap(), [chunk_id(id, 1)]);
    assert_eq!(take(9, LONG).await.unwrap(), []);
}

async fn a_chunk_whose_holder_died_is_ready_again(world: World) {
    let ledger = &*world.ledger;
    let chunk = chunk_id(active(ledger, 1, &[1]).await, 0);
    held(ledger, chunk, SHORT).await;
    world.pass(SHORT).await;
    assert_eq!(ready(&world).await, [chunk]);
}

async fn a_released_chunk_is_ready_when_its_holder_said(world: World) {
    let ledger = &*world.ledger;
    let chunk = chunk_id(active(ledger, 1, &[1]).await, 0);
    let release = async |at| {
        let (token, _) = held(ledger, chunk, LONG).await;
        ledger.release(chunk, token, at).await.unwrap();
    };
    release(Millis::NEVER).await;
    assert_eq!(ready(&world).await, []);
    release(world.now().await.plus(SHORT)).await;
    world.pass(SHORT).await;
    assert_eq!(ready(&world).await, [chunk]);
    release(Millis(0)).await;
    assert_eq!(ready(&world).await, [chunk]);
}

async fn a_second_release_changes_nothing(world: World) {
    let ledger = &*world.ledger;
    let chunk = chunk_id(active(ledger, 1, &[1]).await, 0);
    let (token, _) = held(ledger, chunk, LONG).await;
    ledger.release(chunk, token, Millis(0)).await.unwrap();
    ledger.release(chunk, token, Millis::NEVER).await.unwrap();
    assert_eq!(ready(&world).await, [chunk]);
    assert!(!ledger.renew(chunk, token, LONG).await.unwrap());
}

/// A fact about row 0 that leaves it submitted and due at `due`.
async fn fact_due_at(world: &World, chunk: domain::ChunkId, due: Millis) {
    let from = payouts(&*world.second, chunk).await[0];
    let change = Change { row: 0, from, to: next(from, State::Submitted, due), notes: vec![] };
    let written = world.second.write(chunk, Guard::Fact, vec![change]).await.unwrap();
    assert_eq!(written, Written::Done(vec![]));
}

async fn a_fact_wakes_a_chunk_that_sleeps(world: World) {
    let ledger = &*world.ledger;
    let chunk = chunk_id(active(ledger, 1, &[1]).await, 0);
    let (token, _) = held(ledger, chunk, LONG).await;
    ledger.release(chunk, token, Millis::NEVER).await.unwrap();
    fact_due_at(&world, chunk, Millis(5)).await;
    assert_eq!(ready(&world).await, [chunk]);
}

async fn a_fact_wakes_a_chunk_while_somebody_holds_it(world: World) {
    let ledger = &*world.ledger;
    let chunk = chunk_id(active(ledger, 1, &[1]).await, 0);
    let (token, _) = held(ledger, chunk, LONG).await;
    fact_due_at(&world, chunk, Millis(5)).await;
    assert_eq!(ready(&world).await, [chunk]);
    assert!(ledger.renew(chunk, token, LONG).await.unwrap());
    assert_eq!(ready(&world).await, [], "its holder lives");
    fact_due_at(&world, chunk, Millis::NEVER).await;
    ledger.release(chunk, token, Millis::NEVER).await.unwrap();
    assert_eq!(ready(&world).await, [chunk], "the fact is not forgotten");
    let (token, _) = held(ledger, chunk, LONG).await;
    ledger.release(chunk, token, Millis::NEVER).await.unwrap();
    assert_eq!(ready(&world).await, [], "the claim has seen the fact");
}

async fn a_fact_that_wants_nothing_wakes_nobody(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[2]).await;
    let chunk = chunk_id(id, 0);
    let (token, seen) = held(ledger, chunk, LONG).await;
    settle(ledger, chunk, &[1], State::Paid).await;
    // Not changed, and not written: neither is a wish.
    let same = only_notes(0, seen.payouts[0], vec![]);
    ledger.write(chunk, Guard::Fact, vec![same]).await.unwrap();
    let mut stale = into_state(1, seen.payouts[1], State::Submitted);
    stale.to.due = Millis(0);
    ledger.write(chunk, Guard::Fact, vec![stale]).await.unwrap();
    ledger.release(chunk, token, Millis::NEVER).await.unwrap();
    assert_eq!(ready(&world).await, []);
}

/// Its neighbour is not as it was read: the two are looked at one by one.
async fn a_fact_beside_a_conflict_wakes_at_its_own_time(world: World) {
    let ledger = &*world.ledger;
    let chunk = chunk_id(active(ledger, 1, &[2]).await, 0);
    let (token, seen) = held(ledger, chunk, LONG).await;
    settle(ledger, chunk, &[0], State::Submitted).await;
    ledger.release(chunk, token, Millis::NEVER).await.unwrap();
    let stale = into_state(0, seen.payouts[0], State::Paid);
    let write = async |from: Payout, due| {
        let mut to = next(from, State::Submitted, due);
        (to.sender, to.account) = (Sender(7), Account(9));
        let changes = vec![stale.clone(), Change { row: 1, from, to, notes: vec![] }];
        let written = ledger.write(chunk, Guard::Fact, changes).await.unwrap();
        assert!(matches!(written, Written::Done(conflicts) if conflicts[0].0 == 0));
        to
    };
    let far = write(seen.payouts[1], world.now().await.plus(LONG)).await;
    assert!(!ready(&world).await.contains(&chunk), "it is due far away");
    write(far, Millis(5)).await;
    assert_eq!(ready(&world).await, [chunk]);
}

async fn the_holders_own_writes_leave_the_schedule_to_him(world: World) {
    let ledger = &*world.ledger;
    let chunk = chunk_id(active(ledger, 1, &[1]).await, 0);
    let (token, seen) = held(ledger, chunk, LONG).await;
    let mut from = seen.payouts[0];
    for guard in [Guard::Intent(token), Guard::Held(token)] {
        let to = next(from, State::Submitted, Millis(1));
        let change = Change { row: 0, from, to, notes: vec![] };
        assert_eq!(ledger.write(chunk, guard, vec![change]).await.unwrap(), Written::Done(vec![]));
        from = to;
    }
    ledger.release(chunk, token, Millis::NEVER).await.unwrap();
    assert_eq!(ready(&world).await, []);
}

async fn a_batch_that_becomes_active_again_wakes_its_chunks(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[1, 1]).await;
    let go = |from, to| world.second.set_batch_state(id, from, to);
    assert!(go(BatchState::Active, BatchState::Paused).await.unwrap());
    let (token, _) = held(ledger, chunk_id(id, 0), LONG).await;
    ledger.release(chunk_id(id, 0), token, Millis::NEVER).await.unwrap();
    // This holder saw "paused" and will put the chunk to sleep for as long as it can.
    let (token, _) = held(ledger, chunk_id(id, 1), LONG).await;
    assert!(go(BatchState::Paused, BatchState::Active).await.unwrap());
    ledger.release(chunk_id(id, 1), token, Millis::NEVER).await.unwrap();
    assert_eq!(ready(&world).await, [chunk_id(id, 0), chunk_id(id, 1)]);
    assert!(!go(BatchState::Paused, BatchState::Active).await.unwrap(), "it is not paused");
    assert!(!go(BatchState::Active, BatchState::Receiving).await.unwrap());
}

async fn a_paused_batch_is_followed_and_sends_nothing(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[1]).await;
    ledger.set_batch_state(id, BatchState::Active, BatchState::Paused).await.unwrap();
    assert_eq!(ready(&world).await, [chunk_id(id, 0)]);
    let (token, seen) = held(ledger, chunk_id(id, 0), LONG).await;
    let change = || vec![into_state(0, seen.payouts[0], State::Submitting)];
    let write = |guard| ledger.write(seen.id, guard, change());
    assert_eq!(write(Guard::Intent(token)).await.unwrap(), Written::Refused);
    assert_eq!(write(Guard::Held(token)).await.unwrap(), Written::Done(vec![]));
}

async fn a_cancelled_batch_is_followed_until_nothing_is_open(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[2]).await;
    let chunk = chunk_id(id, 0);
    settle(ledger, chunk, &[0], State::Submitted).await;
    assert!(ledger.set_batch_state(id, BatchState::Active, BatchState::Cancelled).await.unwrap());
    settle(ledger, chunk, &[1], State::Cancelled).await;
    assert_eq!(ready(&world).await, [chunk]);
    let (token, seen) = held(ledger, chunk, LONG).await;
    let outcome = vec![into_state(0, seen.payouts[0], State::Unknown)];
    let intent = ledger.write(chunk, Guard::Intent(token), outcome.clone()).await.unwrap();
    assert_eq!(intent, Written::Refused);
    let written = ledger.write(chunk, Guard::Held(token), outcome).await.unwrap();
    assert_eq!(written, Written::Done(vec![]));
    settle(ledger, chunk, &[0], State::Paid).await;
    ledger.release(chunk, token, Millis(0)).await.unwrap();
    assert_eq!(ready(&world).await, []);
    assert_eq!(ledger.claim(chunk, LONG).await.unwrap(), Claim::Gone);
    assert!(ledger.chunk(chunk).await.unwrap().is_some(), "it can still be read");
}

async fn a_complete_batch_is_left_alone(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[1]).await;
    settle(ledger, chunk_id(id, 0), &[0], State::Review).await;
    assert_eq!(state_of(ledger, id).await, BatchState::Complete);
    assert_eq!(ready(&world).await, []);
}

async fn a_lane_gives_its_own_chunks_only(world: World) {
    let ledger = &*world.ledger;
    let other = LaneName::new("lane-b").unwrap();
    let id = received(ledger, 1, &[1, 1]).await;
    let there = ledger::NewChunk {
        first: ledger::Via { lane: other.clone(), ..new_chunk(chunk_id(id, 1), 1).first },
        ..new_chunk(chunk_id(id, 1), 1)
    };
    ledger.append(there).await.unwrap();
    ledger.seal(seal_of(id, &[1, 1], BatchState::Active)).await.unwrap();
    assert_eq!(ready(&world).await, [chunk_id(id, 0)]);
    assert_eq!(ledger.take_ready(other, 9, LONG).await.unwrap(), [chunk_id(id, 1)]);
    let nobody = LaneName::new("lane-c").unwrap();
    assert_eq!(ledger.take_ready(nobody, 9, LONG).await.unwrap(), []);
}

async fn nothing_is_known_of_a_chunk_that_does_not_exist(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[1]).await;
    for chunk in [chunk_id(id, 1), chunk_id(batch_id(2), 0)] {
        assert_eq!(ledger.claim(chunk, LONG).await.unwrap(), Claim::Gone);
        assert!(!ledger.renew(chunk, Token(1), LONG).await.unwrap());
        ledger.release(chunk, Token(1), Millis(0)).await.unwrap();
        assert_eq!(ledger.write(chunk, Guard::Fact, vec![]).await.unwrap(), Written::Refused);
        assert_eq!(ledger.notes(chunk).await.unwrap(), []);
    }
}
