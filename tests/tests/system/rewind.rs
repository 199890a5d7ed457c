//! A ledger that is put back to an earlier time (S18): nothing is sent before a person has spoken,
//! nobody is paid twice, and it is said what to do.

use serde_json::Value;
use std::time::Duration;
use system_tests::backup::Backup;
use system_tests::batch::Batch;
use system_tests::compare::agree;
use system_tests::config_file::{Engine, Settings};
use system_tests::wait::{holds_for, wait_until};
use system_tests::world::World;

/// Long enough for doubts to be settled several times over.
const LONG: Duration = Duration::from_secs(90);
/// Long enough for a row that is thought payable to be sent.
const QUIET: Duration = Duration::from_secs(2);
const ROWS: u32 = 900;
const PAID: usize = 900;

#[test]
fn a_sqlite_file_that_is_put_back_twice_pays_nobody_twice() {
    a_ledger_that_is_put_back_twice_pays_nobody_twice(Engine::Sqlite);
}

#[test]
fn an_aof_that_is_put_back_twice_pays_nobody_twice() {
    a_ledger_that_is_put_back_twice_pays_nobody_twice(Engine::Redis);
}

fn a_ledger_that_is_put_back_twice_pays_nobody_twice(engine: Engine) {
    let mut world = World::new(&Settings::on(engine));
    world.sandbox.latency_ms(100);
    let batch = Batch::new("rewound", ROWS);
    let id = world.enqueue(&batch);
    let other = world.file(&Batch::new("other", 5));
    let mut worker = world.worker();
    for (copied, lost) in [(100, 300), (450, 700)] {
        wait_until("a part is paid", LONG, || world.sandbox.counters().accepted >= copied);
        worker.kill();
        let since = now(&world);
        let backup = Backup::of(&mut world);
        worker = world.worker();
        wait_until("more is paid", LONG, || world.sandbox.counters().accepted >= lost);
        worker.kill();
        backup.put_back(&mut world);

        let sent = world.sandbox.counters().create;
        assert!(sent < 900, "put back too late to prove anything");
        worker = world.worker();
        let health = world.health();
        assert_eq!(health["status"], "nothing is sent", "{health}");
        let told = world.producer(&["ledger", "status"]);
        for words in ["gone back in time", &id, "what to do", "producer ledger recover"] {
            assert!(told.contains(words), "{words:?} is not in: {told}");
        }
        let refused = world.try_producer(&["enqueue", &other.to_string_lossy()]);
        assert!(!refused.status.success(), "{refused:?}");
        assert!(refused.stderr.contains("producer ledger status"), "{refused:?}");
        holds_for("nothing is sent", QUIET, || world.sandbox.counters().create == sent);

        let order = ["ledger", "recover", "--lost-since", &since, "--journals-complete", "--yes"];
        let told = world.producer(&order);
        assert!(told.contains("trusted again"), "{told}");
        assert!(!is_suspect(&world));
    }
    world.completes(&id, LONG);
    let counters = world.sandbox.counters();
    assert_eq!(counters.duplicates, 0, "{counters:?}");
    let tally = agree(&batch, &world.report(&id), &world.sandbox.ledger());
    assert_eq!(tally.rows("paid"), PAID, "{tally:?}");
    world.enqueue_file(&other);
}

#[test]
fn a_batch_that_the_ledger_lost_whole_is_never_paid_by_dropping_its_file_again() {
    let mut world = World::new(&Settings::on(Engine::Sqlite));
    let first = world.enqueue(&Batch::new("first", 3));
    let mut worker = world.worker();
    world.completes(&first, LONG);
    worker.kill();
    let since = now(&world);
    let backup = Backup::of(&mut world);
    let batch = Batch::new("lost", 40);
    let id = world.enqueue(&batch);
    worker = world.worker();
    world.completes(&id, LONG);
    worker.kill();
    backup.put_back(&mut world);

    let _worker = world.worker();
    let told = world.producer(&["ledger", "status"]);
    assert!(told.contains(&id), "{told}");
    let order = ["ledger", "recover", "--lost-since", &since, "--journals-complete", "--yes"];
    let told = world.producer(&order);
    assert!(told.contains("40 references of lost batches"), "{told}");
    let again = world.try_producer(&["enqueue", &world.file(&batch).to_string_lossy()]);
    assert!(!again.status.success(), "{again:?}");
    assert!(again.stderr.contains(&id) && again.stderr.contains("lost"), "{again:?}");
    let next = world.enqueue(&Batch::new("next", 5));
    world.completes(&next, LONG);
    let counters = world.sandbox.counters();
    assert_eq!((counters.accepted, counters.duplicates), (48, 0), "{counters:?}");
}

#[test]
fn where_journals_are_missing_everything_that_is_not_final_is_asked_about_first() {
    // All rows of a chunk are asked about twice: on a busy machine that takes its time.
    let give_up = Settings { unknown_give_up_ms: 80_000, ..Settings::on(Engine::Sqlite) };
    let mut world = World::new(&give_up);
    world.sandbox.latency_ms(100);
    let batch = Batch::new("missing", 300);
    let id = world.enqueue(&batch);
    let mut worker = world.worker();
    wait_until("a part is paid", LONG, || world.sandbox.counters().accepted >= 60);
    worker.kill();
    let since = now(&world);
    let backup = Backup::of(&mut world);
    worker = world.worker();
    wait_until("more is paid", LONG, || world.sandbox.counters().accepted >= 120);
    worker.kill();
    backup.put_back(&mut world);
    // The disk with the journals is lost, too; a person knows, and says so.
    std::fs::remove_dir_all(world.folder().join("state")).expect("to be removed");
    let told = world.producer(&["ledger", "restored", "--since", &since]);
    assert!(told.contains("is suspect now"), "{told}");
    let sent = world.sandbox.counters().create;
    let _worker = world.worker();
    holds_for("nothing is sent", QUIET, || world.sandbox.counters().create == sent);
    let number = living(&world)[0].clone();
    world.producer(&["worker", "lost", &number, "--reason", "its disk is lost", "--yes"]);
    let order = ["ledger", "recover", "--lost-since", &since, "--journals-missing", "--yes"];
    let told = world.producer(&order);
    assert!(told.contains("trusted again"), "{told}");
    world.completes(&id, LONG);
    let counters = world.sandbox.counters();
    assert_eq!(counters.duplicates, 0, "{counters:?}");
    let tally = agree(&batch, &world.report(&id), &world.sandbox.ledger());
    assert_eq!(tally.rows("paid"), 300, "{tally:?}");
}

fn is_suspect(world: &World) -> bool {
    let told: Value = json(&world.producer(&["ledger", "status", "--json"]));
    told["is_suspect"].as_bool().expect("a yes or no")
}

/// The numbers of those that may still send, oldest first.
fn living(world: &World) -> Vec<String> {
    let told = json(&world.producer(&["worker", "list", "--json"]));
    let all = told.as_array().expect("senders").iter();
    all.filter(|sender| sender["gone"].is_null()).map(|s| s["number"].to_string()).collect()
}

/// A time that has passed, as a person would write it: the start of the newest sender.
fn now(world: &World) -> String {
    let told = json(&world.producer(&["worker", "list", "--json"]));
    let newest = told.as_array().and_then(|all| all.last()).expect("a sender");
    newest["started"].as_str().expect("a time").to_owned()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("not JSON, {e}: {text}"))
}
