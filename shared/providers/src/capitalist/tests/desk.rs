//! What people may ask.

use super::platform::{code, csv, data};
use super::*;
use crate::api::Sheet;
use serde_json::json as value;
use std::collections::BTreeMap;

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

async fn asked(platform: &Platform, name: &str, pairs: &[(&str, &str)]) -> Result<Sheet, String> {
    adapter_at(&platform.base, "").desk().unwrap().ask(name, &given(pairs)).await
}

/// The fields of the newest request, but for who we are.
fn fields(platform: &Platform) -> Vec<(String, String)> {
    let mut form = platform.heard("").pop().unwrap();
    for known in ["login", "token", "encrypted_password"] {
        form.remove(known);
    }
    form.into_iter().collect()
}

/// A question, the operation that it asks, what is given, and what is sent.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], Vec<(&'a str, &'a str)>);

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    given(expected).into_iter().collect()
}

#[tokio::test]
async fn each_question_asks_the_documents_operation_with_its_own_parameters() {
    let account = ("account", "R0000001");
    let days = [("from", "2026-01-31"), ("to", "01.02.2026")];
    let period = [("period_from", "31.01.2026"), ("period_to", "01.02.2026")];
    let platform = Platform::start().await;
    let history = [
        &days[..],
        &[account, ("state", "executed"), ("page", "2"), ("external", "U9"), ("limit", "5")],
    ]
    .concat();
    let asked_history = [
        &period[..],
        &[
            account,
            ("document_state", "executed"),
            ("page", "2"),
            ("external_account", "U9"),
            ("limit", "5"),
        ],
    ]
    .concat();
    let old = [&days[..], &[account]].concat();
    let asked_old = [&period[..], &[account]].concat();
    let search = [&days[..], &[("number", "abcd-1")]].concat();
    let fee = [("type", "RUCARD"), account, ("amount", "1.00"), ("to", "4111"), ("wiretag", "x")];
    let (holder, batch) = ([account], [("id", ID), ("offset", "7")]);
    let cases: Vec<Case<'_>> = vec![
        ("balance", "get_accounts", &[], vec![]),
        ("rates", "currency_rates", &[], vec![]),
        (
            "fees",
            "get_document_fee",
            &fee,
            vec![
                ("document_type", "RUCARD"),
                ("source_account", "R0000001"),
                ("amount", "1.00"),
                ("dest_account", "4111"),
                ("wiretag", "x"),
            ],
        ),
        ("verified", "is_verified_account", &holder, vec![account]),
        ("cashin", "get_cashin_requisites", &[], vec![]),
        ("history", "get_documents_history_ext", &history, asked_history),
        ("history-old", "get_documents_history", &old, asked_old),
        (
            "batch",
            "get_batch_info",
            &batch,
            vec![("batch_id", ID), ("page_size", "1000"), ("start_offset", "7")],
        ),
        (
            "search",
            "documents_search",
            &search,
            vec![
                ("customNumber", "abcd-1"),
                ("beginDate", "31.01.2026"),
                ("endDate", "01.02.2026"),
            ],
        ),
    ];
    let names: Vec<_> = adapter("").desk().unwrap().questions().iter().map(|q| q.name).collect();
    assert_eq!(cases.iter().map(|case| case.0).collect::<Vec<_>>(), names);
    for (name, operation, given, mut expected) in cases {
        platform.on(
            operation,
            [data(value!({"accounts": [], "history": [], "records": [], "documents": []}))],
        );
        asked(&platform, name, given).await.unwrap();
        expected.push(("operation", operation));
        assert_eq!(fields(&platform), pairs(&expected), "{name}");
    }
}

#[tokio::test]
async fn a_balance_is_shown_as_it_is_written() {
    let platform = Platform::start().await;
    let account = value!({"name": "Main", "number": "R0000001", "currency": "RUR",
        "balance": 10.50, "blockedAmount": "0.10"});
    platform.on(
        "get_accounts",
        [data(value!({"accounts": [account]})), csv("0\nMain;R0000001;RUR;10.5;0.10\n")],
    );
    for _ in 0..2 {
        let sheet = asked(&platform, "balance", &[]).await.unwrap();
        assert_eq!(sheet.columns, ["name", "number", "currency", "balance", "blockedAmount"]);
        assert_eq!(sheet.rows, [["Main", "R0000001", "RUR", "10.5", "0.10"].map(str::to_owned)]);
    }
}

