//! What is found without a batch id, and what "not found" is worth.

use super::platform::{Say, code, csv, data, http, json};
use super::*;
use domain::News;
use serde_json::{Value, json as value};

pub(super) const SEARCH: &str = "documents_search";

/// A document that agrees with `wallet(name, "10.00")`.
pub(super) fn document(name: &str, state: &str) -> Value {
    value!({
        "type": "CAPITALIST", "sourceAccount": "U0000001", "destinationAccount": "U0000042",
        "batchId": ID, "timestamp": "11.03.2026 01:30:01", "currency": "USD", "amount": 10.00,
        "description": "d", "customNumber": format!("abcd-{name}"), "documentNumber": "9001",
        "comment": "", "documentState": state, "localizedDocumentState": "x",
    })
}

pub(super) fn list(documents: Vec<Value>) -> Say {
    data(value!({"documents": documents}))
}

pub(super) fn batch(records: Vec<Value>) -> Say {
    data(value!({"id": ID, "totalCount": records.len(), "records": records}))
}

pub(super) fn record(name: &str, state: &str, kind: &str) -> Value {
    value!({"internalNumber": format!("abcd-{name}"), "beneficiary": "U0000042",
        "amount": "10.00", "currency": "USD", "state": state, "paymentType": kind})
}

pub(super) async fn platform(answers: impl IntoIterator<Item = Say>) -> (Platform, Capitalist) {
    let platform = Platform::start().await;
    platform.on(SEARCH, answers);
    let adapter = adapter_at(&platform.base, "");
    (platform, adapter)
}

pub(super) fn row_of(name: &str) -> Payment {
    sent(wallet(name, "10.00"))
}

/// What each search was for: a number, or "" for the days alone.
pub(super) fn asked(platform: &Platform) -> Vec<String> {
    let number = |form: &super::platform::Form| form.get("customNumber").cloned();
    platform.heard(SEARCH).iter().map(|form| number(form).unwrap_or_default()).collect()
}

#[tokio::test]
async fn one_search_answers_for_all_over_whole_days_of_moscow() {
    let documents =
        vec![document("A", "EXECUTED"), document("B", "DECLINED"), document("X", "NEW")];
    let (platform, adapter) = platform([list(documents)]).await;
    let told = ask(&adapter, &platform, vec![row_of("A"), row_of("B")], Some(row_of("X"))).await;
    assert!(matches!(
        told.found[..],
        [Found::Is { news: News::Paid, .. }, Found::Is { news: News::Failed, .. }]
    ));
    assert_eq!(platform.operations(), ["get_token", SEARCH]);
    let form = &platform.heard(SEARCH)[0];
    // Sent on the 10th at 22:30 UTC, which is the 11th in Moscow.
    assert_eq!(
        (form["beginDate"].as_str(), form["endDate"].as_str()),
        ("10.03.2026", "12.03.2026")
    );
    assert!(!form.contains_key("customNumber"));
}

#[tokio::test]
async fn the_days_follow_the_settings() {
    let (platform, _) = platform([list(vec![document("A", "EXECUTED")])]).await;
    let adapter = adapter_at(&platform.base, "utc_offset_minutes = 0\nsearch_days = 2");
    ask(&adapter, &platform, vec![row_of("A")], None).await;
    let form = &platform.heard(SEARCH)[0];
    assert_eq!(
        (form["beginDate"].as_str(), form["endDate"].as_str()),
        ("08.03.2026", "12.03.2026")
    );
}

#[tokio::test]
async fn what_the_list_lacks_while_it_has_the_control_is_absent_once_its_number_says_so_too() {
    let (platform, adapter) =
        platform([list(vec![document("A", "EXECUTED"), document("X", "EXECUTED")]), list(vec![])])
            .await;
    platform.on("get_batch_info", [batch(vec![record("A", "PROCESSED", "CAPITALIST")])]);
    let rows = vec![row_of("A"), row_of("B"), row_of("C")];
    let told = ask(&adapter, &platform, rows, Some(row_of("X"))).await;
    assert!(matches!(told.found[0], Found::Is { news: News::Paid, .. }), "{told:?}");
    assert_eq!(told.found[1..], [Found::Absent, Found::Absent]);
    assert_eq!(told.control_found, Some(true));
    assert_eq!(asked(&platform), ["", "abcd-B", "abcd-C"]);
}

