//! Look-ups: what an order says of its payment, and everything that is no proof of absence.

use super::site::Reply;
use super::*;
use domain::News;

/// A site that has this one order.
async fn one(order: Value) -> Site {
    Site::start(move |method, _| match method {
        "bid_info" => done(order.clone()),
        _ => page(&[]),
    })
    .await
}

async fn found(more: &str, payment: Payment, order: Value) -> Found {
    let site = one(order).await;
    ask(&adapter_at(&site.base(), more), &site, vec![payment]).await.remove(0)
}

fn news(found: &Found) -> Option<News> {
    match found {
        Found::Is { news, .. } => Some(*news),
        _ => None,
    }
}

#[tokio::test]
async fn every_status_has_its_meaning() {
    let pay = || known("INV-1", "10.00", "7:h7");
    for (status, expected) in [
        ("success", Some(News::Paid)),
        ("Payed", Some(News::InProgress)),
        ("coldpay", Some(News::InProgress)),
        ("realpay", Some(News::InProgress)),
        ("verify", Some(News::InProgress)),
        ("coldsuccess", Some(News::InProgress)),
        ("new", Some(News::Waiting)),
        ("coldnew", Some(News::Waiting)),
        ("techpay", Some(News::Waiting)),
        ("returned", Some(News::Returned)),
        ("error", None),
        ("payouterror", None),
        ("scrpayerror", None),
        ("my_own_status", None),
    ] {
        let found = found(PERSON, pay(), order(7, status, "10")).await;
        assert_eq!(news(&found), expected, "{status}: {found:?}");
        let review = matches!(found, Found::Differs { .. });
        assert_eq!(review, expected.is_none(), "{status}: {found:?}");
    }
}

#[tokio::test]
async fn an_order_that_was_ever_stepped_is_never_failed_by_being_given_up() {
    for status in ["cancel", "delete"] {
        let found =
            found("", stepped(known("INV-1", "10.00", "7:h7")), order(7, status, "10")).await;
        assert!(matches!(&found, Found::Differs { text } if text.contains("funded")), "{found:?}");
    }
}

#[tokio::test]
async fn an_order_that_a_person_may_have_funded_is_never_failed_by_running_out() {
    for status in ["cancel", "delete"] {
        let is_asked_for = |found: &Found| matches!(found, Found::Differs { text } if text.contains("whoever funded it"));
        let given_up = || order(7, status, "10");
        let waited = known("INV-1", "10.00", "7:h7");
        let by_person = found(PERSON, waited.clone(), given_up()).await;
        assert!(is_asked_for(&by_person), "{by_person:?}");
        // Where the lane funds, and it did not, nobody did.
        let by_lane = found(PREPAID, waited, given_up()).await;
        assert_eq!(news(&by_lane), Some(News::Failed), "{by_lane:?}");
        // Nobody was ever told of this one: its create was lost.
        let api_id = number("INV-1").to_string();
        let site = Site::start(move |_, _| page(&[item(7, &api_id, status, "10")])).await;
        let adapter = adapter_at(&site.base(), PERSON);
        let lost = ask(&adapter, &site, vec![card("INV-1", "10.00")]).await;
        assert_eq!(news(&lost[0]), Some(News::Failed), "{lost:?}");
    }
}

#[tokio::test]
async fn an_order_with_our_reference_that_is_not_the_one_we_know_is_for_a_person() {
    let api_id = number("INV-1").to_string();
    for status in ["success", "payed", "new", "cancel"] {
        let items = vec![item(8, &api_id, status, "10")];
        let site = Site::start(move |method, given| match method {
            "bid_info" if given.get("hash").is_some_and(|hash| hash == "h7") => {
                error(json!(1), "No bid exists")
            }
            "bid_info" => done(order(8, "new", "10")),
            _ if given["offset"] == "0" => page(&items),
            _ => page(&[]),
        })
        .await;
        let found =
            ask(&adapter_at(&site.base(), ""), &site, vec![known("INV-1", "10.00", "7:h7")]).await;
        let is_named = matches!(&found[..], [Found::Differs { text }]
            if text.contains("order 8") && text.ends_with("is 7"));
        assert!(is_named, "{status}: {found:?}");
    }
}

