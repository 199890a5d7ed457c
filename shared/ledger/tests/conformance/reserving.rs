//! References (S1, S2): one holder each, told by name; what nobody will ever pay gives its
//! reference back.

use crate::given::*;
use crate::world::{World, on_every_engine};
use domain::BatchState;
use domain::payout::State;
use ledger::{Held, intake};

on_every_engine![
    a_reference_is_held_by_the_first_who_wants_it,
    a_reference_that_stands_twice_in_one_group_is_held_by_the_first,
    a_reference_moves_by_compare_and_set_only,
    a_conflict_names_the_batch_that_holds_the_reference,
    the_references_of_an_abandoned_intake_are_taken_over,
    a_take_over_is_lost_to_a_seal,
    an_active_batch_gives_no_reference_back,
    a_cancelled_batch_gives_back_what_it_never_sent,
    what_is_reserved_twice_is_ours_twice,
    thousands_of_references_are_reserved_in_one_group,
];

async fn a_reference_is_held_by_the_first_who_wants_it(world: World) {
    let (ours, theirs) = (place(batch_id(1), 0), place(batch_id(2), 7));
    let wanted = vec![(key(1), ours), (key(2), place(batch_id(1), 1))];
    assert_eq!(world.ledger.reserve(wanted.clone()).await.unwrap(), []);
    assert_eq!(world.second.reserve(wanted).await.unwrap(), [], "asked twice, ours twice");
    let wanted = vec![(key(3), place(batch_id(2), 6)), (key(1), theirs)];
    let held = world.ledger.reserve(wanted).await.unwrap();
    assert_eq!(held, [Held { index: 1, by: ours }]);
    assert_eq!(world.ledger.find(key(1)).await.unwrap(), Some(ours));
    assert_eq!(world.ledger.find(key(3)).await.unwrap(), Some(place(batch_id(2), 6)));
    assert_eq!(world.ledger.find(key(4)).await.unwrap(), None);
}

async fn a_reference_that_stands_twice_in_one_group_is_held_by_the_first(world: World) {
    let at = |row| place(batch_id(1), row);
    let wanted = vec![(key(9), at(0)), (key(5), at(1)), (key(9), at(2)), (key(5), at(3))];
    let held = world.ledger.reserve(wanted).await.unwrap();
    assert_eq!(held, [Held { index: 2, by: at(0) }, Held { index: 3, by: at(1) }]);
}

async fn a_reference_moves_by_compare_and_set_only(world: World) {
    let at = |n| place(batch_id(n), 0);
    world.ledger.reserve(vec![(key(1), at(1))]).await.unwrap();
    assert!(world.ledger.take_over(key(1), at(1), at(2)).await.unwrap());
    assert!(!world.ledger.take_over(key(1), at(1), at(3)).await.unwrap());
    assert!(!world.ledger.take_over(key(1), at(1), at(2)).await.unwrap(), "it moved before");
    assert!(!world.ledger.take_over(key(2), at(1), at(2)).await.unwrap(), "nobody holds it");
    assert_eq!(world.ledger.find(key(1)).await.unwrap(), Some(at(2)));
    assert_eq!(world.ledger.find(key(2)).await.unwrap(), None);
}

async fn a_conflict_names_the_batch_that_holds_the_reference(world: World) {
    let ledger = &*world.ledger;
    received(ledger, 1, &[2]).await;
    received(ledger, 2, &[2]).await;
    let first = intake::reserve(ledger, &[(key(1), place(batch_id(1), 0))]).await.unwrap();
    assert!(first.is_empty());
    let wanted = [(key(2), place(batch_id(2), 0)), (key(1), place(batch_id(2), 1))];
    let conflicts = intake::reserve(ledger, &wanted).await.unwrap();
    assert_eq!(conflicts.len(), 1);
    assert_eq!((conflicts[0].index, conflicts[0].by), (1, place(batch_id(1), 0)));
    assert_eq!(conflicts[0].batch.as_ref().map(|b| b.id), Some(batch_id(1)));
}

async fn the_references_of_an_abandoned_intake_are_taken_over(world: World) {
    let ledger = &*world.ledger;
    ledger.open_batch(ledger::NewBatch { lease_ms: SHORT, ..new_batch(1) }).await.unwrap();
    ledger.reserve(vec![(key(1), place(batch_id(1), 0))]).await.unwrap();
    world.pass(SHORT).await;
    received(ledger, 2, &[1]).await;
    let conflicts = intake::reserve(ledger, &[(key(1), place(batch_id(2), 0))]).await.unwrap();
    assert!(conflicts.is_empty());
    assert_eq!(ledger.find(key(1)).await.unwrap(), Some(place(batch_id(2), 0)));
    assert_eq!(state_of(ledger, batch_id(1)).await, BatchState::Rejected);
    assert!(!ledger.seal(seal_of(batch_id(1), &[1], BatchState::Active)).await.unwrap());
}

