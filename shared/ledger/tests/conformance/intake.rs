//! Intake: a batch is opened, written and sealed; every step twice; nothing is payable before.

use crate::given::*;
use crate::world::{World, on_every_engine};
use domain::payout::State;
use domain::{BatchState, LaneName, Millis, Payout, ReferenceFormat};
use ledger::{Claim, Guard, LedgerError, NewChunk, Opened, Via, Written};

on_every_engine![
    a_batch_opened_twice_is_fresh_both_times,
    an_id_cannot_be_opened_for_another_file,
    a_file_is_refused_while_its_batch_stands,
    the_file_of_a_rejected_batch_is_taken_again,
    the_file_of_a_dead_intake_is_taken_over_and_its_batch_rejected,
    the_file_of_a_cancelled_batch_comes_back_where_nothing_was_sent,
    the_file_of_a_cancelled_batch_stays_where_something_was_sent,
    a_chunk_written_twice_is_there_once,
    nothing_is_appended_after_the_intake_has_ended,
    a_chunk_without_rows_or_with_too_many_is_an_error,
    an_append_keeps_the_intake_alive,
    a_seal_tells_the_truth_when_asked_twice,
    what_was_not_written_cannot_be_sealed,
    a_rejected_batch_stays_rejected_and_a_sealed_one_is_not_rejected,
    nothing_is_payable_before_the_seal,
    a_sealed_batch_accounts_for_every_row,
    a_chunk_keeps_its_second_lane,
    a_batch_that_awaits_approval_is_paid_after_it,
    blocks_of_rows_come_back_one_by_one,
    batches_are_listed_from_the_newest_to_the_oldest,
    the_ledger_has_one_id_and_its_time_does_not_go_back,
];

async fn a_batch_opened_twice_is_fresh_both_times(world: World) {
    assert_eq!(world.ledger.open_batch(new_batch(1)).await.unwrap(), Opened::Fresh);
    assert_eq!(world.second.open_batch(new_batch(1)).await.unwrap(), Opened::Fresh);
    let batch = world.ledger.batch(batch_id(1)).await.unwrap().unwrap();
    assert_eq!((batch.name.as_str(), batch.state), ("1.csv", BatchState::Receiving));
    assert_eq!((batch.counts.total(), batch.changes, batch.reported), (0, 0, None));
}

async fn an_id_cannot_be_opened_for_another_file(world: World) {
    world.ledger.open_batch(with_file(1, 1)).await.unwrap();
    let error = world.ledger.open_batch(with_file(1, 2)).await.unwrap_err();
    assert!(matches!(error, LedgerError::Broken(_)));
    assert_eq!(world.ledger.open_batch(with_file(2, 2)).await.unwrap(), Opened::Fresh);
}

async fn a_file_is_refused_while_its_batch_stands(world: World) {
    let ledger = &*world.ledger;
    let same = || async { world.second.open_batch(with_file(2, 1)).await.unwrap() };
    let id = received(ledger, 1, &[1]).await;
    assert_eq!(same().await, Opened::SameFile(id));
    ledger.seal(seal_of(id, &[1], BatchState::Active)).await.unwrap();
    assert_eq!(same().await, Opened::SameFile(id));
    ledger.set_batch_state(id, BatchState::Active, BatchState::Paused).await.unwrap();
    assert_eq!(same().await, Opened::SameFile(id));
    settle(ledger, chunk_id(id, 0), &[0], State::Paid).await;
    assert_eq!(state_of(ledger, id).await, BatchState::Complete);
    assert_eq!(same().await, Opened::SameFile(id));
    assert_eq!(ledger.batch(batch_id(2)).await.unwrap(), None);
}

async fn the_file_of_a_rejected_batch_is_taken_again(world: World) {
    world.ledger.open_batch(with_file(1, 1)).await.unwrap();
    assert!(world.ledger.reject(batch_id(1), "line 3".to_owned(), false).await.unwrap());
    assert_eq!(world.ledger.open_batch(with_file(2, 1)).await.unwrap(), Opened::Fresh);
    let third = world.ledger.open_batch(with_file(3, 1)).await.unwrap();
    assert_eq!(third, Opened::SameFile(batch_id(2)));
    assert_eq!(world.ledger.batch(batch_id(1)).await.unwrap().unwrap().reason, "line 3");
}

