//! What is held is waited for until nothing of it is being sent.

use crate::world::{World, card, iban};
use domain::{Account, BatchId, Event, LaneName, Outcome, Place, Policy, Sender, State};
use ledger::apply::{Happening, apply};
use ledger::{Claim, Guard, Ledger, Token};
use producer::show;
use producer::steer::drain::{self, Patience, UnderWay};
use producer::steer::stop_lane;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const PATIENT: Patience = Patience { within_ms: 30_000, quiet_ms: 0 };

fn main_lane() -> LaneName {
    LaneName::new("main").unwrap()
}

/// Two rows for lane `main`, one for lane `second`.
async fn taken(world: &World) -> (BatchId, Vec<Place>) {
    let rows = [card("A", "1"), card("B", "1"), iban("C", "1")];
    let id = world.taken(&world.rows("a.csv", &rows)).await;
    (id, world.rows_of(id).await.into_iter().map(|(place, _)| place).collect())
}

async fn claim(world: &World, place: Place) -> Token {
    match world.ledger.claim(place.chunk, 60_000).await.unwrap() {
        Claim::Held { token, .. } => token,
        other => panic!("{other:?}"),
    }
}

/// The same rows, and a worker that holds those for lane `main`.
async fn held(world: &World) -> (BatchId, Vec<Place>, Token) {
    let (id, places) = taken(world).await;
    let token = claim(world, places[0]).await;
    (id, places, token)
}

async fn happen(ledger: &dyn Ledger, place: Place, guard: Guard, event: Event) {
    let payout = ledger.chunk(place.chunk).await.unwrap().unwrap().payouts[usize::from(place.row)];
    let happening = Happening { row: place.row, payout, event, notes: Vec::new() };
    let now = ledger.about().await.unwrap().now;
    let done = apply(ledger, place.chunk, guard, now, &Policy::DEFAULT, vec![happening]).await;
    assert!(done.unwrap().unwrap()[0].1.is_changed());
}

/// A worker is about to send it.
async fn intend(ledger: &dyn Ledger, place: Place, token: Token) {
    let send_before = ledger.about().await.unwrap().now.plus(1_000);
    let event = Event::Intent { send_before, sender: Sender(1), account: Account(1) };
    happen(ledger, place, Guard::Intent(token), event).await;
}

/// The provider's answer is written down.
async fn answer(ledger: &dyn Ledger, place: Place, outcome: Outcome) {
    happen(ledger, place, Guard::Fact, Event::Outcome { intent: 1, outcome }).await;
}

/// Ends when somebody was told that so many are being sent.
async fn told(sending: &AtomicU64, wanted: u64) {
    while sending.load(Ordering::SeqCst) != wanted {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_stopped_lane_is_waited_for_until_all_of_it_is_written_down_and_no_other_lane_counts() {
    let world = World::new();
    let (_, places) = taken(&world).await;
    let ledger = &*world.ledger;
    let tokens = [claim(&world, places[0]).await, claim(&world, places[2]).await];
    intend(ledger, places[0], tokens[0]).await;
    intend(ledger, places[1], tokens[0]).await;
    intend(ledger, places[2], tokens[1]).await;
    assert!(stop_lane(ledger, &world.rules, &main_lane(), "checking").await.unwrap());
    let seen = AtomicU64::new(u64::MAX);
    let lane = main_lane();
    let drained = drain::lane(ledger, &lane, PATIENT, |n| seen.store(n, Ordering::SeqCst));
    let answers = async {
        told(&seen, 2).await;
        answer(ledger, places[0], Outcome::Accepted).await;
        told(&seen, 1).await;
        answer(ledger, places[1], Outcome::Unknown).await;
    };
    let (found, ()) = tokio::join!(drained, answers);
    let found = found.unwrap();
    assert_eq!(found, UnderWay { submitted: 1, unknown: 1, ..UnderWay::default() });
    assert_eq!(
        show::pause::drained(&found),
        "nothing of it is being sent any more; under way are 1 submitted, 1 unknown, which \
         callbacks and look-ups settle"
    );
}

#[tokio::test]
async fn a_worker_that_reads_of_the_stop_a_moment_late_is_waited_for() {
    let world = World::new();
    let (_, places, token) = held(&world).await;
    let ledger = &*world.ledger;
    let seen = AtomicU64::new(u64::MAX);
    let (lane, patience) = (main_lane(), Patience { quiet_ms: 500, ..PATIENT });
    let drained = drain::lane(ledger, &lane, patience, |n| seen.store(n, Ordering::SeqCst));
    let late = async {
        told(&seen, 0).await;
        intend(ledger, places[0], token).await;
        told(&seen, 1).await;
        answer(ledger, places[0], Outcome::Accepted).await;
    };
    let (found, ()) = tokio::join!(drained, late);
    assert_eq!(found.unwrap(), UnderWay { submitted: 1, ..UnderWay::default() });
}

#[tokio::test]
async fn the_wait_has_an_end_and_says_how_many_are_still_being_sent() {
    let world = World::new();
    let (id, places, token) = held(&world).await;
    let ledger = &*world.ledger;
    intend(ledger, places[0], token).await;
    let patience = Patience { within_ms: 100, quiet_ms: 0 };
    let sending = UnderWay { submitting: 1, ..UnderWay::default() };
    let found = drain::lane(ledger, &main_lane(), patience, |_| {}).await.unwrap();
    assert_eq!(found, sending);
    assert_eq!(drain::batch(ledger, id, patience, |_| {}).await.unwrap(), sending);
    answer(ledger, places[0], Outcome::Accepted).await;
    let found = drain::batch(ledger, id, patience, |_| {}).await.unwrap();
    assert_eq!((found.submitting, found.submitted), (0, 1));
    assert_eq!(world.batch(id).await.counts.get(State::Accepted), 2);
}
