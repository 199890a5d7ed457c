//! The gateway's four calls over real HTTP, without faults.

mod support;

use sandbox::{BadSign, Chance, Fault, MerchantConfig, NOT_FOUND, Status, StatusId};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::*;

fn standart_sign(order_id: &str) -> String {
    hex::encode(Sha256::digest(format!("{order_id}:{}", sandbox::SIGN_KEY)))
}

#[tokio::test]
async fn a_create_is_answered_called_back_and_found() {
    let dir = tempfile::tempdir().unwrap();
    let (sandbox, receiver) = (start(dir.path(), quick()).await, Receiver::start().await);

    let answer = create(&sandbox, "a/b 1", "1500.00", &receiver).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let created = answer.json();
    assert_eq!(created["ok"], true);
    assert_eq!(created["fiat_amount"], "1500.00");
    assert_eq!(created["exchange_rate"], "100.2472");
    assert_eq!(created["usdt_amount"], "14.9630");
    assert_eq!(created["merchant_spent_usdt"], "15.1126");

    let callback = &receiver.wait_for(1).await[0];
    assert_eq!(callback.path, "/success/1");
    let told = &callback.body;
    assert_eq!(told["type"], "pay_out");
    assert_eq!(told["status"], "successful");
    assert_eq!(told["order_id"], "a/b 1");
    assert_eq!(told["standart_sign"], standart_sign("a/b 1"));
    assert_eq!(told["number_card"], "4111111111111111");
    assert_eq!(told["iban_number"], Value::Null);

    let found = status(&sandbox, "a%2Fb%201").await;
    assert_eq!(found.status, 200);
    for field in ["status", "fiat_amount", "merchant_spent_usdt", "created_at", "number_card"] {
        assert_eq!(found.json()[field], told[field], "{field}");
    }
    assert_eq!(found.json()["cheque_urls"].as_array().unwrap().len(), 1);
    eventually("acknowledged", || sandbox.ledger()[0].acknowledged).await;
    sandbox.shutdown().await;
}

#[tokio::test]
async fn the_same_order_id_twice_is_paid_twice_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (sandbox, receiver) = (start(dir.path(), quick()).await, Receiver::start().await);
    let first = create(&sandbox, "twice", "10.00", &receiver).await.json();
    assert_eq!(sandbox.counters().duplicates, 0);
    let second = create(&sandbox, "twice", "10.00", &receiver).await.json();
    assert_ne!(first["internal_transaction_id"], second["internal_transaction_id"]);
    receiver.wait_for(2).await;
    let counters = sandbox.counters();
    assert_eq!((counters.accepted, counters.paid, counters.duplicates), (2, 2, 1));
    assert_eq!(counters.max_per_second, 2);
    let ids: Vec<String> = sandbox.ledger().into_iter().map(|entry| entry.order_id).collect();
    assert_eq!(ids, ["twice", "twice"]);
}

#[tokio::test]
async fn it_knows_how_young_the_payouts_were_that_somebody_asked_about() {
    let dir = tempfile::tempdir().unwrap();
    let (sandbox, receiver) = (start(dir.path(), quick()).await, Receiver::start().await);
    create(&sandbox, "rejected", "10.91", &receiver).await;
    eventually("rejected", || sandbox.ledger()[0].status == "rejected_gate").await;
    status(&sandbox, "rejected").await;
    let youngest_ms = || sandbox.counters().youngest_asked_ms;
    assert_eq!(
        (sandbox.counters().status, youngest_ms()),
        (1, None),
        "that is how it is confirmed"
    );
    create(&sandbox, "paid", "10.00", &receiver).await;
    eventually("old enough", || {
        let created_ms = sandbox.ledger()[1].created_ms;
        std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() > u128::from(created_ms) + 20
    })
    .await;
    status(&sandbox, "paid").await;
    assert!(youngest_ms().is_some_and(|age_ms| age_ms > 20), "{:?}", youngest_ms());
    status(&sandbox, "nothing").await;
    assert_eq!(youngest_ms(), Some(0));
}

