//! Notices: whose they are, and everything that may be forged about them.

use super::*;
use crate::answer::Heard;
use crate::api::{CallbackKind, CallbackRequest};
use crate::testing::card;
use domain::News;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;

fn sign(secret: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    hex::encode(mac.chain_update(body).finalize().into_bytes())
}

fn request(body: &str, signature: Option<String>) -> CallbackRequest {
    CallbackRequest { kind: CallbackKind::Status, signature, body: body.as_bytes().to_vec() }
}

/// A notice that tells all that a notice can.
fn body() -> Value {
    json!({ "ticketId": "t-1", "reference": "abcd-INV-1", "status": "COMPLETED",
            "occurredAt": "2026-01-01T00:00:00Z", "amount": "10.00", "currency": "RUB" })
}

fn hear(body: &str, signature: Option<String>) -> Heard {
    adapter("").callbacks().unwrap().read(&request(body, signature), &card("INV-1", "10.00"))
}

fn hear_signed(body: &Value) -> Heard {
    let body = body.to_string();
    let signature = sign(WEBHOOK_SECRET, &body);
    hear(&body, Some(signature))
}

fn hint(heard: Heard) -> String {
    match heard {
        Heard::Hint { text } => text,
        fact @ Heard::Fact { .. } => panic!("believed: {fact:?}"),
    }
}

#[test]
fn a_signed_notice_in_which_everything_is_told_and_agrees_is_a_fact() {
    let paid = Heard::Fact { news: News::Paid, provider_id: None, cost: None };
    assert_eq!(hear_signed(&body()), paid);
    let mut early = body();
    early["status"] = json!("PROCESSING");
    let early = hear_signed(&early);
    assert!(matches!(early, Heard::Fact { news: News::InProgress, .. }), "{early:?}");
    let text = body().to_string();
    let capitals = sign(WEBHOOK_SECRET, &text).to_uppercase();
    assert_eq!(hear(&text, Some(capitals)), paid);
}

#[test]
fn a_notice_as_the_profile_has_it_tells_no_amount_and_is_a_hint() {
    let told = json!({ "ticketId": "t-1", "reference": "abcd-INV-1", "status": "COMPLETED",
                       "occurredAt": "2026-01-01T00:00:00Z" });
    let text = hint(hear_signed(&told));
    assert_eq!(text, "COMPLETED, but amount is not told; currency is not told");
}

#[test]
fn one_thing_that_is_forged_or_missing_makes_it_a_hint() {
    for (field, forged) in [
        ("reference", json!("abcd-INV-2")),
        ("reference", Value::Null),
        ("amount", json!("10.01")),
        ("amount", Value::Null),
        ("currency", json!("USD")),
        ("currency", Value::Null),
        ("clientId", json!("client-2")),
        ("beneficiary", json!({ "account": "5555555555554444" })),
        ("status", json!("PAID_4111111111111111")),
    ] {
        let mut forgery = body();
        forgery[field] = forged;
        let text = hint(hear_signed(&forgery));
        assert!(!text.contains("4111") && !text.contains("5555"), "{field}: {text}");
    }
}

/// What the lane's URL would make of it: nobody's, and nothing in it is repeated.
#[test]
fn behind_a_wrong_or_missing_signature_nothing_is_read() {
    let text = body().to_string();
    let spaced = format!("{text} ");
    let right = sign(WEBHOOK_SECRET, &text);
    let adapter = adapter("");
    let reference = |signature| adapter.notices().unwrap().reference(&request(&text, signature));
    assert_eq!(reference(Some(right.clone())).as_deref(), Some("abcd-INV-1"));
    for signature in [
        None,
        Some(String::new()),
        Some("00".into()),
        Some("not hex".into()),
        Some(right[..right.len() - 2].to_owned()),
        Some(sign("another secret", &text)),
        Some(sign(WEBHOOK_SECRET, &spaced)),
    ] {
        assert_eq!(reference(signature.clone()), None, "{signature:?}");
        assert_eq!(hint(hear(&text, signature)), "a notice with a wrong signature, or none");
    }
}

/// The same news again, and older news late: the same facts again, for the engine to weigh.
#[test]
fn repeated_and_old_notices_say_what_they_said() {
    let adapter = adapter("");
    let payment = card("INV-1", "10.00");
    let mut old = body();
    old["status"] = json!("PROCESSING");
    let heard = [body(), old, body()].map(|body| {
        let text = body.to_string();
        let request = request(&text, Some(sign(WEBHOOK_SECRET, &text)));
        adapter.callbacks().unwrap().read(&request, &payment)
    });
    let [first, late, again] = heard;
    assert!(matches!(first, Heard::Fact { news: News::Paid, .. }), "{first:?}");
    assert!(matches!(late, Heard::Fact { news: News::InProgress, .. }), "{late:?}");
    assert_eq!(first, again);
}

#[test]
fn a_negative_notice_is_a_hint_even_where_everything_agrees() {
    for status in ["REJECTED", "FAILED", "CANCELLED"] {
        let mut negative = body();
        negative["status"] = json!(status);
        assert_eq!(hint(hear_signed(&negative)), status);
    }
}

#[test]
fn without_a_secret_nothing_is_a_fact_and_no_header_is_read() {
    let keys = Files::new();
    let mut table = keys.settings("http://127.0.0.1:9", PM);
    table.remove("webhook_secret");
    let clock = Arc::new(TestClock::default());
    let adapter = Capay::to_pay(table, testing::context(), clock).unwrap();
    assert_eq!(adapter.notices().unwrap().signature_header(), None);
    let text = body().to_string();
    let signature = Some(sign(WEBHOOK_SECRET, &text));
    let heard =
        adapter.callbacks().unwrap().read(&request(&text, signature), &card("INV-1", "10.00"));
    assert!(hint(heard).contains("no webhook_secret"));
}

#[test]
fn a_notice_names_our_reference_and_the_header_is_in_lower_case() {
    let adapter = adapter("webhook_header = \"X-Hub-Signature\"");
    let notices = adapter.notices().unwrap();
    assert_eq!(notices.signature_header(), Some("x-hub-signature"));
    let reference =
        |body: &str| notices.reference(&request(body, Some(sign(WEBHOOK_SECRET, body))));
    assert_eq!(reference(&body().to_string()).as_deref(), Some("abcd-INV-1"));
    for nothing in ["", "[]", "{}", r#"{"reference": null}"#, r#"{"reference": {}}"#] {
        assert_eq!(reference(nothing), None, "{nothing}");
    }
}

#[test]
fn a_profile_with_other_names_is_what_a_notice_is_read_by() {
    let adapter = adapter(
        "[profile.webhook]\nreference = \"/data/ref\"\nstatus = \"/data/state\"\n\
         amount = \"/data/sum\"\ncurrency = \"/data/ccy\"\n[profile.statuses]\npaid = [\"DONE\"]",
    );
    let text = json!({ "data": { "ref": "abcd-INV-1", "state": "DONE", "sum": 10, "ccy": "rub" } });
    let text = text.to_string();
    let request = request(&text, Some(sign(WEBHOOK_SECRET, &text)));
    assert_eq!(adapter.notices().unwrap().reference(&request).as_deref(), Some("abcd-INV-1"));
    let heard = adapter.callbacks().unwrap().read(&request, &card("INV-1", "10.00"));
    assert!(matches!(heard, Heard::Fact { news: News::Paid, .. }), "{heard:?}");
}

proptest! {
    #[test]
    fn no_body_is_believed_or_makes_reading_panic(body in "\\PC{0,120}") {
        hint(hear(&body, Some(sign(WEBHOOK_SECRET, &body))));
    }
}
