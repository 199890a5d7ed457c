//! Each fault of the dial, and each code that is ordered, does to Capitalist what it says, and says
//! truly whether it took the batch.

mod support;

use std::io::ErrorKind;
use std::time::Duration;

use sandbox::{CapitalistConfig, CapitalistPosition, Chance, DialChange, Fault};
use serde_json::json;
use support::capitalist::*;
use support::eventually;

/// Long enough for an answer, short enough to wait for one that never comes.
const SILENCE: Duration = Duration::from_millis(300);

#[tokio::test]
async fn errors_resets_and_silence_strike_before_or_after_taking_the_batch() {
    let office = office(never()).await;
    for (fault, takes) in [
        (Fault::ErrorBefore, false),
        (Fault::ErrorAfter, true),
        (Fault::ResetBefore, false),
        (Fault::ResetAfter, true),
        (Fault::HangBefore, false),
        (Fault::HangAfter, true),
    ] {
        let before = office.counters().accepted;
        office.dial().set(fault, Chance::next(1)).unwrap();
        let batch = card(&format!("{fault:?}"), "100.00");
        let answer = tokio::time::timeout(SILENCE, office.try_import(&batch)).await;
        match (fault, answer) {
            (Fault::ErrorBefore | Fault::ErrorAfter, Ok(Ok(answer))) => {
                assert_eq!(answer.status, 500);
            }
            (Fault::ResetBefore | Fault::ResetAfter, Ok(Err(error))) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            }
            (Fault::HangBefore | Fault::HangAfter, Err(_)) => {}
            (fault, answer) => panic!("{fault:?}: {answer:?}"),
        }
        assert_eq!(office.counters().accepted - before, u64::from(takes), "{fault:?}");
        let found = office.search(&format!("{fault:?}"), "", "").await;
        assert_eq!(documents(&found).len(), usize::from(takes), "{fault:?}");
    }
    assert_eq!(office.counters().faults.len(), 6);
}

#[tokio::test]
async fn an_answer_breaks_off_or_lacks_the_id_but_the_batch_is_taken() {
    let office = office(never()).await;
    office.dial().set(Fault::AnswerMalformed, Chance::next(1)).unwrap();
    let torn = office.try_import(&card("n1", "100.00")).await.unwrap();
    assert!(torn.status == 200 && torn.json().is_null() && torn.body.starts_with("{\"code\":0"));
    office.dial().set(Fault::AnswerIncomplete, Chance::next(1)).unwrap();
    let answer = office.import(&card("n2", "100.00")).await;
    assert!(answer["code"] == 0 && answer["data"].get("id").is_none(), "{answer}");
    assert_eq!(office.counters().accepted, 2);
}

#[tokio::test]
async fn a_closed_account_a_changed_key_and_429_take_nothing() {
    let office = office(never()).await;
    office.dial().set(Fault::AccountClosed, Chance::next(1)).unwrap();
    assert_eq!(office.import(&card("n1", "100.00")).await["code"], 152);
    office.dial().set(Fault::WrongSignKey, Chance::next(1)).unwrap();
    assert_eq!(office.import(&card("n1", "100.00")).await["code"], 110);
    office.dial().set(Fault::TooManyRequests, Chance::next(1)).unwrap();
    let answer = office.try_import(&card("n1", "100.00")).await.unwrap();
    assert!(answer.status == 429 && answer.head.contains("retry-after: 1"), "{}", answer.head);
    assert_eq!((office.counters().accepted, office.counters().too_many_requests), (0, 1));
}

#[tokio::test]
async fn a_limit_of_imports_or_of_look_ups_is_kept_for_each_alone() {
    let office = office(never()).await;
    let limits = DialChange {
        creates_per_second: Some(1),
        lookups_per_second: Some(1),
        ..DialChange::default()
    };
    office.dial().apply(&limits).unwrap();
    let mut imports = Vec::new();
    for number in ["n1", "n2"] {
        imports.push(office.try_import(&card(number, "100.00")).await.unwrap().status);
    }
    let mut look_ups = Vec::new();
    for _ in 0..2 {
        look_ups.push(office.try_ask("documents_search", &[]).await.unwrap().status);
    }
    assert_eq!((imports, look_ups), (vec![200, 429], vec![200, 429]));
    assert_eq!(office.try_ask("get_accounts", &[]).await.unwrap().status, 200);
    assert_eq!(office.counters().max_per_second, 2, "refused imports are imports");
}

