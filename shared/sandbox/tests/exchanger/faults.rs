//! Each fault does what it says, and says truly whether the order was accepted.

use std::io::ErrorKind;
use std::time::Duration;

use sandbox::{Chance, Fault};

use crate::support::eventually;
use crate::*;

/// How long silence is listened to.
const SILENCE: Duration = Duration::from_millis(400);

/// How a call ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Status(u16),
    Reset,
    Silence,
}

async fn end(stage: &Stage, method: &str, form: &[(&str, &str)]) -> End {
    match tokio::time::timeout(SILENCE, stage.try_call(method, form)).await {
        Ok(Ok(answer)) => End::Status(answer.status),
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionReset => End::Reset,
        Ok(Err(error)) => panic!("{error}"),
        Err(_) => End::Silence,
    }
}

#[tokio::test]
async fn a_create_may_fail_before_or_after_it_was_accepted() {
    let stage = stage(still()).await;
    for (n, (fault, expected, is_accepted)) in [
        (Fault::ErrorBefore, End::Status(500), false),
        (Fault::ErrorAfter, End::Status(500), true),
        (Fault::ResetBefore, End::Reset, false),
        (Fault::ResetAfter, End::Reset, true),
        (Fault::HangBefore, End::Silence, false),
        (Fault::HangAfter, End::Silence, true),
        (Fault::TooManyRequests, End::Status(429), false),
    ]
    .into_iter()
    .enumerate()
    {
        let before = stage.counters().accepted;
        stage.dial().set(fault, Chance::next(1)).unwrap();
        let api_id = format!("{}", 100 + n);
        assert_eq!(end(&stage, "create_bid", &create_form(&api_id, "500", "")).await, expected);
        assert_eq!(stage.counters().accepted - before, u64::from(is_accepted), "{fault:?}");
        let found = stage.list(&[("api_id", &api_id)]).await.len();
        assert_eq!(found, usize::from(is_accepted), "{fault:?}");
        assert_eq!(stage.counters().faults[&fault], 1);
    }
    stage.create("after", "500").await;
}

#[tokio::test]
async fn an_accepted_create_may_be_answered_wrongly() {
    let stage = stage(still()).await;
    stage.dial().set(Fault::AnswerDiffers, Chance::next(1)).unwrap();
    assert_eq!(stage.create("1", "500").await["amount_get"], "501");
    assert_eq!(stage.list(&[]).await[0]["amount_get"], "500", "what was accepted");
    stage.dial().set(Fault::AnswerIncomplete, Chance::next(1)).unwrap();
    let incomplete = stage.create("2", "500").await;
    assert!(incomplete.get("hash").is_none() && incomplete.get("amount_get").is_none());
    stage.dial().set(Fault::AnswerMalformed, Chance::next(1)).unwrap();
    let broken = stage.try_call("create_bid", &create_form("3", "500", "")).await.unwrap();
    assert!(serde_json::from_str::<Value>(&broken.body).is_err(), "{}", broken.body);
    assert_eq!(stage.counters().accepted, 3);
}

#[tokio::test]
async fn stating_a_payment_may_fail_before_or_after_it_was_believed() {
    let stage = stage(still()).await;
    for (fault, expected, status) in [
        (Fault::StepErrorAfter, End::Status(500), "payed"),
        (Fault::StepHangAfter, End::Silence, "payed"),
        (Fault::StepResetBefore, End::Reset, "new"),
    ] {
        stage.dial().set(fault, Chance::next(1)).unwrap();
        let order = stage.create("order", "500").await;
        let form = [("hash", text(&order["hash"]))];
        assert_eq!(end(&stage, "pay_bid", &form).await, expected, "{fault:?}");
        assert_eq!(stage.status(&order).await, status, "{fault:?}");
        assert_eq!(stage.act("pay_bid", &order).await["data"]["status"], "payed");
    }
}

#[tokio::test]
async fn faults_of_a_create_leave_the_payment_alone() {
    let stage = stage(still()).await;
    let order = stage.create("1", "500").await;
    for fault in [Fault::ErrorBefore, Fault::HangAfter, Fault::ResetBefore] {
        stage.dial().set(fault, Chance::ALWAYS).unwrap();
    }
    assert_eq!(stage.act("pay_bid", &order).await["data"]["status"], "payed");
}

#[tokio::test]
async fn a_closed_account_is_answered_like_a_wrong_key() {
    let stage = stage(still()).await;
    stage.dial().set(Fault::AccountClosed, Chance::ALWAYS).unwrap();
    for method in ["test", "create_bid", "get_exchanges"] {
        let answer = stage.try_call(method, &[]).await.unwrap();
        assert_eq!(answer.body, "Api disabled", "{method}");
    }
}

