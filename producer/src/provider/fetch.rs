//! A provider's rules for rows, fetched now and kept in the ledger for every intake.

use super::Line;
use super::account::{self, AccountError};
use domain::LaneName;
use ledger::{Ledger, LedgerError};

/// Why there are no new rules. The older ones stand.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The provider has none to fetch.
    #[error("the provider of lane {0} has no rules to fetch; its rows are checked without")]
    NoRules(LaneName),
    /// It did not give them.
    #[error("the provider of lane {lane} did not give its rules: {problem}")]
    NotGiven {
        /// The lane.
        lane: LaneName,
        /// Why.
        problem: String,
    },
    /// They cannot be followed.
    #[error("the rules of lane {lane} cannot be followed, so they are not kept: {problem}")]
    Unusable {
        /// The lane.
        lane: LaneName,
        /// Why.
        problem: String,
    },
    /// Another account, which has other rules.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Fetches them and keeps them if they can be followed. Gives their length in bytes.
pub async fn rules(ledger: &dyn Ledger, line: &Line) -> Result<usize, FetchError> {
    let lane = || line.lane.clone();
    let prepare = line.provider.prepare().ok_or_else(|| FetchError::NoRules(lane()))?;
    account::check_if_served(ledger, line).await?;
    let text = prepare.fetch().await;
    let text = text.map_err(|problem| FetchError::NotGiven { lane: lane(), problem })?;
    let installed = prepare.install(&text);
    installed.map_err(|problem| FetchError::Unusable { lane: lane(), problem })?;
    let bytes = text.len();
    ledger.put_rules(lane(), text).await?;
    Ok(bytes)
}
