//! What may be spent: no more than the cap leaves, by the provider's own books, until a person says so.

use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::compare::agree;
use system_tests::config_file::{Engine, Settings};
use system_tests::provider::{Lane, Provider};
use system_tests::wait::{holds_for, wait_until};
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(60);
const ROWS: u32 = 100;
/// At 10.00 a row these are thirty. A day, not an hour: an hour ends while the test runs once in a
/// hundred times.
const CAP: &str = "[lanes.merchant.brakes]\nspend_day = { RUB = \"300.00\" }";
const FIT: u64 = 30;

#[test]
fn a_lane_spends_its_cap_and_goes_on_when_a_person_starts_it() {
    let lane = Lane { settings: CAP, ..Lane::of(Provider::Merchant) };
    let world = World::new(&Settings::on(Engine::Redis).through([lane]));
    let mut batch = Batch::new("payday", ROWS);
    batch.rows.iter_mut().for_each(|row| row.amount = "10.00".to_owned());
    let id = world.enqueue(&batch);
    let _workers = [world.worker(), world.second_worker()];
    let paid = |count| {
        wait_until(&format!("{count} are paid"), LONG, || world.status(&id).rows("paid") == count);
    };

    paid(FIT);
    let books = || world.sandbox.ledger().len();
    holds_for("nothing more is sent", Duration::from_secs(3), || books() == 30);
    let status = world.status(&id);
    assert_eq!((status.state.as_str(), status.rows("accepted")), ("active", 70), "{status:?}");
    let words = "of the cap of 300.00 RUB for one day, 300.00 RUB are used, and the next payout is \
                 10.00 RUB; it goes on by itself at midnight (UTC), or at once, with all of that \
                 cap, by `producer lane start merchant`";
    for shown in [&["status"][..], &["status", &id], &["lane", "list"]] {
        let shown = world.producer(shown);
        assert!(shown.contains(words) && shown.contains("T00:00:00Z"), "{shown}");
    }
    let brakes = || world.producer(&["audit", "show", "lane/merchant"]).matches("  brake ").count();
    assert_eq!(brakes(), 1, "of two workers one told it, and once");

    for more in [60, 90] {
        assert!(world.producer(&["lane", "start", "merchant"]).contains("is started"));
        paid(more);
    }
    assert!(world.producer(&["lane", "start", "merchant"]).contains("is started"));
    world.completes(&id, LONG);
    let tally = agree(&batch, &world.report(&id), &world.sandbox.ledger());
    assert_eq!(tally.rows("paid"), batch.rows.len());
    assert_eq!(brakes(), 3);
    world.producer(&["audit", "verify"]);
}
