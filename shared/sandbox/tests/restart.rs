//! A sandbox that dies keeps every promise that it answered.

mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use sandbox::MerchantConfig;
use support::*;

fn config() -> MerchantConfig {
    MerchantConfig { settle_after_ms: 60, ..quick() }
}

#[tokio::test]
async fn a_restart_keeps_id_ledger_pending_payouts_and_callbacks_not_answered() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start().await;
    let sandbox = start(dir.path(), config()).await;
    let id = sandbox.id().to_owned();
    create(&sandbox, "told", "10.00", &receiver).await;
    eventually("told", || sandbox.ledger()[0].acknowledged).await;
    receiver.answer_with(503);
    create(&sandbox, "untold", "20.91", &receiver).await;
    receiver.wait_for(2).await;
    create(&sandbox, "pending", "30.00", &receiver).await;
    let before = sandbox.counters();
    sandbox.shutdown().await;

    receiver.answer_with(200);
    let already = receiver.seen().len();
    let sandbox = start(dir.path(), config()).await;
    assert_eq!(sandbox.id(), id);
    assert_eq!(sandbox.counters().accepted, before.accepted);
    eventually("all told", || sandbox.ledger().iter().all(|entry| entry.acknowledged)).await;
    let mut paths: Vec<String> =
        receiver.seen().split_off(already).into_iter().map(|callback| callback.path).collect();
    paths.sort();
    assert_eq!(
        paths,
        ["/error/untold", "/success/pending"],
        "what was acknowledged is not repeated"
    );
    let counters = sandbox.counters();
    assert_eq!((counters.paid, counters.pending), (2, 0));
}

#[tokio::test]
async fn duplicates_are_still_known_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start().await;
    let sandbox = start(dir.path(), quick()).await;
    create(&sandbox, "o", "10.00", &receiver).await;
    sandbox.shutdown().await;
    let sandbox = start(dir.path(), quick()).await;
    create(&sandbox, "o", "10.00", &receiver).await;
    assert_eq!(sandbox.counters().duplicates, 1);
}

/// The real program; killed when dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn spawn(dir: &Path) -> (Process, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(["--listen", "127.0.0.1:0", "--settle-after-ms", "5", "--data"])
        .arg(dir)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let stdout = child.stdout.take().expect("a pipe");
    let ready = |line: std::io::Result<String>| {
        let line = line.expect("a line");
        line.strip_prefix("sandbox listening on ").map(str::to_owned)
    };
    let url = BufReader::new(stdout).lines().find_map(ready).expect("the ready line");
    (Process(child), url)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_many_creates_it_has_lost_no_entry_that_it_answered() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start().await;
    let (mut process, base) = spawn(dir.path());
    let url = create_url(&format!("{base}/merchant"));
    let clients: Vec<_> = (0..8)
        .map(|client| {
            let bodies: Vec<_> = (0..10_000)
                .map(|n| (format!("{client}-{n}"), n))
                .map(|(id, _)| (id.clone(), create_body(&id, "10.00", &receiver)))
                .collect();
            let url = url.clone();
            tokio::spawn(async move {
                let mut answered = Vec::new();
                for (id, body) in bodies {
                    match post_json(&url, &body).await {
                        Ok(answer) if answer.status == 200 => answered.push(id),
                        _ => break,
                    }
                }
                answered
            })
        })
        .collect();
    receiver.wait_for(100).await;
    process.0.kill().unwrap();
    let mut answered = Vec::new();
    for client in clients {
        answered.extend(client.await.unwrap());
    }
    assert!(answered.len() >= 100, "only {} were answered before the kill", answered.len());
    assert!(answered.len() < 80_000, "the kill came too late to prove anything");

    let (_process, base) = spawn(dir.path());
    let ledger = get(&format!("{base}/sandbox/ledger"), "").await.unwrap().body;
    let kept: std::collections::HashSet<String> = ledger
        .lines()
        .map(|line| serde_json::from_str::<sandbox::LedgerEntry>(line).unwrap().order_id)
        .collect();
    let lost: Vec<&String> = answered.iter().filter(|id| !kept.contains(*id)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    eventually("every payout is called back", || {
        let seen = receiver.seen();
        let told: std::collections::HashSet<&str> =
            seen.iter().filter_map(|callback| callback.body["order_id"].as_str()).collect();
        kept.iter().all(|id| told.contains(id.as_str()))
    })
    .await;
}

#[tokio::test]
async fn a_signal_ends_the_program_cleanly() {
    let dir = tempfile::tempdir().unwrap();
    let (mut process, _) = spawn(dir.path());
    let pid = process.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let mut ended = None;
    eventually("the program ends", || {
        ended = process.0.try_wait().unwrap();
        ended.is_some()
    })
    .await;
    assert!(ended.unwrap().success());
}
