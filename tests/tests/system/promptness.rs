//! How soon things happen. Each of these worlds has the machine alone.

use std::time::{Duration, Instant, SystemTime};
use system_tests::batch::Batch;
use system_tests::config_file::{Engine, Settings};
use system_tests::process::Process;
use system_tests::wait::{holds_for, wait_until};
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(60);
/// What the config says: a file is at rest when it stood still this long.
const REST_MS: u128 = 300;

#[test]
fn a_file_is_begun_within_a_second_of_its_rest_on_an_idle_machine_on_sqlite() {
    let world = World::alone(&Settings::on(Engine::Sqlite));
    let programs = [world.up()];
    a_file_is_begun_within_a_second_of_its_rest(&world, &programs);
}

#[test]
fn a_file_is_begun_within_a_second_of_its_rest_on_an_idle_pool_on_redis() {
    let world = World::alone(&Settings::on(Engine::Redis));
    let programs = [world.start_producer(&["watch"]), world.worker(), world.second_worker()];
    a_file_is_begun_within_a_second_of_its_rest(&world, &programs);
}

fn a_file_is_begun_within_a_second_of_its_rest(world: &World, _: &[Process]) {
    wait_until("the inbox is there", LONG, || world.inbox("done").is_dir());
    for name in ["first", "second", "third"] {
        // Long enough for every kind of waiting to reach its longest pause.
        holds_for("nothing is sent on its own", Duration::from_secs(4), || {
            world.sandbox.counters().pending == 0
        });
        let batch = Batch::new(name, 5);
        world.drop_in(&batch);
        let dropped = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time");
        world.result_of(&batch, LONG);
        let begun = world.sandbox.ledger().into_iter().find(|e| e.order_id.contains(name));
        let begun_ms = u128::from(begun.expect("an entry").created_ms);
        let waited_ms = begun_ms - dropped.as_millis();
        assert!(waited_ms <= REST_MS + 1_000, "{name}: {waited_ms} ms after it was dropped");
    }
    world.asked_only_for_what_was_overdue();
}

#[test]
fn a_small_batch_behind_a_huge_one_does_not_wait_for_it() {
    let settings = Settings { rate_per_second: 500, ..Settings::on(Engine::Sqlite) };
    let world = World::alone(&settings);
    let huge = Batch::new("huge", 100_000);
    let huge_id = world.enqueue(&huge);
    let _worker = world.worker();
    wait_until("the huge one is under way", LONG, || world.sandbox.counters().accepted > 1_500);
    let small = Batch::new("small", 100);
    let (begun, before) = (Instant::now(), world.sandbox.counters());
    let small_id = world.enqueue(&small);
    world.completes(&small_id, LONG);
    let (took, after) = (begun.elapsed(), world.sandbox.counters());
    assert!(took < Duration::from_secs(8), "the small one took {took:?}");
    let left = world.status(&huge_id).rows("accepted");
    assert!(left > 94_000, "the huge one was almost done: {left} rows left");
    // Taking turns costs the lane nothing: it sends at its rate, and never above it.
    let sent = after.accepted - before.accepted;
    let rate = u128::from(sent) * 1_000 / took.as_millis();
    assert!(rate >= 400, "{sent} in {took:?}");
    assert!(after.max_per_second <= 550, "{} creates in a second", after.max_per_second);
    assert_eq!(after.duplicates, 0);
    world.asked_only_for_what_was_overdue();
}
