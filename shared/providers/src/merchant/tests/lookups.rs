//! The answer to a look-up and to a cancellation: recorded bodies.

use super::*;
use crate::api::CancelAnswer;
use crate::testing::{Nobody, Scripted, card, payment, row, say};
use domain::{Method, News};
use serde_json::{Value, json};

/// The document's own example, with our reference.
const DOCUMENTED: &str = r#"{"ok": true, "order_id": "abcd-123456789", "type": "pay_out",
    "status": "successful", "fiat_amount": "5000.00", "usdt_amount": "49.8765",
    "merchant_spent_usdt": "49.2500", "fiat_currency": "rub", "exchange_rate": "100.2472",
    "payment_method": "card", "created_at": "2024-02-15T09:30:45Z",
    "updated_at": "2024-02-15T09:45:12Z", "number_card": "4276345439581234",
    "phone_number": null, "number_score": null, "iban_number": null,
    "full_name": "Petrov Petr Petrovich", "bank_name": "Tinkoff",
    "cheque_urls": ["https://yourwebsite.com/cheque1.pdf", "javascript:alert(1)", 7,
        "https://yourwebsite.com/cheque2.pdf"]}"#;

/// The document's card number fails its check digit; as a destination it is taken as it stands.
fn documented() -> Payment {
    payment(row("123456789", "5000", "RUB", Method::Card, "4276345439581234"))
}

fn read(status: u16, body: &str) -> Found {
    adapter("").read_look_up(&raw(status, body), &documented())
}

fn change(from: &str, to: &str) -> Found {
    assert!(DOCUMENTED.contains(from), "{from}");
    read(200, &DOCUMENTED.replacen(from, to, 1))
}

fn is_unclear(found: &Found) -> bool {
    matches!(found, Found::Unclear { .. })
}

#[test]
fn the_documents_example_is_paid_with_its_receipts() {
    let links = ["https://yourwebsite.com/cheque1.pdf", "https://yourwebsite.com/cheque2.pdf"];
    let expected = Found::Is {
        news: News::Paid,
        provider_id: None,
        cost: Some("49.2500 USDT at 100.2472".into()),
        receipts: links.map(str::to_owned).to_vec(),
        text: "successful".into(),
    };
    assert_eq!(read(200, DOCUMENTED), expected);
}

#[test]
fn every_status_of_the_document_is_known_and_no_other() {
    for (word, meant) in [
        ("expectation", News::InProgress),
        ("successful", News::Paid),
        ("rejected_timeout", News::Failed),
        ("rejected_gate", News::Failed),
        ("rejected_merchant", News::Cancelled),
    ] {
        let found = change("successful", word);
        assert!(matches!(&found, Found::Is { news, .. } if *news == meant), "{word}: {found:?}");
    }
    for word in ["Successful", "paid", "rejected", "", "rejected_gate2"] {
        assert!(is_unclear(&change("successful", word)), "{word}");
    }
    assert!(is_unclear(&change("\"status\"", "\"state\"")));
}

#[test]
fn what_is_told_otherwise_differs_and_the_number_is_not_repeated() {
    for (from, to) in [
        ("abcd-123456789", "abcd-123456788"),
        ("abcd-123456789", "ABCD-123456789"),
        ("pay_out", "pay_in"),
        ("5000.00", "5000.01"),
        ("rub", "usd"),
        ("\"card\"", "\"sbp\""),
        ("4276345439581234", "5555555555554444"),
        ("\"phone_number\": null", "\"phone_number\": \"79161234567\""),
    ] {
        let Found::Differs { text } = change(from, to) else { panic!("{from} {to}") };
        assert!(
            !text.contains("5555") && !text.contains("4276") && !text.contains("7916"),
            "{text}"
        );
    }
}

#[test]
fn what_money_depends_on_must_be_told() {
    for field in ["\"order_id\"", "\"fiat_amount\"", "\"fiat_currency\"", "\"ok\""] {
        assert!(is_unclear(&change(field, "\"x\"")), "{field}");
    }
    // These are compared where they are told.
    for told in ["\"4276345439581234\"", "\"card\"", "\"pay_out\""] {
        assert!(matches!(change(told, "null"), Found::Is { news: News::Paid, .. }), "{told}");
    }
}

