//! What closes a lane for the whole pool: a stop, a rest while the provider does not answer, a pause
//! because it asked for one.

use super::Brakes;
use super::canary::rest_ms;
use super::recent::{REMEMBERED, SILENT_OF_LAST};
use crate::clock::Clock;
use crate::slow::{self, Refusal};
use domain::Millis;
use ledger::audit::note_brake;
use ledger::{LaneRecord, Ledger, LedgerError, Stop};

/// Who stops a lane, in its audit chain. Which machine it was tells its log.
pub(super) const WHO: &str = "worker";

impl Brakes {
    /// Stops the lane for the whole pool.
    pub async fn stop(
        &self,
        ledger: &dyn Ledger,
        clock: &Clock,
        reason: &str,
        retry_after_ms: Option<u64>,
    ) -> Result<(), LedgerError> {
        let since = clock.now();
        let until = retry_after_ms.map(|ms| since.plus(ms));
        tracing::warn!(lane = %self.lane, reason, "the lane is stopped; its rows stay payable");
        let mut is_new = false;
        self.change(ledger, |record| {
            is_new = record.stopped.as_ref().is_none_or(|stop| stop.reason != reason);
            let stop = record.stopped.as_ref();
            // What waits for a person is not made to end by itself.
            let waits = stop.is_some_and(|stop| stop.until.is_none());
            // Each answer of one moment says the same: the first one holds.
            let runs = stop.is_some_and(|stop| stop.until.is_some_and(|end| end > since));
            let is_said = !is_new && record.canary.is_none() && (waits || runs);
            if is_said || (waits && until.is_some()) {
                is_new = false;
                return false;
            }
            record.stopped = Some(Stop { reason: reason.to_owned(), since, until });
            record.canary = None;
            true
        })
        .await?;
        if is_new {
            note_brake(ledger, &self.lane, WHO, reason).await;
        }
        Ok(())
    }

    /// The provider wants to be left alone for so long, and to be asked less often after that: by
    /// the whole pool.
    pub(super) async fn slow_down(
        &self,
        ledger: &dyn Ledger,
        clock: &Clock,
        sent_at: Millis,
        pause_ms: u64,
    ) -> Result<(), LedgerError> {
        let refused = |record: &LaneRecord| {
            let refusal = Refusal { sent_at, told_at: clock.now(), pause_ms };
            slow::refused(record.slow.as_ref(), self.own_us, &refusal)
        };
        // Of the many answers of one moment most change nothing.
        if self.record().is_some_and(|record| refused(&record).is_none()) {
            return Ok(());
        }
        self.change(ledger, |record| {
            let slow = refused(record);
            record.slow = slow.or(record.slow);
            slow.is_some()
        })
        .await
    }

    /// The provider does not answer: the lane rests, then one payout tries it again.
    pub(super) async fn rest(
        &self,
        ledger: &dyn Ledger,
        clock: &Clock,
    ) -> Result<bool, LedgerError> {
        let reason = format!(
            "the provider left {SILENT_OF_LAST} of the last {REMEMBERED} requests without an \
             answer; one payout tries it again by itself, and what was sent is looked up"
        );
        let mut is_new = false;
        self.change(ledger, |record| {
            is_new = record.stopped.is_none();
            if is_new {
                let since = clock.now();
                let until = Some(since.plus(rest_ms(record.probes_lost)));
                record.stopped = Some(Stop { reason: reason.clone(), since, until });
                record.canary = None;
            }
            is_new
        })
        .await?;
        if is_new {
            tracing::warn!(lane = %self.lane, reason, "the lane rests; its rows stay payable");
            note_brake(ledger, &self.lane, WHO, &reason).await;
        }
        Ok(is_new)
    }
}
