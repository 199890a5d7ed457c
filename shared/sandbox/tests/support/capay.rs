//! A client of Capay that has its certificate and its token, and the sandbox it talks to.

use std::io;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sandbox::{
    CAPAY_API_KEY, CAPAY_API_USER, CAPAY_WEBHOOK_SECRET, CapayConfig, Dial, Sandbox, SandboxConfig,
};
use serde_json::{Value, json};
use sha2::Sha256;

use super::client::Answer;
use super::receiver::Receiver;
use super::tls::TlsClient;

/// Payouts move when the test says so; webhooks are retried quickly.
pub fn calm() -> CapayConfig {
    CapayConfig {
        settle_after_ms: 3_600_000,
        callback_retry_ms: 20,
        callback_timeout_ms: 500,
        ..CapayConfig::default()
    }
}

/// What a test stands at.
pub struct Desk {
    pub sandbox: Sandbox,
    pub receiver: Receiver,
    pub client: TlsClient,
    pub token: String,
}

impl Desk {
    /// Everything in place: listener, webhook, token.
    pub async fn open(dir: &Path, capay: CapayConfig) -> Self {
        let receiver = Receiver::start().await;
        let desk = Self::reopen(dir, capay, receiver).await;
        desk.sandbox.set_capay_webhook(&desk.receiver.url("capay")).expect("a URL");
        desk
    }

    /// The same, but whatever webhook is registered stays.
    pub async fn reopen(dir: &Path, capay: CapayConfig, receiver: Receiver) -> Self {
        let config = SandboxConfig { capay, ..SandboxConfig::new(dir) };
        let sandbox = Sandbox::start(config).await.expect("the sandbox starts");
        let client = TlsClient::new(&sandbox.tls().expect("a listener"));
        let mut desk = Self { sandbox, receiver, client, token: String::new() };
        desk.token = desk.log_in().await;
        desk
    }

    pub fn dial(&self) -> &Dial {
        self.sandbox.dial_of("capay").expect("a dial")
    }

    pub async fn log_in(&self) -> String {
        let answer = self.ask_token(CAPAY_API_USER, CAPAY_API_KEY).await;
        answer.json()["accessToken"].as_str().expect("a token").to_owned()
    }

    pub async fn ask_token(&self, user: &str, key: &str) -> Answer {
        let body = json!({ "apiUser": user, "apiKey": key }).to_string();
        let json = "Content-Type: application/json\r\n";
        self.client.call("POST", "/capay/auth/token", json, &body).await.expect("an answer")
    }

    /// An authorized call; `path` is what follows `/capay`.
    pub async fn call(&self, verb: &str, path: &str, body: &Value) -> io::Result<Answer> {
        self.call_with("", verb, path, body).await
    }

    pub async fn call_with(
        &self,
        headers: &str,
        verb: &str,
        path: &str,
        body: &Value,
    ) -> io::Result<Answer> {
        let token = &self.token;
        let headers =
            format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n{headers}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.client.call(verb, &format!("/capay{path}"), &headers, &body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &Value::Null).await.expect("an answer")
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, body).await.expect("an answer")
    }

    /// A create in order.
    pub async fn create(&self, reference: &str, amount: &str) -> Answer {
        self.post("/transactions/payouts", &create_body(reference, amount)).await
    }

    pub async fn list(&self, query: &str) -> Answer {
        self.get(&format!("/transactions/payouts?{query}")).await
    }

    /// What the webhooks told so far, oldest first.
    pub fn told(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let seen = self.receiver.seen();
        seen.iter()
            .map(|seen| (text(&seen.body["reference"]), text(&seen.body["status"])))
            .collect()
    }
}

pub fn create_body(reference: &str, amount: &str) -> Value {
    json!({
        "reference": reference,
        "amount": amount,
        "currency": "EUR",
        "beneficiary": { "name": "Anna", "type": "iban", "account": "DE89370400440532013000" },
    })
}

/// What a webhook's header must say.
pub fn sign(raw: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(CAPAY_WEBHOOK_SECRET.as_bytes()).expect("a key");
    mac.update(raw);
    hex::encode(mac.finalize().into_bytes())
}
