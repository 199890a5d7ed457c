//! A lane's pace: permits from the ledger for the whole pool, spent through a local `governor`.
//!
//! A permit is a slot of time. A row that drew one leaves when its slot comes; a slot that
//! passed unused is thrown away, never sent late. If the ledger is away nobody draws.
//!
//! What counts is when a request arrives: it may leave a little after its slot, and be longer on its
//! way than the one before it. So slots are spaced as if the provider's second were longer by
//! [`JITTER_MS`], and a request that is [`LATE_MS`] behind its slot leaves in another.

use crate::clock::Clock;
use crate::env::Env;
use domain::{LaneName, Millis};
use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use ledger::{Ledger, LedgerError, Pace};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex as Turns;

/// How far ahead slots are drawn: intents are written only for rows that leave within a second
/// (S6), and the shorter this is the less a dead process takes with it.
const HORIZON_MS: u64 = 250;

/// What reaches a provider within a second may have had its slots in so much more: it costs a lane
/// as much of each second. All of a pool may be late by that at once, or a quarter of it by four
/// times as much. On two busy cores seconds of 503 were seen with 14 ms for 500 a second
/// (`bench -- pace`): too few by two or three requests.
const JITTER_MS: u64 = 18;
/// So late a slot is thrown away: a process stood still. One of four workers may be as late as this
/// and the provider's second still holds; what is late by less is not late with all others, and
/// throwing it away would cost a busy machine most of its pace.
const LATE_MS: u64 = 50;
const _: () = assert!(LATE_MS <= 4 * JITTER_MS);

/// For how long the quickest answer tells how far the ledger's clock is ahead of ours: two clocks
/// drift apart by less than a millisecond meanwhile.
const SPAN_MS: u64 = 5_000;

/// Where all slots of the horizon are drawn, the next are waited for so long, and drawn together: one
/// intent write and one journal entry for all of them. Short enough that intents have time to be
/// written before the first of their slots.
const GATHER_MS: u64 = 50;
const _: () = assert!(GATHER_MS * 4 <= HORIZON_MS);

/// So long a slot is waited for. On a lane of a few requests a minute the chunk is given back
/// meanwhile: its seat is another's, and a worker that stops has nothing to wait for.
const PATIENCE_MS: u64 = 2_000;

/// What one claim of a chunk sends, in time of the lane. A new batch comes after the slices at
/// work and the hints before it, a dozen of them together: about two seconds.
const SLICE_US: u64 = 150_000;

/// `governor` on the engine's clock.
#[derive(Clone)]
struct OurClock(Arc<dyn Env>);

impl GovernorClock for OurClock {
    type Instant = Nanos;
    fn now(&self) -> Nanos {
        Duration::from_millis(self.0.now_ms()).into()
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, OurClock, NoOpMiddleware<Nanos>>;

/// A limit of this process alone: one request per interval, a tenth of a second's worth at once.
pub struct LocalPace {
    env: Arc<dyn Env>,
    interval_us: u64,
    limiter: Option<Limiter>,
}

impl LocalPace {
    /// One request every `interval_us` microseconds; 0 means no limit.
    pub fn new(env: Arc<dyn Env>, interval_us: u64) -> LocalPace {
        let limiter = (interval_us > 0).then(|| {
            let burst = u32::try_from(100_000 / interval_us).ok().and_then(NonZeroU32::new);
            let quota = Quota::with_period(Duration::from_micros(interval_us))
                .map(|quota| quota.allow_burst(burst.unwrap_or(NonZeroU32::MIN)));
            quota.map(|quota| RateLimiter::direct_with_clock(quota, OurClock(Arc::clone(&env))))
        });
        LocalPace { env, interval_us, limiter: limiter.flatten() }
    }

    /// How many requests leave within a second: one at least, `most` at most.
    pub fn in_a_second(&self, most: usize) -> usize {
        let count = 1_000_000_u64.checked_div(self.interval_us);
        count.map_or(most, |count| usize::try_from(count).unwrap_or(most).min(most)).max(1)
    }

    /// Waits until one more request may leave; gives how many of `most` may leave now, at least
    /// that one.
    pub async fn some(&self, most: usize) -> usize {
        self.one().await;
        let Some(limiter) = &self.limiter else { return most.max(1) };
        let mut count = 1;
        while count < most && limiter.check().is_ok() {
            count += 1;
        }
        count
    }

    /// Waits until one more request may leave.
    pub async fn one(&self) {
        let Some(limiter) = &self.limiter else { return };
        while let Err(not_until) = limiter.check() {
            let wait = not_until.wait_time_from(Duration::from_millis(self.env.now_ms()).into());
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            self.env.sleep(wait_ms.max(1)).await;
        }
    }
}

/// Slots that were drawn: `count` calls may leave, the first at `first_ms` of our own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// How many calls may leave.
    pub count: usize,
    first_ms: u64,
    interval_us: u64,
}

impl Slots {
    /// Whether a call whose time was `leaves_ms` is too late for its slot.
    pub fn are_gone(&self, leaves_ms: u64, now_ms: u64) -> bool {
        self.interval_us > 0 && now_ms.saturating_sub(leaves_ms) >= LATE_MS
    }

