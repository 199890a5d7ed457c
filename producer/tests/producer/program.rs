//! The program itself, against SQLite: what it prints and how it ends.

use crate::world::{HEADER, card, settle};
use ledger::Ledger;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

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
fn a_batch_is_paused_explained_and_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| out(&producer(folder.path(), args));
    let rows = format!("{HEADER}\n{}\n", card("A", "1.50"));
    std::fs::write(folder.path().join("a.csv"), rows).unwrap();
    let (_, taken, _) = run(&["enqueue", "a.csv", "--json"]);
    let taken: serde_json::Value = serde_json::from_str(&taken).unwrap();
    let batch = taken["batch"].as_str().unwrap();

    let (code, told, errors) = run(&["pause", batch, "--reason", "wrong month", "--wait"]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(told.contains("is paused") && told.contains("nothing of it is being sent"), "{told}");
    for words in [vec!["status"], vec!["status", batch]] {
        let (_, status, _) = run(&words);
        let why = format!("batch {batch} is paused, by ");
        assert!(status.contains(&why) && status.contains(": wrong month; "), "{status}");
        assert!(status.contains(&format!("`producer resume {batch}`")), "{status}");
    }
    let (_, json, _) = run(&["status", batch, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (json["state"].as_str(), json["pause"]["reason"].as_str()),
        (Some("paused"), Some("wrong month"))
    );
    let (code, told, _) = run(&["pause", batch]);
    assert!(code == Some(0) && told.contains("was paused already, by "), "{told}");

    let (code, told, _) = run(&["resume", batch]);
    assert!(code == Some(0) && told.contains("goes on"), "{told}");
    assert!(!run(&["status", batch]).1.contains("is paused"));
    assert!(run(&["resume", batch]).1.contains("was not paused"));
    let (_, shown, _) = run(&["audit", "show", batch]);
    assert!(shown.contains("  paused ") && shown.contains("  resumed "), "{shown}");
    assert_eq!(run(&["audit", "verify"]).0, Some(0));
    assert_eq!(run(&["cancel", batch]).0, Some(0));
    let (code, _, errors) = run(&["pause", batch]);
    assert!(code == Some(1) && errors.contains("is cancelled and cannot be paused"), "{errors}");
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
    assert!(text.contains("same reference   is paid twice"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    let (_, json, _) = out(&producer(folder.path(), &["providers", "--json"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json[0]["idempotency"]["not_found_proves"], true);
}

#[test]
fn what_a_provider_can_be_asked_is_told_without_keys_and_asking_says_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| out(&producer(folder.path(), args));
    let (code, list, _) = run(&["provider", "main"]);
    assert!(code == Some(0) && list.contains("balance") && list.contains("[status]"), "{list}");
    let (_, json, _) = run(&["provider", "main", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["questions"][0]["name"], "balance");
    for (args, words) in [
        (vec!["provider", "main", "balanse"], "did you mean \"balance\"?"),
        (vec!["provider", "main", "balance", "x=1"], "balance: there is no parameter \"x\""),
        (vec!["provider", "main", "balance"], "built-in sandbox"),
        (vec!["provider", "main", "rules"], "built-in sandbox"),
        (vec!["provider", "main", "look-up"], "look-up takes one reference"),
        (vec!["provider", "mian"], "did you mean \"main\"?"),
    ] {
        let (code, _, errors) = run(&args);
        assert!(code == Some(1) && errors.contains(words), "{args:?}: {errors}");
    }
    assert!(!folder.path().join("data/callback.key").exists(), "making it is a worker's");
}

/// A provider that is not there: nothing of this needs an answer.
const ELSEWHERE: &str = r#"
[lanes.main]
provider = "merchant"
sandbox = true
settings = { base_url = "http://127.0.0.1:1", merchant = "m", sign_key = { env = "K" }, api_key = { env = "K" } }
[[routes]]
lane = "main"
"#;

#[test]
fn an_adapter_to_pay_is_built_and_its_failure_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("c.toml"), ELSEWHERE).unwrap();
    let run = |args: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_producer"));
        let program = program.args(["--config", "c.toml"]).args(args).current_dir(folder.path());
        out(&program.env("K", "a-secret").env_remove("RUST_LOG").output().unwrap())
    };
    let (code, _, errors) = run(&["provider", "main", "balance"]);
    assert!(code == Some(1) && errors.contains("did not answer balance"), "{errors}");
    assert!(!errors.contains("a-secret"), "{errors}");
    let (code, _, errors) = run(&["provider", "main", "rules"]);
    assert!(code == Some(1) && errors.contains("has no rules to fetch"), "{errors}");

    let rows = format!("{HEADER}\n{}\n", card("A", "1.50"));
    std::fs::write(folder.path().join("a.csv"), rows).unwrap();
    let (_, taken, _) = run(&["enqueue", "a.csv", "--json"]);
    let taken: serde_json::Value = serde_json::from_str(&taken).unwrap();
    let batch = taken["batch"].as_str().unwrap();
    let (code, waits, _) = run(&["waiting", batch]);
    assert_eq!((code, waits.as_str()), (Some(0), "nothing waits for a person\n"));
    let (code, _, errors) = run(&["confirm", batch, "--code", "998877"]);
    assert!(code == Some(1) && errors.contains("waits for a step"), "{errors}");
    assert!(!errors.contains("998877"), "{errors}");
    let (code, _, errors) = run(&["provider", "main", "look-up", "A"]);
    assert!(code == Some(1) && errors.contains("was never sent"), "{errors}");
    let (code, _, errors) = run(&["provider", "main", "cancel", "A"]);
    assert!(code == Some(1) && errors.contains("it is not at the provider"), "{errors}");
}

/// What is under way has ended after some milliseconds.
const IN_A_HURRY: &str = r#"
[lanes.main.policy]
send_window_ms = 1
request_timeout_ms = 1
settling_ms = 1
"#;

#[tokio::test]
async fn a_payout_in_review_is_listed_shown_and_decided_with_what_is_typed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("c.toml"), format!("{ELSEWHERE}{IN_A_HURRY}")).unwrap();
    let run = |args: &[&str], typed: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_producer"));
        program.args(["--config", "c.toml"]).args(args).current_dir(folder.path());
        program.env("K", "a-secret").env_remove("RUST_LOG").stdin(Stdio::piped());
        let mut running = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Who decides without being asked anything may be gone already.
        let _ = running.stdin.take().unwrap().write_all(typed.as_bytes());
        out(&running.wait_with_output().unwrap())
    };
    let (_, nothing, _) = run(&["review", "list"], "");
    assert_eq!(nothing, "nothing waits for a decision\n");
    let rows = format!("{HEADER}\n{}\n", card("A", "1.50"));
    std::fs::write(folder.path().join("a.csv"), rows).unwrap();
    run(&["enqueue", "a.csv"], "");
    let ledger = ledger::sqlite::SqliteLedger::open(&folder.path().join("data/ledger.sqlite"));
    let ledger = ledger.unwrap();
    let batch = ledger.batches(None, 1).await.unwrap().remove(0).id;
    let place = domain::Place { chunk: domain::ChunkId { batch, no: 0 }, row: 0 };
    settle(&ledger, place, domain::State::Review).await;

    let (code, list, errors) = run(&["review", "list", "--json"], "");
    assert_eq!(code, Some(0), "{errors}");
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let version = list["payouts"][0]["version"].as_str().unwrap();
    assert_eq!(list["sums"][0]["amount"], "1.50");
    let (code, shown, _) = run(&["review", "show", "A"], "");
    assert!(code == Some(0) && shown.contains("no worker has served lane main yet"), "{shown}");

    let resolve = ["review", "resolve", "A", "--version", version, "--failed", "--reason", "x"];
    let (code, _, errors) = run(&["review", "resolve", "A", "--version", version], "");
    assert!(code == Some(2) && errors.contains("<--paid|--failed|--again>"), "{errors}");
    // The sender's window is a second of the ledger's clock.
    let answer = loop {
        let answer = run(&resolve, "1.50 EUR\nA\n");
        if !answer.2.contains("may still be under way") {
            break answer;
        }
    };
    assert_eq!(answer.0, Some(1));
    assert!(answer.2.contains("the amount that was typed is not the payout's"), "{}", answer.2);
    let (code, _, errors) = run(&resolve, "");
    assert!(code == Some(1) && errors.contains("were not typed"), "{errors}");
    let (code, said, errors) = run(&resolve, "1.50 RUB\nA\n");
    assert!(code == Some(0), "{errors}");
    assert!(said.starts_with("payout A is failed since ") && said.contains("operator"), "{said}");
    let (code, _, errors) = run(&resolve, "1.50 RUB\nA\n");
    assert!(code == Some(1) && errors.contains("is not what was seen as version"), "{errors}");
}
