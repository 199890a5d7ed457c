//! The program itself, against SQLite: what it prints and how it ends.

use crate::world::{HEADER, card};
use std::path::Path;
use std::process::{Command, Output};

fn producer(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_producer"))
        .args(args)
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .output()
        .unwrap()
}

fn out(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_file_is_enqueued_shown_reported_and_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| out(&producer(folder.path(), args));
    let rows = format!("{HEADER}\n{}\n{}\n", card("A", "1.50"), card("B", "2"));
    std::fs::write(folder.path().join("a.csv"), rows).unwrap();

    let (code, dry, _) = run(&["enqueue", "a.csv", "--dry-run"]);
    assert_eq!(code, Some(0));
    assert!(
        dry.contains("would be taken; nothing was written (dry run)\n  2 rows, 3.50 RUB"),
        "{dry}"
    );

    let (code, taken, errors) = run(&["enqueue", "a.csv", "--json", "--expect-total", "RUB:3.50"]);
    assert_eq!(code, Some(0), "{errors}");
    let taken: serde_json::Value = serde_json::from_str(&taken).unwrap();
    let batch = taken["batch"].as_str().unwrap();
    assert_eq!((taken["rows"].as_u64(), taken["lanes"]["main"].as_u64()), (Some(2), Some(2)));

    let (code, _, errors) = run(&["enqueue", "a.csv"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains(&format!("was taken before as batch {batch}")), "{errors}");

    let (code, list, _) = run(&["status"]);
    assert!(code == Some(0) && list.contains(batch) && list.contains("2 accepted"), "{list}");
    let (_, one, _) = run(&["status", batch, "--json"]);
    let one: serde_json::Value = serde_json::from_str(&one).unwrap();
    assert_eq!((one["state"].as_str(), one["open"].as_u64()), (Some("active"), Some(2)));

    let (code, report, _) = run(&["report", batch, "--out", "out"]);
    assert!(code == Some(0) && report.contains("RUB       file        2    3.50"), "{report}");
    assert!(folder.path().join("out/a.result.csv").exists());

    let (code, cancelled, _) = run(&["cancel", batch]);
    assert_eq!(code, Some(0));
    assert!(cancelled.contains("2 payouts will not be sent"), "{cancelled}");
    let (code, over, _) = run(&["status", batch, "--follow"]);
    assert!(code == Some(0) && over.contains("cancelled"), "{over}");
}

#[test]
fn lanes_are_listed_stopped_and_started() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| out(&producer(folder.path(), args));
    assert_eq!(run(&["lane", "stop", "main", "--reason", "checking"]).0, Some(0));
    let (_, list, _) = run(&["lane", "list"]);
    assert!(
        list.contains(
            "main  merchant  stopped  checking (start it with `producer lane start main`)"
        ),
        "{list}"
    );
    let (_, status, _) = run(&["status"]);
    assert!(status.contains("lane main is stopped: checking"), "{status}");
    assert_eq!(run(&["lane", "start", "main"]).0, Some(0));
    assert!(run(&["lane", "list"]).1.contains("new"));
    assert_eq!(run(&["lane", "start", "nobody"]).0, Some(1));
}

#[test]
fn each_kind_of_failure_has_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let code = |args: &[&str]| producer(folder.path(), args).status.code();
    assert_eq!(code(&["enqueue", "missing.csv"]), Some(1));
    assert_eq!(code(&["enqueue"]), Some(2));
    assert_eq!(code(&["status", "nonsense"]), Some(2));
    assert_eq!(code(&["--set", "worker.lease=1", "status"]), Some(1));
    let away =
        ["--set", "ledger.engine=redis", "--set", "ledger.url=redis://127.0.0.1:1", "status"];
    assert_eq!(code(&away), Some(3));
}

#[test]
fn the_limits_of_each_provider_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (code, text, _) = out(&producer(folder.path(), &["providers"]));
    assert!(code == Some(0) && text.contains("merchant") && text.contains("card, sbp"), "{text}");
}
