//! `pay_bid` and `cancel_bid`: when they are sent at all, and what their answers mean.

use super::site::Reply;
use super::*;
use crate::api::{CancelAnswer, Step};

/// A site with one order, and this answer to acts.
async fn site_with(order: Value, act: fn() -> Reply) -> Site {
    Site::start(move |method, given| match method {
        "bid_info" => Reply::Body(done(order.clone())),
        "get_exchanges" => {
            Reply::Body(page(&[item(7, &given["api_id"], order["status"].as_str().unwrap(), "10")]))
        }
        _ => act(),
    })
    .await
}

fn taken() -> Reply {
    done(json!({ "status": "payed" })).into()
}

#[tokio::test]
async fn an_order_that_a_look_up_has_just_seen_waiting_is_paid_by_its_hash_in_one_request() {
    let site = site_with(order(7, "new", "10"), taken).await;
    let adapter = adapter_at(&site.base(), PREPAID);
    let payment = known("INV-1", "10.00", "7:h7");
    let due = Found::StepDue { provider_id: Some("7:h7".into()) };
    assert_eq!(ask(&adapter, &site, vec![payment.clone()]).await, [due]);
    assert_eq!(confirm(&adapter, payment.clone()).await, StepAnswer::Taken);
    assert_eq!(site.methods(), ["bid_info", "pay_bid"]);
    assert_eq!(site.calls()[1].body, "hash=h7");
    // What was seen counts for one call.
    assert_eq!(confirm(&adapter, payment).await, StepAnswer::Taken);
    assert_eq!(site.methods()[2..], ["bid_info", "pay_bid"]);
}

#[tokio::test]
async fn without_such_a_look_up_the_order_is_looked_at_first() {
    for (more, payment, methods) in [
        (PREPAID, known("INV-1", "10.00", "7:h7"), vec!["bid_info", "pay_bid"]),
        (PREPAID, known("INV-1", "10.00", "7:"), vec!["bid_info", "pay_bid"]),
        (PREPAID, card("INV-1", "10.00"), vec!["get_exchanges", "bid_info", "pay_bid"]),
        (PERSON, known("INV-1", "10.00", "7:h7"), vec!["bid_info", "pay_bid"]),
    ] {
        let site = site_with(order(7, "new", "10"), taken).await;
        assert_eq!(confirm(&adapter_at(&site.base(), more), payment).await, StepAnswer::Taken);
        assert_eq!(site.methods(), methods);
    }
}

#[tokio::test]
async fn an_order_that_is_not_ours_or_does_not_wait_is_not_paid() {
    let with = |field: &str, value: Value| {
        let mut order = order(7, "new", "10");
        match field.split_once('.') {
            Some((outer, inner)) => order[outer][inner] = value,
            None => order[field] = value,
        }
        order
    };
    for order in [
        with("amount_get", json!("11")),
        with("amount_get", json!(null)),
        with("status", json!("payed")),
        with("status", json!("cancel")),
        with("status", json!("error")),
        with("api_actions.pay", json!("disabled")),
        with("api_actions.pay", json!("https://example.com/pay")),
        with("hash", json!(null)),
    ] {
        for more in [PERSON, PREPAID] {
            let site = site_with(order.clone(), taken).await;
            let adapter = adapter_at(&site.base(), more);
            let answer = confirm(&adapter, known("INV-1", "10.00", "7:h7")).await;
            assert!(matches!(answer, StepAnswer::Refused { .. }), "{order}: {answer:?}");
            assert_eq!(site.methods(), ["bid_info"]);
        }
    }
}

#[tokio::test]
async fn an_answer_about_another_order_pays_and_cancels_nothing() {
    for (field, value) in [("id", json!(8)), ("hash", json!("h8")), ("status", json!(null))] {
        let mut other = order(7, "new", "10");
        other[field] = value;
        let site = site_with(other.clone(), taken).await;
        let adapter = adapter_at(&site.base(), PREPAID);
        let payment = known("INV-1", "10.00", "7:h7");
        let found = ask(&adapter, &site, vec![payment.clone()]).await;
        assert!(matches!(found[..], [Found::Unclear { .. }]), "{other}: {found:?}");
        let answer = confirm(&adapter, payment.clone()).await;
        assert!(matches!(answer, StepAnswer::NotSent { .. }), "{other}: {answer:?}");
        let answer = Provider::cancel(&adapter).unwrap().cancel(payment).await;
        assert!(matches!(answer, CancelAnswer::Refused { .. }), "{other}: {answer:?}");
        assert_eq!(site.methods(), ["bid_info"; 3]);
    }
}

