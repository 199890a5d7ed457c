//! The account call: what is asked, and what people are shown of the answer.

use super::*;
use crate::api::Sheet;
use crate::testing::{Nobody, Scripted, say};

const ACCOUNT: &str = r#"{"ok": true, "balance": "10.5000", "hold": 1, "available": "9.5000",
    "payment_methods": [
        {"currency": "rub", "statuses": {"card": true, "iban": false, "sbp": "maintenance"}},
        {"currency": "usd", "statuses": {"card": "false"}},
        {"currency": "eur", "statuses": null}]}"#;

async fn show(adapter: &Merchant, name: &str) -> Result<Sheet, String> {
    adapter.desk().unwrap().ask(name, &Default::default()).await
}

fn rows<const N: usize>(rows: &[[&str; N]]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect()
}

#[tokio::test]
async fn each_question_is_one_account_call_with_the_key() {
    let server = Scripted::start(say(200, ACCOUNT)).await;
    let adapter = adapter_at(&server.base(), "");
    let balance = show(&adapter, "balance").await.unwrap();
    let lines =
        [["balance", "10.5000", "USDT"], ["hold", "1", "USDT"], ["available", "9.5000", "USDT"]];
    assert_eq!(balance.columns, ["name", "amount", "currency"]);
    assert_eq!(balance.rows, rows(&lines));
    let methods = show(&adapter, "methods").await.unwrap();
    let lines = [
        ["rub", "card", "on"],
        ["rub", "iban", "off"],
        ["rub", "sbp", "maintenance"],
        ["usd", "card", "off"],
    ];
    assert_eq!(methods.columns, ["currency", "method", "status"]);
    assert_eq!(methods.rows, rows(&lines));
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        let line = "GET /merchant/api/merchant/sandbox/status/ HTTP/1.1\r\n";
        assert!(request.starts_with(line), "{request}");
        let key = format!("x-api-key: {}\r\n", sandbox::API_KEY);
        assert!(request.to_ascii_lowercase().contains(&key), "{request}");
    }
}

#[tokio::test]
async fn an_account_call_that_fails_is_told_without_the_key() {
    let body = format!(r#"{{"ok": false, "error": "invalid {}"}}"#, sandbox::API_KEY);
    let server = Scripted::start(say(401, &body)).await;
    let nobody = Nobody::new();
    for name in ["balance", "methods"] {
        let error = show(&adapter_at(&server.base(), ""), name).await.unwrap_err();
        assert!(error.starts_with("HTTP 401") && error.contains("invalid"), "{error}");
        assert!(!error.contains(sandbox::API_KEY), "{error}");
        assert!(show(&adapter_at(&nobody.base(), ""), name).await.is_err());
    }
}

#[test]
fn balances_are_shown_as_written() {
    let read = |status, body: &str| adapter("").read_balance(&raw(status, body));
    let body = r#"{"ok": true, "balance": "10.5000", "hold": 1, "available": "9.5000",
        "payment_methods": [{"currency": "rub", "statuses": {"card": true}}]}"#;
    let line = |name: &str, amount: &str| [name, amount, "USDT"].map(str::to_owned).to_vec();
    assert_eq!(
        read(200, body).unwrap().rows,
        [line("balance", "10.5000"), line("hold", "1"), line("available", "9.5000")]
    );
    let large = r#"{"ok": true, "balance": "-123456789012.3400", "hold": "4276345439581234"}"#;
    assert_eq!(
        read(200, large).unwrap().rows,
        [line("balance", "-123456789012.3400"), line("hold", "4276…1234")]
    );
    for (status, body) in
        [(200, ""), (200, "{\"ok\":true}"), (401, "{\"ok\":false,\"error\":\"x\"}"), (500, body)]
    {
        assert!(read(status, body).is_err(), "{status} {body}");
    }
}
