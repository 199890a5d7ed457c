//! What was told outlives the process: certificates, ledger, webhook, and what is still owed.

use sandbox::{CapayConfig, Chance, Fault};

use super::support::*;

#[tokio::test]
async fn an_accepted_payout_stands_in_the_file_whatever_its_client_was_told() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let desk = Desk::open(dir.path(), calm()).await;
    let entries = || std::fs::read_to_string(dir.path().join("capay.ndjson")).unwrap();
    assert_eq!(desk.create("answered", "10.00").await.status, 201);
    assert!(entries().contains("\"answered\"") && entries().ends_with('\n'));
    for fault in [Fault::ErrorAfter, Fault::ResetAfter] {
        desk.dial().set(fault, Chance::next(1)).unwrap();
        let reference = format!("{fault:?}");
        let body = payout_body(&reference, "10.00");
        let create = desk.call("POST", "/transactions/payouts", &body).await;
        assert!(create.is_ok_and(|answer| answer.status == 500) == (fault == Fault::ErrorAfter));
        assert!(entries().contains(&format!("\"{reference}\"")), "{fault:?}");
    }
    // As a crash would leave it: the first sandbox still runs.
    for file in ["id", "capay.ndjson"] {
        std::fs::copy(dir.path().join(file), copy.path().join(file)).unwrap();
    }
    let crashed = Desk::reopen(copy.path(), calm(), Receiver::start().await).await;
    assert_eq!(crashed.list("").await.body, desk.list("").await.body, "the same ids, too");
    assert_eq!(crashed.sandbox.settle_now(), 3, "and they go on");
}

#[tokio::test]
async fn a_restart_keeps_certificates_ledger_webhook_and_what_is_owed() {
    let dir = tempfile::tempdir().unwrap();
    let config = CapayConfig { settle_after_ms: 200, ..calm() };
    let desk = Desk::open(dir.path(), config.clone()).await;
    let read = |tls: &sandbox::TlsInfo| {
        [&tls.ca_file, &tls.certificate_file, &tls.key_file]
            .map(|file| std::fs::read(file).unwrap())
    };
    let tls = desk.sandbox.tls().unwrap();
    let before = read(&tls);
    desk.create("told", "10.00").await;
    desk.sandbox.settle_now();
    eventually("told", || desk.sandbox.ledger()[0].acknowledged).await;
    desk.receiver.answer_with(503);
    desk.create("untold", "20.91").await;
    desk.sandbox.settle_now();
    desk.receiver.wait_for(4).await;
    desk.create("open", "30.00").await;
    let Desk { sandbox, receiver, token, .. } = desk;
    sandbox.shutdown().await;

    receiver.answer_with(200);
    let already = receiver.seen().len();
    let desk = Desk::reopen(dir.path(), config, receiver).await;
    assert_eq!(read(&desk.sandbox.tls().unwrap()), before);
    let old = Desk { token, ..desk };
    assert_eq!(old.list("").await.status, 401, "tokens are not kept");
    let desk = Desk { token: old.log_in().await, ..old };
    assert_eq!(desk.list("").await.json()["total"], 3);
    eventually("all told", || desk.sandbox.ledger().iter().all(|entry| entry.acknowledged)).await;
    let mut told = desk.told().split_off(already);
    told.sort();
    let expected = [
        ("open", "COMPLETED"),
        ("open", "PROCESSING"),
        ("untold", "PROCESSING"),
        ("untold", "REJECTED"),
    ];
    assert_eq!(told, expected.map(|(id, state)| (id.to_owned(), state.to_owned())));
}
