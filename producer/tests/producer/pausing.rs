//! Batches are paused and go on.

use crate::world::{World, card};
use domain::{BatchId, BatchState, ChunkId, State};
use ledger::audit::{Chain, Entry, Kind};
use ledger::pause::{self as register, Hold};
use ledger::{Claim, Guard, Written};
use producer::steer::pause::{Paused, pause, resume};
use producer::steer::{self, SteerError};
use std::collections::BTreeSet;

async fn taken(world: &World, rows: usize) -> BatchId {
    let rows: Vec<String> = (0..rows).map(|no| card(&format!("R{no}"), "1")).collect();
    world.taken(&world.rows("a.csv", &rows)).await
}

async fn entries(world: &World, id: BatchId) -> Vec<Entry> {
    let name = Chain::batch(id).as_str().to_owned();
    let entries = world.ledger.entries(name, 0, 100).await.unwrap();
    entries.iter().map(|bytes| Entry::decode(bytes).unwrap().0).collect()
}

async fn held(world: &World, id: BatchId) -> Hold {
    register::read(&*world.ledger, id).await.unwrap().1.hold.unwrap()
}

#[tokio::test]
async fn a_pause_holds_every_intent_and_says_who_when_and_why() {
    let world = World::new();
    let id = taken(&world, 2).await;
    let chunk = ChunkId { batch: id, no: 0 };
    let Claim::Held { token, .. } = world.ledger.claim(chunk, 60_000).await.unwrap() else {
        panic!("nobody holds it")
    };
    let paused = pause(&*world.ledger, &world.rules, id, Some("wrong month")).await.unwrap();
    assert_eq!((paused, world.batch(id).await.state), (Paused::Now, BatchState::Paused));
    let write = world.ledger.write(chunk, Guard::Intent(token), Vec::new()).await.unwrap();
    assert_eq!(write, Written::Refused, "also for whoever was at it");
    let hold = held(&world, id).await;
    let now = world.ledger.about().await.unwrap().now;
    assert_eq!((hold.who.as_str(), hold.since), (world.rules.clerk.who(), now));
    assert_eq!(hold.reason, "wrong month");
    let told = entries(&world, id).await.pop().unwrap();
    assert_eq!((told.kind, told.text["reason"].as_str()), (Kind::Paused, Some("wrong month")));

    let again = pause(&*world.ledger, &world.rules, id, Some("another")).await.unwrap();
    assert_eq!(again, Paused::Before(Some(hold)), "the first word stands");
    assert!(resume(&*world.ledger, &world.rules, id).await.unwrap());
    assert_eq!(world.batch(id).await.state, BatchState::Active);
    let told = entries(&world, id).await.pop().unwrap();
    assert_eq!(told.kind, Kind::Resumed);
    assert_eq!(told.text["was_paused_for"], "wrong month");
    assert!(!resume(&*world.ledger, &world.rules, id).await.unwrap(), "twice is no error");
    let ready = world.ledger.take_ready(crate::scene::lane(), 10, 1).await.unwrap();
    assert_eq!(ready, [chunk], "at once");
}

#[tokio::test]
async fn what_was_seen_at_a_resumption_is_kept_for_the_brakes() {
    let world = World::new();
    let id = taken(&world, 4).await;
    let places: Vec<_> = world.rows_of(id).await.into_iter().map(|(place, _)| place).collect();
    world.settle(places[0], State::Paid).await;
    world.settle(places[1], State::Failed).await;
    world.settle(places[2], State::Review).await;
    // A brake paused it, for its canaries.
    let hold = Hold {
        who: "worker".to_owned(),
        since: world.ledger.about().await.unwrap().now,
        reason: "of its 3 canaries 2 came to no payment".to_owned(),
        canaries: Some(0),
    };
    let words = register::Pause { hold: Some(hold.clone()), ..register::Pause::default() };
    assert!(register::put(&*world.ledger, id, 0, &words).await.unwrap());
    let went = world.ledger.set_batch_state(id, BatchState::Active, BatchState::Paused).await;
    assert!(went.unwrap());
    let before = pause(&*world.ledger, &world.rules, id, None).await.unwrap();
    assert_eq!(before, Paused::Before(Some(hold)));
    assert!(resume(&*world.ledger, &world.rules, id).await.unwrap());
    let seen = register::read(&*world.ledger, id).await.unwrap().1.seen;
    assert_eq!(seen.counts, world.batch(id).await.counts);
    assert_eq!(seen.canaries.get(&0), Some(&BTreeSet::from([1, 2])));
}

#[tokio::test]
async fn what_cannot_be_paused_or_resumed_is_told_with_its_state() {
    let world = World::new();
    let (ledger, rules) = (&*world.ledger, &*world.rules);
    let nobody = BatchId::from_bytes([7; 16]);
    let error = pause(ledger, rules, nobody, None).await.unwrap_err();
    assert!(matches!(error, SteerError::NoBatch(id) if id == nobody), "{error}");
    let error = resume(ledger, rules, nobody).await.unwrap_err();
    assert!(matches!(error, SteerError::NoBatch(_)), "{error}");

    let complete = world.taken(&world.rows("a.csv", &[card("A", "1")])).await;
    let (place, _) = world.rows_of(complete).await.remove(0);
    world.settle(place, State::Paid).await;
    let error = pause(ledger, rules, complete, None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "batch {complete} is complete and cannot be paused: nothing of it is left to be sent"
        )
    );
    assert!(resume(ledger, rules, complete).await.is_err());

    let cancelled = world.taken(&world.rows("b.csv", &[card("B", "1")])).await;
    steer::cancel(ledger, rules, cancelled).await.unwrap();
    let error = resume(ledger, rules, cancelled).await.unwrap_err();
    assert!(
        error.to_string().ends_with("cannot be resumed: nothing more of it is ever sent"),
        "{error}"
    );
    assert_eq!(world.batch(cancelled).await.state, BatchState::Cancelled);
}

#[tokio::test]
async fn a_paused_batch_is_cancelled_like_any_other() {
    let world = World::new();
    let id = taken(&world, 2).await;
    pause(&*world.ledger, &world.rules, id, None).await.unwrap();
    let done = steer::cancel(&*world.ledger, &world.rules, id).await.unwrap();
    assert_eq!((done.payouts, world.batch(id).await.state), (2, BatchState::Cancelled));
}
