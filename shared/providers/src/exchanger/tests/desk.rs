//! Every question of the document, over a socket: its name, its parameters, its table.

use super::site::{Given, Reply};
use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The methods that have no question, because the engine or a command of its own calls them.
const NOT_ASKED: [&str; 2] = ["create_bid", "pay_bid"];
const METHODS: [&str; 16] = [
    "test",
    "get_direction_currencies",
    "get_directions",
    "get_direction",
    "get_calc",
    "get_exchanges",
    "create_bid",
    "cancel_bid",
    "pay_bid",
    "success_bid",
    "bid_info",
    "get_partner_info",
    "get_partner_links",
    "get_partner_exchanges",
    "get_partner_payouts",
    "add_partner_payout",
];

fn given(pairs: &[(&str, &str)]) -> Given {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn data_of(method: &str) -> Value {
    let listed = |item: Value| json!({ "items": [item] });
    match method {
        "test" => json!({ "ip": "127.0.0.1", "user_id": 7, "locale": "en_US", "partner_id": "3" }),
        "get_direction_currencies" => json!({
            "give": [{ "id": 11, "title": "Tether", "logo": "https://x/l.png" }],
            "get": { "5": { "id": "21", "title": "Card RUB", "logo": "" } } }),
        "get_directions" => json!([{ "direction_id": "1", "currency_give_title": "Tether" }]),
        "get_direction" => direction(),
        "get_calc" => json!({ "sum_give": "1", "sum_get": "100", "changed": 0 }),
        "get_exchanges" => {
            let mut item = item(7, "9223372036854775807", "success", "10");
            item["statuses"] = json!([{ "date": "2024-01-01 00:00:00", "status": "new" }]);
            listed(item)
        }
        "bid_info" => order(7, "new", "10"),
        "success_bid" | "cancel_bid" => json!({ "status": "success" }),
        "get_partner_info" => json!({ "partner_id": 3, "balance": "250", "min_payout": "10",
            "items": [{ "id": "11", "title": "Tether", "comission": "1", "amount": "249" }] }),
        "get_partner_links" => {
            listed(json!({ "time": 1, "ip": "1.2.3.4", "query_string": "rid=3" }))
        }
        "get_partner_exchanges" => {
            listed(json!({ "id": 7, "accrued": 1, "partner_reward": "0.5" }))
        }
        "get_partner_payouts" => listed(json!({ "id": 1, "time": 1700000000, "method_id": "11",
            "account": "TXabcdefghijkl", "pay_amount": "1", "status": "1" })),
        "add_partner_payout" => json!({ "payout_id": 17 }),
        other => panic!("{other}"),
    }
}

fn direction() -> Value {
    json!({ "id": 1, "min_get": "100", "get_fields": [{ "name": "account2", "label": "<b>Card</b>" }] })
}

async fn site() -> Site {
    Site::start(|method, _| done(data_of(method))).await
}

#[tokio::test]
async fn every_method_of_the_document_has_its_question_and_takes_all_its_parameters() {
    let site = site().await;
    let adapter = adapter_at(&site.base(), "");
    let questions = adapter.desk().unwrap().questions();
    for method in METHODS {
        let has = questions.iter().any(|question| question.operation == method);
        assert_ne!(has, NOT_ASKED.contains(&method), "{method}");
    }
    for question in questions {
        // Every parameter with a value that says where it came from.
        let all: Given = question
            .parameters
            .iter()
            .map(|p| (p.name.to_owned(), format!("{}&1", p.name)))
            .collect();
        if question.name == "partner-payout" {
            continue;
        }
        let sheet = adapter.desk().unwrap().ask(question.name, &all).await.unwrap();
        let call = site.calls().pop().unwrap();
        assert_eq!(call.method, question.operation);
        assert_eq!(call.given, all, "{}", question.name);
        assert!(!sheet.rows.is_empty(), "{}", question.name);
        assert!(sheet.rows.iter().all(|row| row.len() == sheet.columns.len()), "{sheet:?}");
        assert_eq!(question.acts, matches!(question.name, "success" | "cancel-bid"));
    }
}

#[tokio::test]
async fn tables_show_what_the_site_wrote_and_mask_accounts() {
    let site = site().await;
    let adapter = adapter_at(&site.base(), "");
    let desk = adapter.desk().unwrap();
    let cell = |sheet: &crate::api::Sheet, column: &str| {
        let at = sheet.columns.iter().position(|name| *name == column).unwrap();
        sheet.rows[0][at].clone()
    };
    let none = Given::new();
    let exchanges = desk.ask("exchanges", &none).await.unwrap();
    assert_eq!(cell(&exchanges, "api_id"), "9223372036854775807");
    assert_eq!(cell(&exchanges, "statuses"), "2024-01-01 00:00:00 new");
    let payouts = desk.ask("partner-payouts", &none).await.unwrap();
    assert_eq!(cell(&payouts, "account"), "TXab…ijkl");
    let currencies = desk.ask("currencies", &none).await.unwrap();
    assert_eq!(currencies.rows[1], ["get", "21", "Card RUB", ""]);
    let fields = desk.ask("direction", &given(&[("direction_id", "1")])).await.unwrap();
    assert!(fields.rows.contains(&vec!["get_fields.0.label".into(), "Card".into()]), "{fields:?}");
}

#[tokio::test]
async fn where_nothing_matched_the_table_is_empty() {
    let site = Site::start(|_, _| page(&[])).await;
    let adapter = adapter_at(&site.base(), "");
    let asked = ["directions", "currencies", "exchanges", "partner-links", "partner-payouts"];
    for name in asked {
        let sheet = adapter.desk().unwrap().ask(name, &Given::new()).await.unwrap();
        assert!(sheet.rows.is_empty() && !sheet.columns.is_empty(), "{name}: {sheet:?}");
    }
}

#[tokio::test]
async fn an_error_is_told_with_what_to_do() {
    for (reply, words) in [
        (error(json!(3), "Method not supported"), "enable the method get_partner_info"),
        (error(json!(2), "IP blocked"), "allowed IP addresses"),
        ("Api disabled".to_owned(), "check login, key"),
        (error(json!(1), "No bid exists"), "error 1: No bid exists"),
        (String::new(), "an empty answer"),
    ] {
        let site = Site::start(move |_, _| reply.clone()).await;
        let adapter = adapter_at(&site.base(), "");
        let text = adapter.desk().unwrap().ask("partner-info", &Given::new()).await.unwrap_err();
        assert!(text.contains(words), "{text}");
    }
    let text = adapter("").desk().unwrap().ask("bid", &Given::new()).await.unwrap_err();
    assert_eq!(text, "bid: give hash or id");
}

fn withdrawal(balance: Option<&str>) -> Given {
    let mut all = given(&[("method_id", "11"), ("account", "TXabcdefghijkl")]);
    all.extend(balance.map(|balance| ("balance".to_owned(), balance.to_owned())));
    all
}

#[tokio::test]
async fn a_withdrawal_shows_first_and_is_made_only_with_the_balance_that_was_shown() {
    let site = site().await;
    let adapter = adapter_at(&site.base(), "");
    let desk = adapter.desk().unwrap();
    let shown = desk.ask("partner-payout", &withdrawal(None)).await.unwrap();
    assert!(shown.rows.contains(&vec!["balance".into(), "250".into()]), "{shown:?}");
    assert!(shown.rows.contains(&vec!["commission".into(), "1".into()]), "{shown:?}");
    assert!(shown.more.unwrap().contains("balance=250"));
    let other = desk.ask("partner-payout", &withdrawal(Some("249"))).await.unwrap_err();
    assert!(other.contains("the balance is 250 now"), "{other}");
    let unknown = given(&[("method_id", "12"), ("account", "x")]);
    assert!(desk.ask("partner-payout", &unknown).await.is_err());
    assert!(!site.methods().contains(&"add_partner_payout".to_owned()));
    let made = desk.ask("partner-payout", &withdrawal(Some("250"))).await.unwrap();
    assert_eq!(made.rows, [["payout_id", "17"]]);
    assert_eq!(site.calls().pop().unwrap().body, "method_id=11&account=TXabcdefghijkl");
}

#[tokio::test]
async fn no_withdrawal_is_made_while_an_earlier_one_is_undecided() {
    // It lies on the second page, which the first one's oldest moment leads to.
    let site = Site::start(|method, given| match (method, given.get("end_time")) {
        ("get_partner_payouts", None) => {
            let paid = |id: u64| json!({ "id": id, "time": 1_700_000_000 + id, "status": "1" });
            page(&[paid(9), paid(8)])
        }
        ("get_partner_payouts", Some(end)) => {
            assert_eq!(end, "1700000008");
            page(&[json!({ "id": 4, "time": 1_600_000_000, "status": 0 })])
        }
        _ => done(data_of(method)),
    })
    .await;
    let adapter = adapter_at(&site.base(), "");
    let desk = adapter.desk().unwrap();
    let text = desk.ask("partner-payout", &withdrawal(Some("250"))).await.unwrap_err();
    assert!(text.contains("withdrawal 4 is not decided"), "{text}");
    assert!(!site.methods().contains(&"add_partner_payout".to_owned()));
}

#[tokio::test]
async fn a_withdrawal_without_a_readable_answer_may_have_been_made() {
    let replies: [fn() -> Reply; 3] =
        [|| Reply::Hang, || String::new().into(), || Reply::Status(500, String::new())];
    for reply in replies {
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let site = Site::start(move |method, _| match method {
            "add_partner_payout" => {
                count.fetch_add(1, Ordering::SeqCst);
                reply()
            }
            _ => Reply::Body(done(data_of(method))),
        })
        .await;
        let adapter = adapter_at(&site.base(), "");
        let desk = adapter.desk().unwrap();
        let text = desk.ask("partner-payout", &withdrawal(Some("250"))).await.unwrap_err();
        assert!(text.contains("it may have been done: look at partner-payouts"), "{text}");
        assert_eq!(sent.load(Ordering::SeqCst), 1, "sent once");
        // Until a person knows, this process sends no other, and does not even look.
        for balance in [Some("250"), None] {
            let text = desk.ask("partner-payout", &withdrawal(balance)).await.unwrap_err();
            assert!(text.contains("what became of the last withdrawal"), "{text}");
        }
        assert_eq!(site.calls().pop().unwrap().method, "add_partner_payout");
    }
}

#[tokio::test]
async fn nobody_who_stops_waiting_for_a_withdrawal_forgets_it() {
    let site = Site::start(|method, _| match method {
        "add_partner_payout" => Reply::Hang,
        _ => Reply::Body(done(data_of(method))),
    })
    .await;
    let adapter = adapter_at(&site.base(), "");
    let desk = adapter.desk().unwrap();
    let given = withdrawal(Some("250"));
    {
        let mut asked = desk.ask("partner-payout", &given);
        while !site.methods().contains(&"add_partner_payout".to_owned()) {
            assert!(futures::poll!(&mut asked).is_pending(), "it hangs");
            tokio::task::yield_now().await;
        }
    }
    let text = desk.ask("partner-payout", &given).await.unwrap_err();
    assert!(text.contains("what became of the last withdrawal"), "{text}");
}

#[tokio::test]
async fn a_withdrawal_that_the_site_refused_or_took_does_not_hold_up_the_next() {
    let refuse = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let first = Arc::clone(&refuse);
    let site = Site::start(move |method, _| match method {
        "add_partner_payout" if first.swap(false, Ordering::SeqCst) => {
            error(json!(3), "Method not supported")
        }
        _ => done(data_of(method)),
    })
    .await;
    let adapter = adapter_at(&site.base(), "");
    let desk = adapter.desk().unwrap();
    let text = desk.ask("partner-payout", &withdrawal(Some("250"))).await.unwrap_err();
    assert!(text.contains("enable the method add_partner_payout"), "{text}");
    for _ in 0..2 {
        desk.ask("partner-payout", &withdrawal(Some("250"))).await.unwrap();
    }
}

/// Withdrawals with these times and statuses, as many as asked for at most.
async fn refusal_with(earlier: Vec<(u64, &'static str)>) -> Option<String> {
    let site = Site::start(move |method, given| {
        if method != "get_partner_payouts" {
            return done(data_of(method));
        }
        let end = given.get("end_time").map_or(u64::MAX, |end| end.parse().unwrap());
        let within = (1..).zip(&earlier).filter(|(_, (time, _))| *time <= end);
        let told = within.take(given["limit"].parse().unwrap());
        let line = |(id, (time, status)): (u64, &(u64, &str))| {
            json!({ "id": id, "time": time, "status": status })
        };
        page(&told.map(line).collect::<Vec<_>>())
    })
    .await;
    let adapter = adapter_at(&site.base(), "");
    let made = adapter.desk().unwrap().ask("partner-payout", &withdrawal(Some("250"))).await;
    assert_eq!(made.is_ok(), site.methods().contains(&"add_partner_payout".to_owned()));
    made.err()
}

#[tokio::test]
async fn only_what_is_paid_or_cancelled_is_decided() {
    for (status, is_decided) in
        [("0", false), ("1", true), ("2", true), ("3", false), ("-1", false), ("new", false)]
    {
        let refusal = refusal_with(vec![(1_700_000_000, status)]).await;
        assert_eq!(refusal.is_none(), is_decided, "{status}: {refusal:?}");
        assert!(refusal.is_none_or(|text| text.contains("withdrawal 1 is not decided")));
    }
}

#[tokio::test]
async fn a_list_that_may_lack_the_newest_withdrawals_is_not_believed() {
    let paid =
        |times: &mut dyn Iterator<Item = u64>| -> Vec<_> { times.map(|t| (t, "1")).collect() };
    // The oldest first: the page is full before it comes to the one that is pending.
    let mut ascending = paid(&mut (1..=500));
    ascending.push((501, "0"));
    let refusal = refusal_with(ascending).await.unwrap();
    assert!(refusal.contains("does not list the newest first"), "{refusal}");
    // All of a short list is there, in whatever order; and the newest first may be any number.
    assert_eq!(refusal_with(paid(&mut (1..100))).await, None);
    assert_eq!(refusal_with(paid(&mut (1..=1_200).rev())).await, None);
}
