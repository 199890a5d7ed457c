//! Fairness: a batch waits for a slice of the others, never for the whole of one.

use crate::given::*;
use crate::world::{World, on_every_engine};
use domain::payout::State;
use domain::{BatchId, BatchState, Priority, Terms};
use std::collections::BTreeMap;

on_every_engine![
    a_small_batch_behind_a_huge_one_is_among_the_first_two,
    a_batch_that_comes_later_does_not_make_up_for_the_past,
    two_batches_take_turns,
    inside_a_batch_the_chunk_that_waited_longest_goes_first,
    a_high_batch_goes_first_and_a_low_one_now_and_then,
    a_high_batch_that_comes_late_is_among_the_next,
    batches_of_one_priority_take_turns_whatever_goes_before_them,
    a_batch_keeps_its_priority_through_a_pause_and_late_news,
];

async fn a_small_batch_behind_a_huge_one_is_among_the_first_two(world: World) {
    let ledger = &*world.ledger;
    active(ledger, 1, &[100; 20]).await;
    let small = active(ledger, 2, &[100]).await;
    let first = ledger.take_ready(lane(), 2, LONG).await.unwrap();
    assert!(first.contains(&chunk_id(small, 0)), "{first:?}");
}

async fn take_one(world: &World) -> BatchId {
    let taken = world.ledger.take_ready(lane(), 1, LONG).await.unwrap();
    assert_eq!(taken.len(), 1);
    taken[0].batch
}

async fn a_batch_that_comes_later_does_not_make_up_for_the_past(world: World) {
    let huge = active(&*world.ledger, 1, &[1; 20]).await;
    for _ in 0..8 {
        assert_eq!(take_one(&world).await, huge);
    }
    let late = active(&*world.second, 2, &[1; 8]).await;
    let mut served: BTreeMap<BatchId, u32> = BTreeMap::new();
    for turn in 1..=8 {
        *served.entry(take_one(&world).await).or_default() += 1;
        if turn == 2 {
            assert_eq!(served.get(&late), Some(&1), "it is among the first two");
        }
    }
    assert!(served[&huge] >= 3 && served[&late] >= 3, "{served:?}");
}

async fn two_batches_take_turns(world: World) {
    let ledger = &*world.ledger;
    let (a, b) = (active(ledger, 1, &[1; 6]).await, active(ledger, 2, &[1; 3]).await);
    let taken = ledger.take_ready(lane(), 9, LONG).await.unwrap();
    let of = |batch, upto: usize| taken[..upto].iter().filter(|c| c.batch == batch).count();
    assert_eq!(taken.len(), 9);
    for pairs in 1..=3 {
        assert_eq!((of(a, pairs * 2), of(b, pairs * 2)), (pairs, pairs), "{taken:?}");
    }
    let numbers: Vec<u16> = taken.iter().filter(|c| c.batch == a).map(|c| c.no).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
}

async fn inside_a_batch_the_chunk_that_waited_longest_goes_first(world: World) {
    let ledger = &*world.ledger;
    let id = active(ledger, 1, &[1; 3]).await;
    let past = world.now().await;
    world.pass(2).await;
    for (no, at) in [(0, past.plus(1)), (1, past), (2, past)] {
        let (token, _) = held(ledger, chunk_id(id, no), LONG).await;
        ledger.release(chunk_id(id, no), token, at).await.unwrap();
    }
    let taken = ledger.take_ready(lane(), 9, LONG).await.unwrap();
    assert_eq!(taken, [1, 2, 0].map(|no| chunk_id(id, no)));
    assert_eq!(state_of(ledger, id).await, BatchState::Active);
}

/// Turns until each priority had its share: 16, four and one.
const ROUND: u16 = 21;

fn of(priority: Priority) -> Terms {
    Terms { priority, ..Terms::default() }
}

/// How many of these chunks are a batch's.
fn share(taken: &[domain::ChunkId], batch: BatchId) -> usize {
    taken.iter().filter(|chunk| chunk.batch == batch).count()
}

async fn a_high_batch_goes_first_and_a_low_one_now_and_then(world: World) {
    let ledger = &*world.ledger;
    let low = active_on(ledger, 1, &[1; 30], of(Priority::Low)).await;
    let normal = active(ledger, 2, &[1; 30]).await;
    let high = active_on(ledger, 3, &[1; 30], of(Priority::High)).await;
    let round = ledger.take_ready(lane(), ROUND, LONG).await.unwrap();
    assert_eq!((share(&round, high), share(&round, normal), share(&round, low)), (16, 4, 1));
    assert_eq!((round[0].batch, round[20].batch), (high, low));
    // High has 14 left, and the others take what it leaves: nobody waits for nothing.
    let rest = world.second.take_ready(lane(), 99, LONG).await.unwrap();
    assert_eq!((share(&rest, high), share(&rest, normal), share(&rest, low)), (14, 26, 29));
}

async fn a_high_batch_that_comes_late_is_among_the_next(world: World) {
    let ledger = &*world.ledger;
    let low = active_on(ledger, 1, &[1; 40], of(Priority::Low)).await;
    for _ in 0..8 {
        assert_eq!(take_one(&world).await, low);
    }
    let high = active_on(&*world.second, 2, &[1; 3], of(Priority::High)).await;
    let next = ledger.take_ready(lane(), 5, LONG).await.unwrap();
    assert_eq!(share(&next, high), 3, "{next:?}");
}

async fn batches_of_one_priority_take_turns_whatever_goes_before_them(world: World) {
    let ledger = &*world.ledger;
    active_on(ledger, 1, &[1; 200], of(Priority::High)).await;
    let (a, b) = (active(ledger, 2, &[1; 9]).await, active(ledger, 3, &[1; 9]).await);
    let mut taken = Vec::new();
    for _ in 0..6 {
        taken.extend(ledger.take_ready(lane(), ROUND / 3, LONG).await.unwrap());
    }
    assert_eq!((share(&taken, a), share(&taken, b)), (4, 4), "{taken:?}");
}

async fn a_batch_keeps_its_priority_through_a_pause_and_late_news(world: World) {
    let ledger = &*world.ledger;
    active(ledger, 1, &[1; 9]).await;
    let high = active_on(ledger, 2, &[1; 4], of(Priority::High)).await;
    let go = async |from, to| assert!(ledger.set_batch_state(high, from, to).await.unwrap());
    go(BatchState::Active, BatchState::Paused).await;
    go(BatchState::Paused, BatchState::Active).await;
    assert_eq!(take_one(&world).await, high);
    for no in 0..4 {
        settle(ledger, chunk_id(high, no), &[0], State::Review).await;
    }
    assert_ne!(take_one(&world).await, high, "it is over");
    settle(ledger, chunk_id(high, 1), &[0], State::Accepted).await;
    let (token, _) = held(ledger, chunk_id(high, 1), LONG).await;
    ledger.release(chunk_id(high, 1), token, domain::Millis(0)).await.unwrap();
    assert_eq!(take_one(&world).await, high, "a person let it be paid after all");
}
