//! Batches that stop by themselves: too many failures, and canaries.

use crate::world::World;
use domain::{BatchState, ChunkId, Event, News, Place, State};
use engine::BatchBrakeSettings;
use futures::executor::block_on;
use ledger::Ledger;
use ledger::audit::{Chain, Entry, Kind};
use ledger::pause::{self, Hold, Pause};
use providers::{Answer, Payment};
use sim::gateway::lane_name;
use std::sync::atomic::Ordering;

const CHUNK_ROWS: u16 = 10;
const THIRTY_PERCENT: BatchBrakeSettings =
    BatchBrakeSettings { failed_percent: 30, failed_after: 20, canary_rows: 0 };
const THREE_CANARIES: BatchBrakeSettings =
    BatchBrakeSettings { canary_rows: 3, ..BatchBrakeSettings::OFF };
const ANSWERS: &str = "the in-memory ledger answers";

/// So many chunks of ten rows.
fn chunks(chunks: u16, brakes: BatchBrakeSettings) -> World {
    World::with(chunks * CHUNK_ROWS, CHUNK_ROWS, 0, brakes)
}

fn chunk(world: &World, no: u16) -> ChunkId {
    ChunkId { no, ..world.chunk }
}

/// One chunk is worked on once; how many payouts left.
fn work(world: &World, no: u16) -> usize {
    let before = sent(world);
    assert!(world.engine.offer(chunk(world, no), &lane_name()), "nothing is at work");
    world.until(|world| world.engine.room(&lane_name()) > 0);
    sent(world) - before
}

fn sent(world: &World) -> usize {
    world.provider.sent.lock().expect("no panic").len()
}

/// These rows of each chunk are refused.
fn refuse(world: &World, refused: impl Fn(Place) -> bool + Send + 'static) {
    world.provider.answers(move |payment: &Payment| match refused(payment.place) {
        true => Answer::Refused { text: "no such card".to_owned(), created_nothing: true },
        false => Answer::Accepted { provider_id: None, cost: None },
    });
}

fn batch(world: &World) -> domain::Batch {
    block_on(world.ledger.batch(world.chunk.batch)).expect(ANSWERS).expect("a batch")
}

fn register(world: &World) -> (u64, Pause) {
    block_on(pause::read(&world.ledger, world.chunk.batch)).expect(ANSWERS)
}

fn hold(world: &World) -> Hold {
    register(world).1.hold.expect("why it is paused")
}

/// A person lets the batch go on, having seen where it stands.
fn resume(world: &World) {
    let (version, mut register) = register(world);
    let id = world.chunk.batch;
    register.seen.counts = batch(world).counts;
    if let Some(no) = register.hold.as_ref().and_then(|hold| hold.canaries) {
        let all = block_on(world.ledger.chunk(chunk(world, no))).expect(ANSWERS).expect("a chunk");
        let rows = (0u16..).zip(all.payouts).filter(|(_, p)| p.state == State::Failed);
        register.seen.canaries.entry(no).or_default().extend(rows.map(|(row, _)| row));
    }
    assert!(block_on(pause::put(&world.ledger, id, version, &register)).expect(ANSWERS));
    let go = world.ledger.set_batch_state(id, BatchState::Paused, BatchState::Active);
    assert!(block_on(go).expect(ANSWERS));
}

fn brakes_told(world: &World) -> usize {
    let chain = Chain::batch(world.chunk.batch).as_str().to_owned();
    let entries = block_on(world.ledger.entries(chain, 0, 100)).expect(ANSWERS);
    let kinds = entries.iter().map(|entry| Entry::decode(entry).expect("an entry").0.kind);
    kinds.filter(|kind| *kind == Kind::Brake).count()
}

#[test]
fn a_batch_of_which_too_many_are_refused_is_paused_once_and_says_why() {
    let world = chunks(10, THIRTY_PERCENT);
    refuse(&world, |place| place.row < 4);
    assert_eq!((work(&world, 0), work(&world, 1)), (10, 10), "twenty are needed to judge");
    assert_eq!(work(&world, 2), 0);
    assert_eq!(batch(&world).state, BatchState::Paused);
    let Hold { who, since, reason, .. } = hold(&world);
    assert_eq!((who.as_str(), since), ("worker", world.now()));
    assert!(reason.starts_with("of 20 payouts that were answered, 8 failed"), "{reason}");
    assert!(reason.contains("lane sim allows 30 percent"), "{reason}");
    assert_eq!(work(&world, 3) + work(&world, 4), 0, "it holds for every chunk");
    assert_eq!(brakes_told(&world), 1);
    assert_eq!(world.engine.counters().batch_brakes_total.load(Ordering::Relaxed), 1);
}

