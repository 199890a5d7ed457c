//! What a create comes to, without faults: refused, paid, never paid, taken back, paid twice.

use sandbox::{CAPAY_CLIENT_ID, CAPAY_SIGNATURE_HEADER, CapayConfig, CapayRepeat};
use serde_json::{Value, json};

use super::support::*;

#[tokio::test]
async fn a_payout_is_created_told_of_at_each_change_and_found() {
    let dir = tempfile::tempdir().unwrap();
    let desk = Desk::open(dir.path(), CapayConfig { settle_after_ms: 10, ..calm() }).await;
    let answer = desk.create("a/b 1", "12.50").await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let created = answer.json();
    assert_eq!((&created["status"], &created["amount"]), (&json!("CREATED"), &json!("12.50")));
    assert_eq!((&created["reference"], &created["currency"]), (&json!("a/b 1"), &json!("EUR")));

    let seen = desk.receiver.wait_for(2).await;
    for (webhook, status) in seen.iter().zip(["PROCESSING", "COMPLETED"]) {
        assert_eq!(webhook.path, "/capay");
        assert_eq!(webhook.body["ticketId"], created["ticketId"]);
        assert_eq!(webhook.body["reference"], "a/b 1");
        assert_eq!(webhook.body["status"], status);
        assert!(webhook.body["occurredAt"].as_str().unwrap().ends_with('Z'));
        assert_eq!(webhook.headers[CAPAY_SIGNATURE_HEADER], *sign(&webhook.raw));
    }
    let id = created["id"].as_str().unwrap();
    let found = desk.get(&format!("/transactions/payouts/{id}")).await.json();
    assert_eq!(found["status"], "COMPLETED");
    assert_eq!(found["beneficiary"]["account"], "DE89370400440532013000");
    let listed = desk.list("reference=a%2Fb+1&skip=0&limit=5").await.json();
    assert_eq!((&listed["data"], &listed["total"]), (&json!([found]), &json!(1)));
    assert_eq!(desk.list("reference=other").await.json()["data"], json!([]));
    assert_eq!(desk.get("/transactions/payouts/nothing").await.status, 404);

    eventually("acknowledged", || desk.sandbox.ledger()[0].acknowledged).await;
    let entry = &desk.sandbox.ledger()[0];
    assert_eq!((entry.provider.as_str(), entry.order_id.as_str()), ("capay", "a/b 1"));
    assert_eq!((entry.amount.as_str(), entry.currency.as_str()), ("12.50", "eur"));
    assert_eq!(entry.destination, "DE89370400440532013000");
    assert!(entry.paid);
    desk.sandbox.shutdown().await;
}

#[tokio::test]
async fn the_same_reference_and_key_twice_is_paid_twice_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let desk = Desk::open(dir.path(), calm()).await;
    let (key, body) = ("Idempotency-Key: twice\r\n", payout_body("twice", "10.00"));
    let create = || desk.call_with(key, "POST", "/transactions/payouts", &body);
    let (first, second) = (create().await.unwrap(), create().await.unwrap());
    assert_eq!((first.status, second.status), (201, 201));
    assert_ne!(first.json()["id"], second.json()["id"]);
    assert_eq!(desk.list("reference=twice").await.json()["total"], 2);
    assert_eq!(desk.sandbox.settle_now(), 2);
    let counters = desk.sandbox.counters_of("capay").unwrap();
    assert_eq!((counters.create, counters.accepted), (2, 2));
    assert_eq!((counters.paid, counters.pending, counters.duplicates), (2, 0, 1));
}

#[tokio::test]
async fn a_repeated_create_is_not_paid_where_the_switch_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let config = CapayConfig { repeat: CapayRepeat::SamePayout, ..calm() };
    let desk = Desk::open(dir.path(), config).await;
    let key = "Idempotency-Key: once\r\n";
    let path = "/transactions/payouts";
    let create = async |amount: &str| {
        desk.call_with(key, "POST", path, &payout_body("once", amount)).await.unwrap()
    };
    let (first, again) = (create("10.00").await, create("10.00").await);
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.json()["id"], again.json()["id"]);
    assert_eq!(create("11.00").await.status, 409, "another payout under the same key");
    assert_eq!(desk.sandbox.counters_of("capay").unwrap().accepted, 1);
    desk.sandbox.shutdown().await;

    let config = CapayConfig { repeat: CapayRepeat::Conflict, ..calm() };
    let desk = Desk::open(dir.path(), config).await;
    assert_eq!(desk.create("once", "10.00").await.status, 409, "known over the restart");
    assert_eq!(desk.create("other", "10.00").await.status, 201);
}

#[tokio::test]
async fn a_program_manager_names_the_client_in_creates_and_in_look_ups() {
    let dir = tempfile::tempdir().unwrap();
    let desk = Desk::open(dir.path(), CapayConfig { persona_pm: true, ..calm() }).await;
    let refused = desk.create("r", "10.00").await;
    assert_eq!((refused.status, &refused.json()["error"]["property"]), (400, &json!("clientId")));
    assert_eq!(desk.sandbox.counters_of("capay").unwrap().accepted, 0);

    let mut body = payout_body("r", "10.00");
    body["clientId"] = CAPAY_CLIENT_ID.into();
    assert_eq!(desk.post("/transactions/payouts", &body).await.status, 201);
    let of_client = format!("reference=r&clientId={CAPAY_CLIENT_ID}");
    assert_eq!(desk.list(&of_client).await.json()["data"][0]["clientId"], CAPAY_CLIENT_ID);
    for other in ["reference=r", "reference=r&clientId=client-2"] {
        assert_eq!(desk.list(other).await.json()["total"], 0, "{other}");
    }
}

