//! What a batch tells of its rows, page by page.

use super::platform::{Say, code, csv, data, http, json};
use super::*;
use domain::News;
use serde_json::{Value, json as value};

const BATCH: &str = "get_batch_info";

/// A record that agrees with `wallet(name, "10.00")`.
fn record(name: &str, state: &str) -> Value {
    value!({
        "lineNumber": 1, "internalNumber": format!("abcd-{name}"), "beneficiary": "U0000042",
        "amount": "10.00", "currency": "USD", "description": "d", "documentId": 77,
        "state": state, "paymentType": "CAPITALIST", "errorDetails": null,
    })
}

fn page(offset: usize, total: usize, records: Vec<Value>) -> Say {
    data(value!({"id": ID, "offset": offset, "page": 0, "pageSize": "1000", "pageCount": 1,
        "totalCount": total.to_string(), "records": records}))
}

async fn platform(pages: impl IntoIterator<Item = Say>) -> (Platform, Capitalist) {
    let platform = Platform::start().await;
    platform.on(BATCH, pages);
    let adapter = adapter_at(&platform.base, "");
    (platform, adapter)
}

/// What one record makes of one payment.
async fn found(record: Value) -> Found {
    let (platform, adapter) = platform([page(0, 1, vec![record])]).await;
    let told = ask(&adapter, &platform, vec![shipped(wallet("A", "10.00"), ID)], None).await;
    assert_eq!(told.control_found, None, "a batch proves no absence");
    told.found[0].clone()
}

#[tokio::test]
async fn every_state_of_a_record_has_its_meaning_and_no_other_word_has_any() {
    for (state, meant) in [
        ("NEW", News::InProgress),
        ("INPROCESS", News::InProgress),
        ("READY", News::Waiting),
        ("DECLINED", News::Failed),
        ("PROCESSED", News::Paid),
        ("EXECUTED", News::Paid),
    ] {
        let found = found(record("A", state)).await;
        let Found::Is { news, provider_id, .. } = &found else { panic!("{state}: {found:?}") };
        assert_eq!((*news, provider_id.as_deref()), (meant, Some("77")), "{state}");
    }
    for state in ["", "DONE", "FAILED", "CANCELLED"] {
        assert!(is_unclear(&found(record("A", state)).await), "{state}");
    }
}

#[tokio::test]
async fn a_waiting_record_says_who_must_do_what() {
    let Found::Is { text, .. } = found(record("A", "READY")).await else { panic!() };
    assert_eq!(text, "READY: enter the code from the SMS with `producer confirm`");
}

#[tokio::test]
async fn a_skipped_record_has_failed_for_the_reason_it_tells_without_numbers() {
    let mut skipped = record("A", "NEW");
    skipped["paymentType"] = "SKIP".into();
    skipped["errorDetails"] = "card 4111 1111 1111 1111 is closed".into();
    let Found::Is { news: News::Failed, text, .. } = found(skipped).await else { panic!() };
    assert_eq!(text, "rejected at upload: card 4111…1111 is closed");
    let mut both = record("A", "PROCESSED");
    both["paymentType"] = "SKIP".into();
    assert!(is_unclear(&found(both).await), "paid and rejected at once");
    let mut declined = record("A", "DECLINED");
    declined["errorDetails"] = "limit".into();
    let told = found(declined.clone()).await;
    let Found::Is { news: News::Failed, text, .. } = told else { panic!() };
    assert_eq!(text, "DECLINED: limit");
    declined["errorDetails"] = "wallet U0000042 is closed".into();
    let Found::Is { text, .. } = found(declined).await else { panic!() };
    assert_eq!(text, "DECLINED: wallet … is closed");
}

#[tokio::test]
async fn what_is_told_otherwise_differs_and_what_is_not_told_is_unclear() {
    for (field, other) in [("amount", "10.01"), ("currency", "EUR"), ("beneficiary", "U0000043")] {
        let mut record = record("A", "PROCESSED");
        record[field] = other.into();
        let Found::Differs { text } = found(record).await else { panic!("{field}") };
        assert!(!text.contains("U00"), "{text}");
    }
    for field in ["amount", "currency", "state", "internalNumber"] {
        let mut record = record("A", "PROCESSED");
        record[field] = Value::Null;
        assert!(is_unclear(&found(record).await), "{field}");
    }
    let mut masked = record("A", "PROCESSED");
    masked["beneficiary"] = "U0***42".into();
    assert!(matches!(found(masked).await, Found::Is { .. }));
}

#[tokio::test]
async fn roubles_are_told_as_rur_or_rub() {
    for code in ["RUR", "RUB", "rur"] {
        let payment = payment(row("A", "10.00", "RUB", Method::Wallet, "U0000042"));
        let mut record = record("A", "PROCESSED");
        record["currency"] = code.into();
        let (platform, adapter) = platform([page(0, 1, vec![record])]).await;
        let told = ask(&adapter, &platform, vec![shipped(payment, ID)], None).await;
        assert!(matches!(told.found[..], [Found::Is { .. }]), "{code}");
    }
}

