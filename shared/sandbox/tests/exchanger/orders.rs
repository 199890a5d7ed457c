//! An order's life: created, funded, settled, cancelled, completed by hand.

use crate::support::eventually;
use crate::*;

#[tokio::test]
async fn an_order_is_created_stated_as_paid_and_paid_out() {
    let stage = stage(quick()).await;
    let answer = stage.try_create("7001", "1500.50", "").await;
    assert_eq!((&answer["error"], &answer["error_fields"]), (&json!("0"), &json!([])));
    let order = &answer["data"];
    for (name, expected) in [
        ("status", "new"),
        ("currency_code_give", "USDTTRC20"),
        ("currency_code_get", "RUB"),
        ("amount_give", "15.005"),
        ("amount_get", "1500.5"),
        ("course_get", "100"),
    ] {
        assert_eq!(order[name], expected, "{name}");
    }
    let actions = &order["api_actions"];
    assert_eq!((&actions["pay"], &actions["cancel"]), (&json!("api"), &json!("api")));
    assert_eq!(actions["pay_amount"], "15.005");

    let paid = stage.act("pay_bid", order).await;
    assert_eq!((&paid["error"], &paid["data"]), (&json!(0), &json!({ "status": "payed" })));
    eventually("paid out", || stage.counters().paid == 1).await;
    let told = stage.ask("bid_info", &[("hash", text(&order["hash"]))]).await;
    assert_eq!(told["error_fields"], json!([]));
    assert_eq!(told["data"]["status"], "success");
    assert_eq!(told["data"]["api_actions"]["pay"], "disabled");
    assert_eq!(told["data"]["id"], order["id"]);

    let entry = &stage.sandbox.ledger()[0];
    assert_eq!(entry.provider, "exchanger");
    assert_eq!(entry.order_id, "7001");
    assert_eq!(entry.internal_transaction_id, order["id"].to_string());
    assert_eq!((&*entry.amount, &*entry.currency), ("1500.50", "rub"));
    assert_eq!((&*entry.destination, entry.paid), (CARD, true));
}

#[tokio::test]
async fn an_accepted_order_stands_in_the_file_before_it_is_answered() {
    let stage = stage(still()).await;
    let order = stage.create("7001", "500").await;
    let file = std::fs::read_to_string(stage.dir.path().join("exchanger.ndjson")).unwrap();
    assert!(file.ends_with('\n') && file.contains("\"7001\""), "{file}");
    stage.act("pay_bid", &order).await;
    let crashed = stage.copy(still()).await;
    assert_eq!(crashed.status(&order).await, "payed");
    assert_eq!(crashed.list(&[("api_id", "7001")]).await[0]["status"], "payed");
}

#[tokio::test]
async fn an_order_that_nobody_funds_stays_new() {
    let stage = stage(quick()).await;
    let (unfunded, funded) = (stage.create("1", "500").await, stage.create("2", "500").await);
    stage.act("pay_bid", &funded).await;
    eventually("the other is paid out", || stage.counters().paid == 1).await;
    assert_eq!(stage.sandbox.settle_now(), 0);
    assert_eq!(stage.status(&unfunded).await, "new");
    assert_eq!(stage.counters().pending, 1);
}

#[tokio::test]
async fn where_a_module_sees_the_money_nobody_can_say_that_it_was_paid() {
    let stage = stage(still()).await;
    let wallet = "0x52908400098527886E0F7030069857D2E4169EE7";
    let form = [
        ("direction_id", "3"),
        ("calc_amount", "25.5"),
        ("calc_action", "2"),
        ("account2", wallet),
    ];
    let order = stage.ask("create_bid", &form).await["data"].clone();
    assert!(text(&order["api_actions"]["pay"]).starts_with("http://"), "{order}");
    assert!(!text(&order["api_actions"]["address"]).is_empty());
    let refused = stage.act("pay_bid", &order).await;
    assert_eq!((&refused["error"], &refused["data"]), (&json!(2), &json!([])));
    assert_eq!(stage.status(&order).await, "new");

    let funded = stage.fund(&order).await;
    assert_eq!(funded.json()["status"], "payed");
    assert_eq!(stage.sandbox.settle_now(), 1);
    assert_eq!(stage.status(&order).await, "success");
    assert_eq!(stage.control("fund", &json!({ "id": 1 })).await.status, 404);
    assert_eq!(stage.control("fund", &json!({})).await.status, 400);
    assert_eq!(stage.control("nothing", &json!({})).await.status, 404);
}

#[tokio::test]
async fn an_act_that_was_done_before_changes_nothing_and_one_that_cannot_be_is_refused() {
    let stage = stage(still()).await;
    let (paid, given_up) = (stage.create("1", "500").await, stage.create("2", "500").await);
    for _ in 0..2 {
        assert_eq!(stage.act("pay_bid", &paid).await["data"]["status"], "payed");
        assert_eq!(stage.act("cancel_bid", &given_up).await["data"]["status"], "cancel");
    }
    assert_eq!(stage.act("cancel_bid", &paid).await["error"], 2);
    assert_eq!(stage.act("pay_bid", &given_up).await["error"], 2);
    let nobody = json!({ "hash": "0123456789abcdef0123456700000000" });
    for method in ["pay_bid", "cancel_bid", "success_bid"] {
        let answer = stage.act(method, &nobody).await;
        assert_eq!(
            (&answer["error"], &answer["error_text"]),
            (&json!(1), &json!("No bid exists")),
            "{method}"
        );
    }
    let history = stage.list(&[("api_id", "1"), ("status_history", "1")]).await;
    assert_eq!(history[0]["statuses"].as_array().unwrap().len(), 2, "new, payed");
    assert_eq!(stage.sandbox.ledger().len(), 2);
}

