//! Every field of the document's answers that a person may ask for is shown, under its own name.

use super::site::Given;
use super::*;

/// The parts of an answer: `name` is a value, `items.name` one in a list, `*` stands for its place.
type Fields = &'static [&'static str];

const SIDES: [&str; 2] = ["give", "get"];
const CURRENCY: Fields = &["id", "title", "logo"];
const FIELD: Fields = &["name", "type", "label", "req", "tooltip", "options", "cd"];

/// A field's value says where it stands.
fn object(fields: &[&str]) -> Value {
    fields.iter().map(|name| ((*name).to_owned(), json!(format!("the {name}")))).collect()
}

fn with(mut object: Value, more: Value) -> Value {
    let more = more.as_object().unwrap().clone();
    object.as_object_mut().unwrap().extend(more);
    object
}

async fn shown(question: &str, given: &[(&str, &str)], data: Value) -> crate::api::Sheet {
    let site = Site::start(move |_, _| done(data.clone())).await;
    let adapter = adapter_at(&site.base(), "");
    let given: Given = given.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    adapter.desk().unwrap().ask(question, &given).await.unwrap()
}

/// A list shows a column for each field, and its value in it.
async fn is_listed(question: &str, fields: Fields, data: Value) {
    let sheet = shown(question, &[], data).await;
    for name in fields {
        let at = sheet.columns.iter().position(|column| column == name);
        let at = at.unwrap_or_else(|| panic!("{question} does not show {name}"));
        let expected = match *name {
            // Masked, and a list within the list.
            "account" => domain::row::mask("the account"),
            "statuses" => "the date the status".to_owned(),
            name => format!("the {name}"),
        };
        assert_eq!(sheet.rows[0][at], expected, "{question}");
    }
}

/// A record shows a line for each field.
async fn is_told(question: &str, given: &[(&str, &str)], fields: Fields, data: Value) {
    let sheet = shown(question, given, data).await;
    for name in fields {
        let last = name.rsplit('.').next().unwrap();
        let line = vec![(*name).to_owned(), format!("the {last}")];
        assert!(sheet.rows.contains(&line), "{question} does not show {name}: {sheet:?}");
    }
}

#[tokio::test]
async fn lists_show_every_field_of_the_document() {
    let history = json!({ "statuses": [object(&["time", "date", "status"])] });
    let exchanges: Fields = &[
        "id",
        "api_id",
        "time",
        "date",
        "psys_give",
        "psys_get",
        "currency_code_give",
        "currency_code_get",
        "course_give",
        "course_get",
        "amount_give",
        "amount_get",
        "exchange_success",
        "user_hash",
        "user_ip",
        "status",
        "statuses",
    ];
    let item = with(object(exchanges), history.clone());
    is_listed("exchanges", exchanges, json!({ "items": [item] })).await;
    let partner: Fields = &[
        "id",
        "time",
        "date",
        "psys_give",
        "psys_get",
        "currency_code_give",
        "currency_code_get",
        "course_give",
        "course_get",
        "amount_give",
        "amount_get",
        "exchange_success",
        "accrued",
        "partner_reward",
        "user_hash",
        "user_ip",
        "status",
        "statuses",
    ];
    let item = with(object(partner), history);
    is_listed("partner-exchanges", partner, json!({ "items": [item] })).await;
    let links: Fields = &["time", "date", "browser", "ip", "referrer", "user_hash", "query_string"];
    is_listed("partner-links", links, json!({ "items": [object(links)] })).await;
    let payouts: Fields = &[
        "id",
        "time",
        "date",
        "method_id",
        "account",
        "pay_amount",
        "pay_currency_code",
        "original_amount",
        "original_currency_code",
        "status",
    ];
    is_listed("partner-payouts", payouts, json!({ "items": [object(payouts)] })).await;
    let directions: Fields = &[
        "direction_id",
        "currency_give_id",
        "currency_give_title",
        "currency_give_logo",
        "currency_get_id",
        "currency_get_title",
        "currency_get_logo",
    ];
    is_listed("directions", directions, json!([object(directions)])).await;
    let both = json!({ "give": [object(CURRENCY)], "get": [object(CURRENCY)] });
    let sheet = shown("currencies", &[], both).await;
    for (row, side) in sheet.rows.iter().zip(SIDES) {
        assert_eq!(row[..], [side, "the id", "the title", "the logo"]);
    }
}

#[tokio::test]
async fn records_show_every_field_of_the_document() {
    let test: Fields = &["ip", "user_id", "locale", "partner_id"];
    is_told("test", &[], test, object(test)).await;

    let calc: Fields = &[
        "currency_code_give",
        "currency_code_get",
        "reserve",
        "course_give",
        "course_get",
        "sum_give",
        "sum_give_com",
        "sum_get",
        "sum_get_com",
        "com_give",
        "com_get",
        "min_give",
        "max_give",
        "min_get",
        "max_get",
        "changed",
    ];
    is_told("calc", &[], calc, object(calc)).await;

    let direction: Fields = &[
        "id",
        "url",
        "currency_code_give",
        "currency_code_get",
        "reserve",
        "course_give",
        "course_get",
        "sum_give",
        "sum_give_com",
        "sum_get",
        "sum_get_com",
        "com_give",
        "com_get",
        "min_give",
        "max_give",
        "min_get",
        "max_get",
    ];
    let lists = ["give_fields", "get_fields", "dir_fields"];
    let mut data = object(direction);
    data["info"] = object(&["timeline_text", "frozen_text", "before_button_text"]);
    for list in lists {
        data[list] = json!([object(FIELD)]);
    }
    let id = [("direction_id", "1")];
    is_told("direction", &id, direction, data.clone()).await;
    let info: Fields = &["info.timeline_text", "info.frozen_text", "info.before_button_text"];
    is_told("direction", &id, info, data.clone()).await;
    let sheet = shown("direction", &id, data).await;
    for list in lists {
        for name in FIELD {
            let line = vec![format!("{list}.0.{name}"), format!("the {name}")];
            assert!(sheet.rows.contains(&line), "{line:?}");
        }
    }

    let bid: Fields = &[
        "url",
        "id",
        "hash",
        "status",
        "status_title",
        "psys_give",
        "psys_get",
        "currency_code_give",
        "currency_code_get",
        "amount_give",
        "amount_get",
    ];
    let mut data = object(bid);
    let actions: Fields = &["type", "cancel", "pay", "instruction", "pay_amount"];
    data["api_actions"] = object(actions);
    is_told("bid", &[("id", "7")], bid, data.clone()).await;
    let actions: Fields = &[
        "api_actions.type",
        "api_actions.cancel",
        "api_actions.pay",
        "api_actions.instruction",
        "api_actions.pay_amount",
    ];
    is_told("bid", &[("id", "7")], actions, data).await;

    let info: Fields = &["partner_id", "balance", "min_payout"];
    let way: Fields = &["id", "title", "commission", "amount"];
    let data = with(object(info), json!({ "items": [object(way)] }));
    is_told("partner-info", &[], info, data.clone()).await;
    let way: Fields = &["items.0.id", "items.0.title", "items.0.commission", "items.0.amount"];
    is_told("partner-info", &[], way, data).await;
}
