//! The sections of the configuration, each with its units and defaults.
//!
//! - [`places`]: ledger, inbox, audit, results, http, worker, sandbox: where things are and how long they take
//! - [`lanes`]: accounts, and the routes that lead to them; [`ceilings`]: what they never exceed;
//!   [`brakes`]: when a batch stops by itself, and what may be spent in an hour and a day; [`hours`]:
//!   when they send
//! - [`profiles`]: what the columns of a file mean; [`currencies`]: codes beyond ISO 4217

pub mod brakes;
pub mod ceilings;
pub mod currencies;
pub mod hours;
pub mod lanes;
pub mod places;
pub mod profiles;

pub use brakes::BrakesConfig;
pub use ceilings::{Ceiling, CeilingsConfig};
pub use currencies::CurrencyConfig;
pub use hours::HoursConfig;
pub use lanes::{LaneConfig, Rate, RouteConfig};
pub use places::{
    AuditConfig, Engine, HttpConfig, InboxConfig, LedgerConfig, Listen, RedisUrl, ResultsConfig,
    SandboxConfig, WorkerConfig,
};
pub use profiles::{Canonical, ColumnSource, Delimiter, ProfileConfig};

use crate::Config;

impl Default for Config {
    fn default() -> Self {
        Config {
            ledger: LedgerConfig::default(),
            inbox: InboxConfig::default(),
            audit: AuditConfig::default(),
            results: ResultsConfig::default(),
            http: HttpConfig::default(),
            worker: WorkerConfig::default(),
            sandbox: SandboxConfig::default(),
            currencies: CurrencyConfig::default(),
            lanes: lanes::built_in(),
            routes: lanes::built_in_routes(),
            profiles: profiles::built_in(),
        }
    }
}
