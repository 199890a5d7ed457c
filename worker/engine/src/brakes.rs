//! What keeps a lane from sending: a stop, a canary that is still under way (S10), a provider that
//! asked us to slow down or that does not answer.
//!
//! All of it stands in the lane's record in the ledger and changes by compare-and-set, so that it
//! holds for every process. A brake never touches a payout.
//!
//! A lane that is stopped for a time tries again by itself with a single payout, the probe (it is
//! the same thing as a canary): taken, it opens the lane; lost, it closes it for longer.

use crate::clock::Clock;
use crate::slow;
use crate::verdict::Lesson;
use domain::{LaneName, Millis, Place};
use ledger::audit::note_brake;
use ledger::{Canary, LaneRecord, Ledger, LedgerError, Stop};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Who stops a lane, in its audit chain. Which machine it was tells its log.
const WHO: &str = "worker";

/// Canaries that may be lost before the lane stops.
const CANARIES: u8 = 3;
/// So many strange answers in a row stop the lane …
const STRANGE_IN_A_ROW: usize = 3;
/// … and so many of the last [`STRANGE_WINDOW`].
const STRANGE_OF_WINDOW: usize = 5;
/// So many missing answers of the last [`ANSWERS`] mean that the provider is down. A road that
/// loses half of all answers does not: look-ups bring those home.
const SILENT_OF_WINDOW: usize = 15;
/// So many answers are remembered.
const ANSWERS: usize = 20;
/// How long a lane rests before a payout tries the provider again, at first and at most; it
/// doubles with each that tries in vain.
const REST_MS: u64 = 5_000;
const REST_MAX_MS: u64 = 5 * 60 * 1_000;

/// The brakes of one lane in this process.
pub struct Brakes {
    lane: LaneName,
    canary: bool,
    /// The lane's own pace, in microseconds between two creates; 0 for no limit.
    own_us: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The newest record that this process has seen.
    record: Option<LaneRecord>,
    /// The last answers.
    recent: VecDeque<Told>,
    /// Nothing is sent by this process before this moment of our own clock.
    shut_until_ms: u64,
}

/// What an answer told of the provider.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Words that a table lists.
    Listed,
    /// Words that no table lists.
    Strange,
    /// Nothing.
    Nothing,
}

/// Whether a lane may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Road {
    /// Everything.
    Clear,
    /// One row, as the canary.
    OneCanary,
    /// Nothing for so many milliseconds.
    Closed {
        /// When to look again.
        wait_ms: u64,
    },
}

/// How soon a stopped lane is looked at again, where only a person starts it.
const LOOK_AGAIN_MS: u64 = 2_000;
/// How soon a lane is looked at again while its canary is under way.
const CANARY_LOOK_MS: u64 = 100;

impl Brakes {
    /// Brakes of a lane; with or without a canary, and with a pace of its own.
    pub fn new(lane: LaneName, canary: bool, own_us: u64) -> Brakes {
        Brakes { lane, canary, own_us, state: Mutex::default() }
    }

