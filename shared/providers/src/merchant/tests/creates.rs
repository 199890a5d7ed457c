//! The answer to a create → its class: recorded bodies, and the whole table over real HTTP.

use super::*;
use crate::testing::{Gate, Nobody, Script, Scripted, card, row, say, say_with};
use domain::Method;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

const TAKEN: &str = r#"{"ok": true, "internal_transaction_id": "tx-1", "fiat_amount": "10.00",
    "usdt_amount": "0.0998", "merchant_spent_usdt": "0.1008", "fiat_currency": "rub",
    "exchange_rate": "100.2472", "payment_method": "card",
    "reject_callback_url": "https://example.com/reject/1"}"#;

fn read(status: u16, body: &str) -> Answer {
    adapter("").read_create(&raw(status, body), &card("INV-1", "10.00"))
}

fn refusal(status: u16, words: &str) -> Answer {
    read(status, &format!(r#"{{"ok": false, "error": "{words}"}}"#))
}

#[test]
fn taken_means_that_amount_and_currency_are_repeated() {
    let taken = Answer::Accepted {
        provider_id: Some("tx-1".into()),
        cost: Some("0.1008 USDT at 100.2472".into()),
    };
    assert_eq!(read(200, TAKEN), taken);
    // Numbers for strings, and the other way round.
    let loose = r#"{"ok": "true", "internal_transaction_id": 17, "fiat_amount": 10,
        "fiat_currency": "RUB", "new_field": {"a": []}}"#;
    let id = Some("17".into());
    assert_eq!(read(201, loose), Answer::Accepted { provider_id: id, cost: None });
}

#[test]
fn another_amount_or_currency_differs() {
    for (ours, theirs) in [("\"10.00\"", "\"10.01\""), ("\"10.00\"", "11"), ("rub", "usd")] {
        let answer = read(200, &TAKEN.replacen(ours, theirs, 1));
        assert!(matches!(answer, Answer::Differs { .. }), "{theirs}: {answer:?}");
    }
}

#[test]
fn an_answer_about_another_order_type_or_requisite_differs() {
    let with = |more: &str| read(200, &TAKEN.replacen('{', &format!("{{{more}, "), 1));
    for other in [
        r#""order_id": "abcd-INV-2""#,
        r#""type": "pay_in""#,
        r#""number_card": "5555555555554444""#,
        r#""phone_number": "79161234567""#,
        r#""number_card": "4111111111111111", "iban_number": "DE89370400440532013000""#,
    ] {
        let Answer::Differs { text } = with(other) else { panic!("{other}") };
        assert!(!text.contains("5555") && !text.contains("4111"), "{text}");
    }
    for ours in [
        r#""order_id": "abcd-INV-1", "type": "pay_out", "number_card": 4111111111111111"#,
        r#""order_id": "", "type": null, "number_card": "4111 1111 1111 1111""#,
    ] {
        assert!(matches!(with(ours), Answer::Accepted { .. }), "{ours}: {:?}", with(ours));
    }
}

#[test]
fn what_nothing_depends_on_may_be_missing_or_anything_in_a_creates_answer() {
    for field in ["usdt_amount", "payment_method", "reject_callback_url"] {
        let key = format!("\"{field}\": ");
        assert!(TAKEN.contains(&key), "{field}");
        for value in ["null, \"x\": ", "[7], \"x\": ", "\"something else\", \"x\": "] {
            let told = read(200, &TAKEN.replacen(&key, &format!("{key}{value}"), 1));
            assert_eq!(told, read(200, TAKEN), "{field} {value}");
        }
        let missing = read(200, &TAKEN.replacen(&key, "\"x\": ", 1));
        assert_eq!(missing, read(200, TAKEN), "{field}");
    }
}

#[test]
fn without_a_readable_amount_currency_or_ok_it_is_unknown() {
    for (field, instead) in [
        ("\"fiat_amount\"", "\"x\""),
        ("\"fiat_currency\"", "\"x\""),
        ("\"ok\"", "\"x\""),
        ("\"10.00\"", "\"ten\""),
        ("\"10.00\"", "null"),
        ("\"10.00\"", "-10.00"),
        ("\"rub\"", "\"\""),
        ("true", "1"),
    ] {
        let answer = read(200, &TAKEN.replacen(field, instead, 1));
        assert!(matches!(answer, Answer::Unknown { .. }), "{field} {instead}: {answer:?}");
    }
    for body in ["", "{}", "null", "[]", "<html>", "{\"ok\": tr", &TAKEN[..TAKEN.len() / 2]] {
        assert!(matches!(read(200, body), Answer::Unknown { .. }), "{body}");
    }
}

#[test]
fn a_refusing_status_with_ok_true_contradicts_itself_and_is_unknown() {
    for status in [400, 401, 403, 404, 409, 429] {
        assert!(matches!(read(status, TAKEN), Answer::Unknown { .. }), "{status}");
    }
}

#[test]
fn no_text_turns_a_server_error_or_a_redirect_into_a_refusal() {
    for status in [301, 302, 307, 408, 425, 499, 500, 502, 503, 504] {
        for words in [
            "low balance",
            "overloading requisite",
            "this payment method is disabled for your merchant",
            "invalid sign",
        ] {
            assert!(matches!(refusal(status, words), Answer::Unknown { .. }), "{status} {words}");
        }
        assert!(matches!(read(status, TAKEN), Answer::Unknown { .. }), "{status}");
    }
}

#[test]
fn every_documented_text_has_its_class_under_any_refusing_status() {
    for status in [200, 400, 401, 403, 404, 409, 422, 429] {
        assert!(matches!(
            refusal(status, "Overloading requisite "),
            Answer::Later { retry_after_ms: None, .. }
        ));
        assert!(matches!(
            refusal(status, "low balance"),
            Answer::StopLane { retry_after_ms: Some(300_000), .. }
        ));
        assert!(matches!(
            refusal(status, "this payment method is disabled for your merchant"),
            Answer::Refused { created_nothing: true, .. }
        ));
    }
}

#[test]
fn an_order_that_may_exist_is_looked_up_whatever_the_status() {
    for status in [200, 400, 401, 403, 409, 422, 429] {
        for words in
            ["order already exists", "Duplicate order_id", "merchant: order_id must be unique"]
        {
            assert!(matches!(refusal(status, words), Answer::Exists { .. }), "{status} {words}");
        }
    }
    assert!(matches!(read(409, ""), Answer::Exists { .. }));
}

#[test]
fn credentials_and_account_stop_the_lane() {
    for (status, words) in [
        (401, "whatever"),
        (403, ""),
        (400, "invalid sign"),
        (200, "Unknown merchant"),
        (422, "bad api_key"),
        (400, "signature mismatch"),
    ] {
        let answer = refusal(status, words);
        assert!(
            matches!(answer, Answer::StopLane { retry_after_ms: None, .. }),
            "{words}: {answer:?}"
        );
    }
    assert!(matches!(read(401, "<html>"), Answer::StopLane { .. }));
}

#[test]
fn any_other_refusal_goes_to_a_person() {
    for (status, words) in
        [(200, "code 7741"), (400, "something new"), (404, ""), (422, "low balance!")]
    {
        let answer = refusal(status, words);
        assert!(matches!(answer, Answer::Unlisted { .. }), "{words}: {answer:?}");
    }
    assert!(matches!(read(404, ""), Answer::Unlisted { .. }));
    assert!(matches!(read(200, r#"{"ok": false}"#), Answer::Unlisted { .. }));
}

#[test]
fn too_many_requests_slow_the_lane_with_or_without_a_time() {
    assert!(matches!(read(429, ""), Answer::Later { retry_after_ms: Some(1_000), .. }));
    let answer = RawAnswer { retry_after_ms: Some(7_000), ..raw(429, "x") };
    let answer = adapter("").read_create(&answer, &card("INV-1", "10.00"));
    assert!(matches!(answer, Answer::Later { retry_after_ms: Some(7_000), .. }));
}

#[test]
fn texts_of_the_config_are_classes_too() {
    let adapter = adapter(
        "[errors]\nrefused = [\"card is blocked\"]\nlater = [\"busy\"]\nlook_up = [\"odd\"]\n\
         stop_lane = [\"closed\"]\nbalance = [\"no money\"]",
    );
    let read = |words: &str| {
        let body = format!(r#"{{"ok": false, "error": "{words}"}}"#);
        adapter.read_create(&raw(400, &body), &card("INV-1", "10.00"))
    };
    assert!(matches!(read("Card is blocked"), Answer::Refused { .. }));
    assert!(matches!(read("busy"), Answer::Later { .. }));
    assert!(matches!(read("odd"), Answer::Exists { .. }));
    assert!(matches!(read("closed"), Answer::StopLane { retry_after_ms: None, .. }));
    assert!(matches!(read("no money"), Answer::StopLane { retry_after_ms: Some(_), .. }));
}

#[test]
fn what_the_provider_says_is_kept_without_the_card_and_the_key() {
    let words = format!("card 4111111111111111 with {} is odd", sandbox::SIGN_KEY);
    // The key of the sandbox has the words "sign" and "key" in it, hence the class.
    let Answer::StopLane { text, .. } = refusal(400, &words) else { panic!() };
    assert!(!text.contains("4111111111111111") && !text.contains(sandbox::SIGN_KEY), "{text}");
    assert!(text.starts_with("card … with … is odd"), "{text}");
}

/// One answer of every kind, through a socket.
#[tokio::test]
async fn the_whole_table_over_a_socket() {
    type Check = fn(&Answer) -> bool;
    let table: [(Script, Check); 9] = [
        (say(200, TAKEN), |a| matches!(a, Answer::Accepted { .. })),
        (say(400, r#"{"ok":false,"error":"overloading requisite"}"#), |a| {
            matches!(a, Answer::Later { .. })
        }),
        (say(400, r#"{"ok":false,"error":"low balance"}"#), |a| {
            matches!(a, Answer::StopLane { .. })
        }),
        (say(401, ""), |a| matches!(a, Answer::StopLane { .. })),
        (say_with(429, "Retry-After: 2\r\n", ""), |a| {
            matches!(a, Answer::Later { retry_after_ms: Some(2_000), .. })
        }),
        (say(302, ""), |a| matches!(a, Answer::Unknown { .. })),
        (say(502, "<html>"), |a| matches!(a, Answer::Unknown { .. })),
        (Script::Hang, |a| matches!(a, Answer::Unknown { .. })),
        (say(422, r#"{"ok":false,"error":"?"}"#), |a| matches!(a, Answer::Unlisted { .. })),
    ];
    for (script, check) in table {
        let server = Scripted::start(script).await;
        let adapter = adapter_at(&server.base(), "");
        let answer = submit(&adapter, &card("INV-1", "10.00"), Gate::new(true)).await;
        assert!(check(&answer), "{answer:?}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn the_request_is_the_documents_and_its_callback_urls_are_ours() {
    let server = Scripted::start(say(200, TAKEN)).await;
    let adapter = adapter_at(&server.base(), "timeout_minutes = 45");
    let mut row = row("INV-1", "10", "RUB", Method::Sbp, "+7 916 123-45-67");
    row.fields = [
        ("bank_name", "Sberbank"),
        ("bank_code", "044525225"),
        ("full_name", "Ivanov \"I\" Ж"),
        ("customer", "C1"),
        ("description", "for work"),
        ("other", "not for them"),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .into();
    let payment = testing::payment(row);
    submit(&adapter, &payment, Gate::new(true)).await;
    let [request] = &server.requests()[..] else { panic!("one request") };
    assert!(
        request.starts_with("POST /merchant/api/merchant/sandbox/create_pay_out/ HTTP/1.1\r\n")
    );
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.to_ascii_lowercase().contains("content-type: application/json"));
    assert!(!head.to_ascii_lowercase().contains("x-api-key"), "the key is for look-ups");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let sign = auth::create_sign(
        "abcd-INV-1",
        "10.00",
        "79161234567",
        "rub",
        &sandbox::SIGN_KEY.to_owned().into(),
    );
    for (field, value) in [
        ("order_id", "abcd-INV-1"),
        ("payment_method", "sbp"),
        ("fiat_amount", "10.00"),
        ("fiat_currency", "rub"),
        ("phone_number", "79161234567"),
        ("bank_name", "Sberbank"),
        ("bik", "044525225"),
        ("full_name", "Ivanov \"I\" Ж"),
        ("customer", "C1"),
        ("order_description", "for work"),
        ("sign", sign.unwrap().as_str()),
    ] {
        assert_eq!(body[field], value, "{field}");
    }
    assert_eq!(body["timeout"], 45);
    assert!(body.get("number_card").is_none() && body.get("other").is_none());
    let callbacks = testing::context().callbacks.unwrap();
    for (field, kind) in [
        ("success_callback_url", crate::CallbackKind::Success),
        ("error_callback_url", crate::CallbackKind::Error),
    ] {
        let path = body[field].as_str().unwrap().strip_prefix("http://127.0.0.1:9").unwrap();
        let target = callbacks.read(path).unwrap();
        assert_eq!((target.place, target.attempt, target.kind), (payment.place, 1, kind));
    }
}

#[tokio::test]
async fn each_method_sends_its_own_requisite_and_no_other() {
    let server = Scripted::start(say(200, TAKEN)).await;
    let adapter = adapter_at(&server.base(), "");
    for (method, word, field, to) in [
        (Method::Card, "card", "number_card", "4111111111111111"),
        (Method::Sbp, "sbp", "phone_number", "79161234567"),
        (Method::Score, "score", "number_score", "40817810099910004312"),
        (Method::Iban, "iban", "iban_number", "DE89370400440532013000"),
    ] {
        let payment = testing::payment(row("INV-1", "10.00", "RUB", method, to));
        submit(&adapter, &payment, Gate::new(true)).await;
        let request = server.requests().pop().unwrap();
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((body["payment_method"].as_str(), body[field].as_str()), (Some(word), Some(to)));
        let sent: BTreeSet<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        // A row without optional fields sends none; `timeout` is the lane's.
        let expected = [
            "order_id",
            "payment_method",
            "fiat_amount",
            "fiat_currency",
            "timeout",
            field,
            "success_callback_url",
            "error_callback_url",
            "sign",
        ];
        assert_eq!(sent, BTreeSet::from(expected));
    }
}

#[tokio::test]
async fn behind_a_closed_gate_a_create_is_not_sent() {
    let server = Scripted::start(say(200, TAKEN)).await;
    let adapter = adapter_at(&server.base(), "");
    let answer = submit(&adapter, &card("INV-1", "10.00"), Gate::new(false)).await;
    assert_eq!(answer, Answer::NotSent);
    assert!(server.requests().is_empty());
    assert_eq!(server.heard.bytes.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn where_no_connection_comes_about_the_row_is_tried_later() {
    let nobody = Nobody::new();
    let adapter = adapter_at(&nobody.base(), "");
    let answer = submit(&adapter, &card("INV-1", "10.00"), Gate::new(true)).await;
    let Answer::Later { text, retry_after_ms: Some(_) } = answer else { panic!("{answer:?}") };
    assert!(text.starts_with("not sent:") && !text.contains("http:"), "{text}");
}

#[tokio::test]
async fn a_row_that_cannot_be_written_as_a_create_is_not_sent() {
    let server = Scripted::start(say(200, TAKEN)).await;
    let adapter = adapter_at(&server.base(), "");
    for row in [
        row("A", "0.12345678", "BTC", Method::Card, "4111111111111111"),
        row("B", "1.00", "RUB", Method::Wallet, "w1"),
        row("C", "1.00", "RUB", Method::Score, "4081781:099910004312"),
    ] {
        let answer = submit(&adapter, &testing::payment(row), Gate::new(true)).await;
        assert!(matches!(&answer, Answer::Unlisted { text } if text.starts_with("not sent")));
    }
    assert_eq!(server.heard.connections.load(Ordering::SeqCst), 0);
}
