//! The exchange site over real HTTP: its methods, its orders, its lists, its callbacks, and what
//! the dial does to them.

#[path = "../support/mod.rs"]
mod support;

mod callbacks;
mod catalog;
mod faults;
mod lists;
mod orders;
mod partner;

use std::path::Path;

use sandbox::{
    CountersSnapshot, Dial, EXCHANGER_API_KEY, EXCHANGER_LOGIN, ExchangerConfig, Sandbox,
    SandboxConfig,
};
use serde_json::{Value, json};
use support::{Answer, call};
use tempfile::TempDir;

/// Long enough never to come within a test.
const NEVER: u64 = 3_600_000;
const CARD: &str = "4111111111111111";

/// A sandbox and the only key to its exchange site.
struct Stage {
    dir: TempDir,
    sandbox: Sandbox,
}

/// Settles almost at once and retries callbacks quickly.
fn quick() -> ExchangerConfig {
    ExchangerConfig {
        settle_after_ms: 5,
        callback_retry_ms: 20,
        callback_timeout_ms: 500,
        callback_connections: 4,
        ..ExchangerConfig::default()
    }
}

/// Settles when the test says so.
fn still() -> ExchangerConfig {
    ExchangerConfig { settle_after_ms: NEVER, ..quick() }
}

async fn start(dir: &Path, exchanger: ExchangerConfig) -> Sandbox {
    let config = SandboxConfig { exchanger, ..SandboxConfig::new(dir) };
    Sandbox::start(config).await.expect("the sandbox starts")
}

async fn stage(exchanger: ExchangerConfig) -> Stage {
    let dir = tempfile::tempdir().expect("a directory");
    let sandbox = start(dir.path(), exchanger).await;
    Stage { dir, sandbox }
}

impl Stage {
    /// The same data directory behind another process's port.
    async fn restart(self, exchanger: ExchangerConfig) -> Self {
        let Self { dir, sandbox } = self;
        sandbox.shutdown().await;
        let sandbox = start(dir.path(), exchanger).await;
        Self { dir, sandbox }
    }

    /// What a crash at this moment would leave, started again.
    async fn copy(&self, exchanger: ExchangerConfig) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        for file in ["id", "exchanger.ndjson"] {
            std::fs::copy(self.dir.path().join(file), dir.path().join(file)).expect("a copy");
        }
        let sandbox = start(dir.path(), exchanger).await;
        Self { dir, sandbox }
    }

    fn url(&self, method: &str) -> String {
        format!("{}/exchanger/api/userapi/v1/{method}/", self.sandbox.url())
    }

    /// One call as it is answered, whatever that is.
    async fn try_call(&self, method: &str, form: &[(&str, &str)]) -> std::io::Result<Answer> {
        call("POST", &self.url(method), &headers(EXCHANGER_LOGIN, EXCHANGER_API_KEY), &body(form))
            .await
    }

    /// One call that is answered in JSON.
    async fn ask(&self, method: &str, form: &[(&str, &str)]) -> Value {
        let answer = self.try_call(method, form).await.expect("an answer");
        assert_eq!(answer.status, 200, "{method}: {}", answer.body);
        let json = answer.json();
        assert!(json.is_object(), "{method}: {}", answer.body);
        json
    }

    /// Creates an order in direction 1; the whole envelope.
    async fn try_create(&self, api_id: &str, get: &str, callback_url: &str) -> Value {
        self.ask("create_bid", &create_form(api_id, get, callback_url)).await
    }

    /// The same; the order, which must have been accepted.
    async fn create(&self, api_id: &str, get: &str) -> Value {
        let answer = self.try_create(api_id, get, "").await;
        assert_eq!(answer["error"], "0", "{answer}");
        answer["data"].clone()
    }

    async fn act(&self, method: &str, order: &Value) -> Value {
        self.ask(method, &[("hash", text(&order["hash"]))]).await
    }

    async fn status(&self, order: &Value) -> String {
        let id = order["id"].to_string();
        text(&self.ask("bid_info", &[("id", &id)]).await["data"]["status"]).to_owned()
    }

    /// A list's lines; none where `items` is absent.
    async fn list(&self, form: &[(&str, &str)]) -> Vec<Value> {
        let answer = self.ask("get_exchanges", form).await;
        answer["data"]["items"].as_array().cloned().unwrap_or_default()
    }

    async fn control(&self, what: &str, body: &Value) -> Answer {
        let url = format!("{}/sandbox/exchanger/{what}", self.sandbox.url());
        call("POST", &url, "", &body.to_string()).await.expect("an answer")
    }

    async fn fund(&self, order: &Value) -> Answer {
        self.control("fund", &json!({ "id": order["id"] })).await
    }

    fn dial(&self) -> &Dial {
        self.sandbox.dial_of("exchanger").expect("the site's dial")
    }

    fn counters(&self) -> CountersSnapshot {
        self.sandbox.counters_of("exchanger").expect("the site's counters")
    }
}

fn headers(login: &str, key: &str) -> String {
    format!(
        "API-LOGIN: {login}\r\nAPI-KEY: {key}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n"
    )
}

fn body(form: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

/// An order in direction 1 by what is received.
fn create_form<'a>(
    api_id: &'a str,
    get: &'a str,
    callback_url: &'a str,
) -> [(&'a str, &'a str); 7] {
    [
        ("direction_id", "1"),
        ("calc_amount", get),
        ("calc_action", "2"),
        ("account2", CARD),
        ("cf6", "payee@example.com"),
        ("api_id", api_id),
        ("callback_url", callback_url),
    ]
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
