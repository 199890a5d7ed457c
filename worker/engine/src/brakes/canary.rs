//! Single payouts that try a lane: the canary of a new account (S10), and the probe of a lane that was
//! stopped for a time.

use super::stop::WHO;
use super::{Brakes, Road};
use crate::clock::Clock;
use domain::Place;
use ledger::audit::note_brake;
use ledger::{Canary, LaneRecord, Ledger, LedgerError, Stop};

/// Canaries that may be lost before the lane stops.
const CANARIES: u8 = 3;
/// How long a lane rests before a payout tries the provider again, at first and at most; it
/// doubles with each that tries in vain.
const REST_MS: u64 = 5_000;
const REST_MAX_MS: u64 = 5 * 60 * 1_000;

impl Brakes {
    /// Makes `place` the canary. False if somebody else chose one, or the lane is stopped: look
    /// at the road again.
    pub async fn send_canary(
        &self,
        ledger: &dyn Ledger,
        clock: &Clock,
        place: Place,
        doubt_ms: u64,
    ) -> Result<bool, LedgerError> {
        let mut record = self.refresh(ledger).await?;
        let shut_until_ms = self.lock().shut_until_ms;
        if self.road_by(shut_until_ms, &record, clock) != Road::OneCanary {
            return Ok(false);
        }
        let until = clock.now().plus(doubt_ms);
        record.canary = Some(Canary { place, until });
        if let Some(stop) = &mut record.stopped {
            // Others wait while this one tries; the stop ends when it is taken.
            stop.until = Some(until);
        }
        self.put(ledger, record).await
    }

    /// The provider has `place`: it is a control, the canary has come home, a stop that was
    /// trying again is over.
    pub async fn took(&self, ledger: &dyn Ledger, place: Place) -> Result<(), LedgerError> {
        let is_canary = |record: &LaneRecord| record.canary.is_some_and(|c| c.place == place);
        // A payout of a newer batch is the better control: a provider may forget old ones.
        let is_newer = |known: Place| known.chunk.batch < place.chunk.batch;
        let teaches =
            |record: &LaneRecord| record.control.is_none_or(is_newer) || is_canary(record);
        if !self.lock().record.as_ref().is_none_or(teaches) {
            return Ok(());
        }
        self.change(ledger, |record| {
            if !teaches(record) {
                return false;
            }
            // A stop that waits for a person goes on; one that was trying again is over, if it
            // was this payout that tried.
            let tries_again = record.stopped.as_ref().is_some_and(|s| s.until.is_some());
            if is_canary(record) && tries_again {
                record.stopped = None;
            }
            record.canary = None;
            record.control = Some(place);
            record.canaries_lost = 0;
            record.probes_lost = 0;
            true
        })
        .await
    }

    /// Whether `place` is the canary that is under way.
    fn is_canary(&self, place: Place) -> bool {
        self.lock().record.as_ref().and_then(|r| r.canary).is_some_and(|c| c.place == place)
    }

    /// The canary was not taken, and not lost: another may be chosen. If it tried a provider that
    /// had not answered, the next one comes later than this one did, and not within `pause_ms`.
    pub(super) async fn came_back(
        &self,
        ledger: &dyn Ledger,
        clock: &Clock,
        place: Place,
        pause_ms: u64,
    ) -> Result<(), LedgerError> {
        self.free(ledger, clock, place, pause_ms, |_| true).await
    }

    /// `place` was chosen and never left, for a reason of ours (a cap, a cut-off, a stop): another may
    /// be chosen at once, and the provider has lost nothing by it.
    pub async fn never_flew(
        &self,
        ledger: &dyn Ledger,
        clock: &Clock,
        place: Place,
    ) -> Result<(), LedgerError> {
        self.change(ledger, |record| {
            let is_ours = record.canary.is_some_and(|canary| canary.place == place);
            if is_ours {
                record.canary = None;
                if let Some(until) = record.stopped.as_mut().and_then(|stop| stop.until.as_mut()) {
                    *until = clock.now();
                }
            }
            is_ours
        })
        .await
    }

    /// Nobody knows what became of `place`. If it tried a provider that had not answered, another
    /// one tries later; a canary of a new lane is waited for.
    pub(super) async fn probe_lost(
        &self,
        ledger: &dyn Ledger,
        clock: &Clock,
        place: Place,
    ) -> Result<(), LedgerError> {
        self.free(ledger, clock, place, 0, |record| record.stopped.is_some()).await
    }

    async fn free(
        &self,
        ledger: &dyn Ledger,
        clock: &Clock,
        place: Place,
        pause_ms: u64,
        is_free: impl Fn(&LaneRecord) -> bool,
    ) -> Result<(), LedgerError> {
        if !self.is_canary(place) {
            return Ok(());
        }
        self.change(ledger, |record| {
            let is_ours = record.canary.is_some_and(|c| c.place == place);
            if !is_ours || !is_free(record) {
                return false;
            }
            record.canary = None;
            // What waits for a person is not made to end by itself.
            if let Some(until) = record.stopped.as_mut().and_then(|stop| stop.until.as_mut()) {
                record.probes_lost = record.probes_lost.saturating_add(1);
                *until = clock.now().plus(rest_ms(record.probes_lost).max(pause_ms));
            }
            true
        })
        .await
    }

    pub(super) async fn canary_lost(
        &self,
        ledger: &dyn Ledger,
        clock: &Clock,
        place: Place,
        text: &str,
    ) -> Result<bool, LedgerError> {
        if !self.is_canary(place) {
            return Ok(false);
        }
        let mut stopped = None;
        let since = clock.now();
        self.change(ledger, |record| {
            stopped = None;
            if record.canary.is_none_or(|c| c.place != place) {
                return false;
            }
            record.canary = None;
            if !self.in_trial(record) {
                // It tried a lane that was stopped for a time: a refusal tells little of it, so
                // another may try at once.
                if let Some(until) = record.stopped.as_mut().and_then(|stop| stop.until.as_mut()) {
                    *until = since;
                }
                return true;
            }
            record.canaries_lost = record.canaries_lost.saturating_add(1);
            if record.canaries_lost >= CANARIES {
                let reason = format!(
                    "the first {CANARIES} payouts of this new lane were refused, the last with \
                     \"{text}\"; check the lane's settings, then `producer lane start {}`",
                    self.lane
                );
                record.canaries_lost = 0;
                stopped = Some(reason.clone());
                record.stopped = Some(Stop { reason, since, until: None });
            }
            true
        })
        .await?;
        if let Some(reason) = &stopped {
            note_brake(ledger, &self.lane, WHO, reason).await;
        }
        Ok(stopped.is_some())
    }
}

/// How long a lane rests after so many payouts that tried in vain.
pub(super) fn rest_ms(probes_lost: u8) -> u64 {
    REST_MS.saturating_mul(1 << probes_lost.min(16)).min(REST_MAX_MS)
}