#[tokio::test]
async fn of_many_that_a_list_lacks_a_sample_is_asked_for_by_number_some_of_each_import() {
    let (platform, _) = platform([list(vec![document("X", "EXECUTED")]), list(vec![])]).await;
    let adapter = adapter_at(&platform.base, "numbers_per_look_up = 4");
    let mut rows: Vec<Payment> = (0..10).map(|number| row_of(&format!("R{number}"))).collect();
    let later = Millis(SENT_MS + 1);
    rows[3].past.sent = Some(Sent { from: later, until: later });
    let told = ask(&adapter, &platform, rows.clone(), Some(row_of("X"))).await;
    assert_eq!(told.found, vec![Found::Absent; 10]);
    assert_eq!(asked(&platform), ["", "abcd-R0", "abcd-R3", "abcd-R4", "abcd-R9"]);

    // When it left nobody knows: of such as those none speaks for another.
    let (platform, _) = self::platform([
        list(vec![document("X", "EXECUTED")]),
        list(vec![document("X", "EXECUTED")]),
        list(vec![]),
    ])
    .await;
    let adapter = adapter_at(&platform.base, "numbers_per_look_up = 4");
    let mut lost = rows.clone();
    for row in &mut lost {
        let long_ago = Millis(SENT_MS - 30 * 86_400_000);
        row.past.sent = Some(Sent { from: long_ago, until: Millis(SENT_MS) });
    }
    let told = ask(&adapter, &platform, lost, Some(row_of("X"))).await;
    assert_eq!(told.found[..4], [Found::Absent, Found::Absent, Found::Absent, Found::Absent]);
    assert!(told.found[4..].iter().all(is_unclear), "{told:?}");
    assert_eq!(asked(&platform), ["", "abcd-X", "abcd-R0", "abcd-R1", "abcd-R2", "abcd-R3"]);

    // More imports than may be asked for: one after the other, and what is left is not known.
    let (platform, _) = self::platform([
        list(vec![document("X", "EXECUTED")]),
        list(vec![document("X", "EXECUTED")]),
        list(vec![]),
    ])
    .await;
    let adapter = adapter_at(&platform.base, "numbers_per_look_up = 1");
    let told = ask(&adapter, &platform, rows, Some(row_of("X"))).await;
    assert_eq!(asked(&platform), ["", "abcd-X", "abcd-R0"]);
    assert_eq!(told.found[0], Found::Absent);
    assert!(told.found[1..].iter().all(is_unclear), "{told:?}");
}

#[tokio::test]
async fn what_waits_for_its_code_may_be_there_without_being_found() {
    for (more, proves) in [
        ("verification = \"mobile\"", true),
        ("verification = \"mobile\"\nsearch_shows_unconfirmed = false", false),
        ("search_shows_unconfirmed = false", true),
    ] {
        let (platform, _) = platform([list(vec![document("X", "EXECUTED")]), list(vec![])]).await;
        let adapter = adapter_at(&platform.base, more);
        assert_eq!(adapter.limits().idempotency.absence.proves, proves, "{more}");
        let told = ask(&adapter, &platform, vec![row_of("A")], Some(row_of("X"))).await;
        assert_eq!(told.found[0] == Found::Absent, proves, "{more}");
        assert!(proves || (is_unclear(&told.found[0]) && told.control_found.is_none()));
    }
    let settings = "base_url = \"https://example.com\"\nlogin = \"l\"\nverification = \"mobile\"\n\
                    accounts = { USD = \"U1\" }";
    let settings = Settings::read(settings.parse().unwrap(), &testing::lane()).unwrap();
    assert!(!settings.absence_proves, "nobody says that a real platform shows them");
}

