//! `kill -9` at each point of each provider's crash table: what the next worker finds there and
//! does is what the table names, and the provider's own ledger confirms it.
//!
//! | died | test |
//! |---|---|
//! | before or during a create, nothing was taken (all four) | `a_create_that_never_arrived_…` |
//! | before or during a create, it was taken (all four) | `a_create_whose_answer_was_lost_…` |
//! | after the answer was stored (all four) | `what_was_accepted_before_the_crash_…` |
//! | after a callback was stored (gateway, Capay) | `a_callback_that_came_before_the_crash_…` |
//! | waiting for the SMS code (Capitalist) | `a_batch_that_waits_for_its_code_…` |
//! | past its time while waiting (Capitalist) | `a_code_that_nobody_enters_…` |
//! | during `process_batch`, done or not (Capitalist) | `a_confirmation_that_…` |
//! | created, not marked paid (exchange site) | `an_order_that_was_not_yet_marked_paid_…` |
//! | during `pay_bid` (exchange site) | `an_order_whose_mark_was_on_its_way_…` |

use serde_json::json;
use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::compare::agree_by_card;
use system_tests::config_file::{Engine, Settings};
use system_tests::provider::{Lane, Provider};
use system_tests::sandbox::Entry;
use system_tests::wait::{holds_for, wait_until};
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(90);

/// Rows per provider of the batch that a crash strikes.
const ROWS: u32 = 3;

/// All lanes have paid once, so that each has a payout that a look-up can be trusted by.
fn all_four(settings: Settings) -> (World, Batch) {
    let world = World::new(&settings.through(Lane::of_each()));
    world.fetch_rules();
    let mut worker = world.worker();
    let first = world.enqueue(&Batch::through(&Provider::ALL, "first", 4));
    world.completes(&first, LONG);
    worker.kill();
    let mut batch = Batch::through(&Provider::ALL, "struck", 4 + 4 * ROWS);
    batch.rows.drain(..4);
    (world, batch)
}

/// Everything of the batch is paid, and each row was taken once by its own provider.
#[track_caller]
fn assert_paid_once(world: &World, id: &str, batch: &Batch, providers: &[Provider]) {
    world.completes(id, LONG);
    let mut entries: Vec<Entry> = Vec::new();
    for provider in providers {
        let sandbox = world.sandbox.of(*provider);
        assert_eq!(sandbox.counters().duplicates, 0, "{}", provider.name());
        entries.extend(sandbox.ledger());
    }
    entries.retain(|entry| batch.rows.iter().any(|row| row.card == entry.destination));
    assert_eq!(entries.len(), batch.rows.len(), "each was taken, and once");
    let tally = agree_by_card(batch, &world.report(id), &entries);
    assert_eq!(tally.rows("paid"), batch.rows.len(), "{tally:?}");
}

#[test]
fn a_create_that_never_arrived_is_proved_absent_and_sent_again() {
    a_create_under_way("hang_before");
}

#[test]
fn a_create_whose_answer_was_lost_is_found_and_never_sent_again() {
    a_create_under_way("hang_after");
}

fn a_create_under_way(fault: &str) {
    let (world, batch) = all_four(Settings::on(Engine::Sqlite));
    for provider in Provider::ALL {
        world.sandbox.of(provider).dial(&json!({ "faults": { fault: { "per_mille": 1000 } } }));
    }
    let id = world.enqueue(&batch);
    let mut worker = world.worker();
    for provider in Provider::ALL {
        wait_until(&format!("{} hangs", provider.name()), LONG, || {
            world.sandbox.of(provider).counters().struck(fault) > 0
        });
    }
    worker.kill();
    for provider in Provider::ALL {
        world.sandbox.of(provider).calm();
    }
    let _worker = world.worker();
    assert_paid_once(&world, &id, &batch, &Provider::ALL);
}

#[test]
fn what_was_accepted_before_the_crash_is_settled_after_it() {
    let slow = vec!["--no-magic", "--settle-after-ms", "4000"];
    let (world, batch) = all_four(Settings { sandbox: slow, ..Settings::on(Engine::Sqlite) });
    let id = world.enqueue(&batch);
    let mut worker = world.worker();
    wait_until("all are accepted", LONG, || world.status(&id).rows("submitted") == 12);
    worker.kill();
    let _worker = world.worker();
    assert_paid_once(&world, &id, &batch, &Provider::ALL);
}

#[test]
fn a_callback_that_came_before_the_crash_is_not_forgotten() {
    const CALLING: [Provider; 2] = [Provider::Merchant, Provider::Capay];
    // Nothing is overdue here: what settles a payout is what a callback said.
    let settings = Settings { overdue_ms: 55_000, ..Settings::on(Engine::Sqlite) };
    let world = World::new(&settings.through(CALLING.map(Lane::of)));
    let mut worker = world.worker();
    world.register_webhook();
    let first = world.enqueue(&Batch::through(&CALLING, "first", 2));
    world.completes(&first, LONG);
    let acknowledged = |provider| world.sandbox.of(provider).counters().callbacks_acknowledged;
    let before = CALLING.map(acknowledged);
    for provider in CALLING {
        world.sandbox.of(provider).fault("hang_after", 1000);
    }
    let mut batch = Batch::through(&CALLING, "struck", 4);
    batch.rows.drain(..2);
    let id = world.enqueue(&batch);
    wait_until("callbacks overtake the answers", LONG, || {
        CALLING.map(acknowledged).iter().zip(&before).all(|(now, before)| now > before)
    });
    worker.kill();
    for provider in CALLING {
        world.sandbox.of(provider).calm();
    }
    let _worker = world.worker();
    assert_paid_once(&world, &id, &batch, &CALLING);
}