async fn the_file_of_a_dead_intake_is_taken_over_and_its_batch_rejected(world: World) {
    let dead = ledger::NewBatch { lease_ms: SHORT, ..with_file(1, 1) };
    world.ledger.open_batch(dead).await.unwrap();
    world.pass(SHORT).await;
    assert_eq!(world.second.open_batch(with_file(2, 1)).await.unwrap(), Opened::Fresh);
    assert_eq!(state_of(&*world.ledger, batch_id(1)).await, BatchState::Rejected);
    assert!(!world.ledger.append(new_chunk(chunk_id(batch_id(1), 0), 1)).await.unwrap());
    let third = world.ledger.open_batch(with_file(3, 1)).await.unwrap();
    assert_eq!(third, Opened::SameFile(batch_id(2)));
}

async fn the_file_of_a_cancelled_batch_comes_back_where_nothing_was_sent(world: World) {
    let id = active(&*world.ledger, 1, &[2]).await;
    let ledger = &*world.ledger;
    assert!(ledger.set_batch_state(id, BatchState::Active, BatchState::Cancelled).await.unwrap());
    assert_eq!(ledger.open_batch(with_file(2, 1)).await.unwrap(), Opened::Fresh);
}

async fn the_file_of_a_cancelled_batch_stays_where_something_was_sent(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[2]).await;
    settle(ledger, chunk_id(id, 0), &[1], State::Submitting).await;
    settle(ledger, chunk_id(id, 0), &[1], State::Failed).await;
    assert!(ledger.set_batch_state(id, BatchState::Active, BatchState::Cancelled).await.unwrap());
    assert_eq!(ledger.open_batch(with_file(2, 1)).await.unwrap(), Opened::SameFile(id));
}

async fn a_chunk_written_twice_is_there_once(world: World) {
    let ledger = &*world.ledger;
    let id = received(ledger, 1, &[3, 5]).await;
    assert!(ledger.append(new_chunk(chunk_id(id, 1), 4)).await.unwrap());
    assert!(ledger.seal(seal_of(id, &[3, 4], BatchState::Active)).await.unwrap());
    assert_eq!(payouts(ledger, chunk_id(id, 1)).await.len(), 4);
    assert_eq!(ready(&world).await.len(), 2);
    assert_eq!(ledger.blocks(chunk_id(id, 1), 0, 9).await.unwrap().len(), 1);
}

async fn nothing_is_appended_after_the_intake_has_ended(world: World) {
    let ledger = &*world.ledger;
    let sealed = active(ledger, 1, &[1]).await;
    assert!(!ledger.append(new_chunk(chunk_id(sealed, 1), 1)).await.unwrap());
    let rejected = received(ledger, 2, &[1]).await;
    ledger.reject(rejected, String::new(), false).await.unwrap();
    assert!(!ledger.append(new_chunk(chunk_id(rejected, 1), 1)).await.unwrap());
    assert!(!ledger.append(new_chunk(chunk_id(batch_id(3), 0), 1)).await.unwrap());
}

async fn a_chunk_without_rows_or_with_too_many_is_an_error(world: World) {
    let id = received(&*world.ledger, 1, &[]).await;
    for rows in [0, 1_001] {
        let error = world.ledger.append(new_chunk(chunk_id(id, 0), rows)).await.unwrap_err();
        assert!(matches!(error, LedgerError::Broken(_)));
    }
}

async fn an_append_keeps_the_intake_alive(world: World) {
    let ledger = &*world.ledger;
    ledger.open_batch(ledger::NewBatch { lease_ms: SHORT, ..new_batch(1) }).await.unwrap();
    ledger.append(new_chunk(chunk_id(batch_id(1), 0), 1)).await.unwrap();
    world.pass(SHORT).await;
    assert!(!ledger.reject(batch_id(1), "dead".to_owned(), true).await.unwrap());
    let short = ledger::NewChunk { lease_ms: SHORT, ..new_chunk(chunk_id(batch_id(1), 1), 1) };
    ledger.append(short).await.unwrap();
    world.pass(SHORT).await;
    assert!(ledger.reject(batch_id(1), "dead".to_owned(), true).await.unwrap());
}