#[tokio::test]
async fn a_list_that_was_cut_short_is_found_out_by_a_number_and_proves_nothing() {
    let (platform, adapter) = platform([
        list(vec![document("X", "EXECUTED")]),
        list(vec![]),
        list(vec![document("B", "EXECUTED")]),
        list(vec![document("X", "EXECUTED")]),
        list(vec![]),
        list(vec![document("C", "EXECUTED")]),
    ])
    .await;
    let taken = ["B", "C"].map(|name| record(name, "PROCESSED", "CAPITALIST"));
    platform.on("get_batch_info", [batch(taken.into())]);
    let rows = vec![row_of("A"), row_of("B"), row_of("C")];
    let told = ask(&adapter, &platform, rows, Some(row_of("X"))).await;
    assert_eq!(asked(&platform), ["", "abcd-A", "abcd-B", "abcd-X", "abcd-A", "abcd-C"]);
    assert!(matches!(told.found[1..], [Found::Is { .. }, Found::Is { .. }]), "{told:?}");
    assert_eq!((&told.found[0], told.control_found), (&Found::Absent, Some(true)));
}

#[tokio::test]
async fn without_the_control_in_the_list_numbers_are_asked_for_one_by_one_the_controls_first() {
    let (platform, adapter) = platform([
        list(vec![document("A", "EXECUTED")]),
        list(vec![document("X", "EXECUTED")]),
        list(vec![]),
    ])
    .await;
    platform.on("get_batch_info", [batch(vec![record("A", "PROCESSED", "CAPITALIST")])]);
    let mut control = row_of("X");
    let early = Millis(SENT_MS - 30 * 86_400_000);
    control.past.sent = Some(Sent { from: early, until: early });
    let told = ask(&adapter, &platform, vec![row_of("A"), row_of("B")], Some(control)).await;
    assert!(matches!(told.found[..], [Found::Is { .. }, Found::Absent]), "{told:?}");
    assert_eq!(told.control_found, Some(true));
    assert_eq!(asked(&platform), ["", "abcd-X", "abcd-B"]);
    let heard = platform.heard(SEARCH);
    assert_eq!(heard[0]["beginDate"], "10.03.2026", "the control's own days do not widen the list");
    assert_eq!(heard[1]["beginDate"], "08.02.2026");
}

#[tokio::test]
async fn a_control_that_no_number_finds_is_told_so() {
    let (platform, adapter) = platform([list(vec![])]).await;
    let told = ask(&adapter, &platform, vec![row_of("A")], Some(row_of("X"))).await;
    assert_eq!(told.control_found, Some(false), "whatever else was said is worth nothing");
}

#[tokio::test]
async fn without_a_control_absence_is_told_and_left_to_the_engine_to_judge() {
    let (platform, adapter) = platform([list(vec![])]).await;
    let told = ask(&adapter, &platform, vec![row_of("A")], None).await;
    assert_eq!((told.found, told.control_found), (vec![Found::Absent], None));
}

#[tokio::test]
async fn only_so_many_numbers_are_asked_for_in_one_look_up() {
    let (platform, _) =
        platform([list(vec![]), list(vec![document("X", "EXECUTED")]), list(vec![])]).await;
    let adapter = adapter_at(&platform.base, "numbers_per_look_up = 2");
    let rows = ["A", "B", "C"].map(row_of);
    let told = ask(&adapter, &platform, rows.into(), Some(row_of("X"))).await;
    assert_eq!(told.found[..2], [Found::Absent, Found::Absent]);
    assert!(is_unclear(&told.found[2]));
    assert_eq!(asked(&platform), ["", "abcd-X", "abcd-A", "abcd-B"]);
}

#[tokio::test]
async fn absent_is_said_only_by_a_well_formed_answer() {
    for answer in [
        code(1, "x"),
        code(2, "nothing found"),
        code(200, "x"),
        code(299, "x"),
        http(200, ""),
        http(404, ""),
        http(500, "{\"code\":0,\"data\":{\"documents\":[]}}"),
        http(429, ""),
        json(""),
        json("{}"),
        json("{\"code\": 0}"),
        json("{\"code\": 0, \"data\": null}"),
        json("{\"code\": 0, \"data\": []}"),
        json("{\"data\": {\"documents\": []}}"),
        data(value!({})),
        data(value!({"documents": null})),
        data(value!({"documents": {}})),
        data(value!({"documents": [7]})),
        csv("0"),
        csv("0\n"),
        csv("0;documents"),
    ] {
        let (platform, adapter) = platform([answer]).await;
        let told = ask(&adapter, &platform, vec![row_of("A")], Some(row_of("A2"))).await;
        assert!(is_unclear(&told.found[0]), "{told:?}");
        assert_ne!(told.control_found, Some(true));
    }
}

