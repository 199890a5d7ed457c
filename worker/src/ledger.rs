//! The ledger that the config names, and whether it may be trusted with money.

use config::{Config, Engine, LaneConfig};
use ledger::redis::Durability;
use ledger::{Ledger, LedgerError};
use std::sync::Arc;

/// Why there is no ledger to work on.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It did not answer.
    #[error("cannot open the ledger at {place}: {source}")]
    Unreachable {
        /// Where it should be.
        place: String,
        /// Why.
        source: LedgerError,
    },
    /// A power cut may take back what was answered (S18).
    #[error(
        "Redis at {place} may forget what it answered (appendonly and appendfsync: {found:?}), \
         and a payout that is forgotten is paid twice; set appendonly yes and appendfsync \
         always. Lane {lane} moves real money, so nothing was started"
    )]
    Forgetful {
        /// Where it is.
        place: String,
        /// What it is set to.
        found: Durability,
        /// A lane that is not a sandbox.
        lane: String,
    },
}

/// Opens the ledger.
pub async fn open(config: &Config) -> Result<Arc<dyn Ledger>, OpenError> {
    let place = place(config);
    let unreachable = |source| OpenError::Unreachable { place: place.clone(), source };
    let open = config::open(&config.ledger).await.map_err(unreachable)?;
    check_durability(config, &place, open.durability)?;
    Ok(open.ledger)
}

/// Where the ledger is, for people; without a password.
pub fn place(config: &Config) -> String {
    match config.ledger.engine {
        Engine::Sqlite => config.ledger.path.display().to_string(),
        Engine::Redis => format!("{:?}", config.ledger.url),
    }
}

fn check_durability(config: &Config, place: &str, found: Durability) -> Result<(), OpenError> {
    if found == Durability::Always {
        return Ok(());
    }
    let production = |lane: &LaneConfig| !lane.sandbox;
    let lane = config.lanes.iter().find(|(_, lane)| production(lane));
    match (lane, found) {
        (Some((lane, _)), Durability::EverySecond | Durability::None) => {
            let (place, lane) = (place.to_owned(), lane.to_string());
            Err(OpenError::Forgetful { place, found, lane })
        }
        _ => {
            tracing::warn!(
                redis = place,
                durability = ?found,
                "Redis may forget what it answered; use appendfsync always where money moves"
            );
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forgetful_redis_is_refused_where_money_moves_and_only_there() {
        let mut config = Config::default();
        for found in [Durability::EverySecond, Durability::None] {
            assert!(check_durability(&config, "here", found).is_ok(), "sandbox lanes only");
        }
        for lane in config.lanes.values_mut() {
            lane.sandbox = false;
        }
        assert!(check_durability(&config, "here", Durability::Always).is_ok());
        assert!(check_durability(&config, "here", Durability::Unknown).is_ok());
        for found in [Durability::EverySecond, Durability::None] {
            let error = check_durability(&config, "here", found).unwrap_err().to_string();
            assert!(error.contains("appendfsync always") && error.contains("Lane main"), "{error}");
        }
    }
}
