//! Callbacks: the document's example, and everything that may be forged about it.

use super::*;
use crate::answer::Heard;
use crate::api::{CallbackKind, CallbackRequest};
use crate::testing::{payment, row};
use domain::{Method, News};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn paid_payment() -> Payment {
    payment(row("123456789", "5000.00", "RUB", Method::Card, "4276345439581234"))
}

fn sign(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// The document's example, with our reference and the assumed signature.
fn body() -> Value {
    json!({
        "order_id": "abcd-123456789",
        "standart_sign": sign("abcd-123456789:sandbox-sign-key"),
        "type": "pay_out", "status": "successful", "fiat_amount": "5000.00",
        "usdt_amount": "49.8765", "merchant_spent_usdt": "49.2500", "fiat_currency": "rub",
        "exchange_rate": "100.2472", "payment_method": "card",
        "created_at": "2024-02-15T09:30:45Z", "updated_at": "2024-02-15T09:45:12Z",
        "number_card": "4276345439581234", "phone_number": null, "number_score": null,
        "iban_number": null, "full_name": "Petrov Petr Petrovich", "bank_name": "Tinkoff"
    })
}

fn hear(more: &str, kind: CallbackKind, body: impl Into<Vec<u8>>) -> Heard {
    let adapter = adapter(more);
    let request = CallbackRequest { kind, signature: None, body: body.into() };
    adapter.callbacks().unwrap().read(&request, &paid_payment())
}

fn hear_with(field: &str, value: Value) -> Heard {
    let mut body = body();
    body[field] = value;
    hear("", CallbackKind::Success, body.to_string())
}

fn hint(heard: Heard) -> String {
    match heard {
        Heard::Hint { text } => text,
        fact @ Heard::Fact { .. } => panic!("believed: {fact:?}"),
    }
}

#[test]
fn a_success_in_which_everything_agrees_is_a_fact() {
    let fact = Heard::Fact {
        news: News::Paid,
        provider_id: None,
        cost: Some("49.2500 USDT at 100.2472".into()),
    };
    assert_eq!(hear("", CallbackKind::Success, body().to_string()), fact);
    // The same with numbers for strings and the signature in capitals.
    let mut loose = body();
    loose["fiat_amount"] = json!(5000);
    loose["number_card"] = json!(4_276_345_439_581_234_u64);
    loose["standart_sign"] = json!(loose["standart_sign"].as_str().unwrap().to_uppercase());
    assert_eq!(hear("", CallbackKind::Success, loose.to_string()), fact);
}

#[test]
fn one_thing_that_is_forged_or_missing_makes_it_a_hint() {
    for (field, forged, words) in [
        ("standart_sign", json!("p6o5n4m3l2k1j0i9h8g7f6e5d4c3b2a1"), "standart_sign is wrong"),
        ("standart_sign", json!(""), "standart_sign"),
        ("type", json!("pay_in"), "type differs"),
        ("order_id", json!("abcd-123456780"), "order_id differs"),
        ("fiat_amount", json!("5000.01"), "fiat_amount differs"),
        ("fiat_amount", json!("5,000.00"), "fiat_amount is not told"),
        ("fiat_currency", json!("usd"), "fiat_currency differs"),
        ("payment_method", json!("sbp"), "payment_method differs"),
        ("number_card", json!("5555555555554444"), "the requisite differs"),
        ("phone_number", json!("79161234567"), "the requisite differs"),
        ("number_score", json!("4276345439581234"), "the requisite differs"),
    ] {
        let text = hint(hear_with(field, forged.clone()));
        assert!(text.contains(words), "{field} {forged}: {text}");
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        assert_eq!(digits, 0, "no number is repeated: {text}");
        if field != "phone_number" && field != "number_score" {
            let text = hint(hear_with(field, Value::Null));
            assert!(text.contains("not told"), "{field}: {text}");
        }
    }
}

#[test]
fn what_nothing_depends_on_may_be_missing_or_anything_in_a_callback() {
    let told = hear("", CallbackKind::Success, body().to_string());
    for field in ["usdt_amount", "created_at", "updated_at", "full_name", "bank_name"] {
        for value in [Value::Null, json!([7]), json!(""), json!("something else")] {
            assert_eq!(hear_with(field, value.clone()), told, "{field} {value}");
        }
    }
}

#[test]
fn a_right_signature_over_another_order_does_not_help() {
    let mut other = body();
    other["order_id"] = json!("abcd-other");
    other["standart_sign"] = json!(sign("abcd-other:sandbox-sign-key"));
    let text = hint(hear("", CallbackKind::Success, other.to_string()));
    assert_eq!(text, "successful, but order_id differs");
}

#[test]
fn a_rejection_is_a_hint_even_where_everything_agrees() {
    for status in ["rejected_timeout", "rejected_merchant", "rejected_gate"] {
        let mut body = body();
        body["status"] = json!(status);
        assert_eq!(hint(hear("", CallbackKind::Error, body.to_string())), status);
        let text = hint(hear("", CallbackKind::Success, body.to_string()));
        assert!(text.contains("opposite"), "{text}");
    }
}

#[test]
fn a_success_at_the_url_for_errors_is_a_hint() {
    let text = hint(hear("", CallbackKind::Error, body().to_string()));
    assert_eq!(text, "successful, but the URL that was called is the one for the opposite");
}

#[test]
fn with_signatures_off_nothing_is_a_fact() {
    let text = hint(hear("callback_sign = \"off\"", CallbackKind::Success, body().to_string()));
    assert!(text.starts_with("successful, but signatures are not checked"), "{text}");
}

#[test]
fn the_template_of_the_config_is_what_is_checked() {
    let template = "callback_sign = \"{order_id}|{status}|{fiat_amount}|{requisite}|{sign_key}\"";
    let mut signed = body();
    let text = "abcd-123456789|successful|5000.00|4276345439581234|sandbox-sign-key";
    signed["standart_sign"] = json!(sign(text));
    let heard = hear(template, CallbackKind::Success, signed.to_string());
    assert!(matches!(heard, Heard::Fact { .. }), "{heard:?}");
    hint(hear(template, CallbackKind::Success, body().to_string()));
}

#[test]
fn a_status_that_no_document_lists_is_a_hint_that_does_not_repeat_it() {
    let text = hint(hear_with("status", json!("4276345439581234")));
    assert!(!text.contains("4276"), "{text}");
    // The document has it for look-ups alone.
    assert_eq!(text, hint(hear_with("status", json!("expectation"))));
}

proptest! {
    #[test]
    fn no_body_is_believed_or_makes_reading_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        hint(hear("", CallbackKind::Success, body));
    }

    #[test]
    fn no_other_signature_is_believed(forged in "[0-9a-f]{64}") {
        hint(hear_with("standart_sign", json!(forged)));
    }
}
