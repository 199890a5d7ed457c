//! Fairness: a batch waits for a slice of the others, never for the whole of one.

use crate::given::*;
use crate::world::{World, on_every_engine};
use domain::{BatchId, BatchState};
use std::collections::BTreeMap;

on_every_engine![
    a_small_batch_behind_a_huge_one_is_among_the_first_two,
    a_batch_that_comes_later_does_not_make_up_for_the_past,
    two_batches_take_turns,
    inside_a_batch_the_chunk_that_waited_longest_goes_first,
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
