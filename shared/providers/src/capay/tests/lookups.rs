//! Where a payout stands: by id, by reference over pages, and everything that is no answer.

use super::server::{Server, target};
use super::*;
use crate::testing::{card, question, say};
use domain::News;
use serde_json::{Value, json};

const REFERENCE: &str = "abcd-INV-1";

fn item(reference: &str, status: &str) -> Value {
    json!({ "id": "p-1", "reference": reference, "status": status, "amount": "10.00",
            "currency": "RUB", "clientId": "client-1",
            "beneficiary": { "type": "card", "account": "4111111111111111" } })
}

fn page(items: &[Value], skip: usize) -> String {
    json!({ "data": items, "skip": skip, "limit": 100, "total": skip + items.len() }).to_string()
}

fn read_list(status: u16, body: &str) -> Result<usize, Found> {
    adapter("").read_page(&raw(status, body), 0, &card("INV-1", "10.00")).map(|page| page.items)
}

fn read_status(status: u16, body: &str) -> Found {
    let said = adapter("").read_status(&raw(status, body), "p-1", &card("INV-1", "10.00"));
    said.unwrap_or_else(|found| found)
}

fn is(found: &Found, expected: News) -> bool {
    matches!(found, Found::Is { news, .. } if *news == expected)
}

#[test]
fn every_status_of_the_profile_has_its_news_and_a_new_one_is_shown() {
    for (status, news) in [
        ("CREATED", News::InProgress),
        ("PENDING", News::InProgress),
        ("PROCESSING", News::InProgress),
        ("completed", News::Paid),
        ("REJECTED", News::Failed),
        ("FAILED", News::Failed),
        ("CANCELLED", News::Cancelled),
    ] {
        let found = read_status(200, &item(REFERENCE, status).to_string());
        assert!(is(&found, news), "{status}: {found:?}");
    }
    let found = read_status(200, &item(REFERENCE, "ON_HOLD").to_string());
    let Found::Is { news: News::InProgress, text, .. } = found else { panic!("{found:?}") };
    assert_eq!(text, "ON_HOLD (not in profile.statuses)");
}

#[test]
fn what_is_told_otherwise_differs_and_what_is_not_told_does_not() {
    for (field, other) in [
        ("reference", json!("abcd-INV-2")),
        ("amount", json!("10.01")),
        ("currency", json!("USD")),
        ("clientId", json!("client-2")),
        ("beneficiary", json!({ "account": "5555555555554444" })),
    ] {
        let mut body = item(REFERENCE, "COMPLETED");
        body[field] = other;
        let found = read_status(200, &body.to_string());
        let Found::Differs { text } = found else { panic!("{field}: {found:?}") };
        assert!(!text.contains("5555"), "{text}");
        body[field] = Value::Null;
        let found = read_status(200, &body.to_string());
        assert!(is(&found, News::Paid), "{field}: {found:?}");
    }
    let mut masked = item(REFERENCE, "COMPLETED");
    masked["beneficiary"]["account"] = json!("************1111");
    assert!(is(&read_status(200, &masked.to_string()), News::Paid));
}