#[tokio::test]
async fn a_look_up_without_one_of_the_dossiers_reasons_is_counted_and_one_with_a_reason_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let config = MerchantConfig { look_ups_after_ms: 60_000, ..quick() };
    let (sandbox, receiver) = (start(dir.path(), config).await, Receiver::start().await);
    let unlisted = || sandbox.counters().unlisted;
    create(&sandbox, "paid", "10.00", &receiver).await;
    eventually("settled", || sandbox.ledger()[0].acknowledged).await;
    status(&sandbox, "paid").await;
    assert_eq!(unlisted(), 1, "nobody doubts it");
    // What is not found lets one that exists show that look-ups work; once.
    status(&sandbox, "nothing").await;
    status(&sandbox, "paid").await;
    assert_eq!(unlisted(), 1, "that is the control");
    status(&sandbox, "paid").await;
    assert_eq!(unlisted(), 2);
    // What was rejected is confirmed, once for each callback.
    create(&sandbox, "rejected", "10.91", &receiver).await;
    eventually("rejected", || sandbox.ledger()[1].acknowledged).await;
    status(&sandbox, "rejected").await;
    assert_eq!(unlisted(), 2, "that is how it is confirmed");
    status(&sandbox, "rejected").await;
    assert_eq!(unlisted(), 3, "and that is a loop");
    // A create without an answer is asked about until it is told where it stands.
    for fault in [Fault::ErrorAfter, Fault::StatusError] {
        sandbox.dial().set(fault, Chance::next(1)).unwrap();
    }
    assert_eq!(create(&sandbox, "lost", "10.96", &receiver).await.status, 500);
    assert_eq!(status(&sandbox, "lost").await.status, 500);
    assert_eq!(status(&sandbox, "lost").await.status, 200);
    assert_eq!(unlisted(), 3);
    status(&sandbox, "lost").await;
    assert_eq!(
        (sandbox.counters().status, unlisted()),
        (9, 4),
        "once it was told, that is polling"
    );
}

#[tokio::test]
async fn age_is_a_reason_as_long_as_no_callback_has_settled_the_payout() {
    let dir = tempfile::tempdir().unwrap();
    let config = MerchantConfig { look_ups_after_ms: 0, ..quick() };
    let (sandbox, receiver) = (start(dir.path(), config).await, Receiver::start().await);
    create(&sandbox, "pending", "10.96", &receiver).await;
    for _ in 0..3 {
        status(&sandbox, "pending").await;
    }
    assert_eq!(sandbox.counters().unlisted, 0, "no news, and old enough");
    create(&sandbox, "paid", "10.00", &receiver).await;
    eventually("settled", || sandbox.ledger()[1].acknowledged).await;
    status(&sandbox, "paid").await;
    assert_eq!(sandbox.counters().unlisted, 1, "its callback was taken");
}

#[tokio::test]
async fn a_repeated_order_id_is_refused_where_the_switch_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let config = MerchantConfig { refuse_repeated_order_id: true, ..quick() };
    let (sandbox, receiver) = (start(dir.path(), config).await, Receiver::start().await);
    assert_eq!(create(&sandbox, "once", "10.00", &receiver).await.status, 200);
    let again = create(&sandbox, "once", "10.00", &receiver).await;
    assert_eq!(again.error(), "order with this order_id already exists");
    assert_eq!(sandbox.counters().accepted, 1);
}

#[tokio::test]
async fn a_wrong_signature_is_401_or_a_refusal_and_never_paid() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start().await;
    for (bad_sign, expected) in [(BadSign::Unauthorized, 401), (BadSign::Refusal, 400)] {
        let sandbox = start(dir.path(), MerchantConfig { bad_sign, ..quick() }).await;
        let mut body = create_body("o", "10.00", &receiver);
        body["fiat_amount"] = "10.01".into();
        let url = create_url(&sandbox.merchant_base_url());
        let answer = post_json(&url, &body).await.unwrap();
        assert_eq!((answer.status, answer.error().as_str()), (expected, "invalid sign"));
        let counters = sandbox.counters();
        assert_eq!((counters.bad_signatures, counters.accepted), (1, 0));
        sandbox.shutdown().await;
    }
}