#[tokio::test]
async fn a_look_up_may_be_empty_bare_broken_or_silent() {
    let office = office(never()).await;
    let id = office.import(&card("n1", "100.00")).await["data"]["id"].clone();
    let id = id.as_str().unwrap();
    let page = [("batch_id", id), ("page_size", "10")];
    for (operation, fields) in [("documents_search", &[][..]), ("get_batch_info", &page[..])] {
        for (fault, status) in
            [(Fault::StatusEmpty, 200), (Fault::StatusBare404, 404), (Fault::StatusError, 500)]
        {
            office.dial().set(fault, Chance::next(1)).unwrap();
            let answer = office.try_ask(operation, fields).await.unwrap();
            assert_eq!(answer.status, status, "{operation} {fault:?}");
            assert_eq!(answer.body.is_empty(), fault != Fault::StatusError);
        }
        office.dial().set(Fault::StatusHang, Chance::next(1)).unwrap();
        let silent = tokio::time::timeout(SILENCE, office.try_ask(operation, fields)).await;
        assert!(silent.is_err());
        assert_eq!(office.ask(operation, fields).await["code"], 0, "only the next");
    }
}

#[tokio::test]
async fn a_blind_look_up_finds_nothing_in_the_right_form() {
    let office = office(never()).await;
    let answer = office.import(&card("n1", "100.00")).await;
    office.dial().set(Fault::StatusBlind, Chance::ALWAYS).unwrap();
    let found = office.search("n1", "", "").await;
    assert_eq!((&found["code"], documents(&found).len()), (&json!(0), 0));
    let page = office.page(answer["data"]["id"].as_str().unwrap(), 10, 0).await;
    assert_eq!((&page["data"]["totalCount"], records(&page).len()), (&json!("0"), 0));
    let history = office.ask("get_documents_history_ext", &[]).await;
    assert_eq!(history["data"]["history"], json!([]));
}

#[tokio::test]
async fn another_page_or_other_documents_come_back_than_were_asked_for() {
    let office = office(never()).await;
    let batch: Vec<_> = (1..=4).map(|n| card(&format!("n{n}"), "100.00")).collect();
    let answer = office.import(&batch.join("\n")).await;
    let id = answer["data"]["id"].as_str().unwrap();
    office.dial().set(Fault::StatusOtherPage, Chance::next(3)).unwrap();
    let page = office.page(id, 2, 0).await;
    assert_eq!((&page["data"]["offset"], records(&page).len()), (&json!("2"), 2));
    assert_eq!(records(&page)[0]["internalNumber"], "n3");
    let found = office.search("n1", "", "").await;
    assert_eq!(documents(&found)[0]["customNumber"], "n2");
    let history = office.ask("get_documents_history_ext", &[("limit", "1")]).await;
    assert_eq!(history["data"]["history"][0]["number"], "n3", "newest first; the second page");

    office.dial().set(Fault::StatusFilterIgnored, Chance::next(1)).unwrap();
    let all = office.search("n1", "01.01.2020", "01.01.2020").await;
    assert_eq!(documents(&all).len(), 4);
}

#[tokio::test]
async fn a_confirmation_fails_before_or_after_it_counts() {
    let office = office(never()).await;
    for (fault, state) in [(Fault::ErrorBefore, "READY"), (Fault::ErrorAfter, "NEW")] {
        let answer = office.import_as(&card("n1", "100.00"), "MOBILE", "").await;
        let id = answer["data"]["id"].as_str().unwrap();
        office.dial().set(fault, Chance::next(1)).unwrap();
        let fields =
            [("batch_id", id), ("verification_type", "MOBILE"), ("verification_data", "424242")];
        let answer = office.try_ask("process_batch", &fields).await.unwrap();
        assert_eq!(answer.status, 500);
        assert_eq!(records(&office.page(id, 1, 0).await)[0]["state"], state, "{fault:?}");
    }
}

