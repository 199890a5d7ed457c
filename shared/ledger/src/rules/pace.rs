//! Slots of time, evenly spaced for the whole pool (GCRA, in microseconds). Two slots of a lane
//! are never closer than its interval, whoever draws them.

use crate::types::{Pace, Permits};
use domain::Millis;

const US_PER_MS: u64 = 1_000;

/// Draws at most `want` slots that start inside the horizon. `next_us` is the lane's first free
/// slot in microseconds of ledger time; one that has passed is gone, not saved up.
pub fn draw(next_us: &mut u64, want: u32, pace: Pace, now: Millis) -> Permits {
    let now_us = now.0.saturating_mul(US_PER_MS);
    let end_us = now_us.saturating_add(pace.horizon_ms.saturating_mul(US_PER_MS));
    let interval_us = pace.interval_us.max(1);
    let first_us = (*next_us).max(now_us);
    let free = end_us.saturating_sub(first_us).div_ceil(interval_us);
    let count = want.min(u32::try_from(free).unwrap_or(u32::MAX));
    let wait_us = match free {
        // The first slot enters the horizon one microsecond after it stands at its end.
        0 => first_us - end_us + 1,
        _ => first_us - now_us,
    };
    *next_us = first_us.saturating_add(u64::from(count).saturating_mul(interval_us));
    Permits { count, wait_ms: wait_us.div_ceil(US_PER_MS), at: now }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PACE: Pace = Pace { interval_us: 2_500, horizon_ms: 10 };

    #[test]
    fn slots_are_given_up_to_the_horizon_and_then_one_waits() {
        let mut next = 0;
        let now = Millis(1_000);
        assert_eq!(draw(&mut next, 3, PACE, now), Permits { count: 3, wait_ms: 0, at: now });
        assert_eq!(draw(&mut next, 3, PACE, now), Permits { count: 1, wait_ms: 8, at: now });
        assert_eq!(draw(&mut next, 3, PACE, now), Permits { count: 0, wait_ms: 1, at: now });
        assert_eq!(
            draw(&mut next, 3, PACE, now.plus(1)),
            Permits { count: 1, wait_ms: 9, at: now.plus(1) }
        );
    }

    #[test]
    fn time_that_nobody_used_is_not_saved_up() {
        let mut next = 0;
        assert_eq!(draw(&mut next, 100, PACE, Millis(1_000)).count, 4);
        assert_eq!(draw(&mut next, 100, PACE, Millis(900_000)).count, 4);
    }

    proptest! {
        #[test]
        fn no_two_slots_are_closer_than_the_interval(
            draws in proptest::collection::vec((0u64..20, 0u32..5), 1..50),
            interval_us in 1u64..9_000,
            horizon_ms in 0u64..30,
        ) {
            let pace = Pace { interval_us, horizon_ms };
            let (mut next_us, mut now, mut last_end_us) = (0, Millis(5), 0);
            for (step_ms, want) in draws {
                now = now.plus(step_ms);
                let first_us = next_us.max(now.0 * US_PER_MS);
                let permits = draw(&mut next_us, want, pace, now);
                prop_assert!(permits.count <= want);
                if permits.count > 0 {
                    prop_assert!(first_us >= last_end_us);
                    prop_assert!((now.0 + permits.wait_ms) * US_PER_MS >= first_us);
                    let newest_us = first_us + u64::from(permits.count - 1) * interval_us;
                    prop_assert!(newest_us < (now.0 + horizon_ms) * US_PER_MS);
                    last_end_us = newest_us + interval_us;
                }
            }
        }
    }
}
