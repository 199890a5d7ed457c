//! Each fault of the dial does what it says, and says truly whether it paid.

mod support;

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use sandbox::{Chance, Fault, MerchantConfig, Sandbox, Tenth};
use serde_json::{Value, json};
use support::*;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A sandbox whose payouts settle when the test says so, unless `settle_after_ms` is 0.
async fn stage(settle_after_ms: u64) -> (TempDir, Sandbox, Receiver) {
    let dir = tempfile::tempdir().expect("a directory");
    let config = MerchantConfig { settle_after_ms, ..quick() };
    let sandbox = start(dir.path(), config).await;
    (dir, sandbox, Receiver::start().await)
}

const NEVER: u64 = 3_600_000;

async fn put_dial(sandbox: &Sandbox, change: Value) -> Answer {
    let url = format!("http://{}/sandbox/dial", sandbox.addr());
    call("PUT", &url, "", &change.to_string()).await.expect("an answer")
}

#[tokio::test]
async fn errors_resets_and_silence_strike_before_or_after_paying() {
    let (_dir, sandbox, receiver) = stage(NEVER).await;
    let url = create_url(&sandbox.merchant_base_url());
    for (fault, pays) in [
        (Fault::ErrorBefore, false),
        (Fault::ErrorAfter, true),
        (Fault::ResetBefore, false),
        (Fault::ResetAfter, true),
        (Fault::HangBefore, false),
        (Fault::HangAfter, true),
    ] {
        let before = sandbox.counters().accepted;
        sandbox.dial().set(fault, Chance::next(1)).unwrap();
        let body = create_body(&format!("{fault:?}"), "10.00", &receiver);
        let answer = tokio::time::timeout(Duration::from_millis(300), post_json(&url, &body)).await;
        match (fault, answer) {
            (Fault::ErrorBefore | Fault::ErrorAfter, Ok(Ok(answer))) => {
                assert_eq!(answer.status, 500);
            }
            (Fault::ResetBefore | Fault::ResetAfter, Ok(Err(error))) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            }
            (Fault::HangBefore | Fault::HangAfter, Err(_)) => {}
            (fault, answer) => panic!("{fault:?}: {answer:?}"),
        }
        assert_eq!(sandbox.counters().accepted - before, u64::from(pays), "{fault:?}");
        assert_eq!(sandbox.counters().faults[&fault], 1);
        assert_eq!(
            create(&sandbox, "after", "10.00", &receiver).await.status,
            200,
            "only the next"
        );
    }
    let stop = Instant::now();
    sandbox.shutdown().await;
    assert!(stop.elapsed() < PATIENCE, "a hanging call does not hold up the stop");
}

#[tokio::test]
async fn answers_break_off_lack_the_amount_or_differ_but_it_is_paid() {
    let (_dir, sandbox, receiver) = stage(NEVER).await;
    sandbox.dial().set(Fault::AnswerMalformed, Chance::next(1)).unwrap();
    let answer = create(&sandbox, "a", "10.00", &receiver).await;
    assert!(
        answer.status == 200 && answer.json().is_null() && answer.body.starts_with("{\"ok\":true")
    );
    sandbox.dial().set(Fault::AnswerIncomplete, Chance::next(1)).unwrap();
    let answer = create(&sandbox, "b", "10.00", &receiver).await.json();
    assert!(answer["ok"] == true && answer.get("fiat_amount").is_none());
    sandbox.dial().set(Fault::AnswerDiffers, Chance::next(1)).unwrap();
    assert_eq!(create(&sandbox, "c", "10.00", &receiver).await.json()["fiat_amount"], "11.00");
    assert_eq!(sandbox.counters().accepted, 3);
}

#[tokio::test]
async fn too_many_creates_in_a_sliding_second_are_429_with_retry_after() {
    let (_dir, sandbox, receiver) = stage(NEVER).await;
    let answer = put_dial(&sandbox, json!({ "creates_per_second": 3, "retry_after_s": 7 })).await;
    assert_eq!(answer.status, 200);
    let (start, mut statuses) = (Instant::now(), Vec::new());
    for n in 0..5 {
        let answer = create(&sandbox, &format!("o{n}"), "10.00", &receiver).await;
        assert_eq!(answer.status == 429, answer.head.contains("retry-after: 7"));
        statuses.push(answer.status);
    }
    assert!(start.elapsed() < Duration::from_secs(1), "too slow to prove anything");
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    let counters = sandbox.counters();
    assert_eq!((counters.too_many_requests, counters.accepted), (2, 3));
    assert_eq!(counters.max_per_second, 5, "refused calls are calls");

    put_dial(&sandbox, json!({ "creates_per_second": 0, "lookups_per_second": 1 })).await;
    assert_eq!(create(&sandbox, "free", "10.00", &receiver).await.status, 200);
    assert_eq!(status(&sandbox, "free").await.status, 200);
    assert_eq!(status(&sandbox, "free").await.status, 429);
}

