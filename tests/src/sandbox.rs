//! The provider: the sandbox as a process of its own, asked through its control API what it was
//! called with and what it paid. Its ledger is what every test is judged by.

use crate::binaries::binary;
use crate::http;
use crate::process::Process;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What signs creates, unless a test says otherwise.
pub const SIGN_KEY: &str = "sandbox-sign-key";
/// What look-ups are authorised by.
pub const API_KEY: &str = "sandbox-api-key";

/// A running sandbox.
#[derive(Debug)]
pub struct Sandbox {
    _process: Option<Process>,
    url: String,
}

/// Counts since the start; those of the ledger since ever.
#[derive(Clone, Debug, Deserialize)]
pub struct Counters {
    /// Create calls, whatever they were answered.
    pub create: u64,
    /// Look-ups.
    pub status: u64,
    /// Genuine callbacks sent.
    pub callbacks_sent: u64,
    /// Forged callbacks sent.
    pub forged_sent: u64,
    /// Calls answered 429.
    pub too_many_requests: u64,
    /// The most creates in any sliding second.
    pub max_per_second: u64,
    /// Creates accepted.
    pub accepted: u64,
    /// Payouts made.
    pub paid: u64,
    /// Payouts that are not final.
    pub pending: u64,
    /// Order ids accepted more than once: double pays.
    pub duplicates: u64,
    /// How often each fault struck.
    pub faults: BTreeMap<String, u64>,
}

/// An accepted create.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    /// Our provider reference.
    pub order_id: String,
    /// The provider's own id.
    pub internal_transaction_id: String,
    /// Two decimals.
    pub amount: String,
    /// Lower case.
    pub currency: String,
    /// The card or account that was paid.
    pub destination: String,
    /// Did money move?
    pub paid: bool,
    /// When it was accepted, in milliseconds since 1970.
    pub created_ms: u64,
}

impl Sandbox {
    /// Starts one on a free port; it keeps its ledger in `data`.
    pub fn start(data: &Path, more: &[&str]) -> Sandbox {
        let mut command = Command::new(binary("sandbox"));
        command.arg("--data").arg(data).args(more);
        let mut process = Process::start("sandbox", &mut command);
        let line = process.wait_for_line("listening on ", Duration::from_secs(20));
        let (_, url) = line.split_once("listening on ").expect("its address");
        Sandbox { url: url.trim().to_owned(), _process: Some(process) }
    }

    /// The one that `worker up` carries in itself.
    pub fn inside(merchant_url: &str) -> Sandbox {
        let url = merchant_url.strip_suffix("/merchant").expect("a merchant's URL");
        Sandbox { url: url.to_owned(), _process: None }
    }

    /// The `base_url` of a lane.
    pub fn merchant_url(&self) -> String {
        format!("{}/merchant", self.url)
    }

    /// All counts at this moment.
    pub fn counters(&self) -> Counters {
        serde_json::from_str(&self.control("GET", "counters", "")).expect("counters")
    }

    /// All that it accepted, oldest first.
    pub fn ledger(&self) -> Vec<Entry> {
        let lines = self.control("GET", "ledger", "");
        lines.lines().map(|line| serde_json::from_str(line).expect("an entry")).collect()
    }

    /// Turns the dial; what is not named stays.
    pub fn dial(&self, change: &Value) {
        self.control("PUT", "dial", &change.to_string());
    }

    /// Of a thousand calls, so many are struck by `fault`.
    pub fn fault(&self, fault: &str, per_mille: u16) {
        self.dial(&serde_json::json!({ "faults": { fault: { "per_mille": per_mille } } }));
    }

    /// Every answer waits so long.
    pub fn latency_ms(&self, latency_ms: u64) {
        self.dial(&serde_json::json!({ "latency_ms": latency_ms }));
    }

    /// No faults any more.
    pub fn calm(&self) {
        self.control("DELETE", "dial", "");
    }

    fn control(&self, verb: &str, what: &str, body: &str) -> String {
        let url = format!("{}/sandbox/{what}", self.url);
        let answer = http::call(verb, &url, body).expect("the sandbox answers");
        assert_eq!(answer.status, 200, "{verb} {url}: {}", answer.body);
        answer.body
    }
}