    /// When call number `index` may leave, on our own clock.
    pub fn at_ms(&self, index: usize) -> u64 {
        let index = u64::try_from(index).unwrap_or(u64::MAX);
        self.first_ms.saturating_add(self.interval_us.saturating_mul(index) / 1000)
    }
}

/// Calls that a lane can make in [`SLICE_US`]: a slice.
pub fn slice(interval_us: u64) -> usize {
    match SLICE_US.checked_div(interval_us) {
        None => usize::from(domain::ChunkId::MAX_ROWS),
        Some(calls) => usize::try_from(calls.max(1)).unwrap_or(usize::MAX),
    }
}

/// The interval of slots whose requests arrive no closer than those of `interval_us` should.
fn spaced(interval_us: u64) -> u64 {
    interval_us.saturating_add(interval_us.saturating_mul(JITTER_MS).div_ceil(1_000))
}

/// How far the ledger's clock is ahead of ours, at least: as the quickest of the last answers told
/// it. An answer that was long under way would make its slots as much later, and those of two
/// workers meet: so it is not counted from when it came.
#[derive(Default)]
struct Ahead {
    span: u64,
    /// Of this span of our time, and of the one before.
    told_ms: [Option<i64>; 2],
}

impl Ahead {
    /// A moment of the ledger on our own clock, never before it. The ledger said that it was `at`
    /// to a question of `asked_ms`, answered at `answered_ms`.
    fn own_ms(&mut self, moment: Millis, at: Millis, asked_ms: u64, answered_ms: u64) -> u64 {
        let span = answered_ms / SPAN_MS;
        if span != self.span {
            let is_next = span == self.span.wrapping_add(1);
            self.told_ms = [None, self.told_ms[0].filter(|_| is_next)];
            self.span = span;
        }
        let least_ms = at.0.wrapping_sub(answered_ms).cast_signed();
        let most_ms = at.0.wrapping_sub(asked_ms).cast_signed();
        let ahead_ms = self.told_ms.into_iter().flatten().fold(least_ms, i64::max);
        // More than is possible: the ledger's clock was set back, or another machine's tells now.
        let ahead_ms = if ahead_ms > most_ms { least_ms } else { ahead_ms };
        if ahead_ms == least_ms {
            self.told_ms = [Some(least_ms), None];
        } else {
            self.told_ms[0] = self.told_ms[0].max(Some(least_ms));
        }
        moment.0.wrapping_sub(ahead_ms.cast_unsigned())
    }
}

/// For how long slots gather that are so far apart: not where two of them hardly come together.
fn gather_ms(interval_us: u64) -> u64 {
    if interval_us.saturating_mul(2) > GATHER_MS * 1_000 { 0 } else { GATHER_MS }
}

/// The pool's pace on one lane.
pub struct PoolPace {
    lane: LaneName,
    local: LocalPace,
    ahead: Mutex<Ahead>,
    /// One chunk of this process draws at a time, first come, first served; on our own clock, when
    /// there is something to draw.
    turns: Turns<u64>,
}

impl PoolPace {
    /// One create every `own_us` microseconds in the whole pool, or fewer where the provider wants
    /// it so; 0 means no limit.
    pub fn new(env: &Arc<dyn Env>, lane: LaneName, own_us: u64) -> PoolPace {
        let local = LocalPace::new(Arc::clone(env), own_us);
        PoolPace { lane, local, ahead: Mutex::default(), turns: Turns::default() }
    }

