//! A lane that is set up wrongly stops, and says so; its rows wait.

use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::compare::agree;
use system_tests::config_file::{Engine, Settings};
use system_tests::sandbox::SIGN_KEY;
use system_tests::wait::{holds_for, wait_until};
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_wrong_key_stops_a_new_lane_after_its_canary_and_all_rows_stay_payable() {
    a_wrong_key_stops_the_lane(&Settings::on(Engine::Sqlite), 1);
}

#[test]
fn a_wrong_key_stops_a_lane_without_canary_within_a_handful_of_creates() {
    let settings = Settings { canary: false, in_flight: 10, ..Settings::on(Engine::Redis) };
    a_wrong_key_stops_the_lane(&settings, 15);
}

fn a_wrong_key_stops_the_lane(settings: &Settings, creates_max: u64) {
    let mut world = World::new(settings);
    world.sandbox.latency_ms(5);
    let batch = Batch::new("key", 500);
    let id = world.enqueue(&batch);
    "mistyped".clone_into(&mut world.sign_key);
    let mut worker = world.worker();
    wait_until("a create is refused", LONG, || world.sandbox.counters().create >= 1);
    holds_for("no more than a handful is sent", Duration::from_secs(4), || {
        world.sandbox.counters().create <= creates_max
    });
    wait_until("the rows are payable", LONG, || world.status(&id).rows("accepted") == 500);
    assert!(worker.stderr().contains("stopped"), "{}", worker.stderr());
    worker.terminate();
    assert!(worker.wait(LONG).success());

    SIGN_KEY.clone_into(&mut world.sign_key);
    let _worker = world.worker();
    world.producer(&["lane", "start", "merchant"]);
    world.completes(&id, LONG);
    // What the worker did by itself stands before what the person did, and under its signature.
    let told = world.producer(&["audit", "show", "lane/merchant"]);
    let kinds: Vec<_> = told.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    assert_eq!(kinds, ["brake", "lane_started"], "{told}");
    assert!(told.lines().next().is_some_and(|brake| brake.contains("  worker  ")), "{told}");
    world.producer(&["audit", "verify"]);
    let tally = agree(&batch, &world.report(&id), &world.sandbox.ledger());
    assert_eq!(tally.rows("paid"), 500, "{tally:?}");
}
