//! What keeps a lane from sending: a stop, a canary that is still under way (S10), a provider that
//! asked us to slow down or that does not answer.
//!
//! All of it stands in the lane's record in the ledger and changes by compare-and-set, so that it
//! holds for every process. A brake never touches a payout.
//!
//! A lane that is stopped for a time tries again by itself with a single payout, the probe (it is
//! the same thing as a canary): taken, it opens the lane; lost, it closes it for longer.
//!
//! Here is what a lane may do at a moment ([`Road`]) and what each answer teaches; `canary` has the
//! single payouts, `stop` what closes a lane, `recent` when answers are too many of a bad kind.

mod canary;
mod recent;
mod stop;

use crate::clock::Clock;
use crate::slow;
use crate::verdict::Lesson;
use domain::{LaneName, Millis, Place};
use ledger::{LaneRecord, Ledger, LedgerError};
use recent::Recent;
use std::sync::{Mutex, MutexGuard, PoisonError};

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
    /// Readings of it that were begun, and the one that it came from: of two that overlap the later
    /// one holds, whichever comes back last.
    readings: u64,
    reading: u64,
    /// The last answers.
    recent: Recent,
    /// Nothing is sent by this process before this moment of our own clock.
    shut_until_ms: u64,
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
pub(crate) const LOOK_AGAIN_MS: u64 = 2_000;
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
        let reading = {
            let mut state = self.lock();
            state.readings += 1;
            state.readings
        };
        let record = ledger.lane(self.lane.clone()).await?;
        let mut state = self.lock();
        if state.reading < reading {
            state.reading = reading;
            state.record = Some(record.clone());
        }
        Ok(record)
    }

    /// The newest record that this process has seen.
    pub fn record(&self) -> Option<LaneRecord> {
        self.lock().record.clone()
    }

    /// Whether this process may send on the lane, as far as it knows.
    pub fn road(&self, clock: &Clock) -> Road {
        let state = self.lock();
        match &state.record {
            Some(record) => self.road_by(state.shut_until_ms, record, clock),
            None => Road::Closed { wait_ms: 0 },
        }
    }

    /// The last look before a call whose first payout is `first` begins: the road is clear, or this
    /// one is the canary, and nobody has stopped the lane or asked for a pause since it was chosen.
    pub fn may_go(&self, clock: &Clock, first: Place) -> bool {
        let state = self.lock();
        let Some(record) = &state.record else { return false };
        let shut_until_ms = state.shut_until_ms;
        let is_canary = record.canary.is_some_and(|canary| canary.place == first);
        let waits_for_a_person = record.stopped.as_ref().is_some_and(|stop| stop.until.is_none());
        match is_canary && !waits_for_a_person {
            true => paused_ms(shut_until_ms, record, clock).is_none(),
            false => self.road_by(shut_until_ms, record, clock) == Road::Clear,
        }
    }

    fn road_by(&self, shut_until_ms: u64, record: &LaneRecord, clock: &Clock) -> Road {
        if let Some(wait_ms) = paused_ms(shut_until_ms, record, clock) {
            return Road::Closed { wait_ms: wait_ms.min(LOOK_AGAIN_MS) };
        }
        let now = clock.now();
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

    async fn put(&self, ledger: &dyn Ledger, record: LaneRecord) -> Result<bool, LedgerError> {
        let stored = ledger.put_lane(record).await?;
        self.refresh(ledger).await?;
        Ok(stored)
    }

    /// Changes the record until the change holds; `change` gives false where nothing is to do.
    async fn change(
        &self,
        ledger: &dyn Ledger,
        change: impl FnMut(&mut LaneRecord) -> bool,
    ) -> Result<(), LedgerError> {
        ledger::lane::change(ledger, &self.lane, change).await?;
        self.refresh(ledger).await.map(drop)
    }

    /// Sends nothing from this process for a while.
    pub fn pause(&self, clock: &Clock, pause_ms: u64) {
        let until = clock.boot_ms().saturating_add(pause_ms);
        let mut state = self.lock();
        state.shut_until_ms = state.shut_until_ms.max(until);
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
                if self.lock().recent.note_call(true) {
                    return self.rest(ledger, clock).await;
                }
                Ok(false)
            }
            Lesson::Took => {
                self.lock().recent.note_words(false);
                self.took(ledger, place).await?;
                Ok(false)
            }
            Lesson::Refused(text) => {
                self.lock().recent.note_words(false);
                self.canary_lost(ledger, clock, place, text).await
            }
            Lesson::Strange(text) => {
                if self.lock().recent.note_words(true) {
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
            Lesson::Slow { pause_ms, sent_at } => {
                self.slow_down(ledger, clock, *sent_at, *pause_ms).await?;
                self.came_back(ledger, clock, place, *pause_ms).await?;
                Ok(false)
            }
            Lesson::Stop { text, retry_after_ms } => {
                self.stop(ledger, clock, text, *retry_after_ms).await?;
                Ok(true)
            }
        }
    }

    /// The provider has answered a call, whatever it said.
    pub fn answered(&self) {
        self.lock().recent.note_call(false);
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
}

/// For how long this process, or the provider, wants a pause.
fn paused_ms(shut_until_ms: u64, record: &LaneRecord, clock: &Clock) -> Option<u64> {
    let shut_ms = shut_until_ms.saturating_sub(clock.boot_ms());
    let slow_ms = record.slow.map_or(0, |slow| slow.until.since(clock.now()));
    Some(shut_ms.max(slow_ms)).filter(|ms| *ms > 0)
}