#[test]
fn what_nothing_depends_on_may_be_missing_or_anything_in_a_look_up() {
    for field in ["usdt_amount", "created_at", "updated_at", "full_name", "bank_name"] {
        let key = format!("\"{field}\": ");
        for value in ["null", "[7]", "\"\"", "\"something else\""] {
            let told = change(&key, &format!("{key}{value}, \"x\": "));
            assert_eq!(told, read(200, DOCUMENTED), "{field} {value}");
        }
        assert_eq!(change(&key, "\"x\": "), read(200, DOCUMENTED), "{field}");
    }
}

#[test]
fn receipts_are_links_of_2048_bytes_and_sixteen_at_most() {
    let (before, _) = DOCUMENTED.split_once("\"cheque_urls\"").unwrap();
    let receipts = |told: &str| {
        let body = format!("{before}\"cheque_urls\": {told}}}");
        let Found::Is { receipts, .. } = read(200, &body) else { panic!("{body}") };
        receipts
    };
    let many: Vec<_> = (0..20).map(|n| format!("https://example.com/{n}.pdf")).collect();
    assert_eq!(receipts(&json!(many).to_string()), many[..16]);
    let base = "https://example.com/";
    let long = format!("{base}{}", "x".repeat(2_048 - base.len()));
    assert_eq!(receipts(&json!([format!("{long}x"), long]).to_string()), [long]);
    for none in [
        "null",
        "[]",
        "{}",
        "\"https://example.com/1\"",
        "[\"ftp://example.com/1\", \"https://example.com/a b\"]",
    ] {
        assert_eq!(receipts(none), [""; 0], "{none}");
    }
}

