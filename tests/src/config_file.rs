//! What one installation is told: the TOML file that both programs read.

use crate::provider::{Lane, Provider};
use crate::sandbox::Sandbox;
use std::fmt::Write;

/// Which ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file.
    Sqlite,
    /// A server of the test's own.
    Redis,
}

/// A request of 30 s and a minute to settle: the merchant gateway's own times.
const DOUBT_MS: u64 = 90_000;

/// What a test may choose. The waiting times are those of a provider that is quick in all, so
/// that what takes hours in production takes seconds here; their relations are the same.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which ledger.
    pub engine: Engine,
    /// The lanes; rows that name none go to the first.
    pub lanes: Vec<Lane>,
    /// The lane that what the first one refuses goes by.
    pub failover: Option<Provider>,
    /// Creates a second; 0 is no limit.
    pub rate_per_second: u32,
    /// Creates at once in the whole pool.
    pub in_flight: u16,
    /// Whether the lane begins with a single payout.
    pub canary: bool,
    /// How long after its intent a request may still begin.
    pub send_window_ms: u64,
    /// How long the provider may take until a look-up finds what it took.
    pub settling_ms: u64,
    /// From `accepted` without news to the first look-up.
    pub overdue_ms: u64,
    /// From `unknown` to review.
    pub unknown_give_up_ms: u64,
    /// From `submitted` without news to review.
    pub submitted_give_up_ms: u64,
    /// Until a request counts as unanswered.
    pub request_timeout_ms: u64,
    /// How long a worker that nobody hears of keeps its chunks.
    pub lease_ms: u64,
    /// No number above is told: pace, waiting times and leases are what the programs and the
    /// providers' dossiers say by themselves.
    pub own_defaults: bool,
    /// Further arguments of the sandbox.
    pub sandbox: Vec<&'static str>,
}

impl Settings {
    /// What most tests want.
    pub fn on(engine: Engine) -> Settings {
        Settings {
            engine,
            lanes: vec![Lane::of(Provider::Merchant)],
            failover: None,
            rate_per_second: 0,
            in_flight: 200,
            canary: true,
            send_window_ms: 1_000,
            settling_ms: 1_000,
            overdue_ms: 3_000,
            unknown_give_up_ms: 20_000,
            submitted_give_up_ms: 60_000,
            request_timeout_ms: 2_000,
            lease_ms: 5_000,
            own_defaults: false,
            sandbox: vec!["--no-magic", "--settle-after-ms", "100"],
        }
    }

    /// The same through other lanes.
    pub fn through(self, lanes: impl Into<Vec<Lane>>) -> Settings {
        Settings { lanes: lanes.into(), ..self }
    }

    /// From a create on until a look-up of it can be about an overdue callback, or a doubt that the
    /// provider does not see: the request was given up here, or its worker died.
    pub(crate) fn look_ups_after_ms(&self) -> u64 {
        if self.own_defaults {
            return DOUBT_MS;
        }
        let doubt_ms = self.request_timeout_ms + self.settling_ms;
        // Whoever takes over from the dead asks anew about what these were just told of.
        self.overdue_ms.min(doubt_ms).min(self.lease_ms * 2 / 3)
    }

    /// The file. Secrets are named, never written.
    pub(crate) fn toml(&self, redis_url: &str, sandbox: &Sandbox) -> String {
        let engine = match self.engine {
            Engine::Sqlite => "sqlite",
            Engine::Redis => "redis",
        };
        let mut text = format!(
            r#"
[ledger]
engine = "{engine}"
path = "data/ledger.sqlite"
url = "{redis_url}"
prefix = "test"
key_file = "data/ledger.key"

[inbox]
dir = "inbox"

[http]
callback_key_file = "data/callback.key"
"#
        );
        if !self.own_defaults {
            let _ = writeln!(text, "[worker]\nlease_ms = {}", self.lease_ms);
        }
        for lane in &self.lanes {
            text += &self.lane(lane, sandbox);
        }
        if let Some(lane) = self.lanes.first() {
            let _ = writeln!(text, "[[routes]]\nlane = \"{}\"", lane.provider.name());
            if let Some(failover) = self.failover {
                let _ = writeln!(text, "failover = \"{}\"", failover.name());
            }
        }
        text
    }

    fn lane(&self, lane: &Lane, sandbox: &Sandbox) -> String {
        let (name, own) = (lane.provider.name(), lane.provider.settings(sandbox));
        let numbers = if self.own_defaults { String::new() } else { self.numbers(name) };
        let further = lane.settings;
        format!(
            r#"
[lanes.{name}]
provider = "{name}"
sandbox = true
{numbers}
[lanes.{name}.settings]
{own}
{further}
"#
        )
    }

    fn numbers(&self, name: &str) -> String {
        let rate = match self.rate_per_second {
            0 => "\"unlimited\"".to_owned(),
            rate => rate.to_string(),
        };
        let Settings { in_flight, canary, overdue_ms, unknown_give_up_ms, .. } = self;
        let Settings { send_window_ms, settling_ms, .. } = self;
        let Settings { submitted_give_up_ms, request_timeout_ms, .. } = self;
        format!(
            r#"rate_per_second = {rate}
in_flight = {in_flight}
look_ups_per_second = 2000
canary = {canary}

[lanes.{name}.policy]
send_window_ms = {send_window_ms}
request_timeout_ms = {request_timeout_ms}
settling_ms = {settling_ms}
overdue_ms = {overdue_ms}
look_up_max_ms = 5000
unknown_give_up_ms = {unknown_give_up_ms}
submitted_give_up_ms = {submitted_give_up_ms}
"#
        )
    }
}
