//! How many creates a provider has under way at once: what the lane says, for the whole pool.

use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::compare::agree;
use system_tests::config_file::{Engine, Settings};
use system_tests::process::Process;
use system_tests::wait::wait_until;
use system_tests::world::{WORKERS, World};

const LONG: Duration = Duration::from_secs(60);

/// Four workers pay a batch; one of them is killed when part of it has left.
fn a_pool_pays(in_flight: u16, rows: u32, latency_ms: u64) {
    let settings = Settings { in_flight, ..Settings::on(Engine::Redis) };
    let world = World::new(&settings);
    world.sandbox.latency_ms(latency_ms);
    let batch = Batch::new("seats", rows);
    let id = world.enqueue(&batch);
    let mut workers: Vec<Process> = (0..WORKERS).map(|no| world.start_worker(no)).collect();
    wait_until("a third of it has left", LONG, || {
        world.sandbox.counters().create > u64::from(rows) / 3
    });
    workers[0].kill();
    world.completes(&id, LONG);
    let tally = agree(&batch, &world.report(&id), &world.sandbox.ledger());
    assert_eq!(tally.rows("paid"), batch.rows.len(), "{tally:?}");
    let counters = world.sandbox.counters();
    assert_eq!(counters.duplicates, 0);
    assert_eq!(counters.max_at_once, u64::from(in_flight), "{counters:?}");
}

#[test]
fn four_workers_together_have_no_more_creates_under_way_than_the_lane_allows() {
    a_pool_pays(6, 600, 40);
}

#[test]
fn four_workers_take_turns_where_a_provider_takes_one_request_at_a_time() {
    a_pool_pays(1, 60, 40);
}