async fn a_take_over_is_lost_to_a_seal(world: World) {
    let ledger = &*world.ledger;
    let short =
        |no| ledger::NewChunk { lease_ms: SHORT, ..new_chunk(chunk_id(batch_id(1), no), 1) };
    ledger.open_batch(new_batch(1)).await.unwrap();
    ledger.reserve(vec![(key(1), place(batch_id(1), 0))]).await.unwrap();
    ledger.append(short(0)).await.unwrap();
    world.pass(SHORT).await;
    // The lease has ended, but the first intake lives after all and seals before anybody came.
    assert!(ledger.seal(seal_of(batch_id(1), &[1], BatchState::Active)).await.unwrap());
    received(ledger, 2, &[1]).await;
    let wanted = [(key(1), place(batch_id(2), 0))];
    let conflicts = intake::reserve(&*world.second, &wanted).await.unwrap();
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].batch.as_ref().map(|b| b.state), Some(BatchState::Active));
    assert_eq!(ledger.find(key(1)).await.unwrap(), Some(place(batch_id(1), 0)));
}

async fn an_active_batch_gives_no_reference_back(world: World) {
    let ledger = &*world.ledger;
    ledger.reserve(vec![(key(1), place(batch_id(1), 0))]).await.unwrap();
    let id = active(ledger, 1, &[2]).await;
    received(ledger, 2, &[1]).await;
    let wanted = [(key(1), place(batch_id(2), 0))];
    assert_eq!(intake::reserve(ledger, &wanted).await.unwrap().len(), 1);
    settle(ledger, chunk_id(id, 0), &[0], State::Cancelled).await;
    assert_eq!(intake::reserve(ledger, &wanted).await.unwrap().len(), 1);
    settle(ledger, chunk_id(id, 0), &[1], State::Cancelled).await;
    assert_eq!(state_of(ledger, id).await, BatchState::Complete);
    assert_eq!(intake::reserve(ledger, &wanted).await.unwrap().len(), 1);
}

async fn a_cancelled_batch_gives_back_what_it_never_sent(world: World) {
    let ledger = &*world.ledger;
    let wanted = |n| {
        let at = move |row| (key(u64::from(row)), place(batch_id(n), row));
        (0..3).map(at).collect::<Vec<_>>()
    };
    ledger.reserve(wanted(1)).await.unwrap();
    let id = active(ledger, 1, &[3]).await;
    let chunk = chunk_id(id, 0);
    settle(ledger, chunk, &[1], State::Submitting).await;
    settle(ledger, chunk, &[1], State::Cancelled).await;
    assert!(ledger.set_batch_state(id, BatchState::Active, BatchState::Cancelled).await.unwrap());
    settle(ledger, chunk, &[0], State::Cancelled).await;
    received(ledger, 2, &[3]).await;
    // Row 0 was never sent; row 1 was; row 2 is not cancelled yet.
    let conflicts = intake::reserve(ledger, &wanted(2)).await.unwrap();
    assert_eq!(conflicts.iter().map(|c| c.index).collect::<Vec<_>>(), [1, 2]);
    settle(ledger, chunk, &[2], State::Cancelled).await;
    let conflicts = intake::reserve(ledger, &wanted(2)).await.unwrap();
    assert_eq!(conflicts.iter().map(|c| c.index).collect::<Vec<_>>(), [1]);
    assert_eq!(ledger.find(key(2)).await.unwrap(), Some(place(batch_id(2), 2)));
}

async fn what_is_reserved_twice_is_ours_twice(world: World) {
    let ledger = &*world.ledger;
    received(ledger, 1, &[1]).await;
    ledger.reject(batch_id(1), String::new(), false).await.unwrap();
    ledger.reserve(vec![(key(1), place(batch_id(1), 0))]).await.unwrap();
    received(ledger, 2, &[1]).await;
    for ledger in [&world.ledger, &world.second] {
        let wanted = [(key(1), place(batch_id(2), 0))];
        assert!(intake::reserve(&**ledger, &wanted).await.unwrap().is_empty());
    }
}

async fn thousands_of_references_are_reserved_in_one_group(world: World) {
    let at = |n: u64| place(batch_id(1), u16::try_from(n % 1_000).unwrap());
    let wanted = |n: std::ops::Range<u64>| n.map(|n| (key(n * 7_919), at(n))).collect::<Vec<_>>();
    assert_eq!(world.ledger.reserve(wanted(0..5_000)).await.unwrap(), []);
    let elsewhere = wanted(4_990..5_010).into_iter().map(|(key, _)| (key, place(batch_id(2), 0)));
    let held = world.ledger.reserve(elsewhere.collect()).await.unwrap();
    assert_eq!(held.iter().map(|h| h.index).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    assert_eq!(held[9].by, at(4_999));
}
