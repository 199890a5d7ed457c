//! What must hold between the parts of a configuration.

use crate::sections::profiles::SHARED_FIELDS;
use crate::{
    Canonical, CeilingsConfig, ColumnSource, Config, ConfigError, Engine, ProfileConfig,
    error::nearest,
};
use domain::Policy;
use std::path::{Path, absolute};

/// Checks the whole; the first thing that does not fit is told.
pub fn check(config: &Config) -> Result<(), ConfigError> {
    let all = lanes(config)
        .and_then(|()| routes(config))
        .and_then(|()| config.profiles.iter().try_for_each(|(name, p)| profile(name, p)))
        .and_then(|()| durations(config))
        .and_then(|()| state(config));
    all.map_err(ConfigError::Inconsistent)
}

fn lanes(config: &Config) -> Result<(), String> {
    if config.lanes.is_empty() {
        return Err("there is no lane; add a [lanes.NAME] with its provider".to_owned());
    }
    let currencies = config.currencies.table().map_err(|e| format!("[currencies]: {e}"))?;
    for (name, lane) in &config.lanes {
        let CeilingsConfig { payout, batch, day } = &lane.ceilings;
        for (what, amounts) in [("payout", payout), ("batch", batch), ("day", day)] {
            CeilingsConfig::read(amounts, &currencies)
                .map_err(|e| format!("lanes.{name}.ceilings.{what}: {e}"))?;
        }
        let brakes = lane.brakes.check();
        brakes
            .and_then(|()| lane.brakes.check_spend(payout, &currencies))
            .map_err(|e| format!("lanes.{name}.brakes: {e}"))?;
        if lane.provider.is_empty() {
            return Err(format!("lanes.{name} names no provider; add provider = \"merchant\""));
        }
        let policy = lane.policy.on(&Policy::DEFAULT);
        // S7: a lease that was renewed a third ago still outlives the request that starts now.
        let needed = (policy.send_window_ms + policy.request_timeout_ms).saturating_mul(3) / 2;
        if config.worker.lease_ms <= needed {
            return Err(format!(
                "worker.lease_ms is {}, but lane {name} needs more than {needed}: two thirds of \
                 the lease must outlast policy.send_window_ms + policy.request_timeout_ms",
                config.worker.lease_ms
            ));
        }
        if let Some(hours) = &lane.hours {
            hours.check(&policy).map_err(|e| format!("lanes.{name}.hours: {e}"))?;
        }
        if policy.send_window_ms == 0 || policy.request_timeout_ms == 0 {
            return Err(format!(
                "lanes.{name}.policy: send_window_ms and request_timeout_ms must be above 0"
            ));
        }
    }
    Ok(())
}

fn routes(config: &Config) -> Result<(), String> {
    let currencies = config.currencies.table().map_err(|e| format!("[currencies]: {e}"))?;
    for (index, route) in config.routes.iter().enumerate() {
        let number = index + 1;
        let lanes = || std::iter::once(&route.lane).chain(&route.failover);
        if let Some(lane) = lanes().find(|lane| !config.lanes.contains_key(*lane)) {
            let names = config.lanes.keys().map(domain::LaneName::as_str);
            let hint = nearest(lane.as_str(), names.clone())
                .map_or_else(String::new, |near| format!("did you mean \"{near}\"? "));
            return Err(format!(
                "route {number} leads to lane \"{lane}\", which does not exist; {hint}lanes: {}",
                names.collect::<Vec<_>>().join(", ")
            ));
        }
        if route.failover.as_ref() == Some(&route.lane) {
            return Err(format!(
                "route {number} has lane {} as its own failover; name another lane, or none",
                route.lane
            ));
        }
        if let Some(code) = &route.currency {
            currencies.find(code).map_err(|e| format!("route {number}: {e}"))?;
        }
    }
    Ok(())
}

fn profile(name: &str, profile: &ProfileConfig) -> Result<(), String> {
    let own_name = |key: &str| {
        !key.is_empty()
            && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    for (key, source) in &profile.columns {
        if !own_name(key) {
            return Err(format!(
                "profiles.{name}.columns.{key}: names are lower-case letters, digits and _, \
                 such as {}",
                SHARED_FIELDS.join(", ")
            ));
        }
        let joined = matches!(source, ColumnSource::Joined(_));
        if joined && Canonical::of(key) != Canonical::Reference {
            return Err(format!(
                "profiles.{name}.columns.{key}: only the reference may be joined from columns"
            ));
        }
        if source.headers().is_empty() || source.headers().iter().any(|h| h.trim().is_empty()) {
            return Err(format!("profiles.{name}.columns.{key}: a header is empty"));
        }
    }
    if profile.defaults.contains_key("reference") {
        // S1: a reference is the payer's own, row by row.
        return Err(format!(
            "profiles.{name}.defaults: the reference has no default; every row needs its own"
        ));
    }
    if let Some(key) = profile.defaults.keys().find(|key| !own_name(key)) {
        return Err(format!(
            "profiles.{name}.defaults.{key}: names are lower-case letters, digits and _"
        ));
    }
    Ok(())
}

fn durations(config: &Config) -> Result<(), String> {
    if !(10..=60_000).contains(&config.inbox.rest_ms) {
        return Err(format!(
            "inbox.rest_ms is {}; 10 to 60000 would be accepted",
            config.inbox.rest_ms
        ));
    }
    if config.worker.chunks_at_once == 0 {
        return Err("worker.chunks_at_once is 0; at least 1 is needed".to_owned());
    }
    Ok(())
}

/// S18: whoever puts a copy of the ledger's folder back would put the journals back, too, and
/// nobody would see that anything was forgotten.
fn state(config: &Config) -> Result<(), String> {
    if config.worker.journal_days == 0 {
        return Err("worker.journal_days is 0; at least 1 is needed".to_owned());
    }
    if config.ledger.engine != Engine::Sqlite {
        return Ok(());
    }
    let whole = |path: &Path| absolute(path).unwrap_or_else(|_| path.to_owned());
    let ledger = whole(&config.ledger.path);
    let (state, folder) = (whole(&config.worker.state), ledger.parent());
    if folder.is_some_and(|folder| state.starts_with(folder)) {
        return Err(format!(
            "worker.state is {}, inside the folder of the ledger ({}): a copy of that folder that is \
             put back would bring old journals with it. Keep it elsewhere, such as ./state/worker, \
             or give the ledger a folder of its own",
            config.worker.state.display(),
            config.ledger.path.display()
        ));
    }
    Ok(())
}
