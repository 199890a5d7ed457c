//! Rows at intake: the lane's own rules, and those that the site tells of its directions.

use super::*;
use crate::api::RowProblem;

fn direction(change: impl Fn(&mut Value)) -> Value {
    let mut data = json!({
        "id": 1, "url": "x", "currency_code_give": "USDTTRC20", "currency_code_get": "RUB",
        "reserve": "1000", "min_give": "1", "max_give": "no", "min_get": "100", "max_get": "300000",
        "give_fields": [],
        "get_fields": { "account2": { "name": "account2", "type": "text", "label": "Card", "req": 1, "options": [], "cd": 0 } },
        "dir_fields": [
            { "name": "cf1", "type": "text", "label": "First name", "req": "0", "options": [], "cd": "0" },
            { "name": "cf6", "type": "text", "label": "<b>E-mail</b>", "req": "1", "options": [], "cd": "1" },
        ],
    });
    change(&mut data);
    data
}

/// A site with these directions, and an adapter that follows its rules.
async fn prepared(more: &str, change: impl Fn(&mut Value)) -> (Exchanger, Site) {
    let first = direction(change);
    let site = Site::start(move |method, given| match (method, given.get("direction_id")) {
        ("test", _) => done(json!({ "ip": "127.0.0.1", "user_id": "7" })),
        (_, Some(id)) if id == "1" => done(first.clone()),
        (_, Some(id)) if id == "2" => error(json!(1), "Direction not found"),
        (_, Some(id)) => done(json!({ "id": id, "min_get": "no", "give_fields": [] })),
        _ => panic!("{method}"),
    })
    .await;
    let adapter = fresh_adapter_at(&site.base(), more);
    let rules = adapter.prepare().unwrap().fetch().await.unwrap();
    adapter.prepare().unwrap().install(&rules).unwrap();
    (adapter, site)
}

fn told(problems: &[RowProblem]) -> Vec<(&str, &str)> {
    problems.iter().map(|problem| (problem.column, problem.text.as_str())).collect()
}

#[tokio::test]
async fn a_row_within_the_sites_rules_is_payable() {
    let (adapter, site) = prepared("", |_| {}).await;
    assert_eq!(adapter.validate(&card("A", "100.00").row), []);
    assert_eq!(adapter.validate(&card("A", "300000.00").row), []);
    assert_eq!(site.methods(), ["test", "get_direction", "get_direction", "get_direction"]);
}

#[tokio::test]
async fn every_rule_of_the_site_is_named_with_its_column() {
    let (adapter, _) = prepared("", |_| {}).await;
    let mut small = card("A", "99.99").row;
    Arc::make_mut(&mut small).fields.clear();
    assert_eq!(
        told(&adapter.validate(&small)),
        [
            ("amount", "direction 1 takes no less than 100 RUB"),
            ("email", "required by direction 1: cf6 (E-mail)"),
        ]
    );
    let large = adapter.validate(&card("A", "300000.01").row);
    assert_eq!(told(&large), [("amount", "direction 1 takes no more than 300000 RUB")]);
    let iban = testing::row("A", "20.00", "EUR", Method::Iban, "DE89370400440532013000");
    let closed = adapter.validate(&iban);
    assert!(closed[0].text.starts_with("direction 2 is closed: "), "{closed:?}");
}

#[tokio::test]
async fn the_given_side_has_limits_of_its_own() {
    let more = "calc_action = 3\ndirections = [{ id = 1, currency = \"USDT\", method = \"card\", \
                fields = { cf6 = \"email\" } }]";
    let (adapter, _) = prepared(more, |_| {}).await;
    let mut row = testing::row("A", "0.5", "USDT", Method::Card, "4111111111111111");
    row.fields.insert("email".into(), "a@b".into());
    let problems = adapter.validate(&row);
    assert_eq!(told(&problems), [("amount", "direction 1 takes no less than 1 USDT")]);
}

#[tokio::test]
async fn a_required_field_that_no_column_fills_names_the_setting() {
    let (adapter, _) = prepared("", |data| {
        data["dir_fields"][0]["name"] = json!("cf9");
        data["dir_fields"][0]["req"] = json!(1);
    })
    .await;
    let problems = adapter.validate(&card("A", "100.00").row);
    assert_eq!(problems[0].column, "method");
    assert!(problems[0].text.contains("fields = { cf9 = \"column\" }"), "{problems:?}");
}