#[tokio::test]
async fn a_search_that_is_refused_for_credentials_stops_the_lane() {
    for answer in [code(5, "x"), code(151, "x"), http(403, "")] {
        let (platform, adapter) = platform([answer]).await;
        let told = ask(&adapter, &platform, vec![row_of("A")], Some(row_of("X"))).await;
        assert!(matches!(told.found[..], [Found::StopLane { .. }]), "{told:?}");
        assert_eq!(platform.heard(SEARCH).len(), 1);
    }
}

#[tokio::test]
async fn a_search_by_number_that_tells_other_numbers_proves_nothing() {
    let (platform, adapter) = platform([list(vec![document("X", "EXECUTED")])]).await;
    let told = ask(&adapter, &platform, vec![row_of("A")], Some(row_of("X"))).await;
    assert_eq!(asked(&platform), ["", "abcd-A"]);
    assert!(is_unclear(&told.found[0]), "the filter was ignored: {told:?}");
}

#[tokio::test]
async fn the_batch_of_what_was_found_answers_for_the_rest_of_it() {
    let (platform, adapter) =
        platform([list(vec![document("A", "EXECUTED"), document("B", "NEW")])]).await;
    platform.on(
        "get_batch_info",
        [batch(vec![
            record("A", "PROCESSED", "CAPITALIST"),
            record("B", "READY", "CAPITALIST"),
            record("C", "NEW", "SKIP"),
        ])],
    );
    let told = ask(&adapter, &platform, ["A", "B", "C"].map(row_of).into(), None).await;
    assert!(
        matches!(
            told.found[..],
            [
                Found::Is { news: News::Paid, .. },
                Found::Is { news: News::Waiting, .. },
                Found::Is { news: News::Failed, .. }
            ]
        ),
        "{told:?}"
    );
    assert_eq!(platform.operations(), ["get_token", SEARCH, "get_batch_info"]);
}

#[tokio::test]
async fn while_that_batch_cannot_be_read_nothing_is_absent() {
    let (platform, adapter) = platform([list(vec![document("A", "NEW")])]).await;
    platform.on("get_batch_info", [code(2, "x")]);
    let told = ask(&adapter, &platform, ["A", "B"].map(row_of).into(), None).await;
    assert!(matches!(told.found[0], Found::Is { news: News::InProgress, .. }), "{told:?}");
    assert!(is_unclear(&told.found[1]), "{told:?}");
}

#[tokio::test]
async fn of_several_documents_the_one_that_may_have_moved_money_wins() {
    let mut other = document("A", "INPROCESS");
    other["amount"] = "11.00".into();
    for (documents, wins) in [
        (vec![document("A", "DECLINED"), document("A", "EXECUTED")], "paid"),
        (vec![document("A", "EXECUTED"), other.clone()], "paid"),
        (vec![document("A", "DECLINED"), other], "differs"),
        (vec![document("A", "ODD"), document("A", "DECLINED")], "unclear"),
    ] {
        let (platform, adapter) = platform([list(documents)]).await;
        platform.on("get_batch_info", [batch(vec![])]);
        let told = ask(&adapter, &platform, vec![row_of("A")], None).await;
        let said = match &told.found[0] {
            Found::Is { news: News::Paid, .. } => "paid",
            Found::Differs { .. } => "differs",
            Found::Unclear { .. } => "unclear",
            other => panic!("{other:?}"),
        };
        assert_eq!(said, wins);
    }
}

