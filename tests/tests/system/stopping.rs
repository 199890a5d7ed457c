//! A graceful end leaves nothing behind that anybody would have to ask about.

use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::compare::agree;
use system_tests::config_file::{Engine, Settings};
use system_tests::wait::wait_until;
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_stopped_worker_leaves_no_doubt_and_the_next_one_goes_on_on_sqlite() {
    a_stopped_worker_leaves_no_doubt_and_the_next_one_goes_on(Engine::Sqlite);
}

#[test]
fn a_stopped_worker_leaves_no_doubt_and_the_next_one_goes_on_on_redis() {
    a_stopped_worker_leaves_no_doubt_and_the_next_one_goes_on(Engine::Redis);
}

fn a_stopped_worker_leaves_no_doubt_and_the_next_one_goes_on(engine: Engine) {
    // Nothing is overdue here, so that any look-up would be about doubt.
    let world = World::new(&Settings { overdue_ms: 55_000, ..Settings::on(engine) });
    world.sandbox.latency_ms(50);
    let batch = Batch::new("stopped", 3_000);
    let id = world.enqueue(&batch);
    for share in [500, 1_500] {
        let mut worker = world.worker();
        wait_until("a part is sent", LONG, || world.sandbox.counters().create >= share);
        worker.terminate();
        assert!(worker.wait(Duration::from_secs(12)).success(), "within its deadline");
        let status = world.status(&id);
        assert_eq!((status.rows("submitting"), status.rows("unknown")), (0, 0), "{status:?}");
        assert!(status.rows("accepted") > 0, "stopped too late to prove anything: {status:?}");
        // Every create was answered, and every answer written down.
        let counters = world.sandbox.counters();
        assert_eq!(counters.create, 3_000 - status.rows("accepted"));
    }
    let _worker = world.worker();
    world.completes(&id, LONG);
    let counters = world.sandbox.counters();
    assert_eq!((counters.create, counters.status), (3_000, 0), "{counters:?}");
    let tally = agree(&batch, &world.report(&id), &world.sandbox.ledger());
    assert_eq!(tally.rows("paid"), 3_000, "{tally:?}");
}
