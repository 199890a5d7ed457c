//! What changes something at a provider, told before and after: to the log, to the lane's notes in
//! the ledger, and to the lane's audit chain (S20). Without the note before, nothing is done.

use crate::audit::{Chain, Kind, who};
use domain::LaneName;
use ledger::audit::{What, append};
use ledger::{Ledger, LedgerError};

/// An act that was announced.
pub struct Act<'a> {
    ledger: &'a dyn Ledger,
    lane: &'a LaneName,
    what: String,
}

impl<'a> Act<'a> {
    /// Announces it. `what` holds names and references, never whole values that somebody typed: a
    /// parameter may be a code or an account number.
    pub async fn begin(
        ledger: &'a dyn Ledger,
        lane: &'a LaneName,
        what: String,
    ) -> Result<Act<'a>, LedgerError> {
        tracing::info!(%lane, act = what, "a person acts at the provider");
        ledger.keep_stray(lane.clone(), format!("by hand: {what}: begun")).await?;
        tell(ledger, lane, &what, "begun").await?;
        Ok(Act { ledger, lane, what })
    }

    /// Tells how it ended. It has happened: a ledger that is away now changes nothing of that.
    pub async fn end(self, how: &str) {
        let Act { ledger, lane, what } = self;
        tracing::info!(%lane, act = what, how, "a person acted at the provider");
        if let Err(error) = ledger.keep_stray(lane.clone(), format!("by hand: {what}: {how}")).await
        {
            tracing::warn!(%lane, act = what, %error, "done, but the lane's note is missing");
        }
        if let Err(error) = tell(ledger, lane, &what, how).await {
            tracing::warn!(%lane, act = what, %error, "done, but the audit was not told");
        }
    }
}

async fn tell(
    ledger: &dyn Ledger,
    lane: &LaneName,
    what: &str,
    how: &str,
) -> Result<(), LedgerError> {
    let text = serde_json::json!({ "what": what, "how": how });
    let told = What { kind: Kind::ProviderAct, who: &who(), text };
    append(ledger, &Chain::lane(lane), &told).await.map(drop)
}