async fn a_seal_tells_the_truth_when_asked_twice(world: World) {
    let ledger = &*world.ledger;
    let id = received(ledger, 1, &[2]).await;
    let seal = seal_of(id, &[2], BatchState::Active);
    assert!(ledger.seal(seal.clone()).await.unwrap());
    assert!(world.second.seal(seal.clone()).await.unwrap());
    settle(ledger, chunk_id(id, 0), &[0, 1], State::Paid).await;
    assert!(ledger.seal(seal.clone()).await.unwrap(), "it was sealed, and is complete since");
    assert_eq!(state_of(ledger, id).await, BatchState::Complete);
    assert!(!ledger.seal(seal_of(id, &[3], BatchState::Active)).await.unwrap());

    let lost = received(ledger, 2, &[2]).await;
    ledger.reject(lost, String::new(), false).await.unwrap();
    assert!(!ledger.seal(seal_of(lost, &[2], BatchState::Active)).await.unwrap());
    assert!(!ledger.seal(seal_of(batch_id(3), &[2], BatchState::Active)).await.unwrap());
}

async fn what_was_not_written_cannot_be_sealed(world: World) {
    let ledger = &*world.ledger;
    let id = received(ledger, 1, &[2, 2]).await;
    for chunks in [&[][..], &[4], &[2, 3], &[2, 2, 2]] {
        let error = ledger.seal(seal_of(id, chunks, BatchState::Active)).await.unwrap_err();
        assert!(matches!(error, LedgerError::Broken(_)), "{chunks:?}");
    }
    let paused = seal_of(id, &[2, 2], BatchState::Paused);
    assert!(matches!(ledger.seal(paused).await, Err(LedgerError::Broken(_))));
    assert_eq!(state_of(ledger, id).await, BatchState::Receiving);
    assert!(ledger.seal(seal_of(id, &[2, 2], BatchState::Active)).await.unwrap());
}

async fn a_rejected_batch_stays_rejected_and_a_sealed_one_is_not_rejected(world: World) {
    let ledger = &*world.ledger;
    let reject = |n, abandoned| ledger.reject(batch_id(n), format!("batch {n}"), abandoned);
    received(ledger, 1, &[1]).await;
    assert!(!reject(1, true).await.unwrap(), "its intake lives");
    assert!(reject(1, false).await.unwrap());
    assert!(reject(1, false).await.unwrap());
    assert!(reject(1, true).await.unwrap(), "it is rejected now");
    active(ledger, 2, &[1]).await;
    assert!(!reject(2, false).await.unwrap());
    assert!(!reject(3, false).await.unwrap(), "there is no such batch");
    assert_eq!(ledger.batch(batch_id(2)).await.unwrap().unwrap().reason, "");
}

async fn nothing_is_payable_before_the_seal(world: World) {
    let ledger = &*world.ledger;
    let id = received(ledger, 1, &[2]).await;
    let chunk = chunk_id(id, 0);
    for _ in 0..2 {
        assert_eq!(ledger.chunk(chunk).await.unwrap(), None);
        assert_eq!(ledger.claim(chunk, LONG).await.unwrap(), Claim::Gone);
        assert_eq!(ready(&world).await, []);
        let change = into_state(0, Payout::new(Millis(0), Millis(0)), State::Paid);
        let written = ledger.write(chunk, Guard::Fact, vec![change]).await.unwrap();
        assert_eq!(written, Written::Refused);
        ledger.reject(id, String::new(), false).await.unwrap();
    }
}

async fn a_chunk_keeps_its_second_lane(world: World) {
    let ledger = &*world.ledger;
    let id = batch_id(1);
    ledger.open_batch(new_batch(1)).await.unwrap();
    let second = Via { lane: LaneName::new("spare").unwrap(), format: ReferenceFormat::Number };
    let chunk = NewChunk { second: Some(second.clone()), ..new_chunk(chunk_id(id, 0), 2) };
    let first = chunk.first.clone();
    assert!(ledger.append(chunk).await.unwrap());
    assert!(ledger.seal(seal_of(id, &[2], BatchState::Active)).await.unwrap());
    let read = ledger.chunk(chunk_id(id, 0)).await.unwrap().unwrap();
    assert_eq!((&read.first, &read.second), (&first, &Some(second.clone())));
    let Claim::Held { chunk, .. } = ledger.claim(chunk_id(id, 0), LONG).await.unwrap() else {
        panic!("nobody holds it");
    };
    assert_eq!(chunk, read);
    let moved = Payout { attempt: 2, moved: true, ..chunk.payouts[0] };
    assert_eq!((chunk.via(&chunk.payouts[0]), chunk.via(&moved)), (&first, &second));
    assert_eq!(chunk.via_of(&moved, 1), &first, "its older attempt went by the first");
}