    /// Draws at least one slot and at most `want`, waiting for the first chance, if that is near; else
    /// it gives none, and how long to wait. `interval_us` tells how far apart they are at a moment; 0
    /// means no limit.
    pub async fn draw(
        &self,
        ledger: &dyn Ledger,
        clock: &Clock,
        interval_us: impl Fn(Millis) -> u64,
        want: usize,
    ) -> Result<Result<Slots, u64>, LedgerError> {
        let most = u32::try_from(want).unwrap_or(u32::MAX);
        let mut draws_at_ms = self.turns.lock().await;
        loop {
            let wait_ms = draws_at_ms.saturating_sub(clock.boot_ms());
            if wait_ms > 0 {
                self.local.env.sleep(wait_ms).await;
            }
            let interval_us = interval_us(clock.now());
            if interval_us == 0 {
                return Ok(Ok(Slots { count: want, first_ms: clock.boot_ms(), interval_us }));
            }
            let interval_us = spaced(interval_us);
            let pace = Pace { interval_us, horizon_ms: HORIZON_MS };
            let asked_ms = clock.boot_ms();
            let drawn = ledger.permits(self.lane.clone(), most, pace).await?;
            let first = drawn.at.plus(drawn.wait_ms);
            let answered_ms = clock.boot_ms();
            if drawn.count > 0 {
                if drawn.count < most {
                    *draws_at_ms = answered_ms.saturating_add(gather_ms(interval_us));
                }
                let first_ms = self.ahead().own_ms(first, drawn.at, asked_ms, answered_ms);
                let count = usize::try_from(drawn.count).unwrap_or(usize::MAX);
                return Ok(Ok(Slots { count, first_ms, interval_us }));
            }
            if drawn.wait_ms > PATIENCE_MS {
                return Ok(Err(drawn.wait_ms));
            }
            // Another process drew them all: halfway to its next turn there are some for both.
            let wait_ms = drawn.wait_ms.max(1).saturating_add(gather_ms(interval_us) / 2);
            *draws_at_ms = answered_ms.saturating_add(wait_ms);
        }
    }

