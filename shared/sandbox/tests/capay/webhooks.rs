//! Webhooks: late, twice, out of order, not at all, too early, forged, unsigned.

use sandbox::{CAPAY_SIGNATURE_HEADER, CapayConfig, Chance, DialChange, Fault};
use serde_json::json;

use super::stage;
use super::support::*;

#[tokio::test]
async fn webhooks_come_late_twice_or_not_at_all() {
    let (_dir, desk) = stage().await;
    let late = DialChange { callback_late_ms: Some(60), ..DialChange::default() };
    desk.dial().apply(&late).unwrap();
    for (fault, expected) in [
        (Fault::CallbackLate, ["COMPLETED", "PROCESSING"].as_slice()),
        (Fault::CallbackDuplicated, &["PROCESSING", "PROCESSING", "COMPLETED"]),
        (Fault::CallbackDropped, &["COMPLETED"]),
    ] {
        let already = desk.told().len();
        desk.dial().set(fault, Chance::next(1)).unwrap();
        desk.create(&format!("{fault:?}"), "10.00").await;
        assert_eq!(desk.sandbox.settle_now(), 1);
        desk.receiver.wait_for(already + expected.len()).await;
        let told: Vec<String> =
            desk.told().split_off(already).into_iter().map(|(_, status)| status).collect();
        assert_eq!(told, expected, "{fault:?}");
    }
    eventually("acknowledged", || desk.sandbox.ledger().iter().all(|e| e.acknowledged)).await;
    let counters = desk.sandbox.counters_of("capay").unwrap();
    assert_eq!((counters.callbacks_sent, counters.callbacks_acknowledged), (6, 6));
}

#[tokio::test]
async fn webhooks_held_back_are_overtaken() {
    let (_dir, desk) = stage().await;
    let change = DialChange { callback_reorder_ms: Some(150), ..DialChange::default() };
    desk.dial().apply(&change).unwrap();
    desk.dial().set(Fault::CallbackReordered, Chance::ALWAYS).unwrap();
    for n in 0..12 {
        desk.create(&format!("{n}"), "10.00").await;
    }
    assert_eq!(desk.sandbox.settle_now(), 12);
    desk.receiver.wait_for(24).await;
    let told = desk.told();
    let place = |n: usize, status: &str| {
        told.iter().position(|told| *told == (n.to_string(), status.to_owned())).expect("it came")
    };
    let overtaken = (0..12).filter(|n| place(*n, "COMPLETED") < place(*n, "PROCESSING")).count();
    assert!((1..12).contains(&overtaken), "{overtaken} of 12 in the wrong order");
}

#[tokio::test]
async fn a_webhook_may_come_before_the_create_is_answered() {
    let (_dir, desk) = stage().await;
    desk.dial().set(Fault::CallbackEarly, Chance::next(1)).unwrap();
    assert_eq!(desk.create("early", "10.00").await.json()["status"], "CREATED");
    let told: Vec<String> = desk.told().into_iter().map(|(_, status)| status).collect();
    assert_eq!(told, ["PROCESSING", "COMPLETED"], "both were there before the answer");
}

#[tokio::test]
async fn forged_webhooks_lie_in_one_thing_and_only_capay_itself_signs_them() {
    let (_dir, desk) = stage().await;
    for fault in [Fault::ForgedSignature, Fault::ForgedOrder, Fault::ForgedStatus] {
        let already = desk.receiver.seen().len();
        desk.create(&format!("{fault:?}"), "10.00").await;
        desk.dial().set(fault, Chance::next(1)).unwrap();
        desk.sandbox.settle_now();
        let seen = desk.receiver.wait_for(already + 3).await.split_off(already);
        let (forged, genuine) = (&seen[0], &seen[1]);
        let differs = |field: &str| forged.body[field] != genuine.body[field];
        let is_signed = |seen: &Callback| seen.headers[CAPAY_SIGNATURE_HEADER] == *sign(&seen.raw);
        assert!(is_signed(genuine));
        assert_eq!(is_signed(forged), fault == Fault::ForgedOrder, "{fault:?}");
        assert_eq!(differs("reference"), fault == Fault::ForgedOrder, "{fault:?}");
        assert_eq!(differs("status"), fault == Fault::ForgedStatus, "{fault:?}");
        assert!(!differs("ticketId"));
    }
    let counters = desk.sandbox.counters_of("capay").unwrap();
    assert_eq!(counters.forged_sent, 3);
}

#[tokio::test]
async fn without_a_secret_webhooks_carry_no_signature_and_without_a_url_there_are_none() {
    let dir = tempfile::tempdir().unwrap();
    let config = CapayConfig { webhook_secret: None, ..calm() };
    let desk = Desk::open(dir.path(), config).await;
    desk.create("unsigned", "10.00").await;
    desk.sandbox.settle_now();
    let seen = desk.receiver.wait_for(2).await;
    assert!(seen.iter().all(|seen| !seen.headers.contains_key(CAPAY_SIGNATURE_HEADER)));

    let url = format!("{}/sandbox/capay/webhook", desk.sandbox.url());
    let wrong = call("PUT", &url, "", "{\"url\": \"https://h/\"}").await.unwrap();
    assert_eq!(wrong.status, 400);
    let off = call("PUT", &url, "", "{\"url\": null}").await.unwrap();
    assert_eq!((off.status, off.json()), (200, json!({ "url": null })));
    desk.create("untold", "10.00").await;
    desk.sandbox.settle_now();
    let again = json!({ "url": desk.receiver.url("again") });
    call("PUT", &url, "", &again.to_string()).await.unwrap();
    desk.create("told", "10.00").await;
    desk.sandbox.settle_now();
    let seen = desk.receiver.wait_for(4).await.split_off(2);
    assert!(seen.iter().all(|seen| seen.path == "/again" && seen.body["reference"] == "told"));
}
