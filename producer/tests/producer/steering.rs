//! Lanes start and stop, batches are cancelled.

use crate::world::{World, card};
use domain::{BatchState, LaneName, LedgerId, State};
use producer::steer::{self, Cancelled, SteerError};

#[tokio::test]
async fn cancelling_ends_what_was_never_sent_and_leaves_the_rest_to_its_end() {
    let world = World::new();
    let id =
        world.taken(&world.rows("a.csv", &[card("A", "1"), card("B", "1"), card("C", "1")])).await;
    let places: Vec<_> = world.rows_of(id).await.into_iter().map(|(place, _)| place).collect();
    world.settle(places[0], State::Submitted).await;
    let done = steer::cancel(&*world.ledger, &world.rules, id).await.unwrap();
    assert_eq!(done, Cancelled { payouts: 2, under_way: 1 });
    let batch = world.batch(id).await;
    assert_eq!(batch.state, BatchState::Cancelled);
    assert_eq!(batch.counts.get(State::Cancelled), 2);
    let again = steer::cancel(&*world.ledger, &world.rules, id).await.unwrap();
    assert_eq!(again, Cancelled { payouts: 0, under_way: 1 });
}

#[tokio::test]
async fn a_complete_batch_cannot_be_cancelled() {
    let world = World::new();
    let id = world.taken(&world.rows("a.csv", &[card("A", "1")])).await;
    let (place, _) = world.rows_of(id).await.remove(0);
    world.settle(place, State::Paid).await;
    let error = steer::cancel(&*world.ledger, &world.rules, id).await.unwrap_err();
    assert!(matches!(error, SteerError::TooLate { state: BatchState::Complete, .. }), "{error}");
}

#[tokio::test]
async fn a_lane_is_stopped_with_its_reason_until_it_is_started() {
    let world = World::new();
    let lane = LaneName::new("main").unwrap();
    assert!(steer::stop_lane(&*world.ledger, &world.rules, &lane, "balance").await.unwrap());
    assert!(!steer::stop_lane(&*world.ledger, &world.rules, &lane, "again").await.unwrap());
    let record = world.ledger.lane(lane.clone()).await.unwrap();
    assert_eq!(record.stopped.unwrap().reason, "balance");
    assert!(steer::start_lane(&*world.ledger, &world.rules, &lane).await.unwrap());
    assert_eq!(world.ledger.lane(lane.clone()).await.unwrap().stopped, None);
    assert!(!steer::start_lane(&*world.ledger, &world.rules, &lane).await.unwrap());
    let nobody = LaneName::new("nobody").unwrap();
    let error = steer::start_lane(&*world.ledger, &world.rules, &nobody).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no lane \"nobody\"; lanes: main, second");
}

#[tokio::test]
async fn another_ledger_is_retired_once_and_never_this_one() {
    let world = World::new();
    let lane = LaneName::new("main").unwrap();
    let id = LedgerId::parse("wxyz").unwrap();
    assert!(steer::adopt(&*world.ledger, &world.rules, &lane, id).await.unwrap());
    assert!(!steer::adopt(&*world.ledger, &world.rules, &lane, id).await.unwrap());
    assert_eq!(world.ledger.lane(lane.clone()).await.unwrap().adopted, [id]);
    let own = world.ledger.about().await.unwrap().id;
    let error = steer::adopt(&*world.ledger, &world.rules, &lane, own).await.unwrap_err();
    assert!(matches!(error, SteerError::OwnLedger(_)), "{error}");
    let nobody = LaneName::new("nobody").unwrap();
    let error = steer::adopt(&*world.ledger, &world.rules, &nobody, id).await.unwrap_err();
    assert!(matches!(error, SteerError::NoLane { .. }), "{error}");
}
