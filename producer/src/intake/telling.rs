//! What an intake tells the audit (S20), and the room that it takes of the days of its lanes (S23).
//! Both before the seal: what became payable stands in the chain, and in the day.

use super::{About, Intake, IntakeError, ceilings, desk};
use crate::audit::settle::json;
use crate::audit::told::{IntakeTold, LeftOut, TermsTold, sums};
use crate::audit::{Chain, Kind};
use domain::BatchId;

impl Intake {
    /// Seals what the days of its lanes have room for; gives the room back if it was not sealed.
    pub(super) async fn within_day(
        &self,
        written: &desk::Written,
        seal: impl Future<Output = Result<(), IntakeError>>,
    ) -> Result<(), IntakeError> {
        let ledger = &*self.ledger;
        let reserved = ceilings::reserve(ledger, &self.rules, &written.by_lane).await?;
        let sealed = seal.await;
        if let Err(error) = &sealed
            && error.is_certain()
        {
            reserved.give_back(ledger).await;
        }
        sealed
    }

    /// Told before the seal: what became payable stands in the chain.
    pub(super) async fn tell_intake(
        &self,
        written: &desk::Written,
        batch: BatchId,
        left_out: LeftOut,
    ) -> Result<(), IntakeError> {
        let lanes = written.lanes.iter().map(|(lane, rows)| (lane.to_string(), *rows));
        let told = IntakeTold {
            file: self.about.name.clone(),
            sha256: self.about.sha256.clone(),
            totals: sums(&written.totals),
            left_out,
            lanes: lanes.collect(),
            terms: TermsTold::of(self.terms),
            late: false,
        };
        let chain = Chain::batch(batch);
        Ok(self.rules.clerk.tell(&*self.ledger, &chain, Kind::Intake, json(&told)?).await?)
    }

    /// Nothing of it is payable, whether this is told or not.
    pub(super) async fn tell_rejected(&self, batch: BatchId, reason: &str) {
        let About { name, sha256, .. } = &self.about;
        let told = serde_json::json!({ "file": name, "sha256": sha256, "reason": reason });
        let chain = Chain::batch(batch);
        let done = self.rules.clerk.tell_signed(&*self.ledger, &chain, Kind::Rejected, told).await;
        done.unwrap_or_else(|e| tracing::warn!(%batch, "rejected, but not told: {e}"));
    }
}