#[tokio::test]
async fn destinations_are_masked_whatever_they_look_like() {
    let platform = Platform::start().await;
    let item = value!({"number": "abcd-1", "correspondent": "U0000042", "outgoing": true,
        "comment": "to 4111111111111111"});
    let pages = value!({"currentPage": "1", "pageCount": 3});
    platform.on("get_documents_history_ext", [data(value!({"pages": pages, "history": [item]}))]);
    let days = [("account", "R0000001"), ("from", "2026-01-01"), ("to", "2026-01-02")];
    let sheet = asked(&platform, "history", &days).await.unwrap();
    assert_eq!(sheet.more.as_deref(), Some("page 1 of 3; go on with page=2"));
    let record = value!({"internalNumber": "abcd-1", "beneficiary": "79161234567"});
    platform.on("get_batch_info", [data(value!({"records": [record], "totalCount": 9}))]);
    let batch = asked(&platform, "batch", &[("id", ID)]).await.unwrap();
    assert_eq!(batch.more.as_deref(), Some("9 records in all; go on with offset=1"));
    let document = value!({"customNumber": "abcd-1", "destinationAccount": "U0000042"});
    platform.on("documents_search", [data(value!({"documents": [document]}))]);
    let search = asked(&platform, "search", &days[1..]).await.unwrap();
    let shown = format!("{sheet:?} {batch:?} {search:?}");
    for number in ["U0000042", "4111111111111111", "79161234567"] {
        assert!(!shown.contains(number), "{shown}");
    }
    assert!(shown.contains("…42") && shown.contains("7916…4567") && shown.contains("\"yes\""));
}

#[tokio::test]
async fn what_nobody_documents_is_shown_with_its_names() {
    let platform = Platform::start().await;
    let rates = value!({"rates": {"buy": [{"target": "USD", "amount": 89.5, "amountCur": "RUR"}]}});
    platform.on("currency_rates", [data(rates), csv("0\nbuy;USD;89.50;RUR")]);
    let sheet = asked(&platform, "rates", &[]).await.unwrap();
    let row = |name: &str, text: &str| vec![name.to_owned(), text.to_owned()];
    assert_eq!(
        sheet.rows,
        [
            row("rates.buy.1.amount", "89.5"),
            row("rates.buy.1.amountCur", "RUR"),
            row("rates.buy.1.target", "USD"),
        ]
    );
    let sheet = asked(&platform, "rates", &[]).await.unwrap();
    assert_eq!(sheet.rows[1], row("lines.1.2", "USD"), "CSV: by their places");
    platform.on("is_verified_account", [data(value!({"verified": true}))]);
    let sheet = asked(&platform, "verified", &[("account", "U1")]).await.unwrap();
    assert_eq!(sheet.rows, [row("verified", "yes")]);
}

#[tokio::test]
async fn an_error_is_told_in_words_and_what_cannot_be_asked_is_not_sent() {
    let platform = Platform::start().await;
    for number in [190, 191, 192, 193, 194, 195, 196, 200, 202] {
        platform.on("get_document_fee", [code(number, "odd")]);
        let error = asked(&platform, "fees", &[("type", "X")]).await.unwrap_err();
        assert!(error.starts_with(&format!("code {number} \"odd\": ")), "{error}");
    }
    let before = platform.heard("").len();
    for day in ["31.02.2026", "yesterday", "2026-13-01", "1.2.3.4"] {
        let pairs = [("account", "R1"), ("from", day), ("to", "2026-01-02")];
        let error = asked(&platform, "history", &pairs).await.unwrap_err();
        assert!(error.contains("2026-01-31"), "{error}");
    }
    for limit in ["0", "1001", "all"] {
        let pairs =
            [("account", "R1"), ("from", "2026-01-01"), ("to", "2026-01-02"), ("limit", limit)];
        let error = asked(&platform, "history", &pairs).await.unwrap_err();
        assert_eq!(error, "limit: expected 1 to 1000");
    }
    assert_eq!(platform.heard("").len(), before);
    assert!(asked(&platform, "weather", &[]).await.is_err());
}