/// The second one is refused for its head; its body must not stand before the third.
#[tokio::test]
async fn on_a_kept_connection_each_create_is_judged_by_its_own_first_byte() {
    let (_dir, sandbox, receiver) = stage(NEVER).await;
    put_dial(&sandbox, json!({ "creates_per_second": 1 })).await;
    let mut tcp = TcpStream::connect(sandbox.addr()).await.unwrap();
    let mut statuses = Vec::new();
    for n in 0..3 {
        if n == 2 {
            // The second of the first one has gone by, and then some.
            tokio::time::sleep(Duration::from_millis(1_100)).await;
        }
        let body = create_body(&format!("o{n}"), "10.00", &receiver).to_string();
        let path = "merchant/api/merchant/sandbox/create_pay_out/";
        let head = format!(
            "POST /{path} HTTP/1.1\r\nHost: sandbox\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        tcp.write_all(head.as_bytes()).await.unwrap();
        if n == 1 {
            eventually("refused for its head", || sandbox.counters().too_many_requests == 1).await;
        }
        tcp.write_all(body.as_bytes()).await.unwrap();
        let mut answer = [0; 4096];
        let length = tcp.read(&mut answer).await.unwrap();
        statuses.push(String::from_utf8_lossy(&answer[9..length])[..3].to_owned());
    }
    assert_eq!(statuses, ["200", "429", "200"]);
    let pace = sandbox.pace();
    let sum = |count: fn(&Tenth) -> u64| pace.tenths.iter().map(count).sum::<u64>();
    assert_eq!((sum(|tenth| tenth.creates), sum(|tenth| tenth.over_limit)), (3, 1), "{pace:?}");
    assert_eq!(pace.tenths.iter().map(|tenth| tenth.busiest).max(), Some(2));
    let last = pace.tenths.iter().rfind(|tenth| tenth.creates > 0);
    assert_eq!(last.map(|tenth| tenth.busiest), Some(1), "the last one stands alone: {pace:?}");
}

#[tokio::test]
async fn a_closed_account_a_wrong_key_and_random_429_pay_nothing() {
    let (_dir, sandbox, receiver) = stage(NEVER).await;
    for (fault, expected) in
        [(Fault::AccountClosed, 403), (Fault::WrongSignKey, 401), (Fault::TooManyRequests, 429)]
    {
        sandbox.dial().set(fault, Chance::ALWAYS).unwrap();
        assert_eq!(create(&sandbox, "o", "10.00", &receiver).await.status, expected);
        sandbox.dial().calm();
    }
    assert_eq!(sandbox.counters().accepted, 0);
}

#[tokio::test]
async fn a_look_up_may_be_blind_empty_bare_broken_or_silent() {
    let (_dir, sandbox, receiver) = stage(NEVER).await;
    create(&sandbox, "o", "10.00", &receiver).await;
    let mut answers = Vec::new();
    for fault in [Fault::StatusBlind, Fault::StatusEmpty, Fault::StatusBare404, Fault::StatusError]
    {
        sandbox.dial().set(fault, Chance::next(1)).unwrap();
        let answer = status(&sandbox, "o").await;
        answers.push((answer.status, answer.error(), answer.body.is_empty()));
    }
    let expected = [
        (404, sandbox::NOT_FOUND.to_owned(), false),
        (200, String::new(), true),
        (404, String::new(), true),
        (500, "internal error".to_owned(), false),
    ];
    assert_eq!(answers, expected);
    sandbox.dial().set(Fault::StatusHang, Chance::next(1)).unwrap();
    let silent = tokio::time::timeout(Duration::from_millis(200), status(&sandbox, "o")).await;
    assert!(silent.is_err());
    assert_eq!(status(&sandbox, "o").await.status, 200);
}

#[tokio::test]
async fn latency_delays_the_answer_and_not_the_deed() {
    let (_dir, sandbox, receiver) = stage(NEVER).await;
    put_dial(&sandbox, json!({ "latency_ms": 3_600_000, "latency_jitter_ms": 10 })).await;
    let slow = create(&sandbox, "o", "10.00", &receiver);
    tokio::pin!(slow);
    tokio::select! {
        _ = &mut slow => panic!("answered at once"),
        () = eventually("paid", || sandbox.counters().accepted == 1) => {}
    }
    sandbox.dial().calm();
    put_dial(&sandbox, json!({ "latency_ms": 50 })).await;
    let start = Instant::now();
    create(&sandbox, "p", "10.00", &receiver).await;
    assert!(start.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn a_callback_may_come_before_the_answer() {
    let (_dir, sandbox, receiver) = stage(NEVER).await;
    sandbox.dial().set(Fault::CallbackEarly, Chance::ALWAYS).unwrap();
    create(&sandbox, "o", "10.00", &receiver).await;
    assert_eq!(receiver.seen().len(), 1, "it was there when the answer came");
    assert_eq!(receiver.seen()[0].body["status"], "successful");
}

#[tokio::test]
async fn a_callback_may_be_dropped_for_ever_or_sent_twice() {
    let (dir, sandbox, receiver) = stage(NEVER).await;
    create(&sandbox, "dropped", "10.00", &receiver).await;
    sandbox.dial().set(Fault::CallbackDropped, Chance::next(1)).unwrap();
    sandbox.settle_now();
    eventually("dropped", || sandbox.counters().faults.contains_key(&Fault::CallbackDropped)).await;
    sandbox.shutdown().await;

    let sandbox = start(dir.path(), MerchantConfig { settle_after_ms: NEVER, ..quick() }).await;
    create(&sandbox, "twice", "10.00", &receiver).await;
    sandbox.dial().set(Fault::CallbackDuplicated, Chance::next(1)).unwrap();
    sandbox.settle_now();
    let paths: Vec<String> = receiver.wait_for(2).await.into_iter().map(|c| c.path).collect();
    assert_eq!(paths, ["/success/twice", "/success/twice"]);
    assert_eq!(
        status(&sandbox, "dropped").await.json()["status"],
        "successful",
        "paid all the same"
    );
}

#[tokio::test]
async fn a_callback_may_be_late_or_overtaken() {
    let (_dir, sandbox, receiver) = stage(NEVER).await;
    for (fault, ms) in [
        (Fault::CallbackLate, "callback_late_ms"),
        (Fault::CallbackReordered, "callback_reorder_ms"),
    ] {
        create(&sandbox, "held", "10.00", &receiver).await;
        create(&sandbox, "on time", "10.00", &receiver).await;
        sandbox.dial().set(fault, Chance::next(1)).unwrap();
        put_dial(&sandbox, json!({ ms: 300 })).await;
        let already = receiver.seen().len();
        sandbox.settle_now();
        let seen = receiver.wait_for(already + 2).await.split_off(already);
        assert_eq!(seen[0].body["order_id"], "on time", "{fault:?}");
        assert_eq!(seen[1].body["order_id"], "held");
    }
}

#[tokio::test]
async fn a_forged_callback_lies_in_one_thing_and_the_truth_follows() {
    let (_dir, sandbox, receiver) = stage(NEVER).await;
    let truth = |body: &Value| {
        let names = ["standart_sign", "order_id", "fiat_amount", "status", "type"];
        names.map(|name| body[name].clone())
    };
    for (fault, lie) in [
        (Fault::ForgedSignature, 0),
        (Fault::ForgedOrder, 1),
        (Fault::ForgedAmount, 2),
        (Fault::ForgedStatus, 3),
        (Fault::ForgedType, 4),
    ] {
        create(&sandbox, "o", "10.00", &receiver).await;
        sandbox.dial().set(fault, Chance::next(1)).unwrap();
        let already = receiver.seen().len();
        sandbox.settle_now();
        let seen = receiver.wait_for(already + 2).await.split_off(already);
        let (forged, genuine) = (truth(&seen[0].body), truth(&seen[1].body));
        let differ: Vec<usize> = (0..5).filter(|place| forged[*place] != genuine[*place]).collect();
        // Another order is rightly signed: its signature differs with it.
        let expected = if lie == 1 { vec![0, 1] } else { vec![lie] };
        assert_eq!(differ, expected, "{fault:?}");
        assert_eq!(seen[0].path.starts_with("/error"), fault == Fault::ForgedStatus);
    }
    eventually("counted", || sandbox.counters().callbacks_acknowledged == 5).await;
    let counters = sandbox.counters();
    assert_eq!((counters.forged_sent, counters.forged_acknowledged), (5, 5));
}

#[tokio::test]
async fn the_control_api_shows_and_sets_and_refuses_what_it_does_not_know() {
    let (_dir, sandbox, receiver) = stage(NEVER).await;
    let url = |path: &str| format!("http://{}/sandbox/{path}", sandbox.addr());
    assert_eq!(get(&url("id"), "").await.unwrap().json()["id"], sandbox.id());
    let wrong = put_dial(&sandbox, json!({ "faults": { "error_sometimes": {} } })).await;
    assert_eq!(wrong.status, 400);
    let set =
        put_dial(&sandbox, json!({ "faults": { "error_after": { "per_mille": 1000 } } })).await;
    assert_eq!(set.json()["faults"]["error_after"]["per_mille"], 1000);
    assert_eq!(create(&sandbox, "o", "10.00", &receiver).await.status, 500);
    assert_eq!(call("DELETE", &url("dial"), "", "").await.unwrap().status, 200);
    assert_eq!(
        get(&url("dial"), "").await.unwrap().json()["faults"]["error_after"]["per_mille"],
        0
    );
    assert_eq!(call("POST", &url("settle"), "", "").await.unwrap().json()["settled"], 1);
    let counters = get(&url("counters"), "").await.unwrap().json();
    assert_eq!((&counters["paid"], &counters["faults"]["error_after"]), (&json!(1), &json!(1)));
    let ledger = get(&url("ledger"), "").await.unwrap();
    assert_eq!(ledger.json()["order_id"], "o", "one line: {}", ledger.body);
}