#[tokio::test]
async fn a_select_takes_its_options_only() {
    for options in [json!({ "a@b.example": "Yes", "x": "No" }), json!(["a@b.example", "x"])] {
        let (adapter, _) = prepared("", move |data| {
            data["dir_fields"][1]["type"] = json!("select");
            data["dir_fields"][1]["options"] = options.clone();
        })
        .await;
        let mut row = card("A", "100.00").row;
        assert_eq!(adapter.validate(&row), []);
        Arc::make_mut(&mut row).fields.insert("email".into(), "other".into());
        let problems = adapter.validate(&row);
        assert_eq!(told(&problems), [("email", "the site takes one of: a@b.example, x")]);
    }
}

#[test]
fn without_the_sites_rules_the_lanes_own_are_checked() {
    let decimals =
        "directions = [{ id = 1, currency = \"USDT\", method = \"wallet\", decimals = 2 }]";
    let adapter = adapter(decimals);
    let row = |amount: &str| testing::row("A", amount, "USDT", Method::Wallet, "TXabcdefghij");
    assert_eq!(adapter.validate(&row("1.230000")), []);
    assert_eq!(
        told(&adapter.validate(&row("1.234"))),
        [("amount", "more than 2 decimals; the direction takes 2")]
    );
    let problems = adapter.validate(&card("A", "1.00").row);
    assert_eq!(
        told(&problems),
        [("method", "no direction of the lane pays this way; use one of wallet")]
    );
    let rub = testing::row("A", "1.00", "RUB", Method::Wallet, "TXabcdefghij");
    assert_eq!(
        told(&adapter.validate(&rub)),
        [("currency", "no direction of the lane pays it by wallet; use one of USDT")]
    );
}

#[tokio::test]
async fn a_direction_that_the_sites_rules_do_not_have_takes_no_row() {
    // The lane got another direction after its rules were fetched.
    let one = "directions = [{ id = 1, currency = \"RUB\", method = \"card\", \
               fields = { cf6 = \"email\" } }]";
    let (older, _site) = prepared(one, |_| {}).await;
    let rules = older.prepare().unwrap().fetch().await.unwrap();
    let adapter = adapter("");
    let wallet = testing::row("A", "1.00", "USDT", Method::Wallet, "TXabcdefghij");
    assert_eq!(adapter.validate(&wallet), [], "without any rules the create tells");
    adapter.prepare().unwrap().install(&rules).unwrap();
    assert_eq!(adapter.validate(&card("A", "100.00").row), []);
    assert_eq!(
        told(&adapter.validate(&wallet)),
        [(
            "method",
            "the site's rules were not fetched for direction 3; start a worker with the lane's \
             settings of now, or fetch them with `producer provider main rules`"
        )]
    );
}

#[tokio::test]
async fn a_key_of_the_system_user_is_refused() {
    for (user, words) in [(json!(0), "System"), (json!("0"), "System"), (json!(null), "whose")] {
        let site = Site::start(move |_, _| done(json!({ "user_id": user.clone() }))).await;
        let adapter = fresh_adapter_at(&site.base(), "");
        let error = adapter.prepare().unwrap().fetch().await.unwrap_err();
        assert!(error.contains(words), "{error}");
        assert_eq!(site.methods(), ["test"]);
    }
}

#[tokio::test]
async fn rules_that_cannot_be_fetched_or_read_change_nothing() {
    let site = Site::start(|method, _| match method {
        "test" => done(json!({ "user_id": 7 })),
        _ => done(json!({ "id": 99 })),
    })
    .await;
    let adapter = adapter_at(&site.base(), "");
    let prepare = adapter.prepare().unwrap();
    assert!(prepare.fetch().await.unwrap_err().contains("not about direction 1"));
    for bad in ["", "{}", "{\"version\":2,\"directions\":{}}"] {
        assert!(prepare.install(bad).is_err(), "{bad}");
    }
    assert!(adapter.rules().is_none());
}

#[tokio::test]
async fn an_order_in_another_direction_than_the_rules_know_is_not_ours() {
    let (adapter, _) = prepared("", |data| data["currency_code_give"] = json!("BTC")).await;
    let data = php::Php::parse(order(7, "new", "10").to_string().as_bytes()).unwrap();
    let order = wire::Order::read(&data, "expiry").unwrap();
    let doubt = adapter.check(&order, &card("A", "10.00")).unwrap_err();
    assert!(doubt.to_string().contains("another direction"), "{doubt}");
}

#[tokio::test]
async fn a_quote_carries_the_fields_that_a_course_depends_on_in_one_value() {
    let (adapter, _) = prepared("", |_| {}).await;
    let rules = adapter.rules().unwrap();
    let direction = &adapter.settings.directions[0];
    let cd = rules.of(1).unwrap().cd(direction, &card("A", "10.00").row);
    assert_eq!(cd.as_deref(), Some("cf6=a%40b.example"));
}