#[tokio::test]
async fn what_is_not_a_create_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let (sandbox, receiver) = (start(dir.path(), quick()).await, Receiver::start().await);
    let url = create_url(&sandbox.merchant_base_url());
    let mut body = create_body("o", "10.00", &receiver);
    body["number_card"] = "4111111111111112".into();
    let answer = post_json(&url, &body).await.unwrap();
    assert_eq!(answer.error(), "number_card fails its check digit");
    let answer = post(&url, "{").await.unwrap();
    assert_eq!((answer.status, &answer.json()["ok"]), (400, &json!(false)));
    let answer = call("POST", &url, "", &body.to_string()).await.unwrap();
    assert_eq!(answer.error(), "Content-Type: must be application/json");
    let long =
        call("POST", &url, "Content-Type: application/json\r\n", &"x".repeat(2_100_000)).await;
    assert!(long.is_err() || long.unwrap().status == 413);
    let other = post(&url.replace("merchant/sandbox", "merchant/else"), "{}").await.unwrap();
    assert_eq!((other.status, other.error().as_str()), (403, "unknown merchant"));
    assert_eq!(sandbox.counters().accepted, 0);
}

#[tokio::test]
async fn absence_has_its_documented_form_and_needs_the_key() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = start(dir.path(), quick()).await;
    let answer = status(&sandbox, "nobody").await;
    assert_eq!((answer.status, answer.error().as_str()), (404, NOT_FOUND));
    let base = sandbox.merchant_base_url();
    for call in ["status_pay_out/nobody/", "status/"] {
        let url = format!("{base}/api/merchant/sandbox/{call}");
        assert_eq!(get(&url, "wrong").await.unwrap().status, 401, "{call}");
    }
    assert_eq!(sandbox.counters().bad_api_keys, 2);
}

#[tokio::test]
async fn a_look_up_may_go_by_the_gateways_own_id_instead() {
    let dir = tempfile::tempdir().unwrap();
    let config = MerchantConfig { status_id: StatusId::InternalTransactionId, ..quick() };
    let (sandbox, receiver) = (start(dir.path(), config).await, Receiver::start().await);
    let created = create(&sandbox, "o", "10.00", &receiver).await.json();
    let id = created["internal_transaction_id"].as_str().unwrap();
    assert_eq!(status(&sandbox, id).await.json()["order_id"], "o");
    assert_eq!(status(&sandbox, "o").await.status, 404);
}

#[tokio::test]
async fn a_pending_payout_is_cancelled_and_a_paid_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let config = MerchantConfig { settle_after_ms: 3_600_000, ..quick() };
    let (sandbox, receiver) = (start(dir.path(), config).await, Receiver::start().await);
    let created = create(&sandbox, "back", "10.00", &receiver).await.json();
    create(&sandbox, "paid", "10.00", &receiver).await;
    let url = created["reject_callback_url"].as_str().unwrap();
    let ask = |id: &str| json!({ "order_id": id, "standart_sign": standart_sign(id) });

    let forged = json!({ "order_id": "back", "standart_sign": standart_sign("paid") });
    assert_eq!(post_json(url, &forged).await.unwrap().status, 401);
    assert_eq!(post_json(url, &ask("back")).await.unwrap().json()["ok"], true);
    assert_eq!(post_json(url, &ask("back")).await.unwrap().json()["ok"], true, "asked again");
    assert_eq!(post_json(url, &ask("nobody")).await.unwrap().error(), NOT_FOUND);
    assert_eq!(sandbox.settle_now(), 1, "only the other one was pending");
    let refused = post_json(url, &ask("paid")).await.unwrap();
    assert_eq!(refused.error(), "pay out is already successful");

    let callbacks = receiver.wait_for(2).await;
    let told =
        |path: &str| callbacks.iter().find(|c| c.path == path).unwrap().body["status"].clone();
    assert_eq!(told("/error/back"), "rejected_merchant");
    assert_eq!(told("/success/paid"), "successful");
}

