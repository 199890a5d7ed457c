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
    /// A replica that lags may take its place (S18).
    #[error(
        "Redis at {place} has replicas that it does not wait for. One that is promoted has \
         forgotten the payouts that it had not heard of yet, and they are paid twice; set \
         min-replicas-to-write to the number of replicas and min-replicas-max-lag to a few \
         seconds (or take the replicas away, and restore from the append-only file instead). \
         Lane {lane} moves real money, so nothing was started"
    )]
    Lagging {
        /// Where it is.
        place: String,
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

/// A server that hides its settings cannot be judged, and hosted ones do; what a program cannot see
/// a person must have made sure of.
const HIDDEN: &str = "Redis hides its settings (CONFIG GET), and money moves on this lane: make \
sure at whoever hosts it that every write is on disk before it is answered (appendonly yes, \
appendfsync always), that nothing is evicted (maxmemory-policy noeviction), and that no replica is \
promoted that lags (no automatic failover, or min-replicas-to-write of all replicas); what Redis \
forgets is paid twice. After any failover or restore run `producer ledger restored`";

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
        (Some((lane, _)), Durability::Lagging) => {
            Err(OpenError::Lagging { place: place.to_owned(), lane: lane.to_string() })
        }
        (Some((lane, _)), Durability::Unknown) => {
            tracing::warn!(redis = place, %lane, "{HIDDEN}");
            Ok(())
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
        for found in [Durability::EverySecond, Durability::None, Durability::Lagging] {
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
        let error = check_durability(&config, "here", Durability::Lagging).unwrap_err().to_string();
        assert!(error.contains("min-replicas-to-write") && error.contains("Lane main"), "{error}");
    }
}
