//! Somebody would notice (S22), and one account has one ledger (S5).

use serde_json::Value;
use std::fs;
use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::config_file::{Engine, Settings};
use system_tests::provider::{Lane, Provider};
use system_tests::sandbox::Entry;
use system_tests::wait::wait_until;
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(90);
const CAPITALIST: &str = "capitalist";

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("not JSON, {error}: {text}"))
}

/// Why a lane is stopped, if it is.
fn stopped(world: &World, lane: &str) -> Option<String> {
    let lanes = parse(&world.producer(&["lane", "list", "--json"]));
    let lanes = lanes.as_array().expect("lanes").iter();
    let found = lanes.filter(|one| one["lane"] == lane).map(|one| one["stopped"].as_str());
    found.flatten().next().map(str::to_owned)
}

/// The record that would pay the same once more, under `number`.
fn again(entry: &Entry, number: &str) -> String {
    let Entry { destination, amount, .. } = entry;
    format!("RUCARD;{destination};{amount};RUR;{number};pay;Ada;Weiss")
}

#[test]
fn what_each_provider_lists_agrees_with_what_was_paid() {
    let settings = Settings::on(Engine::Sqlite).through(Lane::of_each());
    let world = World::new(&settings);
    world.fetch_rules();
    let _worker = world.worker();
    world.register_webhook();
    let batch = Batch::through(&Provider::ALL, "listed", 40);
    let id = world.enqueue(&batch);
    assert_eq!(world.completes(&id, LONG).rows("paid"), 40);
    for provider in Provider::ALL {
        let name = provider.name();
        let told = parse(&world.producer(&["reconcile", name, "--json"]));
        if provider == Provider::Merchant {
            assert_eq!(told["list"], false, "{told}");
            assert_eq!(told["paid"]["RUB"]["rows"], 10, "{told}");
            assert_eq!(told["cost"]["USDT"]["rows"], 10, "{told}");
            assert!(told["balance"]["rows"].is_array(), "{told}");
            continue;
        }
        assert_eq!(told["differences"], 0, "{name}: {told}");
        assert_eq!((&told["agree"], &told["ours"]), (&10.into(), &10.into()), "{name}: {told}");
        assert_eq!(told["paid_there"], told["paid_here"], "{name}: {told}");
        assert_eq!(told["unplaced"], serde_json::json!({}), "{name}: {told}");
    }
}

#[test]
fn money_that_moved_behind_our_back_is_found_and_stops_the_lane() {
    let lanes = [Lane::of(Provider::Capitalist)];
    let world = World::new(&Settings::on(Engine::Sqlite).through(lanes));
    let _worker = world.worker();
    let batch = Batch::through(&[Provider::Capitalist], "ours", 20);
    let id = world.enqueue(&batch);
    assert_eq!(world.completes(&id, LONG).rows("paid"), 20);
    let sandbox = world.sandbox.of(Provider::Capitalist);
    let entry = sandbox.ledger().remove(0);
    let lost = format!("{}-LOST", &entry.order_id[..4]);
    sandbox.pay_behind_our_back(&[again(&entry, &entry.order_id), again(&entry, &lost)]);
    wait_until("all of it is paid", LONG, || sandbox.ledger().iter().all(|entry| entry.paid));

    let looked = world.try_producer(&["reconcile", CAPITALIST, "--look-only"]);
    assert_eq!(looked.status.code(), Some(1), "{looked:?}");
    for words in ["paid twice there", "our reference, unknown here", "ours-000001", &lost] {
        assert!(looked.stdout.contains(words), "{words}: {}", looked.stdout);
    }
    assert!(!looked.stdout.contains(&entry.destination), "{}", looked.stdout);
    assert_eq!(stopped(&world, CAPITALIST), None, "it was only looked at");

    let found = world.try_producer(&["reconcile", CAPITALIST, "--json"]);
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    let told = parse(&found.stdout);
    assert_eq!((&told["differences"], &told["stopped"]), (&2.into(), &true.into()), "{told}");
    let reason = stopped(&world, CAPITALIST).expect("a stop");
    assert!(reason.contains("producer reconcile capitalist"), "{reason}");

    let chain = format!("lane/{CAPITALIST}");
    let brakes = || {
        let told = world.producer(&["audit", "show", &chain, "--json"]);
        let entries = told.lines().map(parse);
        entries.filter(|entry| entry["kind"] == "brake").collect::<Vec<_>>()
    };
    let told = brakes();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["text"]["reason"], reason, "{told:?}");
    assert!(told[0]["who"].as_str().is_some_and(|who| who.contains("(producer)")), "{told:?}");

    world.producer(&["lane", "start", CAPITALIST]);
    let again = world.try_producer(&["reconcile", CAPITALIST]);
    assert_eq!(again.status.code(), Some(1), "it still differs: {again:?}");
    assert_eq!(stopped(&world, CAPITALIST), None, "whoever started it has seen that");
    assert_eq!(brakes(), told, "and nothing was stopped");
    world.producer(&["audit", "verify"]);
}

#[test]
fn a_new_ledger_on_the_account_of_another_pays_nothing_before_that_is_retired() {
    let lanes = [Lane::of(Provider::Capitalist)];
    let world = World::new(&Settings::on(Engine::Sqlite).through(lanes));
    let batch = Batch::through(&[Provider::Capitalist], "ours", 5);
    let mut worker = world.worker();
    let id = world.enqueue(&batch);
    assert_eq!(world.completes(&id, LONG).rows("paid"), 5);
    worker.terminate();
    worker.wait(LONG);
    let sandbox = world.sandbox.of(Provider::Capitalist);
    let retired = sandbox.ledger()[0].order_id[..4].to_owned();
    for file in fs::read_dir(world.folder().join("data")).expect("the data") {
        let path = file.expect("a file").path();
        if path.to_string_lossy().contains("ledger.sqlite") {
            let gone =
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            gone.expect("the old ledger is gone");
        }
    }

    let _worker = world.worker();
    let reason = stopped(&world, CAPITALIST).expect("a stop");
    let command = format!("producer lane adopt {CAPITALIST} {retired}");
    assert!(reason.contains(&command), "{reason}");
    let id = world.enqueue(&batch);
    world.producer(&["lane", "adopt", CAPITALIST, &retired]);
    assert_eq!(sandbox.ledger().len(), 5, "nothing was sent yet");
    world.producer(&["lane", "start", CAPITALIST]);
    assert_eq!(world.completes(&id, LONG).rows("paid"), 5);
    assert_eq!(sandbox.ledger().len(), 10);
}
