//! A lane's pace: permits from the ledger for the whole pool, spent through a local `governor`.
//!
//! A permit is a slot of time. A row that drew one leaves when its slot comes; a slot that
//! passed unused is thrown away, never sent late. If the ledger is away nobody draws.

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
use std::sync::Arc;
use std::time::Duration;

/// How far ahead slots are drawn: intents are written only for rows that leave within a second
/// (S6), and the shorter this is the less a dead process takes with it.
const HORIZON_MS: u64 = 250;

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

/// The pool's pace on one lane.
pub struct PoolPace {
    lane: LaneName,
    local: LocalPace,
}

impl PoolPace {
    /// One create every `own_us` microseconds in the whole pool, or fewer where the provider wants
    /// it so; 0 means no limit.
    pub fn new(env: &Arc<dyn Env>, lane: LaneName, own_us: u64) -> PoolPace {
        PoolPace { lane, local: LocalPace::new(Arc::clone(env), own_us) }
    }

    /// Draws at least one slot and at most `want`, waiting for the first chance. `interval_us`
    /// tells how far apart they are at a moment; 0 means no limit.
    pub async fn draw(
        &self,
        ledger: &dyn Ledger,
        clock: &Clock,
        interval_us: impl Fn(Millis) -> u64,
        want: usize,
    ) -> Result<Slots, LedgerError> {
        let most = u32::try_from(want).unwrap_or(u32::MAX);
        loop {
            let interval_us = interval_us(clock.now());
            if interval_us == 0 {
                return Ok(Slots { count: want, first_ms: clock.boot_ms(), interval_us });
            }
            let pace = Pace { interval_us, horizon_ms: HORIZON_MS };
            let drawn = ledger.permits(self.lane.clone(), most, pace).await?;
            // Counted from after the answer: a slot is never used before its time.
            let first_ms = clock.boot_ms().saturating_add(drawn.wait_ms);
            if drawn.count > 0 {
                let count = usize::try_from(drawn.count).unwrap_or(usize::MAX);
                return Ok(Slots { count, first_ms, interval_us });
            }
            self.local.env.sleep(drawn.wait_ms.max(1)).await;
        }
    }

    /// The last look before a row leaves: this process alone never exceeds the lane's own pace,
    /// whatever the ledger's clock does.
    pub async fn spend(&self) {
        self.local.one().await;
    }
}
