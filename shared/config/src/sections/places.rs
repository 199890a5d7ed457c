//! Where things are, and how long they take. Durations are whole milliseconds.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Which ledger engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// One file on this machine.
    #[default]
    Sqlite,
    /// A server, for a pool of machines.
    Redis,
}

/// Where the truth is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LedgerConfig {
    /// The engine; it says which of the other keys count.
    pub engine: Engine,
    /// SQLite: the file.
    pub path: PathBuf,
    /// Redis: the server.
    pub url: RedisUrl,
    /// Redis: every key begins with it.
    pub prefix: String,
    /// The key that rows are encrypted with (S24); made with mode 0600 if missing.
    pub key_file: PathBuf,
    /// Days after intake when the rows of a batch that is over are destroyed; 0 keeps them.
    pub keep_rows_days: u32,
}

impl Default for LedgerConfig {
    fn default() -> Self {
        LedgerConfig {
            engine: Engine::Sqlite,
            path: "./data/ledger.sqlite".into(),
            url: RedisUrl("redis://127.0.0.1:6379".to_owned()),
            prefix: "payout".to_owned(),
            key_file: "./data/ledger.key".into(),
            keep_rows_days: 0,
        }
    }
}

/// A Redis URL. It may hold a password and so prints without what stands before the `@`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedisUrl(pub String);

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.rsplit_once('@') {
            Some((_, host)) => write!(f, "redis://…@{host}"),
            None => f.write_str(&self.0),
        }
    }
}

/// The folder that is watched for files; `processing/`, `done/` and `failed/` lie inside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InboxConfig {
    /// The folder.
    pub dir: PathBuf,
    /// A file is at rest when its size and time of change stood still this long.
    pub rest_ms: u64,
}

impl Default for InboxConfig {
    fn default() -> Self {
        InboxConfig { dir: "./inbox".into(), rest_ms: 300 }
    }
}

/// The audit chains (S20).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// The key that chains and results are signed with; made with mode 0600 if missing. Machines
    /// of a pool may share one or have one each.
    pub key_file: PathBuf,
}

impl Default for AuditConfig {
    fn default() -> Self {
        AuditConfig { key_file: "./data/audit.key".into() }
    }
}

/// What result files show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResultsConfig {
    /// Whole destinations instead of masked ones (S24).
    pub unmask: bool,
}

/// Callbacks, health and metrics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Where to listen, or `off`.
    pub listen: Listen,
    /// The address that providers call back.
    pub public_url: String,
    /// The key that callback URLs are authenticated with; made with mode 0600 if missing.
    pub callback_key_file: PathBuf,
}

impl Default for HttpConfig {
    fn default() -> Self {
        HttpConfig {
            listen: Listen::At(SocketAddr::from(([127, 0, 0, 1], 8484))),
            public_url: "http://127.0.0.1:8484".to_owned(),
            callback_key_file: "./data/callback.key".into(),
        }
    }
}

/// An address to listen on, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Listen {
    /// Nothing listens.
    Off,
    /// Here.
    At(SocketAddr),
}

impl TryFrom<String> for Listen {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text == "off" {
            return Ok(Listen::Off);
        }
        text.parse().map(Listen::At).map_err(|_| {
            format!(
                "\"{text}\" is not an address to listen on; write \"127.0.0.1:8484\" or \"off\""
            )
        })
    }
}

impl From<Listen> for String {
    fn from(listen: Listen) -> String {
        match listen {
            Listen::Off => "off".to_owned(),
            Listen::At(address) => address.to_string(),
        }
    }
}

/// How a worker works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerConfig {
    /// Chunks that one process works on at once, per lane.
    pub chunks_at_once: u16,
    /// How long a chunk stays ours without renewal. Renewed after every third of it.
    pub lease_ms: u64,
    /// How long a stopping worker waits for what is under way.
    pub stop_within_ms: u64,
    /// Where a worker keeps who it is and what it was about to send (S12, S18); never where a
    /// copy of the ledger would carry it along.
    pub state: PathBuf,
    /// How many days that is kept: a ledger that was lost for longer cannot be compared with it.
    pub journal_days: u16,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        WorkerConfig {
            chunks_at_once: 4,
            lease_ms: 60_000,
            stop_within_ms: 10_000,
            state: "./state/worker".into(),
            journal_days: 30,
        }
    }
}

/// The sandbox that `worker up` carries in itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxConfig {
    /// Where it keeps what it was asked to pay.
    pub data: PathBuf,
    /// How long it takes to settle a payout.
    pub settle_after_ms: u64,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        SandboxConfig { data: "./data/sandbox".into(), settle_after_ms: 300 }
    }
}