#[tokio::test]
async fn what_is_not_a_create_is_refused_by_the_name_of_its_property() {
    let dir = tempfile::tempdir().unwrap();
    let desk = Desk::open(dir.path(), calm()).await;
    let mut body = payout_body("r", "10.00");
    body["amount"] = json!(10.0);
    let answer = desk.post("/transactions/payouts", &body).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json()["error"],
        json!({ "property": "amount", "message": "must be a string" })
    );
    body["amount"] = "10.00".into();
    body["beneficiary"]["account"] = "not an IBAN 4111111111111111".into();
    let answer = desk.post("/transactions/payouts", &body).await;
    assert_eq!(answer.json()["error"]["property"], "beneficiary.account");
    assert!(!answer.body.contains("4111"), "the account is not repeated: {}", answer.body);
    let answer = desk.post("/transactions/payouts", &json!([])).await;
    assert_eq!((answer.status, &answer.json()["error"]["property"]), (400, &json!("body")));
    assert_eq!(desk.sandbox.counters_of("capay").unwrap().accepted, 0);
}

#[tokio::test]
async fn the_cents_choose_the_outcome_unless_they_mean_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let desk = Desk::open(dir.path(), calm()).await;
    let refused = desk.create("93", "10.93").await;
    let property = json!("beneficiary.account");
    assert_eq!((refused.status, &refused.json()["error"]["property"]), (400, &property));
    let busy = desk.create("94", "10.94").await;
    assert!(busy.status == 429 && busy.head.contains("retry-after: 1"), "{busy:?}");
    assert_eq!(desk.create("94", "10.94").await.status, 201, "the next try is taken");
    let odd = desk.create("95", "10.95").await;
    assert_eq!((odd.status, &odd.json()["error"]["property"]), (422, &Value::Null));
    for (reference, amount) in [("91", "10.91"), ("96", "10.96"), ("00", "10")] {
        assert_eq!(desk.create(reference, amount).await.status, 201);
    }
    assert_eq!(desk.sandbox.settle_now(), 3);
    let states: Vec<(String, String)> =
        desk.sandbox.ledger().into_iter().map(|entry| (entry.order_id, entry.status)).collect();
    let expected =
        [("94", "COMPLETED"), ("91", "REJECTED"), ("96", "CREATED"), ("00", "COMPLETED")];
    assert_eq!(states, expected.map(|(id, state)| (id.to_owned(), state.to_owned())));
    desk.sandbox.shutdown().await;

    let dir = tempfile::tempdir().unwrap();
    let desk = Desk::open(dir.path(), CapayConfig { magic: false, ..calm() }).await;
    for cents in 91..=96 {
        assert_eq!(desk.create(&cents.to_string(), &format!("10.{cents}")).await.status, 201);
    }
    assert_eq!(desk.sandbox.settle_now(), 6);
    assert_eq!(desk.sandbox.counters_of("capay").unwrap().paid, 6);
}

#[tokio::test]
async fn what_never_settles_stays_in_progress() {
    let dir = tempfile::tempdir().unwrap();
    let desk = Desk::open(dir.path(), CapayConfig { settle_after_ms: 4, ..calm() }).await;
    desk.create("never", "10.96").await;
    desk.create("later", "10.00").await;
    desk.receiver.wait_for(3).await;
    let mut told = desk.told();
    told.sort();
    let expected = [("later", "COMPLETED"), ("later", "PROCESSING"), ("never", "PROCESSING")];
    assert_eq!(told, expected.map(|(id, state)| (id.to_owned(), state.to_owned())));
}

#[tokio::test]
async fn an_open_payout_is_cancelled_and_a_paid_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let desk = Desk::open(dir.path(), calm()).await;
    let id = |answer: Answer| answer.json()["id"].as_str().unwrap().to_owned();
    let cancel = |id: String| format!("/transactions/payouts/{id}/cancel");
    let back = cancel(id(desk.create("back", "10.00").await));
    let paid = cancel(id(desk.create("paid", "10.00").await));
    for _ in 0..2 {
        let answer = desk.post(&back, &Value::Null).await;
        assert_eq!((answer.status, &answer.json()["status"]), (200, &json!("CANCELLED")));
    }
    assert_eq!(desk.sandbox.settle_now(), 1);
    let late = desk.post(&paid, &Value::Null).await;
    assert_eq!(late.status, 409, "{}", late.body);
    assert_eq!(desk.post(&cancel("none".into()), &Value::Null).await.status, 404);
    let counters = desk.sandbox.counters_of("capay").unwrap();
    assert_eq!((counters.cancel, counters.paid, counters.pending), (4, 1, 0));
    desk.receiver.wait_for(3).await;
    assert!(desk.told().contains(&("back".to_owned(), "CANCELLED".to_owned())));
}

#[tokio::test]
async fn beneficiaries_come_in_pages_of_a_thousand_at_most() {
    let dir = tempfile::tempdir().unwrap();
    let desk = Desk::open(dir.path(), calm()).await;
    for kind in ["businesses", "individuals"] {
        let page = |query: &str| format!("/beneficiaries/{kind}?{query}");
        let first = desk.get(&page("")).await.json();
        assert_eq!(first["data"].as_array().unwrap().len(), 10);
        let rest = desk.get(&page("skip=10&limit=10")).await.json();
        assert_eq!(rest["data"].as_array().unwrap().len(), 2);
        assert_ne!(first["data"][0]["id"], rest["data"][0]["id"]);
        let refused = desk.get(&page("limit=1001")).await;
        assert_eq!((refused.status, &refused.json()["error"]["property"]), (400, &json!("limit")));
        assert_eq!(desk.get(&page("limit=1000")).await.status, 200);
    }
    assert_eq!(desk.sandbox.counters_of("capay").unwrap().max_page, 1_000);
}