#[tokio::test]
async fn the_balance_holds_what_is_promised_and_runs_out() {
    let dir = tempfile::tempdir().unwrap();
    let config = MerchantConfig { balance: 100.into(), settle_after_ms: 3_600_000, ..quick() };
    let (sandbox, receiver) = (start(dir.path(), config).await, Receiver::start().await);
    let account = async || {
        let url = format!("{}/api/merchant/sandbox/status/", sandbox.merchant_base_url());
        get(&url, sandbox::API_KEY).await.unwrap().json()
    };
    create(&sandbox, "a", "5000.00", &receiver).await;
    let told = account().await;
    assert_eq!((&told["balance"], &told["hold"]), (&json!("100.0000"), &json!("50.3755")));
    assert_eq!(told["available"], "49.6245");
    assert_eq!(told["payment_methods"][0]["statuses"]["sbp"], true);
    assert_eq!(create(&sandbox, "b", "5000.00", &receiver).await.error(), "low balance");
    sandbox.settle_now();
    let told = account().await;
    assert_eq!((&told["balance"], &told["hold"]), (&json!("49.6245"), &json!("0.0000")));
}

#[tokio::test]
async fn the_cents_choose_the_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let (sandbox, receiver) = (start(dir.path(), quick()).await, Receiver::start().await);
    let disabled = create(&sandbox, "m93", "10.93", &receiver).await;
    assert_eq!(disabled.error(), "this payment method is disabled for your merchant");
    let undocumented = create(&sandbox, "m95", "10.95", &receiver).await;
    assert!(!undocumented.error().is_empty());
    assert_eq!(create(&sandbox, "m94", "10.94", &receiver).await.error(), "overloading requisite");
    assert_eq!(create(&sandbox, "m94", "10.94", &receiver).await.status, 200);
    for (id, amount) in [("m91", "10.91"), ("m92", "10.92"), ("m96", "10.96")] {
        assert_eq!(create(&sandbox, id, amount, &receiver).await.status, 200);
    }
    let callbacks = receiver.wait_for(3).await;
    let told =
        |path: &str| callbacks.iter().find(|c| c.path == path).unwrap().body["status"].clone();
    assert_eq!(told("/error/m91"), "rejected_gate");
    assert_eq!(told("/error/m92"), "rejected_timeout");
    assert_eq!(told("/success/m94"), "successful");
    assert_eq!(sandbox.settle_now(), 0, "m96 never settles");
    assert_eq!(status(&sandbox, "m96").await.json()["status"], "expectation");
    let never = sandbox.ledger().into_iter().find(|entry| entry.order_id == "m96").unwrap();
    assert_eq!((never.status.as_str(), never.paid), (Status::Expectation.word(), false));
}

#[tokio::test]
async fn a_callback_is_repeated_until_it_is_answered_2xx() {
    let dir = tempfile::tempdir().unwrap();
    let (sandbox, receiver) = (start(dir.path(), quick()).await, Receiver::start().await);
    receiver.answer_with(500);
    create(&sandbox, "o", "10.00", &receiver).await;
    receiver.wait_for(2).await;
    receiver.answer_with(204);
    eventually("acknowledged", || sandbox.ledger()[0].acknowledged).await;
    let counters = sandbox.counters();
    assert_eq!(counters.callbacks_acknowledged, 1);
    assert!(counters.callbacks_sent >= 3);
}

#[tokio::test]
async fn callbacks_end_after_the_configured_tries() {
    let dir = tempfile::tempdir().unwrap();
    let config = MerchantConfig { callback_tries: 3, callback_retry_ms: 1, ..quick() };
    let (sandbox, receiver) = (start(dir.path(), config).await, Receiver::start().await);
    receiver.answer_with(500);
    create(&sandbox, "o", "10.00", &receiver).await;
    eventually("given up", || sandbox.counters().callbacks_given_up == 1).await;
    assert_eq!(sandbox.counters().callbacks_sent, 3);
}
