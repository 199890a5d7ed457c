//! A batch's state, and who writes its result file.

use super::RedisLedger;
use super::intake::changed_orders;
use super::scripts;
use super::values::{self, Fields, take};
use crate::api::LedgerError;
use domain::{Batch, BatchId, BatchState};

impl RedisLedger {
    pub(super) async fn do_set_state(
        &self,
        id: BatchId,
        from: BatchState,
        to: BatchState,
    ) -> Result<bool, LedgerError> {
        // Sealing and rejecting have steps of their own.
        if from == BatchState::Receiving || !from.may_become(to) {
            return Ok(false);
        }
        let keys = [self.keys.meta(id), self.keys.due(id), self.keys.chunks(id)];
        let mut call = scripts::SET_STATE.call(&keys);
        call.arg(from.name()).arg(to.name());
        let orders = changed_orders(self.link.one(call).await?)?;
        if let Some(orders) = &orders
            && matches!(to, BatchState::Active | BatchState::Cancelled)
        {
            self.join_lanes(id, orders).await;
        }
        Ok(orders.is_some())
    }

    pub(super) async fn do_claim_report(
        &self,
        id: BatchId,
        lease_ms: u64,
    ) -> Result<Option<Batch>, LedgerError> {
        let mut call = scripts::CLAIM_REPORT.call(&[self.keys.meta(id)]);
        call.arg(lease_ms);
        let fields: Fields = take(self.link.one(call).await?, "a batch")?;
        values::batch(id, &fields)
    }

    pub(super) async fn do_reported(&self, id: BatchId, changes: u64) -> Result<(), LedgerError> {
        let mut call = scripts::REPORTED.call(&[self.keys.meta(id)]);
        call.arg(changes);
        self.link.one(call).await?;
        Ok(())
    }
}