#[test]
fn an_answer_about_one_payout_is_unclear_unless_it_is_readable_and_about_it() {
    let mut other = item(REFERENCE, "COMPLETED");
    other["id"] = json!("p-2");
    let mut silent = item(REFERENCE, "COMPLETED");
    silent["status"] = Value::Null;
    let mut nobodys = item(REFERENCE, "COMPLETED");
    nobodys["id"] = Value::Null;
    assert!(is(&read_status(200, &nobodys.to_string()), News::Paid), "the reference is enough");
    nobodys["reference"] = Value::Null;
    for (status, body) in [
        (200, String::new()),
        (200, "[]".into()),
        (200, "<html>".into()),
        (200, other.to_string()),
        (200, silent.to_string()),
        (200, r#"{"status": "COMPLETED"}"#.into()),
        (200, nobodys.to_string()),
        (302, String::new()),
        (400, item(REFERENCE, "COMPLETED").to_string()),
        (404, String::new()),
        (404, item(REFERENCE, "COMPLETED").to_string()),
        (409, String::new()),
        (429, String::new()),
        (500, item(REFERENCE, "COMPLETED").to_string()),
    ] {
        let found = read_status(status, &body);
        assert!(matches!(found, Found::Unclear { .. }), "{status} {body}: {found:?}");
    }
    for status in [401, 403] {
        assert!(matches!(read_status(status, ""), Found::StopLane { .. }), "{status}");
    }
}

#[test]
fn a_list_that_is_not_well_formed_is_no_list() {
    assert_eq!(read_list(200, &page(&[], 0)).unwrap(), 0);
    assert_eq!(read_list(200, r#"{"data": []}"#).unwrap(), 0, "skip need not be told");
    for body in ["", "[]", "{}", r#"{"data": null}"#, r#"{"data": {}}"#, r#"{"items": []}"#] {
        let read = read_list(200, body);
        assert!(matches!(read, Err(Found::Unclear { .. })), "{body}: {read:?}");
    }
    for total in ["1", "\"7\"", "\"many\""] {
        let read = read_list(200, &format!("{{\"data\": [], \"total\": {total}}}"));
        assert!(matches!(read, Err(Found::Unclear { .. })), "{total}: {read:?}");
    }
    for untold in ["0", "\"0\"", "null"] {
        assert_eq!(read_list(200, &format!("{{\"data\": [], \"total\": {untold}}}")).unwrap(), 0);
    }
    let other = read_list(200, &page(&[], 100));
    assert!(matches!(other, Err(Found::Unclear { .. })), "another page: {other:?}");
    for status in [204, 404, 500] {
        let read = read_list(status, if status == 204 { "" } else { r#"{"data": []}"# });
        assert!(matches!(read, Err(Found::Unclear { .. })), "{status}: {read:?}");
    }
    assert!(matches!(read_list(403, ""), Err(Found::StopLane { .. })));
}

/// Answers list requests from `all`, as a server that does not filter and gives at most `most`.
async fn unfiltered(all: Vec<Value>, most: usize) -> Server {
    Server::start(move |request| {
        let skip = target(request).split("skip=").nth(1).unwrap();
        let skip: usize = skip.split('&').next().unwrap().parse().unwrap();
        let items: Vec<_> = all.iter().skip(skip).take(most).cloned().collect();
        say(200, &page(&items, skip))
    })
    .await
}

#[tokio::test]
async fn what_was_told_an_id_is_asked_for_by_it_and_the_rest_by_reference() {
    let server = Server::saying(say(200, &item(REFERENCE, "COMPLETED").to_string())).await;
    let adapter = adapter_at(&server.base(), "");
    let payment = card("INV-1", "10.00");
    let found = ask(&adapter, &known(&payment, "p-1")).await;
    assert!(is(&found, News::Paid), "{found:?}");
    assert_eq!(target(&server.requests()[0]), "/transactions/payouts/p-1?clientId=client-1");

    let server = Server::saying(say(200, &page(&[item(REFERENCE, "PENDING")], 0))).await;
    let adapter = adapter_at(&server.base(), "");
    let found = ask(&adapter, &payment).await;
    let Found::Is { news: News::InProgress, provider_id, .. } = found else { panic!("{found:?}") };
    assert_eq!(provider_id.as_deref(), Some("p-1"));
    let [request] = &server.requests()[..] else { panic!("a short page ends what was found") };
    assert_eq!(
        target(request),
        "/transactions/payouts?reference=abcd-INV-1&skip=0&limit=100&clientId=client-1"
    );
}

#[tokio::test]
async fn an_empty_list_is_absence() {
    let server = Server::saying(say(200, &page(&[], 0))).await;
    let found = ask(&adapter_at(&server.base(), ""), &card("INV-1", "10.00")).await;
    assert_eq!(found, Found::Absent);
}

#[tokio::test]
async fn where_the_filter_is_ignored_ours_is_found_on_any_page_and_missing_it_proves_nothing() {
    let others: Vec<_> = (0..7).map(|n| item(&format!("abcd-X{n}"), "COMPLETED")).collect();
    // The server cuts pages shorter than was asked: each of them looks like the last one.
    let server = unfiltered(others.clone(), 3).await;
    let adapter = adapter_at(&server.base(), "");
    let (question, turns) = question(vec![card("INV-1", "10.00")]);
    let found = adapter.look_up(question).await.found;
    let [Found::Unclear { text }] = &found[..] else { panic!("{found:?}") };
    assert!(text.contains("reference_parameter is ignored"), "{text}");
    let asked: Vec<_> = server.requests().iter().map(|r| target(r).to_owned()).collect();
    assert_eq!(asked.len(), 4, "{asked:?}");
    assert!(asked[3].contains("skip=7"), "{asked:?}");
    assert_eq!(turns.0.load(Ordering::SeqCst), 5, "a turn for each, and for the token");

    let mut all = others;
    all.push(item(REFERENCE, "COMPLETED"));
    let server = unfiltered(all, 3).await;
    let found = ask(&adapter_at(&server.base(), ""), &card("INV-1", "10.00")).await;
    assert!(is(&found, News::Paid), "{found:?}");
}

#[tokio::test]
async fn of_several_records_a_difference_and_then_what_may_have_moved_money_wins() {
    let mut other = item(REFERENCE, "FAILED");
    other["amount"] = json!("99.00");
    for (items, check) in [
        (vec![item(REFERENCE, "FAILED"), item(REFERENCE, "COMPLETED")], News::Paid),
        (vec![item(REFERENCE, "CANCELLED"), item(REFERENCE, "PENDING")], News::InProgress),
        (vec![item(REFERENCE, "COMPLETED"), item(REFERENCE, "COMPLETED")], News::Paid),
    ] {
        let server = Server::saying(say(200, &page(&items, 0))).await;
        let found = ask(&adapter_at(&server.base(), ""), &card("INV-1", "10.00")).await;
        assert!(is(&found, check), "{found:?}");
    }
    let mut twin = item(REFERENCE, "COMPLETED");
    twin["id"] = json!("p-2");
    for (second, words) in [(other, "another amount"), (twin, "p-1, p-2")] {
        let items = [item(REFERENCE, "COMPLETED"), second];
        let server = Server::saying(say(200, &page(&items, 0))).await;
        let found = ask(&adapter_at(&server.base(), ""), &card("INV-1", "10.00")).await;
        let Found::Differs { text } = found else { panic!("{found:?}") };
        assert!(text.contains(words), "{text}");
    }
}

#[tokio::test]
async fn without_ids_nobody_knows_that_two_records_are_one() {
    let nameless = |status: &str| {
        let mut item = item(REFERENCE, status);
        item["id"] = Value::Null;
        item
    };
    let mut silent = item(REFERENCE, "COMPLETED");
    (silent["id"], silent["status"]) = (json!("p-2"), Value::Null);
    for (items, words) in [
        ([nameless("COMPLETED"), nameless("COMPLETED")], "no id, no id"),
        ([nameless("PENDING"), item(REFERENCE, "COMPLETED")], "p-1, no id"),
        ([item(REFERENCE, "COMPLETED"), silent], "p-1, p-2"),
    ] {
        let server = Server::saying(say(200, &page(&items, 0))).await;
        let found = ask(&adapter_at(&server.base(), ""), &card("INV-1", "10.00")).await;
        let Found::Differs { text } = found else { panic!("{words}: {found:?}") };
        assert!(text.contains(words), "{text}");
    }
    let items = [nameless("FAILED"), nameless("COMPLETED")];
    let server = Server::saying(say(200, &page(&items, 0))).await;
    let found = ask(&adapter_at(&server.base(), ""), &card("INV-1", "10.00")).await;
    assert!(is(&found, News::Paid), "what failed moved nothing: {found:?}");
}

#[tokio::test]
async fn a_list_that_hides_references_or_does_not_move_proves_nothing() {
    let mut nameless = item(REFERENCE, "COMPLETED");
    nameless["reference"] = Value::Null;
    let stuck = json!({ "data": [item("abcd-X", "PENDING")] }).to_string();
    for (body, words) in [
        (page(&[nameless], 0), "do not tell their reference"),
        (page(&[json!("x")], 0), "do not tell their reference"),
        (stuck, "the same page again"),
    ] {
        let server = Server::saying(say(200, &body)).await;
        let found = ask(&adapter_at(&server.base(), ""), &card("INV-1", "10.00")).await;
        let Found::Unclear { text } = found else { panic!("{body}: {found:?}") };
        assert!(text.contains(words), "{body}: {text}");
    }
}

/// One full page that never moves, and ours on it, without an id: it is one all the same.
#[tokio::test]
async fn what_was_found_is_found_also_where_the_list_does_not_move() {
    let mut ours = item(REFERENCE, "COMPLETED");
    ours["id"] = Value::Null;
    let body = json!({ "data": [ours] }).to_string();
    let server = Server::saying(say(200, &body)).await;
    let adapter = adapter_at(&server.base(), "[profile]\npage_size = 1");
    let found = ask(&adapter, &card("INV-1", "10.00")).await;
    assert!(is(&found, News::Paid), "{found:?}");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_list_without_end_is_given_up() {
    let all: Vec<_> = (0..100).map(|n| item(&format!("abcd-X{n}"), "COMPLETED")).collect();
    let server = unfiltered(all, 1).await;
    let found = ask(&adapter_at(&server.base(), ""), &card("INV-1", "10.00")).await;
    assert!(matches!(&found, Found::Unclear { text } if text.contains("did not end")), "{found:?}");
    assert_eq!(server.requests().len(), 50);
}

#[tokio::test]
async fn a_row_of_nobodys_client_is_not_asked_for() {
    let server = Server::saying(say(200, &page(&[], 0))).await;
    let adapter = adapter_on(&server.base(), "persona = \"pm\"", Arc::new(TestClock::default()));
    assert!(!adapter.limits().idempotency.absence.proves, "clients vary, so the control may too");
    let mut payment = card("INV-1", "10.00");
    let found = ask(&adapter, &payment).await;
    assert!(matches!(found, Found::Unclear { .. }), "{found:?}");
    assert!(server.requests().is_empty());
    Arc::make_mut(&mut payment.row).fields.insert("client_id".into(), "client-9".into());
    assert_eq!(ask(&adapter, &payment).await, Found::Absent);
    assert!(server.requests()[0].contains("clientId=client-9"));
}
