//! Lanes: records by compare-and-set, and one pace for the whole pool.

use crate::given::*;
use crate::world::{World, on_every_engine};
use domain::{LaneName, LedgerId, Millis};
use ledger::{Canary, Comparison, LaneRecord, LedgerError, Pace, Permits, RULES_BYTES_MAX, Stop};

on_every_engine![
    a_new_lane_is_empty,
    a_lane_is_stored_over_the_version_that_was_read,
    permits_are_given_up_to_the_horizon,
    lanes_have_permits_of_their_own,
    permits_that_nobody_drew_are_not_saved_up,
    rules_are_kept_with_the_time_of_their_fetch,
    rules_that_are_too_long_are_refused_and_leave_the_older_ones,
    strays_are_kept_without_complaint,
];

async fn a_new_lane_is_empty(world: World) {
    assert_eq!(world.ledger.lane(lane()).await.unwrap(), LaneRecord::new(lane()));
}

async fn a_lane_is_stored_over_the_version_that_was_read(world: World) {
    let whole = LaneRecord {
        fingerprint: "f00".to_owned(),
        stopped: Some(Stop { reason: "401 – key".to_owned(), since: Millis(5), until: None }),
        control: Some(place(batch_id(1), 2)),
        canary: Some(Canary { place: place(batch_id(2), 3), until: Millis::NEVER }),
        canaries_lost: 2,
        adopted: vec![LedgerId::parse("wxyz").unwrap()],
        comparison: Comparison { begun: Some(Millis(3)), ended: None, told: vec![u64::MAX] },
        ..LaneRecord::new(lane())
    };
    assert!(world.ledger.put_lane(whole.clone()).await.unwrap());
    assert!(!world.second.put_lane(whole.clone()).await.unwrap(), "the second time says so");
    let stored = world.second.lane(lane()).await.unwrap();
    assert_eq!(stored, LaneRecord { version: 1, ..whole });
    let stopped = LaneRecord { stopped: None, ..stored.clone() };
    assert!(world.ledger.put_lane(stopped.clone()).await.unwrap());
    assert!(!world.ledger.put_lane(stored).await.unwrap());
    assert_eq!(world.ledger.lane(lane()).await.unwrap(), LaneRecord { version: 2, ..stopped });
    let future = LaneRecord { version: 7, ..LaneRecord::new(LaneName::new("b").unwrap()) };
    assert!(!world.ledger.put_lane(future).await.unwrap());
}

/// So slow that no second slot comes while a test runs.
const SLOW: Pace = Pace { interval_us: 600_000_000, horizon_ms: 1_500_000 };

async fn permits_are_given_up_to_the_horizon(world: World) {
    let draw = |want| world.ledger.permits(lane(), want, SLOW);
    let before = world.now().await;
    let first = draw(1).await.unwrap();
    assert_eq!(first, Permits { count: 1, wait_ms: 0, at: first.at });
    assert!(before <= first.at && first.at <= world.now().await, "drawn at {first:?}");
    // Slots stand at 0, 600, 1,200 and 1,800 seconds; the horizon ends at 1,500.
    let second = world.second.permits(lane(), 9, SLOW).await.unwrap();
    assert_eq!(second.count, 2);
    assert!((1..=600_000).contains(&second.wait_ms), "{second:?}");
    let none = draw(9).await.unwrap();
    assert_eq!(none.count, 0);
    assert!((1..=300_001).contains(&none.wait_ms), "{none:?}");
}

async fn lanes_have_permits_of_their_own(world: World) {
    let other = LaneName::new("lane-b").unwrap();
    assert_eq!(world.ledger.permits(lane(), 9, SLOW).await.unwrap().count, 3);
    assert_eq!(world.ledger.permits(other, 9, SLOW).await.unwrap().count, 3);
    assert_eq!(world.ledger.lane(lane()).await.unwrap().version, 0, "its record is untouched");
}

async fn permits_that_nobody_drew_are_not_saved_up(world: World) {
    let pace = Pace { interval_us: 10_000, horizon_ms: 50 };
    assert_eq!(world.ledger.permits(lane(), 1, pace).await.unwrap().count, 1);
    world.pass(200).await;
    let permits = world.ledger.permits(lane(), 1_000, pace).await.unwrap();
    assert_eq!((permits.count, permits.wait_ms), (5, 0));
}

async fn rules_are_kept_with_the_time_of_their_fetch(world: World) {
    assert_eq!(world.ledger.rules(lane()).await.unwrap(), None);
    let before = world.now().await;
    world.ledger.put_rules(lane(), "{\"min\": \"1,00 €\"}".to_owned()).await.unwrap();
    let (first, text) = world.second.rules(lane()).await.unwrap().unwrap();
    assert_eq!(text, "{\"min\": \"1,00 €\"}");
    assert!(before <= first && first <= world.now().await, "{first:?}");
    world.pass(20).await;
    world.second.put_rules(lane(), "newer".to_owned()).await.unwrap();
    let (second, text) = world.ledger.rules(lane()).await.unwrap().unwrap();
    assert_eq!(text, "newer");
    assert!(second.0 >= first.0 + 20, "their age began anew: {first:?}, {second:?}");
    let other = LaneName::new("lane-b").unwrap();
    assert_eq!(world.ledger.rules(other).await.unwrap(), None, "lanes have their own");
    assert_eq!(world.ledger.lane(lane()).await.unwrap().version, 0, "its record is untouched");
}

async fn rules_that_are_too_long_are_refused_and_leave_the_older_ones(world: World) {
    let long = |more| "x".repeat(RULES_BYTES_MAX + more);
    world.ledger.put_rules(lane(), long(0)).await.unwrap();
    let refused = world.ledger.put_rules(lane(), long(1)).await;
    assert!(matches!(refused, Err(LedgerError::Broken(_))), "{refused:?}");
    let (_, text) = world.ledger.rules(lane()).await.unwrap().unwrap();
    assert_eq!(text.len(), RULES_BYTES_MAX);
}

async fn strays_are_kept_without_complaint(world: World) {
    for _ in 0..3 {
        world.ledger.keep_stray(lane(), "{\"id\": \"nobody’s\"}".to_owned()).await.unwrap();
    }
}
