//! One configuration type for both programs. What [`Config::load`] gives has been checked as a
//! whole: every route names a lane that exists, every profile maps columns that exist, and no
//! lease is shorter than the request that it guards (S7).
//!
//! Layers, each over the one before: defaults in code, a TOML file, the environment
//! (`PAYOUT__SECTION__KEY`), flags. Each layer is read on its own first, so that an error names
//! the file and line, the variable or the flag that it stands in. A key that nobody reads is an
//! error: a misspelt limit must not pass for a limit.
//!
//! - [`sections`]: the types, with their units and defaults
//! - [`layers`]: reading and merging
//! - [`check`]: what must hold between the parts
//! - [`open`]: the ledger that the config names; [`key_file`]: secret keys in files

pub mod check;
pub mod error;
pub mod key_file;
pub mod layers;
pub mod open;
pub mod sections;

pub use error::ConfigError;
pub use layers::Overrides;
pub use open::{OpenLedger, open, open_ledger};
pub use sections::{
    AuditConfig, BrakesConfig, Canonical, Ceiling, CeilingsConfig, ColumnSource, CurrencyConfig,
    Delimiter, Engine, HoursConfig, HttpConfig, InboxConfig, LaneConfig, LedgerConfig, Listen,
    ProfileConfig, Rate, RedisUrl, ResultsConfig, RouteConfig, SandboxConfig, WorkerConfig,
};

use domain::LaneName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that can be set. `config/default.toml` shows every key with its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the truth is kept.
    pub ledger: LedgerConfig,
    /// The folder that is watched for files.
    pub inbox: InboxConfig,
    /// The audit chains, and the key that signs them.
    pub audit: AuditConfig,
    /// What results show.
    pub results: ResultsConfig,
    /// Callbacks, health and metrics.
    pub http: HttpConfig,
    /// How a worker works.
    pub worker: WorkerConfig,
    /// The sandbox that `worker up` carries in itself.
    pub sandbox: SandboxConfig,
    /// Currencies beyond ISO 4217.
    pub currencies: CurrencyConfig,
    /// One account each.
    pub lanes: BTreeMap<LaneName, LaneConfig>,
    /// Which row goes to which lane; the first match wins.
    pub routes: Vec<RouteConfig>,
    /// Which column of a file means what.
    pub profiles: BTreeMap<String, ProfileConfig>,
}