#[tokio::test]
async fn an_administrator_completes_even_what_was_cancelled() {
    let stage = stage(still()).await;
    let order = stage.create("1", "500").await;
    stage.act("cancel_bid", &order).await;
    assert!(!stage.sandbox.ledger()[0].paid);
    assert_eq!(stage.act("success_bid", &order).await["data"]["status"], "success");
    assert!(stage.sandbox.ledger()[0].paid);
    assert_eq!(stage.act("cancel_bid", &order).await["error"], 2);
}

#[tokio::test]
async fn a_numeric_api_id_is_unique_and_another_is_not() {
    let stage = stage(still()).await;
    stage.create("70", "500").await;
    for again in ["70", "0070"] {
        let answer = stage.try_create(again, "500", "").await;
        assert!(text(&answer["error_text"]).contains("not unique"), "{again}: {answer}");
        assert_eq!(answer["data"], json!([]));
    }
    assert_eq!((stage.counters().accepted, stage.counters().duplicates), (1, 0));
    for twice in ["order-1", "order-1", "0", "0", "", ""] {
        stage.create(twice, "500").await;
    }
    let counters = stage.counters();
    assert_eq!((counters.accepted, counters.duplicates), (7, 2), "order-1 and 0");
    assert_eq!(counters.create, 9);
    let stage = stage.restart(still()).await;
    assert_eq!(stage.counters().duplicates, 2);
    assert_ne!(stage.try_create("70", "500", "").await["error"], "0", "known after a restart");
}

#[tokio::test]
async fn money_for_an_order_that_has_it_already_is_a_second_entry() {
    let stage = stage(still()).await;
    let order = stage.create("1", "500").await;
    stage.fund(&order).await;
    assert_eq!(stage.counters().duplicates, 0);
    assert_eq!(stage.fund(&order).await.json()["status"], "payed");
    let ids: Vec<String> = stage.sandbox.ledger().into_iter().map(|entry| entry.order_id).collect();
    assert_eq!(ids, ["1", "1"]);
    assert_eq!((stage.counters().accepted, stage.counters().duplicates), (2, 1));
    let stage = stage.restart(still()).await;
    assert_eq!((stage.counters().accepted, stage.counters().duplicates), (2, 1));
}

#[tokio::test]
async fn what_is_wrong_with_an_order_is_told_field_by_field_in_html() {
    let stage = stage(still()).await;
    for (name, value, field, words) in [
        ("calc_amount", "99.99", "sum2", "min.: <span class=\"js_amount\">100</span> RUB"),
        ("calc_amount", "300000.01", "sum2", "300000</span> RUB"),
        ("calc_amount", "", "sum2", "not a number"),
        ("calc_action", "9", "calc_action", "must be"),
        ("account2", "", "account2", "must be filled in"),
        ("account2", "<script>", "account2", "wrongly"),
        ("cf6", "", "cf6", "must be filled in"),
        ("callback_url", "https://example.com/", "callback_url", "http URL"),
        ("api_id", &"1".repeat(101), "api_id", "100 characters"),
    ] {
        let mut form = create_form("1", "500", "").to_vec();
        form.push((name, value));
        let answer = stage.ask("create_bid", &form).await;
        assert_eq!((&answer["error"], &answer["data"]), (&json!("3"), &json!([])), "{name}");
        let fields = answer["error_fields"].as_object().unwrap();
        assert_eq!(fields.len(), 1, "{answer}");
        assert!(text(&fields[field]).contains(words), "{answer}");
    }
    let mut closed = create_form("1", "500", "").to_vec();
    closed.push(("direction_id", "4"));
    assert_eq!(stage.ask("create_bid", &closed).await["error_text"], "Direction not found");
    assert_eq!((stage.counters().create, stage.counters().accepted), (10, 0));
}

#[tokio::test]
async fn the_cents_choose_the_outcome() {
    let stage = stage(quick()).await;
    let refused = stage.try_create("93", "500.93", "").await;
    assert_eq!(refused["error"], "3");
    assert!(refused["error_fields"]["account2"].is_string());
    let put_off = stage.try_create("94", "500.94", "").await;
    assert_eq!((&put_off["error"], &put_off["error_text"]), (&json!("2"), &json!("Maintenance")));
    let strange = stage.try_create("95", "500.95", "").await;
    assert_eq!(strange["error"], "7");
    assert_eq!(stage.counters().accepted, 0);

    let taken = stage.create("94", "500.94").await;
    let unfunded = stage.create("91", "500.91").await;
    let never = stage.create("96", "500.96").await;
    for order in [&taken, &never] {
        stage.act("pay_bid", order).await;
    }
    eventually("only the last is open", || stage.counters().pending == 1).await;
    assert_eq!(stage.sandbox.settle_now(), 0);
    let statuses =
        [stage.status(&taken).await, stage.status(&unfunded).await, stage.status(&never).await];
    assert_eq!(statuses, ["success", "cancel", "payed"]);

    let stage = stage.restart(ExchangerConfig { magic: false, ..quick() }).await;
    stage.create("931", "500.93").await;
}

#[tokio::test]
async fn an_order_that_the_site_gives_up_is_cancelled_although_it_was_funded() {
    let stage = stage(still()).await;
    let order = stage.create("91", "500.91").await;
    stage.act("pay_bid", &order).await;
    assert_eq!(stage.sandbox.settle_now(), 1);
    assert_eq!(stage.status(&order).await, "cancel");
    assert!(!stage.sandbox.ledger()[0].paid);
}