    fn ahead(&self) -> MutexGuard<'_, Ahead> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last look before a row leaves: this process alone never exceeds the lane's own pace,
    /// whatever the ledger's clock does.
    pub async fn spend(&self) {
        self.local.one().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::LedgerId;
    use futures::executor::block_on;
    use futures::future::BoxFuture;
    use ledger::memory::MemoryLedger;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Ledger time when our own clock shows 0.
    const AHEAD: u64 = 1_700_000_000_000;

    fn at(own_ms: u64) -> Millis {
        Millis(AHEAD + own_ms)
    }

    #[test]
    fn a_second_of_the_provider_holds_what_left_in_it_however_late_it_was_for_its_slot() {
        for per_second in [1, 20, 475, 500, 2_000] {
            let slots = (1_000_000 + JITTER_MS * 1_000) / spaced(1_000_000 / per_second);
            assert!(slots <= per_second, "{slots} of {per_second}");
            assert!(slots * 100 >= (per_second - 1) * 98, "{slots} of {per_second}");
        }
        assert_eq!(spaced(u64::MAX), u64::MAX);
    }

    /// A world whose time goes on as far as whoever sleeps in it wants.
    struct Sleepers(AtomicU64);

    impl Env for Sleepers {
        fn now_ms(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }

        fn sleep(&self, ms: u64) -> BoxFuture<'static, ()> {
            self.0.fetch_add(ms, Ordering::Relaxed);
            Box::pin(std::future::ready(()))
        }

        fn random(&self) -> u64 {
            0
        }

        fn spawn(&self, _: BoxFuture<'static, ()>) {}
    }

    /// Draws of a process that always wants many slots, until `until_ms`: their slots.
    fn drawn(interval_us: u64, until_ms: u64) -> Vec<Slots> {
        let own = Arc::new(Sleepers(AtomicU64::new(0)));
        let env: Arc<dyn Env> = Arc::<Sleepers>::clone(&own);
        let ledger =
            MemoryLedger::new(LedgerId::from_random(1), Arc::new(move || at(own.now_ms())));
        let (clock, _) = block_on(Clock::ask(Arc::clone(&env), &ledger)).unwrap();
        let pace = PoolPace::new(&env, LaneName::new("a").unwrap(), interval_us);
        let mut all = Vec::new();
        while env.now_ms() < until_ms {
            let slots = block_on(pace.draw(&ledger, &clock, |_| interval_us, 64)).unwrap();
            all.push(slots.unwrap());
        }
        all
    }

    #[test]
    fn slots_of_a_busy_lane_are_drawn_together_early_enough_and_none_is_lost() {
        let all = drawn(2_000, 10_000);
        let draws_at_most = 10_000 / usize::try_from(GATHER_MS).unwrap() + 2;
        assert!(all.len() <= draws_at_most, "{} draws", all.len());
        let end = |slots: &Slots| slots.at_ms(slots.count);
        for two in all.windows(2) {
            assert!(two[1].at_ms(0) <= end(&two[0]) + 1, "a gap between {two:?}");
        }
        assert!(end(all.last().unwrap()) >= 10_000 + HORIZON_MS - GATHER_MS);
    }

    #[test]
    fn a_slot_of_a_slow_lane_waits_for_no_other() {
        let all = drawn(GATHER_MS * 1_000 / 2 + 1, 10_000);
        assert!(all.iter().skip(1).all(|slots| slots.count == 1), "{all:?}");
        assert!(all.last().unwrap().at_ms(0) >= 10_000 + HORIZON_MS - 2 * GATHER_MS);
    }

    #[test]
    fn a_slot_is_thrown_away_when_it_has_passed_and_a_lane_without_a_limit_has_none() {
        let slots = Slots { count: 2, first_ms: 1_000, interval_us: 2_000 };
        assert!(!slots.are_gone(slots.at_ms(1), 1_002 + LATE_MS - 1));
        assert!(slots.are_gone(slots.at_ms(1), 1_002 + LATE_MS));
        let free = Slots { interval_us: 0, ..slots };
        assert!(!free.are_gone(1_000, 900_000));
    }

    #[test]
    fn a_slot_of_a_slow_answer_stands_where_a_quick_one_shows_it() {
        let mut ahead = Ahead::default();
        // The way there takes 2 ms and the way back 3.
        assert_eq!(ahead.own_ms(at(120), at(2), 0, 5), 123, "never before its time");
        assert_eq!(ahead.own_ms(at(400), at(202), 200, 395), 403, "held up on the way back");
        assert_eq!(ahead.own_ms(at(900), at(698), 500, 700), 902, "a quicker one: the way back 2");
        assert_eq!(ahead.own_ms(at(990), at(908), 905, 940), 992);
    }

    #[test]
    fn a_ledger_whose_clock_was_set_back_is_believed_at_once_and_an_old_answer_is_forgotten() {
        let mut ahead = Ahead::default();
        assert_eq!(ahead.own_ms(at(100), at(2), 0, 3), 101);
        let back = |own_ms| Millis(AHEAD + own_ms - 60_000);
        assert_eq!(ahead.own_ms(back(200), back(150), 148, 152), 202, "another machine's clock");
        assert_eq!(
            ahead.own_ms(back(SPAN_MS), back(SPAN_MS), SPAN_MS - 1, SPAN_MS + 9),
            SPAN_MS + 2
        );
        let late = 3 * SPAN_MS;
        assert_eq!(ahead.own_ms(back(late), back(late), late - 1, late + 9), late + 9);
    }
}