async fn a_sealed_batch_accounts_for_every_row(world: World) {
    let ledger = &*world.ledger;
    let before = world.now().await;
    let id = active(ledger, 1, &[3, 2]).await;
    let batch = ledger.batch(id).await.unwrap().unwrap();
    assert_eq!((batch.totals.clone(), batch.chunks), (totals(5), 2));
    assert_eq!((batch.counts.get(State::Accepted), batch.counts.total()), (5, 5));
    assert!(batch.created >= before);
    let chunk = ledger.chunk(chunk_id(id, 1)).await.unwrap().unwrap();
    let expected = new_chunk(chunk_id(id, 1), 2);
    assert_eq!((chunk.id, chunk.first_ordinal), (expected.id, expected.first_ordinal));
    assert_eq!((chunk.first, chunk.second), (expected.first, None));
    for payout in chunk.payouts {
        let fresh = Payout::new(payout.since, payout.give_up_at);
        assert_eq!(payout, fresh.normal());
        let waits = payout.give_up_at.since(payout.since);
        assert!(waits.abs_diff(LONG) <= 1_000, "it gives up after {waits} ms");
    }
    assert_eq!(ledger.chunk(chunk_id(id, 2)).await.unwrap(), None);
}

async fn a_batch_that_awaits_approval_is_paid_after_it(world: World) {
    let ledger = &*world.ledger;
    let id = received(ledger, 1, &[1]).await;
    ledger.seal(seal_of(id, &[1], BatchState::Awaiting)).await.unwrap();
    assert_eq!(ready(&world).await, []);
    let (token, chunk) = held(ledger, chunk_id(id, 0), LONG).await;
    let intent = into_state(0, chunk.payouts[0], State::Submitting);
    let written = ledger.write(chunk.id, Guard::Intent(token), vec![intent]).await.unwrap();
    assert_eq!(written, Written::Refused);
    ledger.release(chunk.id, token, Millis::NEVER).await.unwrap();
    assert!(ledger.set_batch_state(id, BatchState::Awaiting, BatchState::Active).await.unwrap());
    assert_eq!(ready(&world).await, [chunk_id(id, 0)]);
}

async fn blocks_of_rows_come_back_one_by_one(world: World) {
    let ledger = &*world.ledger;
    let id = received(ledger, 1, &[]).await;
    let blocks: Vec<Vec<u8>> = (0..4).map(|no| vec![no; 300 + usize::from(no)]).collect();
    let chunk = ledger::NewChunk { blocks: blocks.clone(), ..new_chunk(chunk_id(id, 0), 350) };
    ledger.append(chunk).await.unwrap();
    ledger.seal(seal_of(id, &[350], BatchState::Active)).await.unwrap();
    let read = |first, last| ledger.blocks(chunk_id(id, 0), first, last);
    assert_eq!(read(0, 3).await.unwrap(), blocks);
    assert_eq!(read(1, 2).await.unwrap(), blocks[1..=2]);
    assert_eq!(read(3, 3).await.unwrap(), blocks[3..]);
    assert_eq!(read(3, 9).await.unwrap(), blocks[3..]);
    assert_eq!(read(4, 9).await.unwrap(), Vec::<Vec<u8>>::new());
    assert_eq!(ledger.blocks(chunk_id(id, 1), 0, 9).await.unwrap(), Vec::<Vec<u8>>::new());
}

async fn batches_are_listed_from_the_newest_to_the_oldest(world: World) {
    let ledger = &*world.ledger;
    for n in [3, 1, 5, 2, 4] {
        ledger.open_batch(new_batch(n)).await.unwrap();
    }
    let ids = |batches: Vec<domain::Batch>| batches.iter().map(|b| b.id).collect::<Vec<_>>();
    let page = ids(ledger.batches(None, 2).await.unwrap());
    assert_eq!(page, [batch_id(5), batch_id(4)]);
    let page = ids(ledger.batches(Some(page[1]), 9).await.unwrap());
    assert_eq!(page, [batch_id(3), batch_id(2), batch_id(1)]);
    assert_eq!(ledger.batches(Some(batch_id(1)), 9).await.unwrap(), []);
}

async fn the_ledger_has_one_id_and_its_time_does_not_go_back(world: World) {
    let mut last = world.ledger.about().await.unwrap();
    for _ in 0..50 {
        for ledger in [&world.ledger, &world.second] {
            let about = ledger.about().await.unwrap();
            assert_eq!(about.id, last.id);
            assert!(about.now >= last.now);
            last = about;
        }
    }
}
