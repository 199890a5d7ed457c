//! Programs that die without a word: whatever was under way, every row is paid exactly once.

use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::compare::agree;
use system_tests::config_file::{Engine, Settings};
use system_tests::wait::wait_until;
use system_tests::world::World;

/// Long enough for leases to end and doubts to be settled several times over.
const LONG: Duration = Duration::from_secs(90);

#[test]
fn a_worker_that_is_killed_again_and_again_pays_every_row_once_on_sqlite() {
    a_worker_that_is_killed_again_and_again_pays_every_row_once(Engine::Sqlite);
}

#[test]
fn a_worker_that_is_killed_again_and_again_pays_every_row_once_on_redis() {
    a_worker_that_is_killed_again_and_again_pays_every_row_once(Engine::Redis);
}

fn a_worker_that_is_killed_again_and_again_pays_every_row_once(engine: Engine) {
    let world = World::new(&Settings::on(engine));
    world.sandbox.latency_ms(20);
    let batch = Batch::new("killed", 2_000);
    let id = world.enqueue(&batch);
    for share in [300, 700, 1_200] {
        let mut worker = world.worker();
        wait_until("a part is sent", LONG, || world.sandbox.counters().create >= share);
        worker.kill();
    }
    let before = world.sandbox.counters();
    assert!(before.accepted < 2_000, "killed too late to prove anything: {before:?}");
    let _worker = world.worker();
    world.completes(&id, LONG);
    let counters = world.sandbox.counters();
    assert_eq!(counters.duplicates, 0);
    assert!(counters.status > before.status, "what was under way was not asked about");
    let tally = agree(&batch, &world.report(&id), &world.sandbox.ledger());
    assert_eq!(tally.rows("paid"), 2_000, "{tally:?}");
}

#[test]
fn redis_may_die_in_mid_chunk_and_the_work_goes_on_by_itself() {
    let mut world = World::new(&Settings::on(Engine::Redis));
    world.sandbox.latency_ms(200);
    let batch = Batch::new("outage", 3_000);
    let id = world.enqueue(&batch);
    let mut worker = world.worker();
    for share in [500, 1_500] {
        wait_until("a part is sent", LONG, || world.sandbox.counters().create >= share);
        let redis = world.redis.as_mut().expect("a server");
        redis.kill();
        // What is under way comes to its end: the provider answers all that it was asked.
        let sandbox = &world.sandbox;
        wait_until("nothing is under way", LONG, || {
            let counters = sandbox.counters();
            counters.create == counters.accepted
        });
        world.redis.as_mut().expect("a server").restart();
    }
    world.completes(&id, LONG);
    assert!(!worker.has_ended(), "the worker outlives its ledger");
    let counters = world.sandbox.counters();
    assert_eq!((counters.duplicates, counters.create), (0, 3_000), "nothing was sent twice");
    let tally = agree(&batch, &world.report(&id), &world.sandbox.ledger());
    assert_eq!(tally.rows("paid"), 3_000, "{tally:?}");
}