    /// Microseconds between two creates of the pool, as the provider lets us now; 0 for no limit.
    pub fn interval_us(&self, now: Millis) -> u64 {
        let slow = self.lock().record.as_ref().and_then(|record| record.slow);
        slow::interval_us(slow.as_ref(), self.own_us, now)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the lane's record.
    pub async fn refresh(&self, ledger: &dyn Ledger) -> Result<LaneRecord, LedgerError> {
        let record = ledger.lane(self.lane.clone()).await?;
        self.lock().record = Some(record.clone());
        Ok(record)
    }

    /// The newest record that this process has seen.
    pub fn record(&self) -> Option<LaneRecord> {
        self.lock().record.clone()
    }

    /// Whether this process may send on the lane, as far as it knows.
    pub fn road(&self, clock: &Clock) -> Road {
        let state = self.lock();
        let boot_ms = clock.boot_ms();
        if state.shut_until_ms > boot_ms {
            return Road::Closed { wait_ms: state.shut_until_ms - boot_ms };
        }
        let Some(record) = &state.record else { return Road::Closed { wait_ms: 0 } };
        let now = clock.now();
        if let Some(slow) = record.slow.filter(|slow| slow.until > now) {
            return Road::Closed { wait_ms: slow.until.since(now).min(LOOK_AGAIN_MS) };
        }
        if let Some(stop) = &record.stopped {
            return match stop.until {
                Some(until) if until <= now => self.clear_or_canary(record),
                Some(until) => Road::Closed { wait_ms: until.since(now).clamp(1, LOOK_AGAIN_MS) },
                None => Road::Closed { wait_ms: LOOK_AGAIN_MS },
            };
        }
        match &record.canary {
            Some(canary) if self.in_trial(record) && canary.until > now => {
                Road::Closed { wait_ms: CANARY_LOOK_MS }
            }
            _ => self.clear_or_canary(record),
        }
    }

    fn in_trial(&self, record: &LaneRecord) -> bool {
        self.canary && record.control.is_none()
    }

    fn clear_or_canary(&self, record: &LaneRecord) -> Road {
        // A lane that was stopped and tries again by itself does so with one row, too.
        let tries_again = record.stopped.is_some();
        if self.in_trial(record) || tries_again { Road::OneCanary } else { Road::Clear }
    }

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
        if self.road(clock) != Road::OneCanary {
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

    async fn put(&self, ledger: &dyn Ledger, record: LaneRecord) -> Result<bool, LedgerError> {
        let stored = ledger.put_lane(record).await?;
        self.refresh(ledger).await?;
        Ok(stored)
    }

    /// Changes the record until the change holds; `change` gives false where nothing is to do.
    async fn change(
        &self,
        ledger: &dyn Ledger,
        mut change: impl FnMut(&mut LaneRecord) -> bool,
    ) -> Result<(), LedgerError> {
        loop {
            let mut record = self.refresh(ledger).await?;
            if !change(&mut record) || self.put(ledger, record).await? {
                return Ok(());
            }
        }
    }

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
            is_new = false;
            // What waits for a person is not made to end by itself.
            let waits = record.stopped.as_ref().is_some_and(|s| s.until.is_none());
            if waits && until.is_some() {
                return false;
            }
            let stands =
                record.stopped.as_ref().is_some_and(|s| s.reason == reason && s.until == until);
            record.stopped = Some(Stop { reason: reason.to_owned(), since, until });
            record.canary = None;
            is_new = !stands;
            is_new
        })
        .await?;
        if is_new {
            note_brake(ledger, &self.lane, WHO, reason).await;
        }
        Ok(())
    }

    /// Sends nothing from this process for a while.
    pub fn pause(&self, clock: &Clock, pause_ms: u64) {
        let until = clock.boot_ms().saturating_add(pause_ms);
        let mut state = self.lock();
        state.shut_until_ms = state.shut_until_ms.max(until);
    }

    /// The provider wants to be left alone for so long, and to be asked less often after that: by
    /// the whole pool.
    async fn slow_down(
        &self,
        ledger: &dyn Ledger,
        clock: &Clock,
        pause_ms: u64,
    ) -> Result<(), LedgerError> {
        let refused = |record: &LaneRecord| {
            slow::refused(record.slow.as_ref(), self.own_us, clock.now(), pause_ms)
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
    async fn rest(&self, ledger: &dyn Ledger, clock: &Clock) -> Result<bool, LedgerError> {
        let reason = format!(
            "the provider left {SILENT_OF_WINDOW} of the last {ANSWERS} requests without an \
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

    /// Takes in what an answer about `place` taught. Gives true if the lane was stopped by it.
    pub async fn learn(
        &self,
        ledger: &dyn Ledger,
        clock: &Clock,
        place: Place,
        lesson: &Lesson,
    ) -> Result<bool, LedgerError> {
        match lesson {
            Lesson::None => Ok(false),
            Lesson::NotYet => {
                self.came_back(ledger, clock, place, 0).await?;
                Ok(false)
            }
            Lesson::NoAnswer => {
                self.probe_lost(ledger, clock, place).await?;
                if self.note_answer(Told::Nothing) {
                    return self.rest(ledger, clock).await;
                }
                Ok(false)
            }
            Lesson::Took => {
                self.note_answer(Told::Listed);
                self.took(ledger, place).await?;
                Ok(false)
            }
            Lesson::Refused(text) => {
                self.note_answer(Told::Listed);
                self.canary_lost(ledger, clock, place, text).await
            }
            Lesson::Strange(text) => {
                if self.note_answer(Told::Strange) {
                    let reason = format!(
                        "the provider keeps answering with words that no table lists: \"{text}\"; \
                         look at the payouts in review, then `producer lane start {}`",
                        self.lane
                    );
                    self.stop(ledger, clock, &reason, None).await?;
                    return Ok(true);
                }
                self.canary_lost(ledger, clock, place, text).await
            }
            Lesson::Slow { pause_ms } => {
                self.slow_down(ledger, clock, *pause_ms).await?;
                self.came_back(ledger, clock, place, *pause_ms).await?;
                Ok(false)
            }
            Lesson::Stop { text, retry_after_ms } => {
                self.stop(ledger, clock, text, *retry_after_ms).await?;
                Ok(true)
            }
        }
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

    /// The provider's calls carry at most so many rows from now on, in the whole pool.
    pub async fn shrink(&self, ledger: &dyn Ledger, rows_max: u16) -> Result<(), LedgerError> {
        let rows_max = rows_max.max(1);
        tracing::warn!(lane = %self.lane, rows_max, "the provider takes fewer rows in one call");
        self.change(ledger, |record| {
            let shrinks = record.rows_per_call.is_none_or(|known| rows_max < known);
            if shrinks {
                record.rows_per_call = Some(rows_max);
            }
            shrinks
        })
        .await
    }

    /// Whether `place` is the canary that is under way.
    pub fn is_canary(&self, place: Place) -> bool {
        self.lock().record.as_ref().and_then(|r| r.canary).is_some_and(|c| c.place == place)
    }

    /// The canary was not taken, and not lost: another may be chosen. If it tried a provider that
    /// had not answered, the next one comes later than this one did, and not within `pause_ms`.
    async fn came_back(
        &self,
        ledger: &dyn Ledger,
        clock: &Clock,
        place: Place,
        pause_ms: u64,
    ) -> Result<(), LedgerError> {
        self.free(ledger, clock, place, pause_ms, |_| true).await
    }

    /// Nobody knows what became of `place`. If it tried a provider that had not answered, another
    /// one tries later; a canary of a new lane is waited for.
    async fn probe_lost(
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

    async fn canary_lost(
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

    /// Notes an answer; true if there are too many of its kind.
    fn note_answer(&self, told: Told) -> bool {
        let mut state = self.lock();
        state.recent.push_back(told);
        if state.recent.len() > ANSWERS {
            state.recent.pop_front();
        }
        let in_a_row = state.recent.iter().rev().take_while(|t| **t == told).count();
        let in_all = state.recent.iter().filter(|t| **t == told).count();
        let too_many = match told {
            Told::Listed => false,
            Told::Strange => in_a_row >= STRANGE_IN_A_ROW || in_all >= STRANGE_OF_WINDOW,
            Told::Nothing => in_all >= SILENT_OF_WINDOW,
        };
        if too_many {
            state.recent.clear();
        }
        too_many
    }
}

/// How long a lane rests after so many payouts that tried in vain.
fn rest_ms(probes_lost: u8) -> u64 {
    REST_MS.saturating_mul(1 << probes_lost.min(16)).min(REST_MAX_MS)
}
