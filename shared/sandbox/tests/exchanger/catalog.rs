//! Who may call, and what the site offers.

use crate::support::call;
use crate::*;

#[tokio::test]
async fn a_wrong_key_is_told_in_plain_text_that_the_api_is_disabled() {
    let stage = stage(still()).await;
    for (login, key) in
        [("other", EXCHANGER_API_KEY), (EXCHANGER_LOGIN, "other"), ("", EXCHANGER_API_KEY)]
    {
        let form = body(&create_form("1", "500", ""));
        let answer = call("POST", &stage.url("create_bid"), &headers(login, key), &form).await;
        let answer = answer.unwrap();
        assert_eq!((answer.status, &*answer.body), (200, "Api disabled"));
        assert!(!answer.head.contains("json"));
    }
    let counters = stage.counters();
    assert_eq!((counters.bad_api_keys, counters.create, counters.accepted), (3, 3, 0));
}

#[tokio::test]
async fn without_the_final_slash_a_call_is_sent_elsewhere_and_get_is_no_call() {
    let stage = stage(still()).await;
    let url = stage.url("create_bid");
    let headers = headers(EXCHANGER_LOGIN, EXCHANGER_API_KEY);
    let form = body(&create_form("1", "500", ""));
    let answer = call("POST", url.strip_suffix('/').unwrap(), &headers, &form).await.unwrap();
    assert_eq!(answer.status, 301);
    assert!(answer.head.contains(&format!("location: {url}").to_lowercase()), "{}", answer.head);
    assert_eq!(call("GET", &url, &headers, "").await.unwrap().status, 405);
    assert_eq!(stage.counters().accepted, 0);
}

#[tokio::test]
async fn a_body_that_is_no_form_has_no_parameters() {
    let stage = stage(still()).await;
    let json = "API-LOGIN: sandbox-login\r\nAPI-KEY: sandbox-api-key\r\n\
                Content-Type: application/json\r\n";
    let form = body(&create_form("1", "500", ""));
    let answer = call("POST", &stage.url("create_bid"), json, &form).await.unwrap();
    assert_eq!(answer.json()["error_text"], "Direction not found");
}

#[tokio::test]
async fn a_method_or_an_address_may_not_be_enabled_for_the_key() {
    let off = vec!["pay_bid".to_owned()];
    let stage = stage(ExchangerConfig { disabled_methods: off, ..still() }).await;
    for method in ["pay_bid", "no_such_method"] {
        let answer = stage.ask(method, &[]).await;
        assert_eq!((&answer["error"], &answer["data"]), (&json!(3), &json!([])));
        assert_eq!(answer["error_text"], "Method not supported");
    }
    assert_eq!(stage.ask("test", &[]).await["error"], 0);
    let blocked = ExchangerConfig { is_address_blocked: true, ..still() };
    let answer = stage.restart(blocked).await.ask("test", &[]).await;
    assert_eq!((&answer["error"], &answer["error_text"]), (&json!(2), &json!("IP blocked")));
}

#[tokio::test]
async fn test_tells_whose_key_it_is() {
    let stage = stage(still()).await;
    let answer = stage.ask("test", &[]).await;
    let expected = json!({ "ip": "127.0.0.1", "user_id": "7", "locale": "en_US", "partner_id": 3 });
    assert_eq!(answer["data"], expected);
    let headers = headers(EXCHANGER_LOGIN, EXCHANGER_API_KEY) + "API-LANG: ru_RU\r\n";
    let answer = call("POST", &stage.url("test"), &headers, "").await.unwrap().json();
    assert_eq!(answer["data"]["locale"], "ru_RU");
    let stage = stage.restart(ExchangerConfig { user_id: 0, ..still() }).await;
    assert_eq!(stage.ask("test", &[]).await["data"]["user_id"], "0");
}