/// A lane whose batches wait for the code of an SMS; a batch waits.
fn waiting_for_a_code(settings: Settings) -> (World, Batch, String) {
    let lane = Lane { provider: Provider::Capitalist, settings: "verification = \"mobile\"" };
    let world = World::new(&settings.through([lane]));
    let batch = Batch::through(&[Provider::Capitalist], "sms", ROWS);
    let id = world.enqueue(&batch);
    (world, batch, id)
}

/// Imports that the provider has seen.
fn imports(world: &World) -> u64 {
    world.sandbox.of(Provider::Capitalist).counters().called("import_batch_advanced")
}

const CODE: &str = "424242";

/// Enters the code until nothing waits any more: a canary goes before its batch.
fn confirm_all(world: &World, id: &str) {
    wait_until("all are confirmed", LONG, || {
        if world.status(id).rows("waiting") > 0 {
            // Another look-up may have been quicker; then there is nothing to confirm.
            let _ended = world.try_producer(&["confirm", id, "--code", CODE]);
        }
        world.status(id).state == "complete"
    });
}

#[test]
fn a_batch_that_waits_for_its_code_still_waits_after_the_crash() {
    let (world, batch, id) =
        waiting_for_a_code(Settings { canary: false, ..Settings::on(Engine::Sqlite) });
    let mut worker = world.worker();
    wait_until("they wait", LONG, || world.status(&id).rows("waiting") == u64::from(ROWS));
    let before = imports(&world);
    worker.kill();
    let _worker = world.worker();
    holds_for("nothing is imported again", Duration::from_secs(3), || imports(&world) == before);
    assert_eq!(world.status(&id).rows("waiting"), u64::from(ROWS));
    confirm_all(&world, &id);
    assert_paid_once(&world, &id, &batch, &[Provider::Capitalist]);
}

#[test]
fn a_code_that_nobody_enters_ends_in_review() {
    let (world, _batch, id) = waiting_for_a_code(Settings {
        canary: false,
        submitted_give_up_ms: 5_000,
        ..Settings::on(Engine::Sqlite)
    });
    let _worker = world.worker();
    let status = world.completes(&id, LONG);
    assert_eq!(status.rows("review"), u64::from(ROWS), "{status:?}");
    assert_eq!(imports(&world), 1, "imported again");
}

#[test]
fn a_confirmation_that_arrived_though_its_sender_died_is_found() {
    a_confirmation_under_way("hang_after", 1);
}

#[test]
fn a_confirmation_that_never_arrived_is_asked_for_again() {
    a_confirmation_under_way("reset_before", 2);
}

fn a_confirmation_under_way(fault: &str, confirmations: u64) {
    let (world, batch, id) =
        waiting_for_a_code(Settings { canary: false, ..Settings::on(Engine::Sqlite) });
    let mut worker = world.worker();
    wait_until("they wait", LONG, || world.status(&id).rows("waiting") == u64::from(ROWS));
    let site = world.sandbox.of(Provider::Capitalist);
    site.dial(&json!({ "faults": { fault: { "next": 1 } } }));
    let mut confirm = world.start_producer(&["confirm", &id, "--code", CODE]);
    wait_until("the code is on its way", LONG, || site.counters().struck(fault) == 1);
    confirm.kill();
    worker.kill();
    let _worker = world.worker();
    if confirmations > 1 {
        confirm_all(&world, &id);
    }
    assert_paid_once(&world, &id, &batch, &[Provider::Capitalist]);
    let counters = site.counters();
    assert_eq!(counters.called("process_batch"), confirmations, "{counters:?}");
    assert_eq!(counters.called("import_batch_advanced"), 1, "{counters:?}");
}

/// A site that draws on a deposit, and a batch for it.
fn funded_in_advance() -> (World, Batch) {
    let world = World::new(&Settings::on(Engine::Sqlite).through([Lane::of(Provider::Exchanger)]));
    world.fetch_rules();
    (world, Batch::through(&[Provider::Exchanger], "order", ROWS))
}

#[test]
fn an_order_that_was_not_yet_marked_paid_is_marked_by_the_next_worker() {
    a_mark_under_way("step_reset_before");
}

#[test]
fn an_order_whose_mark_was_on_its_way_is_paid_once() {
    a_mark_under_way("step_hang_after");
}

fn a_mark_under_way(fault: &str) {
    let (world, batch) = funded_in_advance();
    let site = world.sandbox.of(Provider::Exchanger);
    site.fault(fault, 1000);
    let id = world.enqueue(&batch);
    let mut worker = world.worker();
    wait_until("a mark is on its way", LONG, || site.counters().struck(fault) > 0);
    worker.kill();
    site.calm();
    let _worker = world.worker();
    assert_paid_once(&world, &id, &batch, &[Provider::Exchanger]);
}
