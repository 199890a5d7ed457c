//! The first quarter of an hour: the sample files, by one program with nothing configured, and
//! by a pool.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::binaries::binary;
use system_tests::compare::agree_by_provider_id;
use system_tests::config_file::{Engine, Settings};
use system_tests::process::{Process, run};
use system_tests::results::{self, ResultRow};
use system_tests::sandbox::Sandbox;
use system_tests::wait::wait_until;
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(90);

/// The sample files.
fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/samples");
    let files = fs::read_dir(folder).expect("the samples");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "csv"));
    files.sort();
    assert!(!files.is_empty());
    files
}

fn stem(file: &Path) -> String {
    file.file_stem().expect("a name").to_string_lossy().into_owned()
}

/// What counts of a result: by reference, the amount and where it stands.
fn outcome(rows: &[ResultRow]) -> BTreeMap<String, (String, String)> {
    let outcome = |row: &ResultRow| (row.amount.clone(), row.state.clone());
    rows.iter().map(|row| (row.reference.clone(), outcome(row))).collect()
}

#[test]
fn worker_up_with_nothing_configured_pays_the_samples_and_a_pool_comes_to_the_same() {
    let alone = by_worker_up();
    let pool = by_a_pool();
    assert_eq!(outcome(&alone), outcome(&pool));
}

/// In an empty folder: the built-in defaults are the configuration.
fn by_worker_up() -> Vec<ResultRow> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(binary("worker"));
    command.args(["up", "--set", "http.listen=127.0.0.1:0"]).current_dir(folder.path());
    let mut up = Process::start("worker up", &mut command);
    let line = up.wait_for_line("/merchant", LONG);
    let url = line.split_whitespace().find(|word| word.starts_with("http://")).expect("a URL");
    let sandbox = Sandbox::inside(url);

    let inbox = folder.path().join("inbox");
    for file in samples() {
        fs::copy(&file, inbox.join(file.file_name().expect("a name"))).expect("a copy");
    }
    let mut rows = Vec::new();
    for file in samples() {
        let result = inbox.join("done").join(format!("{}.result.csv", stem(&file)));
        wait_until(&format!("{} is written", result.display()), LONG, || result.is_file());
        rows.extend(results::read(&result));
    }
    let tally = agree_by_provider_id(&rows, &sandbox.ledger());
    assert!(tally.rows("paid") > 0, "{tally:?}");
    assert_eq!(sandbox.counters().duplicates, 0);
    sandbox.was_asked_for_no_large_page();
    sandbox.was_never_polled();
    up.terminate();
    assert!(up.wait(LONG).success());
    rows
}

fn by_a_pool() -> Vec<ResultRow> {
    let world = World::new(&Settings { sandbox: Vec::new(), ..Settings::on(Engine::Redis) });
    let _workers = [world.worker(), world.second_worker()];
    let ids: Vec<String> = samples().iter().map(|file| world.enqueue_file(file)).collect();
    let mut rows = Vec::new();
    for id in ids {
        world.completes(&id, LONG);
        rows.extend(world.report(&id));
    }
    agree_by_provider_id(&rows, &world.sandbox.ledger());
    assert_eq!(world.sandbox.counters().duplicates, 0);
    rows
}

#[test]
fn the_demo_checks_itself_and_ends_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(binary("worker"));
    let ended = run("the demo", command.args(["up", "--demo"]).current_dir(folder.path()), LONG);
    assert!(ended.status.success(), "{ended:?}");
}

#[test]
fn the_result_has_every_row_of_a_file_in_its_order() {
    let world = World::new(&Settings::on(Engine::Sqlite));
    let _up = world.up();
    let batch = Batch::new("order", 2_500);
    world.drop_in(&batch);
    let results = world.result_of(&batch, LONG);
    let tally = system_tests::compare::agree(&batch, &results, &world.sandbox.ledger());
    assert_eq!(tally.rows("paid"), 2_500);
    let summary = fs::read_to_string(world.inbox("done").join("order.summary.json"));
    assert!(summary.expect("a summary").contains("\"RUB\""));
}
