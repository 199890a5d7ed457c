//! A client of Capitalist that shares nothing with the sandbox but the wire.

use std::io;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use sandbox::{CapitalistConfig, CountersSnapshot, Dial, LedgerEntry, Sandbox, SandboxConfig};
use serde_json::Value;
use tempfile::TempDir;

use super::{Answer, call};

pub const CARD: &str = "4111111111111111";

/// An account whose records settle almost at once.
pub fn quick() -> CapitalistConfig {
    CapitalistConfig { settle_after_ms: 10, ..CapitalistConfig::default() }
}

/// An account whose records settle when the test says so.
pub fn never() -> CapitalistConfig {
    CapitalistConfig { settle_after_ms: 3_600_000, ..CapitalistConfig::default() }
}

/// A record in order.
pub fn card(number: &str, amount: &str) -> String {
    format!("RUCARD;{CARD};{amount};RUR;{number};pay out;Ivan;Ivanov")
}

/// A running sandbox and its client.
pub struct Office {
    pub sandbox: Sandbox,
    dir: PathBuf,
    _own: Option<TempDir>,
}

pub async fn office(config: CapitalistConfig) -> Office {
    let own = tempfile::tempdir().expect("a directory");
    let office = Office::start(own.path(), config).await;
    Office { _own: Some(own), ..office }
}

impl Office {
    pub async fn start(dir: &Path, capitalist: CapitalistConfig) -> Self {
        let config = SandboxConfig { capitalist, ..SandboxConfig::new(dir) };
        let sandbox = Sandbox::start(config).await.expect("the sandbox starts");
        Self { sandbox, dir: dir.to_owned(), _own: None }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn url(&self) -> String {
        format!("{}/capitalist/", self.sandbox.url())
    }

    pub fn dial(&self) -> &Dial {
        self.sandbox.dial_of("capitalist").expect("its dial")
    }

    pub fn counters(&self) -> CountersSnapshot {
        self.sandbox.counters_of("capitalist").expect("its counters")
    }

    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.sandbox.ledger()
    }

    pub async fn try_call(&self, header: &str, fields: &[(&str, &str)]) -> io::Result<Answer> {
        let body: String =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers = format!("{header}Content-Type: application/x-www-form-urlencoded\r\n");
        call("POST", &self.url(), &headers, &body).await
    }

    pub async fn call(&self, header: &str, fields: &[(&str, &str)]) -> Answer {
        self.try_call(header, fields).await.expect("an answer")
    }

    pub async fn json(&self, fields: &[(&str, &str)]) -> Value {
        self.call("x-response-format: json\r\n", fields).await.json()
    }

    /// An operation by the plain password, as it comes: resets and silence too.
    pub async fn try_ask(&self, operation: &str, fields: &[(&str, &str)]) -> io::Result<Answer> {
        self.try_call("x-response-format: json\r\n", &signed_in(operation, fields)).await
    }

    pub async fn ask(&self, operation: &str, fields: &[(&str, &str)]) -> Value {
        self.try_ask(operation, fields).await.expect("an answer").json()
    }

    pub async fn csv(&self, operation: &str, fields: &[(&str, &str)]) -> Answer {
        self.call("", &signed_in(operation, fields)).await
    }

    pub async fn try_import(&self, batch: &str) -> io::Result<Answer> {
        let pin = hex::encode(Md5::digest("sandbox-pin"));
        self.try_ask("import_batch_advanced", &batch_fields(batch, "PIN", &pin)).await
    }

    pub async fn import(&self, batch: &str) -> Value {
        self.try_import(batch).await.expect("an answer").json()
    }

    pub async fn import_as(&self, batch: &str, kind: &str, data: &str) -> Value {
        self.ask("import_batch_advanced", &batch_fields(batch, kind, data)).await
    }

    pub async fn page(&self, id: &str, size: usize, offset: usize) -> Value {
        let (size, offset) = (size.to_string(), offset.to_string());
        let fields = [("batch_id", id), ("page_size", &size), ("start_offset", &offset)];
        self.ask("get_batch_info", &fields).await
    }

    pub async fn search(&self, number: &str, begin: &str, end: &str) -> Value {
        let fields = [("customNumber", number), ("beginDate", begin), ("endDate", end)];
        self.ask("documents_search", &fields).await
    }

    pub async fn order_code(&self, order: &Value) -> Answer {
        let url = format!("{}/sandbox/capitalist/next_code", self.sandbox.url());
        call("PUT", &url, "", &order.to_string()).await.expect("an answer")
    }
}

fn signed_in<'a>(operation: &'a str, fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let who = [("login", "sandbox"), ("plain_password", "sandbox-password")];
    [("operation", operation)].iter().chain(&who).chain(fields).copied().collect()
}

fn batch_fields<'a>(batch: &'a str, kind: &'a str, data: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("account_RUR", "R0000001"),
        ("batch", batch),
        ("verification_type", kind),
        ("verification_data", data),
    ]
}

/// The records of a page.
pub fn records(page: &Value) -> &[Value] {
    page["data"]["records"].as_array().expect("records")
}

/// What a search found.
pub fn documents(found: &Value) -> &[Value] {
    found["data"]["documents"].as_array().expect("documents")
}
