//! The answer to a create → its class: recorded bodies, and the whole table over real HTTP.

use super::server::Server;
use super::*;
use crate::testing::{Gate, Nobody, Script, card, payment, row, say, say_with};
use domain::Method;
use serde_json::{Map, Value, json};

const TAKEN: &str = r#"{"id": "p-1", "ticketId": "t-1", "status": "CREATED",
    "reference": "abcd-INV-1", "amount": "10.00", "currency": "RUB"}"#;

fn read_with(more: &str, status: u16, body: &str) -> Answer {
    adapter(more).read_create(&raw(status, body), &card("INV-1", "10.00"))
}

fn read(status: u16, body: &str) -> Answer {
    read_with("", status, body)
}

fn refusal(status: u16, property: Value, message: &str) -> Answer {
    read(status, &json!({ "error": { "property": property, "message": message } }).to_string())
}

fn head_and_body(request: &str) -> (String, Value) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), serde_json::from_str(body).unwrap())
}

#[test]
fn taken_needs_an_id_and_nothing_that_is_told_otherwise() {
    let taken = Answer::Accepted { provider_id: Some("p-1".into()), cost: None };
    assert_eq!(read(201, TAKEN), taken);
    assert_eq!(read(200, r#"{"id": "p-1"}"#), taken, "what is not told is no difference");
    assert_eq!(read(200, r#"{"id": "p-1", "amount": 10, "currency": "rub", "x": {}}"#), taken);
    for (ours, theirs) in [
        ("abcd-INV-1", "abcd-INV-2"),
        ("abcd-INV-1", "ABCD-INV-1"),
        ("10.00", "10.01"),
        ("10.00", "ten"),
        ("RUB", "USD"),
        ("\"ticketId\"", "\"clientId\": \"client-2\", \"ticketId\""),
        ("\"ticketId\"", "\"beneficiary\": {\"account\": \"5555555555554444\"}, \"ticketId\""),
    ] {
        let answer = read(201, &TAKEN.replacen(ours, theirs, 1));
        let Answer::Differs { text } = answer else { panic!("{theirs}: {answer:?}") };
        assert!(!text.contains("5555"), "{text}");
    }
}

#[test]
fn without_a_readable_id_it_is_unknown() {
    for body in ["", "{}", "null", "[]", "<html>", "{\"id\": ", &TAKEN[..TAKEN.len() / 2]] {
        assert!(matches!(read(201, body), Answer::Unknown { .. }), "{body}");
    }
    for id in ["null", "\"\"", "\"..\"", "\"a b\"", "{}", "[]", "true"] {
        let answer = read(201, &TAKEN.replacen("\"p-1\"", id, 1));
        assert!(matches!(answer, Answer::Unknown { .. }), "{id}: {answer:?}");
    }
}

#[test]
fn no_text_turns_what_proves_nothing_into_a_refusal() {
    for status in [202, 204, 301, 302, 307, 408, 425, 499, 500, 502, 503, 504] {
        let named = refusal(status, json!("amount"), "is wrong");
        assert!(matches!(named, Answer::Unknown { .. }), "{status}: {named:?}");
        assert!(matches!(read(status, TAKEN), Answer::Unknown { .. }), "{status}");
    }
    for status in [400, 401, 403, 404, 409, 422, 429] {
        let answer = read(status, TAKEN);
        assert!(matches!(answer, Answer::Unknown { .. }), "{status} contradicts: {answer:?}");
    }
}

#[test]
fn only_a_400_that_names_a_property_refuses_the_row() {
    for property in [
        json!("amount"),
        json!(["amount", "currency"]),
        json!([{ "property": "amount", "message": "x" }]),
        json!({ "amount": "too small" }),
    ] {
        let Answer::Refused { text, created_nothing: true } =
            refusal(400, property.clone(), "is wrong")
        else {
            panic!("{property}")
        };
        assert!(text.starts_with("HTTP 400 about amount"), "{text}");
    }
    for property in [json!(null), json!(""), json!([]), json!({}), json!([{}]), json!(true)] {
        let answer = refusal(400, property.clone(), "is wrong");
        assert!(matches!(answer, Answer::Unlisted { .. }), "{property}: {answer:?}");
    }
    for status in [404, 405, 413, 422] {
        let answer = refusal(status, json!("amount"), "is wrong");
        assert!(matches!(answer, Answer::Unlisted { .. }), "{status}: {answer:?}");
    }
    assert!(matches!(read(400, "<html>"), Answer::Unlisted { .. }));
}

#[test]
fn a_payout_that_may_exist_is_looked_up() {
    assert!(matches!(read(409, ""), Answer::Exists { .. }));
    assert!(matches!(refusal(429, json!(null), "duplicate request"), Answer::Exists { .. }));
    for (property, message) in [
        (json!("reference"), "is wrong"),
        (json!("payout.Reference"), "is wrong"),
        (json!(["amount", "reference"]), ""),
        (json!("Idempotency-Key"), "is wrong"),
        (json!("headers.idempotency_key"), "in use"),
        (json!("idempotencyKey"), "in use"),
        (json!("duplicateReference"), "see there"),
        (json!("amount"), "The reference is in use."),
        (json!("amount"), "A payout with this reference already exists"),
        (json!(null), "Duplicate request"),
        (json!("x"), "must be unique"),
    ] {
        let answer = refusal(400, property.clone(), message);
        assert!(matches!(answer, Answer::Exists { .. }), "{property} {message}: {answer:?}");
    }
    let own_header = "[profile]\nidempotency_header = \"X-Request-Id\"";
    let body = r#"{"error": {"property": "header[xRequestId]", "message": "is wrong"}}"#;
    let answer = read_with(own_header, 400, body);
    assert!(matches!(answer, Answer::Exists { .. }), "{answer:?}");
    let answer = refusal(400, json!("purpose"), "not for the main user");
    assert!(matches!(answer, Answer::Refused { .. }), "\"in use\" are words: {answer:?}");
}

#[test]
fn of_many_properties_all_are_judged_and_few_are_repeated() {
    let mut names: Vec<_> = (0..9).map(|n| format!("field{n}")).collect();
    let Answer::Refused { text, .. } = refusal(400, json!(names), "") else { panic!() };
    assert!(text.contains("field7") && !text.contains("field8"), "{text}");
    names.push("reference".to_owned());
    let by_name = json!(names.iter().map(|name| (name.clone(), json!("x"))).collect::<Map<_, _>>());
    for properties in [json!(names), by_name] {
        let answer = refusal(400, properties, "");
        assert!(matches!(answer, Answer::Exists { .. }), "{answer:?}");
    }
}

/// What the document says of a 403, and loose words about tokens, are no payout of ours.
#[test]
fn refused_credentials_leave_the_row_payable_unless_they_speak_of_our_payout() {
    let documented = "The server understood the request, but is refusing it or the access is not \
                      allowed, i.e. if resource exists but calling user does not have rights to \
                      access it.";
    for status in [401, 403] {
        for (property, message) in [
            (json!(null), documented),
            (json!(null), "the token has already expired"),
            (json!(null), "too many repeated logins"),
            (json!("apiKey"), "is in use elsewhere"),
        ] {
            let answer = refusal(status, property, message);
            assert!(matches!(answer, Answer::StopLane { .. }), "{status} {message}: {answer:?}");
        }
        for (property, message) in [
            (json!("reference"), ""),
            (json!("idempotencyKey"), "is wrong"),
            (json!(null), "Duplicate request"),
            (json!(null), "a payout like this already exists"),
            (json!(null), "the reference was used already"),
            (json!(null), "abcd-INV-1 exists"),
        ] {
            let answer = refusal(status, property.clone(), message);
            let is_exists = matches!(answer, Answer::Exists { .. });
            assert!(is_exists, "{status} {property} {message}: {answer:?}");
        }
    }
}

#[test]
fn a_property_that_shows_who_we_are_stops_the_lane_and_refuses_no_row() {
    for property in [
        json!("Authorization"),
        json!("apiKey"),
        json!("headers.X-Api-Key"),
        json!("certificate"),
        json!(["amount", "accessToken"]),
    ] {
        for (status, message) in [(400, "is wrong"), (400, "already expired"), (422, "")] {
            let answer = refusal(status, property.clone(), message);
            let is_stop = matches!(answer, Answer::StopLane { retry_after_ms: None, .. });
            assert!(is_stop, "{status} {property} {message}: {answer:?}");
        }
    }
    let answer = refusal(400, json!(["Authorization", "reference"]), "");
    assert!(matches!(answer, Answer::Exists { .. }), "{answer:?}");
    let answer = refusal(400, json!("beneficiary.key"), "is wrong");
    assert!(matches!(answer, Answer::Refused { .. }), "a beneficiary's own: {answer:?}");
}

#[test]
fn credentials_stop_the_lane_and_too_many_requests_slow_it() {
    for (status, message) in
        [(401, "whatever"), (403, ""), (400, "invalid token"), (422, "unknown apiKey")]
    {
        let answer = refusal(status, json!(null), message);
        let is_stop = matches!(answer, Answer::StopLane { retry_after_ms: None, .. });
        assert!(is_stop, "{status} {message}: {answer:?}");
    }
    assert!(matches!(read(429, ""), Answer::Later { retry_after_ms: Some(1_000), .. }));
    let slow = RawAnswer { retry_after_ms: Some(7_000), ..raw(429, "x") };
    let slow = adapter("").read_create(&slow, &card("INV-1", "10.00"));
    assert!(matches!(slow, Answer::Later { retry_after_ms: Some(7_000), .. }));
}

#[test]
fn what_capay_says_is_kept_without_account_key_and_token() {
    let message = format!("4111111111111111 {KEY} {WEBHOOK_SECRET} {}", server::TOKEN);
    let Answer::Refused { text, .. } = refusal(400, json!("amount"), &message) else { panic!() };
    for secret in ["4111111111111111", KEY, WEBHOOK_SECRET, &server::TOKEN[..40]] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(text.starts_with("HTTP 400 about amount: … …"), "{text}");
}

/// One answer of every kind, through a socket.
#[tokio::test]
async fn the_whole_table_over_a_socket() {
    type Check = fn(&Answer) -> bool;
    let unknown: Check = |answer| matches!(answer, Answer::Unknown { .. });
    let table: [(Script, Check); 11] = [
        (say(200, TAKEN), |a| matches!(a, Answer::Accepted { .. })),
        (say(201, TAKEN), |a| matches!(a, Answer::Accepted { .. })),
        (say(400, r#"{"error": {"property": "amount", "message": "too small"}}"#), |a| {
            matches!(a, Answer::Refused { created_nothing: true, .. })
        }),
        (say(403, ""), |a| matches!(a, Answer::StopLane { .. })),
        (say(404, "{}"), |a| matches!(a, Answer::Unlisted { .. })),
        (say(409, ""), |a| matches!(a, Answer::Exists { .. })),
        (say_with(429, "Retry-After: 2\r\n", ""), |a| {
            matches!(a, Answer::Later { retry_after_ms: Some(2_000), .. })
        }),
        (say(302, ""), unknown),
        (say(500, "{}"), unknown),
        (Script::Hang, unknown),
        (say(201, "{\"id\""), unknown),
    ];
    for (script, check) in table {
        let server = Server::saying(script).await;
        let adapter = adapter_at(&server.base(), "");
        let answer = submit(&adapter, &card("INV-1", "10.00"), Gate::new(true)).await;
        assert!(check(&answer), "{answer:?}");
        assert_eq!((server.requests().len(), server.tokens()), (1, 1));
    }
}

#[tokio::test]
async fn the_request_is_the_profiles_and_shows_the_token() {
    let server = Server::saying(say(201, TAKEN)).await;
    let adapter = adapter_at(&server.base(), "");
    let mut row = row("INV-1", "10", "RUB", Method::Score, "40817810099910004312");
    row.fields = [
        ("full_name", "Ivanov \"I\" Ж"),
        ("bank_code", "044525225"),
        ("description", "for work"),
        ("other", "not for them"),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .into();
    submit(&adapter, &payment(row), Gate::new(true)).await;
    let [request] = &server.requests()[..] else { panic!("one request") };
    let (head, body) = head_and_body(request);
    assert!(head.starts_with("post /transactions/payouts http/1.1\r\n"), "{head}");
    assert!(request.contains(&format!("authorization: Bearer {}", server::TOKEN)), "{head}");
    assert!(head.contains("idempotency-key: abcd-inv-1\r\n"), "{head}");
    let expected = json!({
        "reference": "abcd-INV-1", "amount": "10.00", "currency": "RUB", "purpose": "for work",
        "clientId": "client-1",
        "beneficiary": {
            "type": "account", "account": "40817810099910004312",
            "name": "Ivanov \"I\" Ж", "bankCode": "044525225",
        },
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_profile_with_other_names_changes_the_request_and_what_is_read() {
    let taken = r#"{"payload": {"payoutId": 17, "value": {"sum": 10.00, "ccy": "rub"}}}"#;
    let server = Server::saying(say(201, taken)).await;
    let profile = r#"
        [profile]
        create_path = "/v2/pay-outs"
        idempotency_header = ""
        amount_as = "number"
        [profile.request]
        reference = "/externalId"
        amount = "/value/sum"
        currency = "/value/ccy"
        client_id = "/onBehalfOf"
        kind = ""
        registered_methods = ["wallet"]
        beneficiary_id = "/payee/id"
        columns = { purpose_code = "/purposeCode" }
        fixed = { "/type" = "PAYOUT" }
        [profile.created]
        id = "/payload/payoutId"
        amount = "/payload/value/sum"
        currency = "/payload/value/ccy"
    "#;
    let adapter = adapter_at(&server.base(), profile);
    let mut row = row("INV-1", "10", "RUB", Method::Wallet, "ind-01");
    for column in ["purpose_code", "full_name", "description"] {
        row.fields.insert(column.to_owned(), column.to_owned());
    }
    assert_eq!(adapter.validate(&row), []);
    let answer = submit(&adapter, &payment(row), Gate::new(true)).await;
    assert_eq!(answer, Answer::Accepted { provider_id: Some("17".into()), cost: None });
    let [request] = &server.requests()[..] else { panic!("one request") };
    let (head, body) = head_and_body(request);
    assert!(head.starts_with("post /v2/pay-outs ") && !head.contains("idempotency-key"), "{head}");
    assert!(request.ends_with(r#""value":{"ccy":"RUB","sum":10.00}}"#), "{request}");
    let expected = json!({
        "externalId": "abcd-INV-1", "onBehalfOf": "client-1", "payee": { "id": "ind-01" },
        "purposeCode": "purpose_code", "type": "PAYOUT", "value": { "ccy": "RUB", "sum": 10.0 },
    });
    assert_eq!(body, expected, "who is registered is not described");
}

#[tokio::test]
async fn behind_a_closed_gate_a_create_is_not_sent() {
    let server = Server::saying(say(201, TAKEN)).await;
    let adapter = adapter_at(&server.base(), "");
    let answer = submit(&adapter, &card("INV-1", "10.00"), Gate::new(false)).await;
    assert_eq!(answer, Answer::NotSent);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn where_no_connection_comes_about_the_row_is_tried_later() {
    let nobody = Nobody::new();
    let adapter = adapter_at(&nobody.base(), "");
    let answer = submit(&adapter, &card("INV-1", "10.00"), Gate::new(true)).await;
    let Answer::Later { text, retry_after_ms: Some(_) } = answer else { panic!("{answer:?}") };
    assert!(text.contains("no access token: not sent") && !text.contains("http:"), "{text}");
}

#[tokio::test]
async fn a_row_that_cannot_be_written_as_a_create_is_not_sent() {
    let server = Server::saying(say(201, TAKEN)).await;
    let adapter = adapter_on(&server.base(), "persona = \"pm\"", Arc::new(TestClock::default()));
    let sbp = row("A", "1.00", "RUB", Method::Sbp, "79161234567");
    let nobodys = row("B", "1.00", "RUB", Method::Card, "4111111111111111");
    for row in [sbp, nobodys] {
        let answer = submit(&adapter, &payment(row), Gate::new(true)).await;
        assert!(matches!(&answer, Answer::Unlisted { text } if text.starts_with("not sent")));
    }
    assert!(server.requests().is_empty() && server.tokens() == 0);
}
