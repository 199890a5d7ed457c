//! Polling, which the merchant gateway forbids unless it is agreed: with an agreement it keeps its
//! interval and ends with the callback; and that the check that every test ends with can fail.

use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::config_file::{Engine, Settings};
use system_tests::provider::{Lane, Provider};
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(60);
const ROWS: u32 = 10;

/// A batch is paid through a lane that polls every second, by a gateway that pays within three and
/// a half, and that believes to have agreed to what `sandbox` says.
fn paid_by_a_lane_that_polls(sandbox: &[&'static str]) -> World {
    let polls = "[lanes.merchant.polling]\nagreed = \"by this test\"\ninterval_ms = 1000";
    let lane = Lane { settings: polls, ..Lane::of(Provider::Merchant) };
    let world = World::new(&Settings {
        canary: false,
        sandbox: [&["--no-magic", "--settle-after-ms", "3500"], sandbox].concat(),
        ..Settings::on(Engine::Sqlite).through([lane])
    });
    let id = world.enqueue(&Batch::new("polled", ROWS));
    let worker = world.worker();
    assert_eq!(world.completes(&id, LONG).rows("paid"), u64::from(ROWS));
    drop(worker);
    world
}

#[test]
fn with_an_agreement_payouts_are_asked_about_at_its_interval_until_their_callbacks_come() {
    // No look-up comes before a second, and none a second after its callback: else this would fail
    // at its end.
    let world = paid_by_a_lane_that_polls(&["--look-ups-after-ms", "1000"]);
    let asked = world.sandbox.counters().status;
    assert!((u64::from(2 * ROWS)..=u64::from(4 * ROWS)).contains(&asked), "{asked} look-ups");
}

#[test]
#[should_panic(expected = "look-ups without a listed reason")]
fn a_lane_that_polls_what_did_not_agree_is_found_out_by_what_every_test_ends_with() {
    drop(paid_by_a_lane_that_polls(&[]));
}