#[tokio::test]
async fn directions_and_currencies_are_listed_without_the_closed_one_and_can_be_filtered() {
    let stage = stage(still()).await;
    let ids = |answer: &Value, list: &str, id: &str| -> Vec<String> {
        let items = if list.is_empty() { &answer["data"] } else { &answer["data"][list] };
        items.as_array().unwrap().iter().map(|item| item[id].to_string()).collect()
    };
    let all = stage.ask("get_directions", &[]).await;
    assert_eq!(ids(&all, "", "direction_id"), ["\"1\"", "\"2\"", "\"3\""]);
    assert_eq!(all["data"][1]["currency_get_title"], "SEPA EUR");
    let one = stage.ask("get_directions", &[("currency_id_get", "22")]).await;
    assert_eq!(ids(&one, "", "direction_id"), ["\"2\""]);
    let none = stage.ask("get_directions", &[("currency_id_give", "22")]).await;
    assert_eq!(none["data"], json!([]));
    let currencies = stage.ask("get_direction_currencies", &[]).await;
    assert_eq!(ids(&currencies, "give", "id"), ["11"]);
    assert_eq!(ids(&currencies, "get", "id"), ["21", "22", "23"]);
    let none = stage.ask("get_direction_currencies", &[("currency_id_get", "99")]).await;
    assert_eq!(none["data"], json!([]));
}

#[tokio::test]
async fn a_direction_tells_its_course_its_limits_and_its_fields() {
    let stage = stage(still()).await;
    let cards = stage.ask("get_direction", &[("direction_id", "1")]).await["data"].clone();
    for (name, expected) in [
        ("currency_code_give", "USDTTRC20"),
        ("currency_code_get", "RUB"),
        ("course_give", "1"),
        ("course_get", "100"),
        ("min_get", "100"),
        ("max_get", "300000"),
        ("min_give", "1"),
        ("max_give", "3000"),
    ] {
        assert_eq!(cards[name], expected, "{name}");
    }
    let fields = |list: &str| -> Vec<(String, String)> {
        let fields = cards[list].as_array().unwrap().iter();
        fields.map(|field| (text(&field["name"]).into(), text(&field["req"]).into())).collect()
    };
    assert_eq!(fields("give_fields"), []);
    assert_eq!(fields("get_fields"), [("account2".into(), "1".into())]);
    assert_eq!(fields("dir_fields"), [("cf1".into(), "0".into()), ("cf6".into(), "1".into())]);
    let iban = stage.ask("get_direction", &[("direction_id", "2")]).await["data"].clone();
    assert_eq!((&iban["max_get"], &iban["max_give"]), (&json!("no"), &json!("no")));
    for closed in ["4", "99", ""] {
        let answer = stage.ask("get_direction", &[("direction_id", closed)]).await;
        assert_eq!(
            (&answer["error"], &answer["error_text"], &answer["data"]),
            (&json!(1), &json!("Direction not found"), &json!([]))
        );
    }
}

#[tokio::test]
async fn the_calculator_says_when_an_amount_is_not_payable_as_asked() {
    let stage = stage(still()).await;
    for (direction, action, amount, give, get, changed) in [
        ("1", "2", "1500.50", "15.005", "1500.5", 0),
        ("1", "1", "15.005", "15.005", "1500.5", 0),
        ("2", "4", "100", "108", "100", 0),
        ("1", "2", "99.99", "1", "100", 1),
        ("1", "2", "300000.01", "3000", "300000", 1),
        ("1", "2", "100.005", "1.0001", "100.01", 1),
        ("2", "3", "1", "10.8", "10", 1),
    ] {
        let form = [("direction_id", direction), ("calc_action", action), ("calc_amount", amount)];
        let data = stage.ask("get_calc", &form).await["data"].clone();
        assert_eq!(
            (&data["sum_give"], &data["sum_get"], &data["changed"]),
            (&json!(give), &json!(get), &json!(changed)),
            "{amount} by {action} in {direction}"
        );
    }
    for wrong in [("calc_amount", "much"), ("calc_action", "5")] {
        let form = [("direction_id", "1"), ("calc_action", "2"), ("calc_amount", "500"), wrong];
        assert_eq!(stage.ask("get_calc", &form).await["data"], json!([]), "{wrong:?}");
    }
    let closed = [("direction_id", "4"), ("calc_action", "2"), ("calc_amount", "500")];
    assert_eq!(stage.ask("get_calc", &closed).await["error"], 1);
}