#[tokio::test]
async fn every_documented_code_can_be_ordered_before_or_after_the_batch_is_taken() {
    let office = office(never()).await;
    let codes = [
        1, 2, 5, 10, 15, 16, 20, 25, 110, 111, 112, 125, 130, 131, 132, 135, 150, 151, 152, 180,
        181, 182, 185, 186, 187, 188, 197, 198, 200, 202,
    ];
    for code in codes {
        for (when, takes) in [("before", 0), ("after", 2)] {
            let before = office.counters().accepted;
            let order = json!({ "code": code, "when": when, "record": 1 });
            assert_eq!(office.order_code(&order).await.status, 200);
            let numbers = ["a", "b", "c"].map(|n| format!("{code}-{when}-{n}"));
            let names_one = [185, 187, 188].contains(&code);
            let batch = numbers.each_ref().map(|number| card(number, "100.00")).join("\n");
            let answer = office.import(&batch).await;
            assert_eq!(answer["code"], code);
            let takes = if takes > 0 && !names_one { 3 } else { takes };
            assert_eq!(office.counters().accepted - before, takes, "{code} {when}");
            let named = match code {
                187 => json!("1"),
                185 | 188 => json!(numbers[1]),
                _ => json!(null),
            };
            assert_eq!(answer["data"], named);
        }
    }
    assert_eq!(office.import(&card("then", "100.00")).await["code"], 0, "only the next");
}

#[tokio::test]
async fn an_ordered_code_names_its_record_in_the_place_that_is_configured() {
    let position = CapitalistPosition::Message;
    let office = office(CapitalistConfig { position, ..never() }).await;
    office.order_code(&json!({ "code": 187, "record": 1, "message": "cards are away" })).await;
    let batch = [card("n1", "100.00"), card("n2", "100.00")].join("\n");
    let answer = office.import(&batch).await;
    assert_eq!((&answer["message"], &answer["data"]), (&json!("cards are away\n1"), &json!(null)));
}

#[tokio::test]
async fn orders_are_for_one_operation_count_their_times_and_can_be_dropped() {
    let office = office(never()).await;
    let order = json!({ "code": 1, "operation": "documents_search", "times": 2 });
    office.order_code(&order).await;
    assert_eq!(office.import(&card("n1", "100.00")).await["code"], 0, "another operation");
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(office.search("n1", "", "").await["code"].as_u64().unwrap());
    }
    assert_eq!(codes, [1, 1, 0]);
    let nowhere = json!({ "code": 1, "operation": "get_accounts" });
    for wrong in [nowhere, json!({ "code": 0 }), json!({ "code": 1, "wehn": "after" }), json!({})] {
        assert_eq!(office.order_code(&wrong).await.status, 400, "{wrong}");
    }
    office.order_code(&json!({ "code": 1 })).await;
    let url = format!("{}/sandbox/capitalist/next_code", office.sandbox.url());
    assert_eq!(support::call("DELETE", &url, "", "").await.unwrap().status, 204);
    assert_eq!(office.import(&card("n2", "100.00")).await["code"], 0);
}

#[tokio::test]
async fn its_dial_is_its_own_and_reachable_over_http() {
    let office = office(quick()).await;
    office.sandbox.dial().set(Fault::ErrorBefore, Chance::ALWAYS).unwrap();
    assert_eq!(office.import(&card("n1", "100.00")).await["code"], 0);
    let url = format!("{}/sandbox/capitalist", office.sandbox.url());
    let body = json!({ "faults": { "account_closed": { "next": 1 } } }).to_string();
    assert_eq!(support::call("PUT", &format!("{url}/dial"), "", &body).await.unwrap().status, 200);
    assert_eq!(office.import(&card("n2", "100.00")).await["code"], 152);
    eventually("paid", || office.counters().paid == 1).await;
    let counters = support::get(&format!("{url}/counters"), "").await.unwrap().json();
    assert_eq!((&counters["create"], &counters["paid"]), (&json!(2), &json!(1)));
    let ledger = support::get(&format!("{url}/ledger"), "").await.unwrap().body;
    assert_eq!((ledger.lines().count(), ledger.contains("\"provider\":\"capitalist\"")), (1, true));
}
