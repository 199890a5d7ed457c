//! S4: an open payout is asked about and acted on only under the account that the pool has for
//! its lane.

use super::Line;
use domain::LaneName;
use ledger::{LaneRecord, Ledger, LedgerError};

/// Why an account may not be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The pool knows no account of the lane.
    #[error("no worker has served lane {0} yet, so nothing of it is at a provider")]
    NotServed(LaneName),
    /// The config here names another account than the pool has.
    #[error(
        "lane {lane} is on account {pool} in the pool and on {here} here; nothing is sent or \
         asked. Use the config of the workers"
    )]
    Another {
        /// The lane.
        lane: LaneName,
        /// The pool's account.
        pool: String,
        /// Ours.
        here: String,
    },
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// For what is about payouts: the pool has this lane on our account. Gives the lane's record.
pub async fn check(ledger: &dyn Ledger, line: &Line) -> Result<LaneRecord, AccountError> {
    let record = check_if_served(ledger, line).await?;
    if record.fingerprint.is_empty() {
        return Err(AccountError::NotServed(line.lane.clone()));
    }
    Ok(record)
}

/// For what is about the account itself: the pool has the lane on no other account.
pub async fn check_if_served(ledger: &dyn Ledger, line: &Line) -> Result<LaneRecord, AccountError> {
    let record = ledger.lane(line.lane.clone()).await?;
    let here = line.provider.fingerprint();
    if record.fingerprint.is_empty() || record.fingerprint == here {
        return Ok(record);
    }
    Err(AccountError::Another {
        lane: line.lane.clone(),
        pool: record.fingerprint,
        here: here.to_owned(),
    })
}