#[tokio::test]
async fn two_documents_that_were_both_paid_under_one_number_are_not_one_payout() {
    let mut again = document("A", "EXECUTED");
    again["documentNumber"] = "9002".into();
    let (platform, adapter) = platform([list(vec![document("A", "EXECUTED"), again])]).await;
    let told = ask(&adapter, &platform, vec![row_of("A")], None).await;
    let Found::Differs { text } = &told.found[0] else { panic!("{told:?}") };
    assert_eq!(text, "paid 2 times under this number");
}

#[tokio::test]
async fn a_control_whose_batch_is_known_is_told_by_its_batch() {
    let (platform, adapter) = platform([list(vec![document("A", "NEW")]), list(vec![])]).await;
    platform.on("get_batch_info", [batch(vec![record("A", "READY", "CAPITALIST")])]);
    let rows = vec![shipped(wallet("A", "10.00"), ID), row_of("B")];
    let told = ask(&adapter, &platform, rows, Some(row_of("A"))).await;
    assert!(matches!(told.found[0], Found::Is { news: News::Waiting, .. }), "{told:?}");
    assert_eq!((&told.found[1], told.control_found), (&Found::Absent, Some(true)));
}

#[tokio::test]
async fn the_comment_of_a_document_does_not_show_where_it_went() {
    let mut declined = document("A", "DECLINED");
    declined["comment"] = "wallet U0000042 is closed".into();
    let (platform, adapter) = platform([list(vec![declined])]).await;
    let told = ask(&adapter, &platform, vec![row_of("A")], None).await;
    let Found::Is { text, .. } = &told.found[0] else { panic!("{told:?}") };
    assert_eq!(text, "DECLINED: wallet … is closed");
}

#[tokio::test]
async fn a_number_is_absent_only_if_one_as_long_was_found() {
    let (short, long) = ("X", "X234567890123456789012345678");
    let longer = "Y2345678901234567890123456789";
    assert_eq!((row_of(long).reference.as_str().len(), longer.len() - long.len()), (33, 1));
    for (control, row, is_absent) in [
        (short, &longer[..27], true),
        (short, &longer[..28], false),
        (long, &longer[..28], true),
        (long, longer, false),
    ] {
        for list_has_it in [true, false] {
            let found = || list(vec![document(control, "EXECUTED")]);
            let answers = match list_has_it {
                true => vec![found(), list(vec![])],
                false => vec![list(vec![]), found(), list(vec![])],
            };
            let (platform, adapter) = platform(answers).await;
            let told = ask(&adapter, &platform, vec![row_of(row)], Some(row_of(control))).await;
            let was = told.found[0] == Found::Absent;
            assert_eq!((was, told.control_found), (is_absent, Some(true)), "{row}: {told:?}");
            assert!(was || is_unclear(&told.found[0]));
        }
    }
}

#[tokio::test]
async fn without_the_time_of_its_sending_a_payment_is_not_searched_for() {
    let (platform, adapter) = platform([list(vec![])]).await;
    let told = ask(&adapter, &platform, vec![wallet("A", "10.00")], Some(row_of("X"))).await;
    assert!(is_unclear(&told.found[0]));
    assert!(platform.heard("").is_empty());
}

#[tokio::test]
async fn where_nobody_answers_it_is_asked_twice_and_not_a_thousand_times() {
    let (platform, adapter) = platform([http(500, "")]).await;
    let rows: Vec<Payment> = (0..100).map(|number| row_of(&format!("R{number}"))).collect();
    let told = ask(&adapter, &platform, rows, Some(row_of("X"))).await;
    assert!(told.found.iter().all(is_unclear));
    assert_eq!(platform.heard(SEARCH).len(), 2);
}

#[tokio::test]
async fn the_control_may_be_one_of_those_that_are_asked_about() {
    let (platform, adapter) = platform([list(vec![document("A", "EXECUTED")]), list(vec![])]).await;
    platform.on("get_batch_info", [batch(vec![record("A", "PROCESSED", "CAPITALIST")])]);
    let told = ask(&adapter, &platform, ["A", "B"].map(row_of).into(), Some(row_of("A"))).await;
    assert!(matches!(told.found[..], [Found::Is { .. }, Found::Absent]), "{told:?}");
    assert_eq!(told.control_found, Some(true));
}
