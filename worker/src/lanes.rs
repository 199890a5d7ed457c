//! From the lanes of the config to those of the engine.

use config::{BrakesConfig, Config, HoursConfig, LaneConfig};
use domain::{LaneName, Policy};
use engine::{BatchBrakeSettings, LaneSetup};
use providers::callback_url::CallbackUrls;
use providers::registry::{self, BuildContext, BuildError, SandboxAddress};

/// The base URL that stands for the built-in sandbox.
const BUILT_IN: &str = "sandbox";

/// Why a lane cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    /// Its adapter cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// It names the built-in sandbox where there is none.
    #[error(
        "lane {0} pays into the built-in sandbox (base_url = \"sandbox\"), which only \
         `worker up` has; set [lanes.{0}.settings] base_url to a URL, for example that of \
         `sandbox --listen 127.0.0.1:7700 --data ./data/sandbox`"
    )]
    NoSandbox(LaneName),
    /// Its calendar; [`Config::load`] finds it first, unless a file of holidays changed since.
    #[error("lanes.{0}.hours: {1}")]
    Hours(LaneName, String),
    /// It is to be polled as its provider does not allow.
    #[error("lanes.{0}.polling: {1}")]
    Polling(LaneName, String),
    /// What it may spend cannot be read; [`Config::load`] finds this first.
    #[error("the caps on spending cannot be read: {0}")]
    Caps(String),
    /// Sandbox and production lanes in one ledger (S4).
    #[error(
        "lane {sandbox} is a sandbox and lane {production} is not; keep them in two configs with \
         a ledger each, so that play money and real money never meet in one report"
    )]
    Mixed {
        /// A sandbox lane.
        sandbox: LaneName,
        /// A production lane.
        production: LaneName,
    },
}

/// Whether any lane pays into the built-in sandbox.
pub fn want_sandbox(config: &Config) -> bool {
    config.lanes.values().any(pays_into_sandbox)
}

/// What can be told wrong before anything is opened.
pub fn check(config: &Config, has_sandbox: bool) -> Result<(), LaneError> {
    check_not_mixed(config)?;
    match config.lanes.iter().find(|(_, lane)| pays_into_sandbox(lane)) {
        Some((name, _)) if !has_sandbox => Err(LaneError::NoSandbox(name.clone())),
        _ => Ok(()),
    }
}

/// The engine's lanes, each with its adapter.
pub fn set_up(
    config: &Config,
    callbacks: Option<&CallbackUrls>,
    sandbox: Option<&SandboxAddress>,
) -> Result<Vec<LaneSetup>, LaneError> {
    check(config, sandbox.is_some())?;
    let currencies = config.currencies.table().map_err(|e| LaneError::Caps(e.to_string()))?;
    let one = |(name, lane): (&LaneName, &LaneConfig)| {
        let policy = match registry::limits(&lane.provider) {
            Some(limits) => limits.policy_of(&lane.policy, lane.polling.as_ref(), lane.sandbox),
            // That there is none is told when its adapter is built.
            None => Ok(lane.policy.on(&Policy::DEFAULT)),
        };
        let policy = policy.map_err(|text| LaneError::Polling(name.clone(), text))?;
        let context = BuildContext {
            lane: name.clone(),
            callbacks: callbacks.cloned(),
            sandbox: sandbox.cloned(),
            request_timeout_ms: policy.request_timeout_ms,
        };
        let provider = registry::build(&lane.provider, lane.settings.clone(), context)?;
        let limits = provider.limits();
        let hours = lane.hours.as_ref().map(HoursConfig::read).transpose();
        Ok(LaneSetup {
            name: name.clone(),
            policy,
            interval_us: lane.rate_per_second.interval_us(limits.creates_per_second),
            in_flight: if lane.in_flight == 0 { limits.in_flight } else { lane.in_flight },
            look_up_interval_us: lane.look_ups_per_second.interval_us(limits.look_ups_per_second),
            canary: lane.canary,
            batch_brakes: batch_brakes(&lane.brakes),
            spend: lane.brakes.spend(&currencies).map_err(LaneError::Caps)?,
            hours: hours.map_err(|text| LaneError::Hours(name.clone(), text))?,
            provider,
        })
    };
    config.lanes.iter().map(one).collect()
}

fn batch_brakes(config: &BrakesConfig) -> BatchBrakeSettings {
    let BrakesConfig { failed_percent, failed_after, batch_canary, .. } = *config;
    BatchBrakeSettings { failed_percent, failed_after, canary_rows: batch_canary }
}

fn pays_into_sandbox(lane: &LaneConfig) -> bool {
    lane.settings.get("base_url").and_then(|url| url.as_str()) == Some(BUILT_IN)
}

fn check_not_mixed(config: &Config) -> Result<(), LaneError> {
    let find = |sandbox: bool| config.lanes.iter().find(|(_, lane)| lane.sandbox == sandbox);
    match (find(true), find(false)) {
        (Some((sandbox, _)), Some((production, _))) => {
            Err(LaneError::Mixed { sandbox: sandbox.clone(), production: production.clone() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::PollingChange;

    #[test]
    fn a_built_in_sandbox_that_does_not_run_is_told_by_lane_and_remedy() {
        let error = set_up(&Config::default(), None, None).err().unwrap().to_string();
        assert!(error.contains("lane main") && error.contains("worker up"), "{error}");
    }

    #[test]
    fn play_money_and_real_money_never_share_a_ledger() {
        let mut config = Config::default();
        let real = LaneConfig { sandbox: false, ..config.lanes.values().next().unwrap().clone() };
        config.lanes.insert(LaneName::new("real").unwrap(), real);
        assert!(matches!(set_up(&config, None, None), Err(LaneError::Mixed { .. })));
    }

    #[test]
    fn polling_that_was_not_agreed_is_refused_before_anything_is_opened() {
        let mut config = Config::default();
        let lane = config.lanes.values_mut().next().unwrap();
        lane.polling = Some(PollingChange { interval_ms: Some(300_000), agreed: None });
        let sandbox = SandboxAddress { url: String::new(), id: String::new(), tls: None };
        let error = set_up(&config, None, Some(&sandbox)).err().unwrap().to_string();
        assert!(error.starts_with("lanes.main.polling: merchant forbids polling"), "{error}");
    }

    #[test]
    fn a_lane_without_numbers_of_its_own_has_those_of_its_provider() {
        let config = Config::default();
        let urls = CallbackUrls::new("http://127.0.0.1:1", [1; 32]).unwrap();
        let sandbox = SandboxAddress {
            url: "http://127.0.0.1:2".to_owned(),
            id: "0123456789abcdef0123456789abcdef".to_owned(),
            tls: None,
        };
        let lanes = set_up(&config, Some(&urls), Some(&sandbox)).unwrap();
        let limits = lanes[0].provider.limits();
        assert_eq!(lanes[0].in_flight, limits.in_flight);
        assert_eq!(lanes[0].interval_us, 1_000_000 / u64::from(limits.creates_per_second));
    }
}
