//! Callbacks: unsigned, one a change of status, told until they are answered 2xx.

use sandbox::{Chance, Fault};

use crate::support::{Receiver, eventually};
use crate::*;

fn statuses(receiver: &Receiver) -> Vec<String> {
    receiver.seen().iter().map(|callback| text(&callback.body["status"]).to_owned()).collect()
}

/// An order with a callback URL.
async fn order(stage: &Stage, api_id: &str, receiver: &Receiver) -> Value {
    stage.try_create(api_id, "500", &receiver.url("secret/callback")).await["data"].clone()
}

#[tokio::test]
async fn every_change_of_status_is_told_in_a_form() {
    let (stage, receiver) = (stage(still()).await, Receiver::start().await);
    let order = order(&stage, "1", &receiver).await;
    stage.act("pay_bid", &order).await;
    receiver.wait_for(1).await;
    stage.sandbox.settle_now();
    let seen = receiver.wait_for(2).await;
    let id = order["id"].to_string();
    assert_eq!(seen[0].body, json!({ "bid_id": id, "status": "payed" }));
    assert_eq!(seen[1].body, json!({ "bid_id": id, "status": "success" }));
    assert_eq!(seen[0].path, "/secret/callback");
    eventually("acknowledged", || stage.sandbox.ledger()[0].acknowledged).await;
    assert_eq!(stage.counters().callbacks_acknowledged, 2);
}

#[tokio::test]
async fn an_order_without_a_callback_url_is_told_to_nobody() {
    let (stage, receiver) = (stage(quick()).await, Receiver::start().await);
    let silent = stage.create("1", "500").await;
    stage.act("pay_bid", &silent).await;
    eventually("settled", || stage.counters().paid == 1).await;
    let told = order(&stage, "2", &receiver).await;
    stage.act("cancel_bid", &told).await;
    receiver.wait_for(1).await;
    assert_eq!((statuses(&receiver), stage.counters().callbacks_sent), (vec!["cancel".into()], 1));
}

#[tokio::test]
async fn a_callback_is_tried_a_few_times_and_again_after_a_restart() {
    let config = || ExchangerConfig { callback_tries: 3, ..still() };
    let (stage, receiver) = (stage(config()).await, Receiver::start().await);
    receiver.answer_with(503);
    let untold = order(&stage, "1", &receiver).await;
    stage.act("cancel_bid", &untold).await;
    eventually("given up", || stage.counters().callbacks_given_up == 1).await;
    assert_eq!(statuses(&receiver), ["cancel"; 3]);
    receiver.answer_with(200);
    let stage = stage.restart(config()).await;
    receiver.wait_for(4).await;
    eventually("acknowledged", || stage.sandbox.ledger()[0].acknowledged).await;
    let stage = stage.restart(config()).await;
    let next = order(&stage, "2", &receiver).await;
    stage.act("pay_bid", &next).await;
    receiver.wait_for(5).await;
    assert_eq!(statuses(&receiver)[4], "payed", "what was acknowledged is not repeated");
}

#[tokio::test]
async fn a_restart_keeps_the_ledger_and_what_is_under_way() {
    let (stage, receiver) = (stage(still()).await, Receiver::start().await);
    let (funded, unfunded) =
        (order(&stage, "1", &receiver).await, order(&stage, "2", &receiver).await);
    stage.act("pay_bid", &funded).await;
    receiver.wait_for(1).await;
    let before = stage.sandbox.ledger();
    let stage = stage.restart(quick()).await;
    let after: Vec<String> =
        stage.sandbox.ledger().into_iter().map(|e| e.internal_transaction_id).collect();
    let expected: Vec<String> =
        before.into_iter().map(|entry| entry.internal_transaction_id).collect();
    assert_eq!(after, expected);
    eventually("the funded one is paid out", || stage.counters().paid == 1).await;
    assert_eq!(stage.status(&unfunded).await, "new");
    receiver.wait_for(2).await;
    assert_eq!(statuses(&receiver), ["payed", "success"]);
    assert_eq!(
        stage.act("pay_bid", &unfunded).await["data"]["status"],
        "payed",
        "its hash is the same"
    );
}

#[tokio::test]
async fn a_callback_may_be_dropped_for_ever_or_sent_twice() {
    let (stage, receiver) = (stage(still()).await, Receiver::start().await);
    let (dropped, twice) =
        (order(&stage, "1", &receiver).await, order(&stage, "2", &receiver).await);
    stage.dial().set(Fault::CallbackDropped, Chance::next(1)).unwrap();
    stage.act("cancel_bid", &dropped).await;
    let is_dropped = || stage.counters().faults.contains_key(&Fault::CallbackDropped);
    eventually("dropped", is_dropped).await;
    let stage = stage.restart(still()).await;
    stage.dial().set(Fault::CallbackDuplicated, Chance::next(1)).unwrap();
    stage.act("pay_bid", &twice).await;
    receiver.wait_for(2).await;
    assert_eq!(statuses(&receiver), ["payed", "payed"]);
    assert_eq!(stage.status(&dropped).await, "cancel");
}

#[tokio::test]
async fn a_callback_may_be_late_or_overtaken() {
    let (stage, receiver) = (stage(still()).await, Receiver::start().await);
    for (fault, setting) in [
        (Fault::CallbackLate, "callback_late_ms"),
        (Fault::CallbackReordered, "callback_reorder_ms"),
    ] {
        let already = receiver.seen().len();
        let order = order(&stage, "", &receiver).await;
        let change = json!({ setting: 300, "faults": { fault_name(fault): { "next": 1 } } });
        stage.dial().apply(&serde_json::from_value(change).unwrap()).unwrap();
        stage.act("pay_bid", &order).await;
        stage.sandbox.settle_now();
        receiver.wait_for(already + 2).await;
        assert_eq!(statuses(&receiver)[already..], ["success", "payed"], "{fault:?}");
    }
}

fn fault_name(fault: Fault) -> String {
    text(&serde_json::to_value(fault).expect("a name")).to_owned()
}

#[tokio::test]
async fn a_forged_callback_lies_in_one_thing_and_the_truth_follows() {
    let (stage, receiver) = (stage(still()).await, Receiver::start().await);
    for (fault, lie) in [(Fault::ForgedStatus, "status"), (Fault::ForgedOrder, "bid_id")] {
        let order = order(&stage, "", &receiver).await;
        stage.dial().set(fault, Chance::next(1)).unwrap();
        let already = receiver.seen().len();
        stage.act("cancel_bid", &order).await;
        let seen = receiver.wait_for(already + 2).await.split_off(already);
        let (forged, genuine) = (&seen[0].body, &seen[1].body);
        assert_eq!(*genuine, json!({ "bid_id": order["id"].to_string(), "status": "cancel" }));
        for name in ["bid_id", "status"] {
            assert_eq!(forged[name] != genuine[name], name == lie, "{fault:?}: {forged}");
        }
    }
    eventually("counted", || stage.counters().callbacks_acknowledged == 2).await;
    assert_eq!((stage.counters().forged_sent, stage.counters().forged_acknowledged), (2, 2));
}
