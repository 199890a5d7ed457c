//! A provider that gives no answer, wrong answers or too many of them.

use serde_json::json;
use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::compare::agree;
use system_tests::config_file::{Engine, Settings};
use system_tests::wait::wait_until;
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(120);

#[test]
fn what_nobody_can_find_is_never_sent_again_and_ends_in_review() {
    let give_up_ms = 8_000;
    let world = World::new(&Settings {
        unknown_give_up_ms: give_up_ms,
        submitted_give_up_ms: give_up_ms,
        ..Settings::on(Engine::Sqlite)
    });
    // The first payout comes home, so that the lane runs; then a fifth gets no true answer and
    // no look-up finds anything any more, nor is there news of anything.
    let first = Batch::new("first", 1);
    let id = world.enqueue(&first);
    let _worker = world.worker();
    world.completes(&id, LONG);
    world.sandbox.dial(&json!({ "seed": 11, "faults": {
        "error_after": { "per_mille": 100 },
        "hang_after": { "per_mille": 100 },
        "status_blind": { "per_mille": 1000 },
        "callback_dropped": { "per_mille": 300 },
    } }));
    let batch = Batch::new("blind", 300);
    let id = world.enqueue(&batch);
    let doubtful = || {
        let faults = world.sandbox.counters().faults;
        faults["error_after"] + faults["hang_after"]
    };
    wait_until("every row was sent once", LONG, || world.sandbox.counters().create == 301);
    assert!(doubtful() >= 30, "the dial did not strike");
    let status = world.completes(&id, LONG);
    let counters = world.sandbox.counters();
    assert_eq!((counters.create, counters.duplicates), (301, 0), "sent again, blindly");
    assert!(status.rows("review") > 0, "{status:?}");
    assert_eq!(status.rows("paid") + status.rows("review"), 300, "{status:?}");
    assert!(counters.status > doubtful(), "look-ups: {}", counters.status);
    let mut entries = world.sandbox.ledger();
    entries.retain(|entry| !entry.order_id.contains("first"));
    agree(&batch, &world.report(&id), &entries);
}

#[test]
fn in_a_storm_of_faults_nothing_is_paid_twice_and_the_sums_agree_to_the_cent() {
    let world = World::new(&Settings::on(Engine::Redis));
    world.sandbox.dial(&json!({
        "seed": 5, "latency_ms": 2, "latency_jitter_ms": 8,
        "callback_late_ms": 1500, "callback_reorder_ms": 400,
        "faults": {
            "error_after": { "per_mille": 50 },
            "error_before": { "per_mille": 50 },
            "reset_after": { "per_mille": 10 },
            "reset_before": { "per_mille": 10 },
            "callback_duplicated": { "per_mille": 200 },
            "callback_reordered": { "per_mille": 300 },
            "callback_late": { "per_mille": 100 },
            "callback_dropped": { "per_mille": 20 },
            "callback_early": { "per_mille": 50 },
            "forged_signature": { "per_mille": 100 },
            "forged_order": { "per_mille": 50 },
            "forged_amount": { "per_mille": 50 },
            "forged_status": { "per_mille": 50 },
            "forged_type": { "per_mille": 50 },
        },
    }));
    let batch = Batch::new("storm", 2_000);
    let id = world.enqueue(&batch);
    let _workers = [world.worker(), world.second_worker()];
    let status = world.completes(&id, LONG);
    let counters = world.sandbox.counters();
    assert!(counters.forged_sent > 100 && counters.faults["error_after"] > 50, "{counters:?}");
    assert_eq!(counters.duplicates, 0);
    assert_eq!(counters.accepted, 2_000, "each was accepted, and once");
    let tally = agree(&batch, &world.report(&id), &world.sandbox.ledger());
    assert_eq!(tally.rows("paid") + tally.rows("review"), 2_000, "{tally:?}");
    assert!(tally.rows("review") <= 20, "{status:?}");
}
