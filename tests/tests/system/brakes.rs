//! A batch that goes wrong stops by itself, before all of it has gone wrong.

use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::compare::agree;
use system_tests::config_file::{Engine, Settings};
use system_tests::wait::{holds_for, wait_for};
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(60);
const ROWS: u32 = 1_500;
/// The first rows of each of its two chunks.
const BAD_OF_A_THOUSAND: u32 = 40;
const BAD: usize = 80;

#[test]
fn a_batch_with_many_bad_rows_stops_by_itself_and_goes_on_when_a_person_says_so() {
    let settings = Settings {
        // Slices of sixty rows, so that there is something left to be held back.
        rate_per_second: 400,
        // The lane's own canary would be one of the bad rows.
        canary: false,
        sandbox: vec!["--settle-after-ms", "100"],
        ..Settings::on(Engine::Redis)
    };
    let world = World::new(&settings);
    let mut batch = Batch::new("wrong-column", ROWS);
    for (row, no) in batch.rows.iter_mut().zip(0_u32..) {
        // The sandbox refuses what ends in 93 cents.
        let cents = if no % 1_000 < BAD_OF_A_THOUSAND { "93" } else { "00" };
        row.amount = format!("{}.{cents}", 1 + no);
    }
    let id = world.enqueue(&batch);
    let _workers = [world.worker(), world.second_worker()];

    let stands = || Some(world.status(&id)).filter(|status| status.state != "active");
    let status = wait_for("the batch stops", LONG, stands);
    assert_eq!(status.state, "paused", "{status:?}");
    let told = world.producer(&["pause", &id, "--wait"]);
    assert!(told.contains("was paused already, by worker at "), "{told}");
    let (status, sent) = (world.status(&id), world.sandbox.counters().create);
    assert!(status.rows("accepted") >= u64::from(ROWS / 2), "most of it is held back: {status:?}");
    assert_eq!(status.rows("submitting"), 0, "{status:?}");
    holds_for("nothing more is sent", Duration::from_millis(700), || {
        world.sandbox.counters().create == sent
    });
    let shown = world.producer(&["status", &id]);
    assert!(shown.contains("failed or are in review; lane merchant allows 30 percent"), "{shown}");
    assert!(shown.contains(&format!("`producer resume {id}` lets it go on")), "{shown}");
    let chain = world.producer(&["audit", "show", &id]);
    assert_eq!(chain.matches("  brake ").count(), 1, "of two workers one paused it: {chain}");

    // Bad rows that are left may stop it once more; each time a person lets it go on.
    wait_for("the batch completes", LONG, || {
        let status = world.status(&id);
        if status.state == "paused" {
            world.producer(&["resume", &id]);
        }
        Some(status).filter(|status| status.state == "complete")
    });
    let tally = agree(&batch, &world.report(&id), &world.sandbox.ledger());
    assert_eq!((tally.rows("failed"), tally.rows("paid")), (BAD, batch.rows.len() - BAD));
    world.producer(&["audit", "verify"]);
}
