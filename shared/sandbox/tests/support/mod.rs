//! A client and a receiver of callbacks that share nothing with the sandbox but the wire.
#![allow(dead_code, unused_imports, reason = "each test binary uses its own part of it")]

mod capay;
pub mod capitalist;
mod client;
mod receiver;
mod tls;

use std::path::Path;
use std::time::Duration;

use sandbox::{MerchantConfig, Sandbox, SandboxConfig};
use serde_json::{Value, json};

pub use capay::{Desk, calm, create_body as payout_body, sign};
pub use client::{Answer, call, get, post, post_json};
pub use receiver::{Callback, Receiver};
pub use tls::TlsClient;

/// Long enough on a loaded machine; tests wait for conditions, this only ends a failed one.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A gateway that settles almost at once and retries callbacks quickly.
pub fn quick() -> MerchantConfig {
    MerchantConfig {
        settle_after_ms: 5,
        callback_retry_ms: 20,
        callback_timeout_ms: 500,
        callback_connections: 8,
        ..MerchantConfig::default()
    }
}

pub async fn start(dir: &Path, merchant: MerchantConfig) -> Sandbox {
    let config = SandboxConfig { merchant, ..SandboxConfig::new(dir) };
    Sandbox::start(config).await.expect("the sandbox starts")
}

/// A create in order, with this amount.
pub fn create_body(order_id: &str, amount: &str, receiver: &Receiver) -> Value {
    let card = "4111111111111111";
    json!({
        "order_id": order_id,
        "payment_method": "card",
        "fiat_amount": amount,
        "fiat_currency": "rub",
        "timeout": 30,
        "number_card": card,
        "full_name": "Ivanov Ivan",
        "success_callback_url": receiver.url(&format!("success/{}", slug(order_id))),
        "error_callback_url": receiver.url(&format!("error/{}", slug(order_id))),
        "sign": sandbox::create_sign(order_id, amount, card, "rub", sandbox::SIGN_KEY),
    })
}

pub fn create_url(base: &str) -> String {
    format!("{base}/api/merchant/sandbox/create_pay_out/")
}

pub async fn create(sandbox: &Sandbox, order_id: &str, amount: &str, to: &Receiver) -> Answer {
    let url = create_url(&sandbox.merchant_base_url());
    post_json(&url, &create_body(order_id, amount, to)).await.expect("an answer")
}

pub async fn status(sandbox: &Sandbox, id: &str) -> Answer {
    let base = sandbox.merchant_base_url();
    let url = format!("{base}/api/merchant/sandbox/status_pay_out/{id}/");
    get(&url, sandbox::API_KEY).await.expect("an answer")
}

/// Waits until `is_so` holds.
pub async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !is_so() {
        assert!(std::time::Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The last word of an order id: what may stand in a URL.
fn slug(order_id: &str) -> &str {
    order_id.rsplit(' ').next().unwrap_or_default()
}