#[tokio::test]
async fn of_orders_that_were_all_given_up_the_one_we_know_speaks() {
    let api_id = number("INV-1").to_string();
    let items: Vec<Value> = (6..9).map(|id| item(id, &api_id, "cancel", "10")).collect();
    let site = Site::start(move |method, given| match method {
        "bid_info" => error(json!(1), "No bid exists"),
        _ if given["offset"] == "0" => page(&items),
        _ => page(&items[2..]),
    })
    .await;
    let adapter = adapter_at(&site.base(), PREPAID);
    let found = ask(&adapter, &site, vec![known("INV-1", "10.00", "7:h7")]).await;
    assert!(
        matches!(&found[..], [Found::Is { news: News::Failed, provider_id: Some(id), .. }]
            if id == "7:h7"),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_second_order_with_our_reference_beside_the_one_we_know_is_for_a_person() {
    for (status, expected) in [("success", None), ("payed", None), ("cancel", Some(News::Paid))] {
        let mut items: Vec<Value> =
            (0..5).map(|n| item(n, number(&format!("A{n}")).as_str(), "success", "10")).collect();
        items.push(item(9, number("A0").as_str(), status, "10"));
        let site = Site::start(move |_, given| match given["offset"].as_str() {
            "0" => page(&items),
            _ => page(&items[1..]),
        })
        .await;
        let payments: Vec<_> =
            (0..5).map(|n| known(&format!("A{n}"), "10.00", &format!("{n}:h{n}"))).collect();
        let found = ask(&adapter_at(&site.base(), ""), &site, payments).await;
        assert_eq!(news(&found[0]), expected, "{status}: {found:?}");
        assert_eq!(matches!(found[0], Found::Differs { .. }), expected.is_none(), "{found:?}");
        assert!(found[1..].iter().all(|found| news(found) == Some(News::Paid)), "{found:?}");
    }
}

#[tokio::test]
async fn where_the_list_cannot_be_read_each_is_asked_for_by_our_reference() {
    let ids: Vec<_> = (0..5).map(|n| number(&format!("A{n}")).to_string()).collect();
    let site = Site::start(move |_, given| match (given.get("offset"), given.get("api_id")) {
        (Some(_), _) => "<html>".to_owned(),
        (None, Some(api_id)) if *api_id == ids[4] => page(&[]),
        (None, Some(api_id)) => page(&[item(7, api_id, "success", "10")]),
        _ => panic!("{given:?}"),
    })
    .await;
    let payments: Vec<_> = (0..5).map(|n| card(&format!("A{n}"), "10.00")).collect();
    let found = ask(&adapter_at(&site.base(), ""), &site, payments).await;
    assert!(found[..4].iter().all(|found| news(found) == Some(News::Paid)), "{found:?}");
    assert!(matches!(found[4], Found::Unclear { .. }), "the list decides: {found:?}");
}

#[tokio::test]
async fn the_step_is_due_only_on_a_prepaid_lane_and_only_where_the_api_takes_it() {
    let pay = || known("INV-1", "10.00", "7:h7");
    let due = Found::StepDue { provider_id: Some("7:h7".into()) };
    assert_eq!(found(PREPAID, pay(), order(7, "new", "10")).await, due);
    for pays in ["disabled", "https://example.com/pay", "", "yes"] {
        let mut linked = order(7, "new", "10");
        linked["api_actions"]["pay"] = json!(pays);
        let found = found(PREPAID, pay(), linked).await;
        assert_eq!(news(&found), Some(News::Waiting), "{pays}: {found:?}");
    }
    let mut bare = order(7, "new", "10");
    bare["api_actions"] = json!([]);
    assert_eq!(news(&found(PREPAID, pay(), bare).await), Some(News::Waiting));
    let waits = found(PERSON, pay(), order(7, "new", "10")).await;
    assert_eq!(news(&waits), Some(News::Waiting));
}

#[tokio::test]
async fn who_funds_an_order_is_told_how_much_where_and_until_when() {
    let mut order = order(7, "new", "10");
    order["api_actions"]["dest_tag"] = json!("4455");
    order["api_actions"]["expiry"] = json!("2024-02-15 09:30");
    let Found::Is { text, .. } = found(PERSON, known("INV-1", "10.00", "7:h7"), order).await else {
        panic!()
    };
    assert_eq!(
        text,
        "order 7 (new) is not funded; send 0.1 USDTTRC20 to TXaddress12345678901234; with the tag \
         4455; until 2024-02-15 09:30; when it is sent, confirm it; its page is \
         https://example.com/hst_h7/; Send 0.1 for …"
    );
}

#[tokio::test]
async fn an_order_that_is_not_ours_is_no_news() {
    for (field, value, differs) in [
        ("amount_get", json!("10.01"), true),
        ("currency_code_get", json!("USD"), true),
        ("api_id", json!("17"), true),
        ("account2", json!("5555555555554444"), true),
        ("amount_get", json!(null), false),
        ("currency_code_get", json!(""), false),
        ("id", json!(8), false),
        ("status", json!(null), false),
    ] {
        let mut other = order(7, "success", "10");
        other[field] = value.clone();
        let found = found("", known("INV-1", "10.00", "7:h7"), other).await;
        let expected = matches!(
            (&found, differs),
            (Found::Differs { .. }, true) | (Found::Unclear { .. }, false)
        );
        assert!(expected, "{field} {value}: {found:?}");
        assert!(!format!("{found:?}").contains("5555555555554444"));
    }
    // Told as people write it, it is the same account.
    let mut ours = order(7, "success", "10");
    ours["account2"] = json!("4111 1111 1111 1111");
    let found = found("", known("INV-1", "10.00", "7:h7"), ours).await;
    assert_eq!(news(&found), Some(News::Paid));
}

#[tokio::test]
async fn a_lost_create_is_found_by_our_reference_and_then_by_its_id() {
    let api_id = number("INV-1").to_string();
    let site = Site::start(move |method, given| match method {
        "bid_info" => done(order(7, "new", "10")),
        _ if given.get("api_id") == Some(&api_id) => page(&[item(7, &api_id, "new", "10")]),
        _ => page(&[]),
    })
    .await;
    let adapter = adapter_at(&site.base(), "");
    let found = ask(&adapter, &site, vec![card("INV-1", "10.00")]).await;
    assert_eq!(found, [Found::StepDue { provider_id: Some("7:h7".into()) }]);
    assert_eq!(site.methods(), ["get_exchanges", "bid_info"]);
    assert_eq!(site.calls()[1].body, "id=7");
}

#[tokio::test]
async fn a_filter_that_returns_others_finds_nothing_and_a_list_decides() {
    // The filter matches the wrong column: it returns a stranger's order.
    let api_id = number("INV-1").to_string();
    let site = Site::start(move |_, given| match given.get("offset").map(String::as_str) {
        None => page(&[item(1, "99", "success", "10")]),
        Some("0") => page(&[item(9, "98", "success", "10"), item(7, &api_id, "success", "10")]),
        Some(_) => page(&[item(7, &api_id, "success", "10")]),
    })
    .await;
    let adapter = adapter_at(&site.base(), "");
    let found = ask(&adapter, &site, vec![card("INV-1", "10.00")]).await;
    assert!(
        matches!(&found[..], [Found::Is { news: News::Paid, provider_id: Some(id), .. }]
        if id == "7:"),
        "{found:?}"
    );
    let window = &site.calls()[1].given;
    let start: u64 = window["start_time"].parse().unwrap();
    assert_eq!(start, 1_700_000_000 - 900 * 60);
    assert!(window["end_time"].parse::<u64>().unwrap() > 1_700_000_031 + 900 * 60);
    assert_eq!(window["limit"], "500");
}

#[tokio::test]
async fn a_page_that_was_not_filtered_is_not_believed_even_where_ours_is_on_it() {
    // The first page has the one that was given up; the one that was paid lies further back.
    let api_id = number("INV-1").to_string();
    let site = Site::start(move |_, given| {
        let list = [
            item(9, &api_id, "cancel", "10"),
            item(8, "98", "success", "10"),
            item(7, &api_id, "success", "10"),
        ];
        match given.get("offset").map(|offset| offset.parse::<usize>().unwrap()) {
            None => page(&list[..2]),
            Some(offset) => page(list.get(offset..).unwrap_or_default()),
        }
    })
    .await;
    let found = ask(&adapter_at(&site.base(), ""), &site, vec![card("INV-1", "10.00")]).await;
    assert_eq!(news(&found[0]), Some(News::Paid), "{found:?}");
}

#[tokio::test]
async fn absent_is_what_a_whole_list_does_not_have_and_the_control_shows_that_it_is_live() {
    let control = card("CONTROL", "5.00");
    let its = control.reference.to_string();
    let site = Site::start(move |_, given| {
        let list = [item(2, &its, "success", "5"), item(1, "", "cancel", "3")];
        match given.get("offset").map(String::as_str) {
            None => page(&[]),
            Some("0") => page(&list),
            Some("1") => page(&list[1..]),
            Some(other) => panic!("nobody asks for offset {other}"),
        }
    })
    .await;
    let adapter = adapter_at(&site.base(), "");
    let told = ask_with(&adapter, &site, vec![card("A", "1.00")], Some(control)).await;
    assert_eq!(told, LookedUp { found: vec![Found::Absent], control_found: Some(true) });
    let stranger = Some(card("OTHER", "5.00"));
    let told = ask_with(&adapter, &site, vec![card("A", "1.00")], stranger).await;
    assert_eq!(told, LookedUp { found: vec![Found::Absent], control_found: Some(false) });
}

#[tokio::test]
async fn an_empty_list_is_absence_without_a_live_control() {
    let site = Site::start(|_, _| page(&[])).await;
    let adapter = adapter_at(&site.base(), "");
    let told =
        ask_with(&adapter, &site, vec![card("A", "1.00")], Some(card("CONTROL", "5.00"))).await;
    assert_eq!(told, LookedUp { found: vec![Found::Absent], control_found: Some(false) });
}

#[tokio::test]
async fn nothing_that_is_not_a_well_formed_list_is_absence() {
    let no_api_id = {
        let mut item = item(1, "", "new", "1");
        item.as_object_mut().unwrap().remove("api_id");
        page(&[item])
    };
    let replies: Vec<Reply> = vec![
        String::new().into(),
        "[]".to_owned().into(),
        "{}".to_owned().into(),
        "<html>".to_owned().into(),
        done(Value::Null).into(),
        done(json!("x")).into(),
        done(json!([1])).into(),
        done(json!({ "items": null })).into(),
        done(json!({ "items": "none" })).into(),
        done(json!({ "items": [[]] })).into(),
        r#"{"error":0}"#.to_owned().into(),
        no_api_id.into(),
        error(json!(1), "No bid exists").into(),
        error(json!(2), "Maintenance").into(),
        error(json!(9), "?").into(),
        Reply::Status(404, String::new()),
        Reply::Status(404, page(&[])),
        Reply::Status(429, String::new()),
        Reply::Status(302, page(&[])),
        Reply::Status(500, page(&[])),
        Reply::Hang,
    ];
    for (number, reply) in replies.into_iter().enumerate() {
        let site = Site::start(move |_, _| match &reply {
            Reply::Body(body) => Reply::Body(body.clone()),
            Reply::Status(status, body) => Reply::Status(*status, body.clone()),
            Reply::Hang => Reply::Hang,
        })
        .await;
        let adapter = adapter_at(&site.base(), "");
        for payment in [card("A", "1.00"), known("A", "1.00", "7:h7")] {
            let told = ask_with(&adapter, &site, vec![payment], Some(card("C", "5.00"))).await;
            assert!(matches!(told.found[..], [Found::Unclear { .. }]), "{number}: {told:?}");
            assert_ne!(told.control_found, Some(true), "{number}");
        }
    }
}

#[tokio::test]
async fn address_key_and_method_stop_the_lane_and_nothing_more_is_asked() {
    for reply in [
        "Api disabled".to_owned(),
        error(json!(2), "IP blocked"),
        error(json!(3), "Method not supported"),
    ] {
        let site = Site::start(move |_, _| reply.clone()).await;
        let adapter = adapter_at(&site.base(), "");
        let payments = vec![card("A", "1.00"), known("B", "1.00", "7:h7"), card("C", "1.00")];
        let found = ask(&adapter, &site, payments).await;
        assert!(found.iter().all(|found| matches!(found, Found::StopLane { .. })), "{found:?}");
        assert_eq!(site.calls().len(), 1);
    }
}

#[tokio::test]
async fn a_site_that_is_away_is_asked_three_times_and_not_once_a_payout() {
    let site = Site::start(|_, _| Reply::Status(502, String::new())).await;
    let adapter = adapter_at(&site.base(), "");
    let payments = (0..50).map(|n| known(&format!("A{n}"), "1.00", "7:h7")).collect();
    let found = ask(&adapter, &site, payments).await;
    assert!(found.iter().all(|found| matches!(found, Found::Unclear { .. })));
    assert_eq!((found.len(), site.calls().len()), (50, 3));
}

#[tokio::test]
async fn many_are_answered_by_one_list_but_for_those_that_wait_for_money() {
    let ids = ["success", "payed", "new", "error", "cancel"];
    let items: Vec<Value> = (0..)
        .zip(ids)
        .map(|(n, status)| item(n, number(&format!("A{n}")).as_str(), status, "10"))
        .collect();
    let site =
        Site::start(move |method, given| match (method, given.get("offset").map(String::as_str)) {
            ("bid_info", _) => done(order(2, "new", "10")),
            (_, Some("0")) => page(&items),
            (_, _) => page(&items[1..]),
        })
        .await;
    let adapter = adapter_at(&site.base(), "");
    let payments: Vec<_> =
        (0..5).map(|n| known(&format!("A{n}"), "10.00", &format!("{n}:h{n}"))).collect();
    let found = ask(&adapter, &site, payments).await;
    assert_eq!(
        found.iter().map(news).collect::<Vec<_>>(),
        [Some(News::Paid), Some(News::InProgress), None, None, Some(News::Failed)]
    );
    assert_eq!(found[2], Found::StepDue { provider_id: Some("2:h2".into()) });
    // The hash that was known is not forgotten because the list does not tell it.
    assert!(matches!(&found[0], Found::Is { provider_id: Some(id), .. } if id == "0:h0"));
    assert_eq!(site.methods(), ["get_exchanges", "get_exchanges", "get_exchanges", "bid_info"]);
}

#[tokio::test]
async fn of_several_orders_under_our_reference_the_one_that_may_have_moved_money_wins() {
    let api_id = number("INV-1").to_string();
    for (statuses, expected) in [
        (vec!["delete", "success"], Some(News::Paid)),
        (vec!["delete", "cancel"], Some(News::Failed)),
        (vec!["success", "payed"], None),
    ] {
        let items: Vec<Value> =
            (1..).zip(&statuses).map(|(n, s)| item(n, &api_id, s, "10")).collect();
        let site = Site::start(move |_, _| page(&items)).await;
        let found = ask(&adapter_at(&site.base(), ""), &site, vec![card("INV-1", "10.00")]).await;
        assert_eq!(news(&found[0]), expected, "{statuses:?}: {found:?}");
        assert_eq!(matches!(found[0], Found::Differs { .. }), expected.is_none());
    }
}

#[tokio::test]
async fn an_id_that_the_site_does_not_know_is_absent_only_if_the_list_lacks_it_too() {
    let api_id = number("INV-1").to_string();
    for is_listed in [true, false] {
        let items = if is_listed { vec![item(7, &api_id, "success", "10")] } else { Vec::new() };
        let site = Site::start(move |method, given| match method {
            "bid_info" => error(json!(1), "No bid exists"),
            _ if given["offset"] == "0" => page(&items),
            _ => page(&[]),
        })
        .await;
        let adapter = adapter_at(&site.base(), "");
        let found = ask(&adapter, &site, vec![known("INV-1", "10.00", "7:h7")]).await;
        let expected = if is_listed { Some(News::Paid) } else { None };
        assert_eq!(news(&found[0]), expected, "{found:?}");
        assert_eq!(found[0] == Found::Absent, !is_listed);
    }
}

#[tokio::test]
async fn without_a_time_of_sending_nothing_is_absent() {
    let site = Site::start(|_, _| page(&[])).await;
    let adapter = adapter_at(&site.base(), "");
    let mut payment = card("A", "1.00");
    payment.past.sent = None;
    let found = ask(&adapter, &site, vec![payment.clone()]).await;
    assert!(matches!(found[..], [Found::Unclear { .. }]), "{found:?}");
    // Nor by a list that was read for the sake of others.
    let found = ask(&adapter, &site, vec![payment, card("B", "1.00")]).await;
    assert!(matches!(found[..], [Found::Unclear { .. }, Found::Absent]), "{found:?}");
}
