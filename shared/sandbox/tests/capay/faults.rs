//! Each fault of a call does what it says, over TLS as without, and says truly whether it paid.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use sandbox::{Chance, DialChange, Fault};
use serde_json::{Value, json};

use super::stage;
use super::support::*;

/// The outcome of a call, or `None` once `fault` has struck it dumb.
async fn unless_silenced<T>(desk: &Desk, fault: Fault, call: impl Future<Output = T>) -> Option<T> {
    let hits = || desk.dial().hits().get(&fault).copied();
    let before = hits();
    tokio::select! {
        outcome = call => Some(outcome),
        () = eventually("it was struck", || hits() != before) => None,
    }
}

fn accepted(desk: &Desk) -> u64 {
    desk.sandbox.counters_of("capay").expect("counts").accepted
}

#[tokio::test]
async fn errors_resets_and_silence_strike_before_or_after_paying() {
    let (_dir, desk) = stage().await;
    for (fault, pays) in [
        (Fault::ErrorBefore, false),
        (Fault::ErrorAfter, true),
        (Fault::ResetBefore, false),
        (Fault::ResetAfter, true),
        (Fault::HangBefore, false),
        (Fault::HangAfter, true),
    ] {
        let before = accepted(&desk);
        desk.dial().set(fault, Chance::next(1)).unwrap();
        let body = payout_body(&format!("{fault:?}"), "10.00");
        let create = desk.call("POST", "/transactions/payouts", &body);
        match fault {
            Fault::ErrorBefore | Fault::ErrorAfter => assert_eq!(create.await.unwrap().status, 500),
            Fault::ResetBefore | Fault::ResetAfter => {
                let kind = create.await.unwrap_err().kind();
                assert_eq!(kind, ErrorKind::ConnectionReset, "no goodbye from TLS");
            }
            _ => {
                let silence = unless_silenced(&desk, fault, create).await;
                assert!(silence.is_none(), "{fault:?}: {silence:?}");
            }
        }
        assert_eq!(accepted(&desk) - before, u64::from(pays), "{fault:?}");
        assert_eq!(desk.sandbox.counters_of("capay").unwrap().faults[&fault], 1);
        assert_eq!(desk.create("after", "10.00").await.status, 201, "only the next");
    }
    assert!(desk.sandbox.counters().faults.is_empty(), "the gateway's dial is another");
    let stop = Instant::now();
    desk.sandbox.shutdown().await;
    assert!(stop.elapsed() < PATIENCE, "a hanging call does not hold up the stop");
}

#[tokio::test]
async fn answers_break_off_lack_the_id_or_differ_but_it_is_paid() {
    let (_dir, desk) = stage().await;
    desk.dial().set(Fault::AnswerMalformed, Chance::next(1)).unwrap();
    let answer = desk.create("a", "10.00").await;
    assert!(answer.status == 201 && answer.json().is_null() && answer.body.starts_with("{\"id\":"));
    desk.dial().set(Fault::AnswerIncomplete, Chance::next(1)).unwrap();
    let answer = desk.create("b", "10.00").await.json();
    assert!(answer.get("id").is_none() && answer["status"] == "CREATED", "{answer}");
    desk.dial().set(Fault::AnswerDiffers, Chance::next(1)).unwrap();
    assert_eq!(desk.create("c", "10.00").await.json()["amount"], "11.00");
    assert_eq!(accepted(&desk), 3);
}