#[tokio::test]
async fn all_pages_are_read_one_after_the_other_and_never_the_batch_whole() {
    let (platform, _) = platform([
        page(0, 3, vec![record("A", "PROCESSED"), record("B", "NEW")]),
        page(2, 3, vec![record("C", "DECLINED")]),
    ])
    .await;
    let adapter = adapter_at(&platform.base, "page_size = 10");
    let payments = ["A", "B", "C", "D"].map(|name| shipped(wallet(name, "10.00"), ID));
    let told = ask(&adapter, &platform, payments.into(), None).await;
    let news = |found: &Found| if let Found::Is { news, .. } = found { Some(*news) } else { None };
    let all: Vec<_> = told.found.iter().map(news).collect();
    assert_eq!(all, [Some(News::Paid), Some(News::InProgress), Some(News::Failed), None]);
    assert!(is_unclear(&told.found[3]), "what a batch does not list is not absent");
    let heard = platform.heard(BATCH);
    let asked = |form: &super::platform::Form| {
        (form["batch_id"].clone(), form["page_size"].clone(), form["start_offset"].clone())
    };
    let expected =
        [("10", "0"), ("10", "2")].map(|(size, from)| (ID.into(), size.into(), from.into()));
    assert_eq!(heard.iter().map(asked).collect::<Vec<(String, String, String)>>(), expected);
}

#[tokio::test]
async fn each_batch_is_asked_for_once_whatever_its_rows() {
    let (platform, adapter) =
        platform([page(0, 2, vec![record("A", "NEW"), record("B", "NEW")])]).await;
    let rows = ["A", "B"].map(|name| shipped(wallet(name, "10.00"), ID));
    let told = ask(&adapter, &platform, rows.into(), Some(sent(wallet("Z", "1.00")))).await;
    assert!(told.found.iter().all(|found| matches!(found, Found::Is { .. })));
    assert_eq!(platform.operations(), ["get_token", BATCH], "no search, no control");
}

#[tokio::test]
async fn a_batch_in_csv_is_read_by_what_the_answer_says_it_is() {
    let body = format!(
        "0;{ID};0;1000;2;1;0\n1;abcd-A;U0000042;10.00;USD;d;77;PROCESSED;CAPITALIST;\n\
         2;abcd-B;U0000042;10.00;USD;d;;NEW;SKIP;not served\n"
    );
    let (platform, adapter) = platform([csv(&body)]).await;
    let rows = ["A", "B"].map(|name| shipped(wallet(name, "10.00"), ID));
    let told = ask(&adapter, &platform, rows.into(), None).await;
    assert!(matches!(
        told.found[..],
        [Found::Is { news: News::Paid, .. }, Found::Is { news: News::Failed, .. }]
    ));
}

#[tokio::test]
async fn of_two_records_under_one_number_the_one_that_may_have_moved_money_wins() {
    let records = vec![record("A", "DECLINED"), record("A", "PROCESSED"), record("A", "NEW")];
    let (platform, adapter) = platform([page(0, 3, records)]).await;
    let told = ask(&adapter, &platform, vec![shipped(wallet("A", "10.00"), ID)], None).await;
    assert!(matches!(told.found[..], [Found::Is { news: News::Paid, .. }]), "{told:?}");
}

#[tokio::test]
async fn two_records_that_were_both_paid_under_one_number_are_not_one_payout() {
    let mut again = record("A", "PROCESSED");
    again["documentId"] = 78.into();
    let records = vec![record("A", "PROCESSED"), again];
    let (platform, adapter) = platform([page(0, 2, records)]).await;
    let told = ask(&adapter, &platform, vec![shipped(wallet("A", "10.00"), ID)], None).await;
    assert!(matches!(told.found[..], [Found::Differs { .. }]), "{told:?}");
}

#[tokio::test]
async fn no_error_and_no_torn_answer_says_anything_and_credentials_stop_the_lane() {
    for (answer, stops) in [
        (code(1, "x"), false),
        (code(2, "batch not found"), false),
        (code(25, "x"), false),
        (code(299, "x"), false),
        (http(500, ""), false),
        (http(404, ""), false),
        (http(429, ""), false),
        (json(""), false),
        (json("{\"code\":0,\"data\":{\"records\":[{\"inter"), false),
        (data(value!({})), false),
        (data(value!({"id": "another", "records": [record("A", "PROCESSED")]})), false),
        (code(5, "x"), true),
        (code(152, "x"), true),
        (http(401, ""), true),
        (http(403, ""), true),
    ] {
        let (platform, adapter) = platform([answer]).await;
        let told = ask(&adapter, &platform, vec![shipped(wallet("A", "10.00"), ID)], None).await;
        let stopped = matches!(told.found[..], [Found::StopLane { .. }]);
        assert!(stopped == stops && (stops || is_unclear(&told.found[0])), "{told:?}");
    }
}

#[tokio::test]
async fn words_of_the_config_are_states_too() {
    let (platform, _) = platform([page(0, 1, vec![record("A", "Done")])]).await;
    let adapter = adapter_at(&platform.base, "states = { paid = [\"done\"] }");
    let told = ask(&adapter, &platform, vec![shipped(wallet("A", "10.00"), ID)], None).await;
    assert!(matches!(told.found[..], [Found::Is { news: News::Paid, .. }]), "{told:?}");
}