#[tokio::test]
async fn every_answer_to_an_act_has_its_class() {
    type Check = fn(&StepAnswer) -> bool;
    let refused: Check = |a| matches!(a, StepAnswer::Refused { .. });
    let unknown: Check = |a| matches!(a, StepAnswer::Unknown { .. });
    let table: Vec<(fn() -> Reply, Check)> = vec![
        (|| error(json!(1), "No bid exists").into(), refused),
        (|| error(json!("2"), "Maintenance").into(), refused),
        (|| error(json!(2), "Action disabled").into(), refused),
        (|| error(json!(2), "IP blocked").into(), refused),
        (|| error(json!(3), "Method not supported").into(), refused),
        (|| "Api disabled".to_owned().into(), refused),
        (|| Reply::Status(403, String::new()), refused),
        (|| Reply::Status(429, String::new()), refused),
        (|| error(json!(3), "?").into(), unknown),
        (|| error(json!(9), "?").into(), unknown),
        (|| String::new().into(), unknown),
        (|| "<html>".to_owned().into(), unknown),
        (|| Reply::Status(302, String::new()), unknown),
        (|| Reply::Status(500, String::new()), unknown),
        (|| Reply::Hang, unknown),
    ];
    for (number, (act, check)) in table.into_iter().enumerate() {
        let site = site_with(order(7, "new", "10"), act).await;
        let adapter = adapter_at(&site.base(), PREPAID);
        let answer = confirm(&adapter, known("INV-1", "10.00", "7:h7")).await;
        assert!(check(&answer), "line {number}: {answer:?}");
        assert_eq!(site.methods(), ["bid_info", "pay_bid"], "line {number}: sent once");
        let cancelled =
            Provider::cancel(&adapter).unwrap().cancel(known("INV-1", "10.00", "7:h7")).await;
        let same = matches!(
            (&answer, &cancelled),
            (StepAnswer::Refused { .. }, CancelAnswer::Refused { .. })
                | (StepAnswer::Unknown { .. }, CancelAnswer::Unknown { .. })
        );
        assert!(same, "line {number}: {cancelled:?}");
    }
}

#[tokio::test]
async fn nothing_that_the_site_says_instead_of_an_answer_is_told_with_the_account() {
    // A wallet's address is no number: it is known by what was asked about alone.
    const WALLET: &str = "TXabcdefghijklmnopQRSTUVWX";
    let wallet = |reference: &str| {
        let row = testing::row(reference, "10.00", "USDT", Method::Wallet, WALLET);
        let payment = numbered(row);
        let past = Past { provider_id: Some("7:h7".into()), ..payment.past.clone() };
        Payment { past, ..payment }
    };
    let words = |code: u32| error(json!(code), &format!("nothing for {WALLET} here"));
    let told = |what: &str, text: String| {
        assert!(text.contains("nothing for … here"), "{what}: {text}");
        assert!(!text.contains(WALLET), "{what}: {text}");
    };
    for code in [1, 9] {
        let site = Site::start(move |_, _| words(code)).await;
        let adapter = adapter_at(&site.base(), "quote_before_create = true");
        let desk = adapter.desk().unwrap();
        let withdrawal = [("method_id", "11"), ("account", WALLET)];
        let withdrawal = withdrawal.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        told("partner-payout", desk.ask("partner-payout", &withdrawal).await.unwrap_err());
        told("get_calc", format!("{:?}", submit(&adapter, &wallet("A")).await));
        told("pay_bid", format!("{:?}", confirm(&adapter, wallet("A")).await));
        let cancelled = Provider::cancel(&adapter).unwrap().cancel(wallet("A")).await;
        told("cancel_bid", format!("{cancelled:?}"));
        for count in [1, 5] {
            let asked = (0..count).map(|n| wallet(&format!("A{n}"))).collect();
            told("look-up", format!("{:?}", ask(&adapter, &site, asked).await[0]));
        }
        let mut usdt = order(7, "new", "10");
        usdt["currency_code_get"] = json!("USDT");
        let site = Site::start(move |method, _| match method {
            "bid_info" => done(usdt.clone()),
            _ => words(code),
        })
        .await;
        let adapter = adapter_at(&site.base(), PERSON);
        told("pay_bid", format!("{:?}", confirm(&adapter, wallet("A")).await));
        let cancelled = Provider::cancel(&adapter).unwrap().cancel(wallet("A")).await;
        told("cancel_bid", format!("{cancelled:?}"));
        assert_eq!(site.methods(), ["bid_info", "pay_bid", "bid_info", "cancel_bid"]);
    }
}

#[tokio::test]
async fn behind_a_closed_gate_nothing_is_said_to_the_site() {
    let site = site_with(order(7, "new", "10"), taken).await;
    let adapter = adapter_at(&site.base(), PREPAID);
    let payments = vec![known("INV-1", "10.00", "7:h7")];
    ask(&adapter, &site, payments.clone()).await;
    let step = Step { payments, code: None, gate: testing::Gate::new(false) };
    let answer = Provider::confirm(&adapter).unwrap().confirm(step).await;
    assert!(matches!(answer, StepAnswer::NotSent { .. }), "{answer:?}");
    assert_eq!(site.methods(), ["bid_info"]);
}

#[tokio::test]
async fn an_order_is_cancelled_only_where_it_says_that_the_api_may() {
    for (cancel, methods, words) in [
        ("api", vec!["bid_info", "cancel_bid"], ""),
        ("disabled", vec!["bid_info"], "does not let"),
        ("https://example.com/cancel", vec!["bid_info"], "https://example.com/cancel"),
    ] {
        let mut order = order(7, "new", "10");
        order["api_actions"]["cancel"] = json!(cancel);
        let site = site_with(order, taken).await;
        let adapter = adapter_at(&site.base(), "");
        let answer =
            Provider::cancel(&adapter).unwrap().cancel(known("INV-1", "10.00", "7:h7")).await;
        match (&answer, cancel) {
            (CancelAnswer::Taken, "api") => {}
            (CancelAnswer::Refused { text }, _) => assert!(text.contains(words), "{text}"),
            _ => panic!("{cancel}: {answer:?}"),
        }
        assert_eq!(site.methods(), methods);
    }
}
