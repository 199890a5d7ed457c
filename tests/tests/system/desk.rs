//! A person decides what nobody could know, through the real programs, and each decision is judged
//! by the provider's own ledger: what was paid stays paid once, what never arrived is paid once
//! when it is sent again.

use serde_json::{Value, json};
use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::compare::agree_by_card;
use system_tests::config_file::{Engine, Settings};
use system_tests::results::ResultRow;
use system_tests::wait::{wait_for, wait_until};
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(90);
const GIVE_UP_MS: u64 = 3_000;

/// A payout as `review show` tells it, once nothing of it can be under way any more.
fn decidable(world: &World, reference: &str) -> Value {
    wait_for(&format!("{reference} can be decided"), LONG, || {
        let told = world.producer(&["review", "show", reference, "--json"]);
        let told: Value = serde_json::from_str(&told).expect("JSON");
        let is_possible = |decision: &Value| decision["possible"] == true;
        let decisions = told["decisions"].as_array().expect("decisions").iter();
        decisions.into_iter().any(is_possible).then_some(told)
    })
}

/// `review resolve` with everything that it asks for; whether it was done, and what it said.
fn resolve(world: &World, told: &Value, decision: &str, more: &[&str]) -> (bool, String) {
    let text = |name: &str| told[name].as_str().expect("a text").to_owned();
    let (reference, version) = (text("reference"), text("version"));
    let mut words = vec!["review", "resolve", &reference, "--version", &version, decision];
    words.extend(["--reason", "told by the provider's support"]);
    words.extend(more);
    let ended = world.try_producer(&words);
    (ended.status.success(), format!("{}{}", ended.stdout, ended.stderr))
}

fn row(rows: &[ResultRow], reference: &str) -> ResultRow {
    let found = rows.iter().find(|row| row.reference == reference);
    found.unwrap_or_else(|| panic!("no {reference} in {rows:?}")).clone()
}

/// Waits until the result file is written again with this row in `state`.
fn written_again(world: &World, batch: &Batch, reference: &str, state: &str) -> ResultRow {
    wait_for(&format!("{reference} is {state} in the result file"), LONG, || {
        let found = row(&world.result_of(batch, LONG), reference);
        (found.state == state).then_some(found)
    })
}

/// Drops a batch while the provider fails creates so, and waits until it stands in review.
fn stopped(world: &World, batch: &Batch, fault: &str) {
    world.sandbox.dial(&json!({ "faults": {
        fault: { "per_mille": 1000 },
        "status_blind": { "per_mille": 1000 },
        "callback_dropped": { "per_mille": 1000 },
    } }));
    world.drop_in(batch);
    for row in &batch.rows {
        written_again(world, batch, &row.reference, "review");
    }
    world.sandbox.calm();
}

#[test]
fn a_person_decides_what_nobody_could_know_and_nobody_is_paid_twice() {
    let world = World::new(&Settings {
        unknown_give_up_ms: GIVE_UP_MS,
        submitted_give_up_ms: GIVE_UP_MS,
        ..Settings::on(Engine::Sqlite)
    });
    let _up = world.up();
    let first = Batch::new("first", 1);
    world.drop_in(&first);
    world.result_of(&first, LONG);
    // Two creates fail before the provider took them, one after it did: the answers are the same.
    let (lost, taken) = (Batch::new("lost", 2), Batch::new("taken", 1));
    stopped(&world, &lost, "error_before");
    stopped(&world, &taken, "error_after");

    let list = world.producer(&["review", "list"]);
    for reference in ["lost-000001", "lost-000002", "taken-000001"] {
        assert!(list.contains(reference), "{list}");
    }
    assert!(world.producer(&["status"]).contains("waits for a decision; `producer review list"));

    // What the provider has paid is paid, whatever a person believes.
    let told = decidable(&world, "taken-000001");
    assert!(told["told"].as_str().is_some_and(|told| told.contains("paid")), "{told}");
    let amount = format!("{} RUB", taken.rows[0].amount);
    let typed = ["--amount", &amount, "--confirm-reference", "taken-000001"];
    for wrong in ["--failed", "--again"] {
        let (is_done, said) = resolve(&world, &told, wrong, &typed);
        assert!(!is_done && said.contains("only --paid agrees with that"), "{said}");
    }
    let (is_done, said) = resolve(&world, &told, "--paid", &[]);
    assert!(is_done && said.contains("payout taken-000001 is paid since"), "{said}");
    let paid = written_again(&world, &taken, "taken-000001", "paid");
    assert!(paid.reason.starts_with("decided by an operator"), "{paid:?}");

    // What never arrived is closed, or sent again, once its amount and reference are typed.
    let told = decidable(&world, "lost-000001");
    let live = "not found, by a look-up that finds a payout known to exist";
    assert!(told["told"].as_str().is_some_and(|told| told.contains(live)), "{told}");
    let (is_done, said) = resolve(&world, &told, "--failed", &[]);
    assert!(!is_done && said.contains("amount and reference were not typed"), "{said}");
    let amount = format!("{} RUB", lost.rows[0].amount);
    let typed = ["--amount", &amount, "--confirm-reference", "lost-000001"];
    let (is_done, said) = resolve(&world, &told, "--failed", &typed);
    assert!(is_done && said.contains("payout lost-000001 is failed since"), "{said}");
    let failed = written_again(&world, &lost, "lost-000001", "failed");
    assert_eq!(failed.reason, "decided by an operator: told by the provider's support");
    let (is_done, said) = resolve(&world, &told, "--failed", &typed);
    assert!(!is_done && said.contains("is not what was seen as version"), "{said}");

    let told = decidable(&world, "lost-000002");
    let amount = format!("{} RUB", lost.rows[1].amount);
    let typed = ["--amount", &amount, "--confirm-reference", "lost-000002"];
    let (is_done, said) = resolve(&world, &told, "--again", &typed);
    assert!(is_done && said.contains("it is sent as attempt 2"), "{said}");
    written_again(&world, &lost, "lost-000002", "paid");
    let (is_done, said) = resolve(&world, &told, "--again", &typed);
    assert!(!is_done && said.contains("is not what was seen as version"), "{said}");

    wait_until("all callbacks have come", LONG, || world.sandbox.counters().pending == 0);
    let counters = world.sandbox.counters();
    assert_eq!((counters.accepted, counters.duplicates), (3, 0), "each was taken once");
    assert_eq!(world.producer(&["review", "list"]), "nothing waits for a decision\n");
    let mut entries = world.sandbox.ledger();
    entries.retain(|entry| entry.order_id.contains("lost"));
    let tally = agree_by_card(&lost, &world.result_of(&lost, LONG), &entries);
    assert_eq!((tally.rows("paid"), tally.rows("failed")), (1, 1), "{tally:?}");
}
