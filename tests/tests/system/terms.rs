//! What is asked of a batch beside its rows. The provider's own stamps judge when it was sent.

use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::compare::agree;
use system_tests::config_file::{Engine, Settings};
use system_tests::sandbox::Entry;
use system_tests::wait::wait_until;
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(60);

/// What the provider accepted of a batch.
fn accepted(world: &World, batch: &Batch) -> Vec<Entry> {
    let is_its = |entry: &Entry| entry.order_id.contains(&format!("{}-", batch.name));
    world.sandbox.ledger().into_iter().filter(is_its).collect()
}

fn waits(world: &World, engine: Engine) {
    const ROWS: u32 = 40;
    let _worker = world.worker();
    let (early, at_once) = (Batch::new("early", ROWS), Batch::new("at-once", ROWS));
    let not_before = Timestamp::now() + SignedDuration::from_secs(6);
    let at = not_before.to_string();
    let id = world.enqueue_with(&world.file(&early), &["--not-before", &at]);
    let other = world.enqueue(&at_once);
    world.producer(&["pause", &id]);
    world.producer(&["resume", &id]);
    let shown = world.producer(&["status", &id]);
    assert!(shown.contains("nothing is sent before"), "{shown}");
    assert!(Timestamp::now() >= not_before || shown.contains("waits until"), "{shown}");
    world.completes(&other, LONG);
    world.completes(&id, LONG);
    let sent = accepted(world, &early);
    assert_eq!(sent.len(), early.rows.len(), "{engine:?}");
    let first_ms = sent.iter().map(|entry| entry.created_ms).min().expect("an entry");
    let not_before_ms = u64::try_from(not_before.as_millisecond()).expect("after 1970");
    assert!(first_ms >= not_before_ms, "sent {} ms too early", not_before_ms - first_ms);
    let both = Batch { name: "both".to_owned(), rows: [early.rows, at_once.rows].concat() };
    let results = [world.report(&id), world.report(&other)].concat();
    assert_eq!(agree(&both, &results, &world.sandbox.ledger()).rows("paid"), both.rows.len());
}

#[test]
fn nothing_of_a_batch_is_sent_before_its_time_and_all_of_it_after() {
    for engine in [Engine::Sqlite, Engine::Redis] {
        let world = World::new(&Settings::on(engine));
        waits(&world, engine);
    }
}

#[test]
fn a_batch_that_is_to_wait_for_too_long_is_refused() {
    let world = World::new(&Settings::on(Engine::Sqlite));
    let file = world.file(&Batch::new("slip", 1)).to_string_lossy().into_owned();
    let ended = world.try_producer(&["enqueue", &file, "--not-before", "2126-11-24T08:00:00Z"]);
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(ended.stderr.contains("more than 90 days ahead"), "{ended:?}");
    let ended = world.try_producer(&["enqueue", &file, "--not-before", "2026-11-24T08:00:00"]);
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert!(ended.stderr.contains("expected a time with its zone"), "{ended:?}");
    assert_eq!(world.batches(), []);
}

#[test]
fn a_high_batch_behind_a_large_low_one_is_through_first_and_the_low_one_goes_on() {
    let settings = Settings { rate_per_second: 100, ..Settings::on(Engine::Redis) };
    let world = World::alone(&settings);
    let (large, small) = (Batch::new("large-low", 3_000), Batch::new("small-high", 200));
    let low = world.enqueue_with(&world.file(&large), &["--priority", "low"]);
    let _worker = world.worker();
    wait_until("the low one is under way", LONG, || accepted(&world, &large).len() >= 100);
    let high = world.enqueue_with(&world.file(&small), &["--priority", "high"]);
    world.completes(&high, LONG);
    assert_eq!(world.status(&low).state, "active");
    let goes_on = accepted(&world, &large).len();
    wait_until("the low one goes on", LONG, || accepted(&world, &large).len() > goes_on + 100);
    let shown = world.producer(&["status", &low]);
    assert!(shown.contains("low priority"), "{shown}");
    wait_until("its end is foreseen", LONG, || {
        world.producer(&["status", &low]).contains("payouts a second")
    });
}