#[tokio::test]
async fn limits_are_answered_429_with_a_pause() {
    let stage = stage(still()).await;
    let change = json!({ "creates_per_second": 1, "lookups_per_second": 1, "retry_after_s": 7 });
    stage.dial().apply(&serde_json::from_value(change).unwrap()).unwrap();
    stage.create("1", "500").await;
    let over = stage.try_call("create_bid", &create_form("2", "500", "")).await.unwrap();
    assert_eq!(over.status, 429);
    assert!(over.head.contains("retry-after: 7"));
    stage.list(&[]).await;
    assert_eq!(stage.try_call("bid_info", &[]).await.unwrap().status, 429);
    stage.ask("test", &[]).await;
    assert_eq!((stage.counters().too_many_requests, stage.counters().accepted), (2, 1));
}

#[tokio::test]
async fn a_look_up_may_be_blind_empty_broken_or_silent() {
    let stage = stage(still()).await;
    let id = stage.create("1", "500").await["id"].to_string();
    for method in ["get_exchanges", "bid_info"] {
        let form = [("id", &*id)];
        stage.dial().set(Fault::StatusBlind, Chance::next(1)).unwrap();
        let blind = stage.ask(method, &form).await;
        assert_eq!(blind["data"], json!([]), "{method}");
        stage.dial().set(Fault::StatusEmpty, Chance::next(1)).unwrap();
        let empty = stage.try_call(method, &form).await.unwrap();
        assert_eq!((empty.status, &*empty.body), (200, ""));
        for (fault, expected) in [
            (Fault::StatusBare404, End::Status(404)),
            (Fault::StatusError, End::Status(500)),
            (Fault::StatusHang, End::Silence),
        ] {
            stage.dial().set(fault, Chance::next(1)).unwrap();
            assert_eq!(end(&stage, method, &form).await, expected, "{method}");
        }
        assert_ne!(stage.ask(method, &form).await["data"], json!([]));
    }
    assert_eq!(stage.ask("bid_info", &[("id", "1")]).await["error"], "1", "as when blind");
}

#[tokio::test]
async fn a_list_may_be_another_page_or_everybodys() {
    let stage = stage(still()).await;
    for api_id in ["1", "2", "3"] {
        stage.create(api_id, "500").await;
    }
    let ids = async |form: &[(&str, &str)]| -> Vec<String> {
        let items = stage.list(form).await;
        items.iter().map(|item| text(&item["api_id"]).to_owned()).collect()
    };
    stage.dial().set(Fault::StatusOtherPage, Chance::next(2)).unwrap();
    assert_eq!(ids(&[("limit", "1")]).await, ["2"]);
    assert_eq!(ids(&[("limit", "1"), ("offset", "2")]).await, ["2"]);
    stage.dial().set(Fault::StatusFilterIgnored, Chance::next(1)).unwrap();
    assert_eq!(ids(&[("api_id", "1")]).await, ["3", "2", "1"]);
    assert_eq!(ids(&[("api_id", "1")]).await, ["1"]);
}

#[tokio::test]
async fn the_sites_dial_is_its_own_and_set_over_http() {
    let stage = stage(still()).await;
    let url = |what: &str| format!("{}/sandbox/exchanger/{what}", stage.sandbox.url());
    let change = json!({ "faults": { "step_error_after": { "per_mille": 1000 } } }).to_string();
    assert_eq!(support::call("PUT", &url("dial"), "", &change).await.unwrap().status, 200);
    assert_eq!(stage.sandbox.dial().settings().faults[&Fault::StepErrorAfter], Chance::NEVER);
    let order = stage.create("1", "500").await;
    assert_eq!(end(&stage, "pay_bid", &[("hash", text(&order["hash"]))]).await, End::Status(500));
    assert_eq!(stage.control("settle", &json!({})).await.json()["settled"], 1);
    let counters = support::call("GET", &url("counters"), "", "").await.unwrap().json();
    assert_eq!(
        (&counters["paid"], &counters["faults"]["step_error_after"]),
        (&json!(1), &json!(1))
    );
    let ledger = support::call("GET", &url("ledger"), "", "").await.unwrap();
    assert_eq!(ledger.json()["provider"], "exchanger", "one line: {}", ledger.body);
}

#[tokio::test]
async fn a_client_that_gives_up_waiting_has_created_its_order() {
    let stage = stage(still()).await;
    let change = json!({ "latency_ms": NEVER });
    stage.dial().apply(&serde_json::from_value(change).unwrap()).unwrap();
    let form = create_form("1", "500", "");
    let slow = stage.try_call("create_bid", &form);
    tokio::pin!(slow);
    tokio::select! {
        _ = &mut slow => panic!("answered at once"),
        () = eventually("accepted", || stage.counters().accepted == 1) => {}
    }
}
