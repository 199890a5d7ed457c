//! The partner's methods.

use crate::support::eventually;
use crate::*;

#[tokio::test]
async fn a_partner_payout_takes_the_whole_balance_once() {
    let stage = stage(still()).await;
    let info = stage.ask("get_partner_info", &[]).await["data"].clone();
    assert_eq!((&info["partner_id"], &info["balance"]), (&json!("3"), &json!("250")));
    assert_eq!(info["items"][0]["amount"], "249");
    assert_eq!(stage.ask("get_partner_payouts", &[]).await["data"], json!([]));

    for wrong in [[("method_id", "5"), ("account", "T1")], [("method_id", "11"), ("account", "")]] {
        assert_ne!(stage.ask("add_partner_payout", &wrong).await["error"], 0, "{wrong:?}");
    }
    let form = [("method_id", "11"), ("account", "TWalletOfThePartner")];
    let taken = stage.ask("add_partner_payout", &form).await;
    assert_eq!(taken["data"], json!({ "payout_id": 1 }));
    assert_eq!(stage.ask("get_partner_info", &[]).await["data"]["balance"], "0");
    assert_ne!(stage.ask("add_partner_payout", &form).await["error"], 0, "nothing is left");

    let stage = stage.restart(still()).await;
    let payout = stage.ask("get_partner_payouts", &[]).await["data"]["items"][0].clone();
    assert_eq!((&payout["status"], &payout["pay_amount"]), (&json!(0), &json!("249")));
    assert_eq!((&payout["original_amount"], &payout["method_id"]), (&json!("250"), &json!("11")));
    stage.sandbox.settle_now();
    let found = stage.ask("get_partner_payouts", &[("id", "1"), ("start_time", "1")]).await;
    assert_eq!(found["data"]["items"][0]["status"], 1);
    for nothing in [("id", "2"), ("end_time", "1")] {
        let answer = stage.ask("get_partner_payouts", &[nothing]).await;
        assert_eq!(answer["data"], json!([]), "{nothing:?}");
    }
}

#[tokio::test]
async fn a_partner_payout_that_was_pending_at_a_stop_is_paid_after_the_start() {
    let stage = stage(still()).await;
    stage.ask("add_partner_payout", &[("method_id", "21"), ("account", CARD)]).await;
    let stage = stage.restart(quick()).await;
    let file = stage.dir.path().join("exchanger.ndjson");
    eventually("paid", || std::fs::read_to_string(&file).unwrap().contains("withdrawal_paid"))
        .await;
    let answer = stage.ask("get_partner_payouts", &[]).await;
    let payout = &answer["data"]["items"][0];
    assert_eq!((&payout["status"], &payout["pay_currency_code"]), (&json!(1), &json!("RUB")));
    assert_eq!(payout["pay_amount"], "24950");
}

#[tokio::test]
async fn partner_orders_are_those_that_name_the_partner() {
    let stage = stage(still()).await;
    stage.create("1", "500").await;
    let mut form = create_form("2", "5000", "").to_vec();
    form.push(("partner_id", "3"));
    let order = stage.ask("create_bid", &form).await["data"].clone();
    let answer = stage.ask("get_partner_exchanges", &[]).await;
    let items = answer["data"]["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["id"], order["id"].to_string());
    assert_eq!((&items[0]["accrued"], &items[0]["partner_reward"]), (&json!("0"), &json!("0.25")));
    assert!(items[0].get("api_id").is_none());
    stage.act("success_bid", &order).await;
    let answer = stage.ask("get_partner_exchanges", &[("status_history", "1")]).await;
    assert_eq!(answer["data"]["items"][0]["accrued"], "1");
    assert_eq!(answer["data"]["items"][0]["statuses"].as_array().unwrap().len(), 2);
    let none = stage.ask("get_partner_exchanges", &[("end_time", "1")]).await;
    assert_eq!(none["data"], json!([]));
}

#[tokio::test]
async fn partner_links_are_listed_by_time_and_limit() {
    let stage = stage(still()).await;
    let count = async |form: &[(&str, &str)]| {
        let answer = stage.ask("get_partner_links", form).await;
        answer["data"]["items"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(count(&[]).await, 2);
    assert_eq!(count(&[("limit", "1")]).await, 1);
    assert_eq!(count(&[("start_time", "1704067201")]).await, 1);
    assert_eq!(count(&[("ip", "10.0.0.1")]).await, 0);
}
