//! A sender that is frozen (S12): SIGSTOP takes its time away and none of its plans. It wakes up
//! long after everything was decided without it, and must neither send nor be sent for twice.

use serde_json::json;
use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::compare::agree;
use system_tests::config_file::{Engine, Settings};
use system_tests::process::Process;
use system_tests::relay::Relay;
use system_tests::wait::{holds_for, wait_until};
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(90);
const ROWS: u32 = 40;

/// A lane without a canary, so that many rows leave at once; one batch of one row was paid over it,
/// which look-ups are trusted by.
fn begun() -> (World, Relay, Process, Batch) {
    let world = World::new(&Settings {
        canary: false,
        // Nobody gives up meanwhile: whoever waits, waits for the sender.
        unknown_give_up_ms: 120_000,
        ..Settings::on(Engine::Redis)
    });
    let relay = Relay::to(&world.redis.as_ref().expect("a Redis").url());
    let worker = world.worker_by(&relay);
    let first = world.enqueue(&Batch::new("first", 1));
    world.completes(&first, LONG);
    (world, relay, worker, Batch::new("frozen", ROWS))
}

/// A second worker has taken over and knows of every row; some it can know no more of than that
/// they may still be sent. Gives how many.
fn taken_over(world: &World, id: &str) -> u64 {
    let counters = || world.sandbox.counters();
    let mut unknown = 0;
    wait_until("all that the provider has is settled", LONG, || {
        let status = world.status(id);
        unknown = status.rows("unknown");
        let has = counters().accepted;
        unknown > 0
            && unknown + status.rows("paid") == u64::from(ROWS)
            && unknown + has == 1 + u64::from(ROWS)
    });
    let before = counters();
    wait_until("each was looked for in vain, twice", LONG, || {
        counters().status >= before.status + 2 * unknown
    });
    holds_for("nothing is sent while he may wake up", Duration::from_secs(2), || {
        counters().create == before.create
    });
    assert_eq!(world.status(id).rows("unknown"), unknown);
    unknown
}

/// Everything is paid, once each, after so many creates in all.
fn assert_paid_once(world: &World, id: &str, batch: &Batch, creates: u64) {
    world.completes(id, LONG);
    let counters = world.sandbox.counters();
    assert_eq!((counters.create, counters.duplicates), (creates, 0), "{counters:?}");
    assert_eq!(counters.accepted, 1 + u64::from(ROWS), "each was accepted, and once");
    let mut entries = world.sandbox.ledger();
    entries.retain(|entry| !entry.order_id.contains("first"));
    let tally = agree(batch, &world.report(id), &entries);
    assert_eq!(tally.rows("paid"), batch.rows.len(), "{tally:?}");
}

/// Frozen where its intents are written and it has not heard of that: before it sends.
fn frozen_before_it_sends() -> (World, Relay, Process, Batch, String) {
    let (world, relay, first, batch) = begun();
    relay.hold_from_next_intent();
    let id = world.enqueue(&batch);
    wait_until("an intent is written", LONG, || relay.is_holding());
    first.freeze();
    relay.release();
    wait_until("it stands in the ledger", LONG, || world.status(&id).rows("submitting") > 0);
    assert_eq!(world.sandbox.counters().create, 1, "nothing of the batch was sent");
    (world, relay, first, batch, id)
}

#[test]
fn a_sender_that_was_frozen_before_it_sent_wakes_up_too_late_sends_nothing_and_all_is_paid_once() {
    let (world, _relay, mut first, batch, id) = frozen_before_it_sends();
    let mut second = world.second_worker();
    let unknown = taken_over(&world, &id);
    // From here on whatever is created was meant before the freeze: new rows do not leave.
    world.producer(&["lane", "stop", "merchant", "--reason", "who sends now?"]);
    let before = world.sandbox.counters().create;
    assert_eq!(before, 1 + u64::from(ROWS) - unknown);
    first.thaw();
    wait_until("it takes back what it never sent", LONG, || {
        world.status(&id).rows("accepted") == unknown
    });
    holds_for("and sends nothing of it", Duration::from_secs(2), || {
        world.sandbox.counters().create == before
    });
    world.producer(&["lane", "start", "merchant"]);
    assert_paid_once(&world, &id, &batch, 1 + u64::from(ROWS));
    for worker in [&mut first, &mut second] {
        worker.terminate();
        assert!(worker.wait(LONG).success());
    }
}

#[test]
fn what_a_frozen_sender_kept_from_others_is_paid_once_it_is_known_to_be_gone() {
    let (world, _relay, mut first, batch, id) = frozen_before_it_sends();
    let _second = world.second_worker();
    taken_over(&world, &id);
    first.kill();
    assert_paid_once(&world, &id, &batch, 1 + u64::from(ROWS));
}

#[test]
fn a_sender_that_was_frozen_while_it_sent_is_asked_about_and_what_arrived_is_not_sent_again() {
    let (world, _relay, first, batch) = begun();
    world.sandbox.dial(&json!({ "seed": 3, "faults": {
        "hang_before": { "per_mille": 400 },
        "hang_after": { "per_mille": 400 },
    } }));
    let id = world.enqueue(&batch);
    let struck = |fault| world.sandbox.counters().struck(fault);
    wait_until("requests hang, taken and not", LONG, || {
        struck("hang_before") > 0 && struck("hang_after") > 0
    });
    first.freeze();
    world.sandbox.calm();
    let _second = world.second_worker();
    taken_over(&world, &id);
    first.thaw();
    world.completes(&id, LONG);
    assert_paid_once(&world, &id, &batch, 1 + u64::from(ROWS) + struck("hang_before"));
}
