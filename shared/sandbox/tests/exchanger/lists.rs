//! `get_exchanges`: pages, filters, order; and `bid_info` of nothing.

use crate::support::eventually;
use crate::*;

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| text(&item["api_id"])).collect()
}

#[tokio::test]
async fn a_page_has_100_orders_unless_asked_otherwise_and_never_more_than_500() {
    let stage = stage(still()).await;
    for n in 1..=503 {
        stage.create(&n.to_string(), "500").await;
    }
    assert_eq!(stage.list(&[]).await.len(), 100);
    assert_eq!(stage.list(&[("limit", "1000")]).await.len(), 500);
    let rest = stage.list(&[("limit", "500"), ("offset", "500")]).await;
    assert_eq!(ids(&rest), ["3", "2", "1"], "newest first");
    let behind = stage.ask("get_exchanges", &[("offset", "503")]).await;
    assert_eq!((&behind["error"], &behind["data"]), (&json!("0"), &json!([])), "no `items`");
    let counters = stage.counters();
    assert_eq!((counters.max_page, counters.status), (1000, 4));
    assert_eq!((counters.calls["get_exchanges"], counters.calls["create_bid"]), (4, 503));
    assert!(!counters.calls.contains_key("pay_bid"));
}

#[tokio::test]
async fn what_changed_last_comes_first() {
    let stage = stage(still()).await;
    let first = stage.create("1", "500").await;
    stage.create("2", "500").await;
    assert_eq!(ids(&stage.list(&[]).await), ["2", "1"]);
    stage.act("pay_bid", &first).await;
    assert_eq!(ids(&stage.list(&[]).await), ["1", "2"]);
    let stage = stage.restart(still()).await;
    assert_eq!(ids(&stage.list(&[]).await), ["1", "2"]);
}

#[tokio::test]
async fn a_line_tells_an_order_and_its_history_only_when_asked() {
    let stage = stage(still()).await;
    let order = stage.create("1", "1500.50").await;
    stage.act("pay_bid", &order).await;
    stage.sandbox.settle_now();
    let line = stage.list(&[]).await.remove(0);
    for (name, expected) in [
        ("id", json!(order["id"].to_string())),
        ("amount_get", json!("1500.5")),
        ("amount_give", json!("15.005")),
        ("currency_code_get", json!("RUB")),
        ("status", json!("success")),
        ("exchange_success", json!(1)),
        ("user_ip", json!("127.0.0.1")),
    ] {
        assert_eq!(line[name], expected, "{name}");
    }
    assert!(line.get("statuses").is_none());
    let line = stage.list(&[("status_history", "1")]).await.remove(0);
    let history: Vec<&str> =
        line["statuses"].as_array().unwrap().iter().map(|change| text(&change["status"])).collect();
    assert_eq!(history, ["new", "payed", "success"]);
}

#[tokio::test]
async fn lists_are_filtered_by_ids_by_address_and_by_time() {
    let stage = stage(still()).await;
    let first = stage.create("1", "500").await;
    stage.create("order-2", "500").await;
    let id = first["id"].to_string();
    assert_eq!(ids(&stage.list(&[("id", &id)]).await), ["1"]);
    assert_eq!(ids(&stage.list(&[("api_id", "order-2")]).await), ["order-2"]);
    assert_eq!(stage.list(&[("ip", "127.0.0.1")]).await.len(), 2);
    let changed = stage.list(&[("id", &id)]).await[0]["time"].as_u64().unwrap();
    let time = |seconds: u64| seconds.to_string();
    let (now, later, before) = (time(changed), time(changed + 60), time(changed - 60));
    assert_eq!(stage.list(&[("start_time", &before), ("end_time", &later)]).await.len(), 2);
    assert_eq!(ids(&stage.list(&[("id", &id), ("end_time", &now)]).await), ["1"], "inclusive");
    for nothing in [
        [("start_time", &*later)],
        [("end_time", &*before)],
        [("ip", "10.0.0.1")],
        [("api_id", "12")],
        [("id", "5")],
    ] {
        let answer = stage.ask("get_exchanges", &nothing).await;
        assert_eq!(answer["data"], json!([]), "{nothing:?}");
    }
}

#[tokio::test]
async fn a_window_means_the_last_change_unless_it_means_the_creation() {
    use sandbox::WindowBy::{Changed, Created};
    let stage = stage(still()).await;
    let order = stage.create("1", "500").await;
    let created = stage.sandbox.ledger()[0].created_ms / 1000;
    eventually("the next second", || unix_s() > created).await;
    stage.act("cancel_bid", &order).await;
    let end = created.to_string();
    assert_eq!(stage.list(&[("end_time", &end)]).await.len(), 0);
    for (window_by, expected) in [(Created, 1), (Changed, 0)] {
        let copy = stage.copy(ExchangerConfig { window_by, ..still() }).await;
        assert_eq!(copy.list(&[("end_time", &end)]).await.len(), expected, "{window_by:?}");
    }
}

fn unix_s() -> u64 {
    std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs()
}

#[tokio::test]
async fn an_order_that_does_not_exist_is_told_as_such() {
    let stage = stage(still()).await;
    let order = stage.create("1", "500").await;
    let hash = text(&order["hash"]);
    let (head, tail) = hash.split_at(24);
    let forged = format!("{}{tail}", head.chars().rev().collect::<String>());
    for form in [[("id", "1")], [("hash", &*forged)], [("id", "")]] {
        let answer = stage.ask("bid_info", &form).await;
        assert_eq!(
            (&answer["error"], &answer["error_fields"], &answer["data"]),
            (&json!("1"), &json!([]), &json!([])),
            "{form:?}"
        );
    }
}