#[test]
fn once_resumed_it_counts_from_there_on_and_not_what_was_seen() {
    let world = chunks(10, THIRTY_PERCENT);
    refuse(&world, |place| place.row < 4);
    assert_eq!([0, 1, 2].map(|no| work(&world, no)), [10, 10, 0]);
    resume(&world);
    // What this worker knows is older than the resumption: it looks again and pauses nothing.
    assert_eq!(work(&world, 2), 0);
    assert_eq!(batch(&world).state, BatchState::Active);
    assert_eq!((work(&world, 2), work(&world, 3)), (10, 10));
    assert_eq!(work(&world, 4), 0);
    assert_eq!(batch(&world).state, BatchState::Paused);
    let reason = hold(&world).reason;
    assert!(reason.starts_with("of 20 payouts that were answered since it was resumed, 8"));
}

#[test]
fn a_few_bad_rows_stop_nothing() {
    let world = chunks(10, THIRTY_PERCENT);
    refuse(&world, |place| place.row < 3);
    let left: usize = (0..10).map(|no| work(&world, no)).sum();
    assert_eq!((left, batch(&world).state), (100, BatchState::Active));
    assert_eq!(register(&world), (0, Pause::default()), "and nothing is written about it");
}

#[test]
fn words_of_somebody_who_died_before_he_paused_the_batch_hold_nothing() {
    let world = chunks(2, THIRTY_PERCENT);
    let hold = Hold {
        who: "worker".to_owned(),
        since: world.now(),
        reason: "half-way".to_owned(),
        canaries: None,
    };
    let words = Pause { hold: Some(hold), ..Pause::default() };
    assert!(block_on(pause::put(&world.ledger, world.chunk.batch, 0, &words)).expect(ANSWERS));
    assert_eq!(work(&world, 0), 10);
}

/// A canary is paid.
fn paid(world: &World, row: u16) {
    world.happen(row, Event::News { attempt: 1, news: News::Paid }, Vec::new());
}

fn ready(world: &World) -> Vec<ChunkId> {
    block_on(world.ledger.take_ready(lane_name(), 10, 1)).expect(ANSWERS)
}

#[test]
fn nothing_but_the_canaries_leaves_before_all_of_them_are_paid() {
    let world = chunks(3, THREE_CANARIES);
    assert_eq!(work(&world, 1), 0, "they lie in the first chunk");
    assert_eq!(work(&world, 0), 3);
    assert_eq!(work(&world, 0) + work(&world, 2), 0);
    assert_eq!(ready(&world), [], "nobody looks all the time");
    world.pass(500);
    assert_eq!(ready(&world).len(), 3, "and everybody soon");
    paid(&world, 0);
    paid(&world, 1);
    assert_eq!(work(&world, 0) + work(&world, 1), 0);
    paid(&world, 2);
    assert_eq!(work(&world, 1), 10);
    assert_eq!((work(&world, 0), work(&world, 2)), (7, 10));
}

#[test]
fn the_longer_canaries_take_the_less_often_they_are_looked_at() {
    let world = chunks(2, THREE_CANARIES);
    work(&world, 0);
    let mut looks = 0;
    let end = world.now().plus(60_000);
    while world.now() < end {
        for id in ready(&world).into_iter().filter(|id| id.no == 1) {
            looks += 1;
            work(&world, id.no);
        }
        world.pass(100);
    }
    // Every half second it would be a hundred and twenty.
    assert!((20..60).contains(&looks), "{looks} looks");
}

#[test]
fn a_lost_canary_pauses_the_batch_and_once_seen_the_next_row_takes_its_turn() {
    let world = chunks(2, THREE_CANARIES);
    refuse(&world, |place| place.row == 1);
    assert_eq!(work(&world, 0), 3);
    assert_eq!(work(&world, 1), 0, "whoever looks first pauses it");
    assert_eq!(batch(&world).state, BatchState::Paused);
    let Hold { reason, canaries, .. } = hold(&world);
    assert!(reason.starts_with("of its 3 canaries 1 came to no payment"), "{reason}");
    assert_eq!((canaries, brakes_told(&world)), (Some(0), 1));
    resume(&world);
    world.pass(1_000);
    assert_eq!(work(&world, 1), 0, "three have to be paid all the same");
    assert_eq!(work(&world, 0), 1);
    assert_eq!(batch(&world).state, BatchState::Active);
    [0, 2, 3].into_iter().for_each(|row| paid(&world, row));
    assert_eq!((work(&world, 0), work(&world, 1)), (6, 10));
}