#[test]
fn absent_is_said_in_the_configured_form_only() {
    let not_found =
        |status: u16, words: &str| read(status, &format!(r#"{{"ok": false, "error": "{words}"}}"#));
    for status in [200, 400, 404, 422] {
        assert_eq!(not_found(status, " Pay out NOT found "), Found::Absent, "{status}");
        assert!(is_unclear(&not_found(status, "something else")), "{status}");
        assert!(is_unclear(&not_found(status, "page not found")), "{status}");
        assert!(is_unclear(&read(status, "")), "{status}");
        assert!(is_unclear(&read(status, r#"{"error": "not found"}"#)), "{status}: no ok");
        assert!(is_unclear(&read(status, r#"{"ok": false}"#)), "{status}: no text");
        assert!(is_unclear(&read(status, "<html>404 not found</html>")), "{status}");
    }
    for status in [301, 408, 425, 429, 499, 500, 502, 503] {
        assert!(is_unclear(&not_found(status, "not found")), "{status} speaks of no payout");
    }
    assert!(is_unclear(&read(404, DOCUMENTED)), "a 404 that tells a payout contradicts itself");
}

#[test]
fn the_configured_texts_replace_the_assumed_ones() {
    let adapter = adapter("absent_texts = [\"No such order\"]");
    let read = |words: &str| {
        let body = format!(r#"{{"ok": false, "error": "{words}"}}"#);
        adapter.read_look_up(&raw(404, &body), &documented())
    };
    assert_eq!(read("no such ORDER"), Found::Absent);
    assert!(is_unclear(&read("not found")));
}

#[test]
fn refused_credentials_stop_the_lane_and_prove_nothing() {
    for (status, body) in [
        (401, ""),
        (403, r#"{"ok": false, "error": "pay out not found"}"#),
        (400, r#"{"ok": false, "error": "invalid api key"}"#),
        (404, r#"{"ok": false, "error": "merchant not found"}"#),
    ] {
        let found = read(status, body);
        assert!(matches!(found, Found::StopLane { .. }), "{status} {body}: {found:?}");
    }
}

#[tokio::test]
async fn where_look_ups_go_by_the_providers_id_none_is_made_and_absence_proves_nothing() {
    let server = Scripted::start(say(200, DOCUMENTED)).await;
    let adapter = adapter_at(&server.base(), "status_id = \"internal_transaction_id\"");
    let found = ask(&adapter, vec![documented()]).await;
    let [Found::Unclear { text }] = &found[..] else { panic!("{found:?}") };
    assert!(text.contains("internal_transaction_id"), "{text}");
    assert!(server.requests().is_empty());
    assert!(LIMITS.idempotency.absence.proves && !adapter.limits().idempotency.absence.proves);
}

#[tokio::test]
async fn a_look_up_by_the_providers_id_asks_by_the_one_that_was_told() {
    let server = Scripted::start(say(200, DOCUMENTED)).await;
    let adapter = adapter_at(&server.base(), "status_id = \"internal_transaction_id\"");
    let mut payment = documented();
    payment.past.provider_id = Some("tx-1".into());
    let found = ask(&adapter, vec![payment]).await;
    assert!(matches!(found[..], [Found::Is { news: News::Paid, .. }]), "{found:?}");
    let [request] = &server.requests()[..] else { panic!("one request") };
    let line = "GET /merchant/api/merchant/sandbox/status_pay_out/tx-1/ HTTP/1.1\r\n";
    assert!(request.starts_with(line), "{request}");
}

#[tokio::test]
async fn a_look_up_carries_the_key_and_asks_by_our_reference() {
    let server = Scripted::start(say(200, DOCUMENTED)).await;
    let adapter = adapter_at(&server.base(), "");
    let found = ask(&adapter, vec![documented(), card("INV-1", "1.00")]).await;
    assert!(matches!(found[..], [Found::Is { .. }, Found::Differs { .. }]), "{found:?}");
    let requests = server.requests();
    let path = "GET /merchant/api/merchant/sandbox/status_pay_out/abcd-123456789/ HTTP/1.1\r\n";
    assert!(requests[0].starts_with(path), "{}", requests[0]);
    let head = requests[0].to_ascii_lowercase();
    assert!(head.contains(&format!("x-api-key: {}\r\n", sandbox::API_KEY)), "{head}");
    assert!(head.contains("content-type: application/json\r\n"), "{head}");
}

#[tokio::test]
async fn an_address_where_nobody_is_leaves_it_unclear() {
    let nobody = Nobody::new();
    let adapter = adapter_at(&nobody.base(), "");
    let found = ask(&adapter, vec![documented()]).await;
    assert!(is_unclear(&found[0]), "{found:?}");
}

#[test]
fn a_cancellation_is_taken_refused_or_unknown() {
    let read = |status, body: &str| adapter("").read_cancel(&raw(status, body), &documented());
    assert_eq!(read(200, r#"{"ok": true}"#), CancelAnswer::Taken);
    for (status, body) in
        [(400, "{\"ok\":false,\"error\":\"paid\"}"), (200, "{\"ok\":false}"), (404, "")]
    {
        assert!(matches!(read(status, body), CancelAnswer::Refused { .. }), "{status} {body}");
    }
    for (status, body) in [(200, ""), (500, "{\"ok\":false}"), (302, ""), (400, "{\"ok\":true}")] {
        assert!(matches!(read(status, body), CancelAnswer::Unknown { .. }), "{status} {body}");
    }
}

#[tokio::test]
async fn a_cancellation_that_cannot_be_signed_is_not_sent() {
    let server = Scripted::start(say(200, r#"{"ok": true}"#)).await;
    for sign in ["off", "{order_id}:{status}:{sign_key}"] {
        let adapter = adapter_at(&server.base(), &format!("callback_sign = \"{sign}\""));
        let answer = Provider::cancel(&adapter).unwrap().cancel(documented()).await;
        assert!(matches!(answer, CancelAnswer::Refused { .. }), "{answer:?}");
    }
    assert!(server.requests().is_empty());
    let adapter = adapter_at(&server.base(), "");
    let answer = Provider::cancel(&adapter).unwrap().cancel(documented()).await;
    assert_eq!(answer, CancelAnswer::Taken);
    let [request] = &server.requests()[..] else { panic!("one request") };
    assert!(
        request.starts_with("POST /merchant/api/merchant/sandbox/rejected_pay_out/ HTTP/1.1\r\n")
    );
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.to_ascii_lowercase().contains("content-type: application/json"), "{head}");
    let sign = auth::Template::parse("{order_id}:{sign_key}").unwrap();
    let key = sandbox::SIGN_KEY.to_owned().into();
    let sign = sign.sign(&key, |_| Some("abcd-123456789")).unwrap();
    let expected = json!({"order_id": "abcd-123456789", "standart_sign": sign.as_str()});
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), expected);
}