#[tokio::test]
async fn look_ups_lie_in_each_of_their_ways() {
    let (_dir, desk) = stage().await;
    let created = desk.create("r", "10.00").await.json();
    let status = format!("/transactions/payouts/{}", created["id"].as_str().unwrap());
    let list = "/transactions/payouts?reference=r".to_owned();
    for path in [&status, &list] {
        let truth = desk.get(path).await;
        for (fault, expected) in
            [(Fault::StatusEmpty, 200), (Fault::StatusBare404, 404), (Fault::StatusError, 500)]
        {
            desk.dial().set(fault, Chance::next(1)).unwrap();
            let answer = desk.get(path).await;
            assert_eq!(answer.status, expected, "{fault:?}");
            assert_eq!(answer.body.is_empty(), fault != Fault::StatusError, "{fault:?}");
        }
        desk.dial().set(Fault::StatusHang, Chance::next(1)).unwrap();
        let silence = desk.call("GET", path, &Value::Null);
        assert!(unless_silenced(&desk, Fault::StatusHang, silence).await.is_none());
        assert_eq!(desk.get(path).await.body, truth.body, "only the next");
    }
    desk.dial().set(Fault::StatusBlind, Chance::next(2)).unwrap();
    let blind = desk.get(&status).await;
    assert_eq!(
        (blind.status, &blind.json()["error"]["message"]),
        (404, &json!("payout not found"))
    );
    let blind = desk.get(&list).await;
    assert_eq!((blind.status, &blind.json()["data"]), (200, &json!([])));
}

#[tokio::test]
async fn a_list_gives_another_page_or_everybodys_payouts() {
    let (_dir, desk) = stage().await;
    for reference in ["a", "b", "c"] {
        desk.create(reference, "10.00").await;
    }
    let references = |page: &Value| -> Vec<String> {
        let all = page["data"].as_array().expect("a list").iter();
        all.map(|item| item["reference"].as_str().expect("a text").to_owned()).collect()
    };
    desk.dial().set(Fault::StatusOtherPage, Chance::next(1)).unwrap();
    let other = desk.list("skip=0&limit=2").await.json();
    assert_eq!((references(&other), &other["skip"]), (vec!["c".to_owned()], &json!(2)));
    assert_eq!(references(&desk.list("skip=0&limit=2").await.json()), ["a", "b"]);
    desk.dial().set(Fault::StatusFilterIgnored, Chance::next(1)).unwrap();
    assert_eq!(references(&desk.list("reference=nobody").await.json()), ["a", "b", "c"]);
    assert!(references(&desk.list("reference=nobody").await.json()).is_empty());
}

#[tokio::test]
async fn a_closed_account_and_429_pay_nothing_and_leave_the_token_call_alone() {
    let (_dir, desk) = stage().await;
    for (fault, expected) in [(Fault::AccountClosed, 403), (Fault::TooManyRequests, 429)] {
        desk.dial().set(fault, Chance::ALWAYS).unwrap();
        desk.log_in().await;
        assert_eq!(desk.create("r", "10.00").await.status, expected);
        assert_eq!(desk.list("").await.status, expected);
        assert_eq!(desk.get("/beneficiaries/individuals").await.status, expected);
        desk.dial().set(fault, Chance::NEVER).unwrap();
    }
    let limit = DialChange { creates_per_second: Some(1), ..DialChange::default() };
    desk.dial().apply(&limit).unwrap();
    let start = Instant::now();
    let statuses = [desk.create("r", "10.00").await.status, desk.create("r", "10.00").await.status];
    assert!(start.elapsed() < Duration::from_secs(1), "too slow to prove anything");
    assert_eq!(statuses, [201, 429]);
    let counters = desk.sandbox.counters_of("capay").unwrap();
    assert_eq!((counters.accepted, counters.too_many_requests), (1, 4));
}

#[tokio::test]
async fn faults_of_what_is_not_here_strike_nothing() {
    let (_dir, desk) = stage().await;
    for fault in [
        Fault::WrongSignKey,
        Fault::ForgedAmount,
        Fault::ForgedType,
        Fault::StepErrorAfter,
        Fault::StepHangAfter,
        Fault::StepResetBefore,
    ] {
        desk.dial().set(fault, Chance::ALWAYS).unwrap();
    }
    let created = desk.create("r", "10.00").await.json();
    let id = created["id"].as_str().unwrap();
    assert_eq!(desk.get(&format!("/transactions/payouts/{id}")).await.status, 200);
    let cancel = format!("/transactions/payouts/{id}/cancel");
    assert_eq!(desk.post(&cancel, &Value::Null).await.status, 200);
    desk.receiver.wait_for(1).await;
    assert!(desk.sandbox.counters_of("capay").unwrap().faults.is_empty());
}
