//! Programs that die without a word: whatever was under way, every row is paid exactly once.

use std::time::{Duration, Instant};
use system_tests::batch::Batch;
use system_tests::compare::agree;
use system_tests::config_file::{Engine, Settings};
use system_tests::process::Process;
use system_tests::redis_server::RedisServer;
use system_tests::wait::{holds_for, wait_until};
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
    // Nothing is overdue here: a look-up would mean that an answer was lost.
    let settings = Settings { overdue_ms: 55_000, ..Settings::on(Engine::Redis) };
    let mut world = World::new(&settings);
    world.sandbox.latency_ms(200);
    let batch = Batch::new("outage", 2_400);
    let id = world.enqueue(&batch);
    let mut worker = world.worker();
    // The second time it stays away for longer than a lease lasts.
    for (share, away_ms) in [(500, 1_000), (1_500, settings.lease_ms + 1_000)] {
        wait_until("a part is sent", LONG, || world.sandbox.counters().create >= share);
        redis(&mut world).kill();
        // Whose intents stand may still leave, within the send window.
        let sent = comes_to_rest(|| world.sandbox.counters().create);
        assert!(sent < 2_400, "killed too late to prove anything");
        holds_for("nothing is sent without a ledger", Duration::from_millis(away_ms), || {
            world.sandbox.counters().create == sent
        });
        redis(&mut world).restart();
    }
    world.completes(&id, LONG);
    assert!(!worker.has_ended(), "the worker outlives its ledger");
    let counters = world.sandbox.counters();
    assert_eq!((counters.create, counters.duplicates), (2_400, 0), "sent twice");
    assert_eq!(counters.status, 0, "a request under way was given up");
    let tally = agree(&batch, &world.report(&id), &world.sandbox.ledger());
    assert_eq!(tally.rows("paid"), 2_400, "{tally:?}");
}

fn redis(world: &mut World) -> &mut RedisServer {
    world.redis.as_mut().expect("a server")
}

/// A count that has not changed for longer than a send window.
fn comes_to_rest(count: impl Fn() -> u64) -> u64 {
    let (mut last, mut since) = (count(), Instant::now());
    wait_until("sending comes to rest", LONG, || {
        let now = count();
        if now != last {
            (last, since) = (now, Instant::now());
        }
        since.elapsed() > Duration::from_millis(1_200)
    });
    last
}

#[test]
fn a_file_whose_intake_is_killed_is_taken_again_on_sqlite() {
    let world = World::new(&Settings::on(Engine::Sqlite));
    a_file_whose_intake_is_killed_is_taken_again(&world, || vec![world.up()]);
}

#[test]
fn a_file_whose_intake_is_killed_is_taken_again_on_redis() {
    let world = World::new(&Settings::on(Engine::Redis));
    let start = || vec![world.start_producer(&["watch"]), world.worker()];
    a_file_whose_intake_is_killed_is_taken_again(&world, start);
}

fn a_file_whose_intake_is_killed_is_taken_again(world: &World, start: impl Fn() -> Vec<Process>) {
    let batch = Batch::new("intake", 12_000);
    world.drop_in(&batch);
    let mut programs = start();
    wait_until("it is being taken", LONG, || {
        world.batches().iter().any(|(_, state)| state == "receiving")
    });
    programs.iter_mut().for_each(Process::kill);
    let (first, state) = world.batches().remove(0);
    assert_eq!(state, "receiving", "killed too late to prove anything");
    assert_eq!(world.sandbox.counters().create, 0, "paid before it was whole");

    let _programs = start();
    let results = world.result_of(&batch, LONG);
    let tally = agree(&batch, &results, &world.sandbox.ledger());
    assert_eq!(tally.rows("paid"), 12_000, "{tally:?}");
    let batches = world.batches();
    let state =
        |id: &String| batches.iter().find(|(known, _)| known == id).map(|(_, s)| s.as_str());
    assert_eq!((batches.len(), state(&first)), (2, Some("rejected")), "{batches:?}");
}
