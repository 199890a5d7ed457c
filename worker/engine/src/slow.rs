//! How a lane gives way to its provider: what "too many requests" does to the pace of the whole
//! pool, and how the pace comes back. Pure; the bout itself stands in the lane's record.
//!
//! ```text
//!  pace │────────╮ refused                               ╭──── its own
//!       │        │                          ╭─ wary ─────╯
//!       │        │            ╭── growth ───╯ (near where it was refused)
//!       │        ╰─ pause ────╯ hold
//!       └─────────────────────────────────────────────────────▶ time
//! ```
//!
//! How far the pace is cut is told by how many requests of one moment were refused: one of many
//! means that the limit lies just below, most of them that it has fallen to nobody knows where.

use domain::Millis;
use ledger::Slow;

/// The shortest pause: most of what left before the provider said no comes back within it, and
/// tells how far the pace has to be cut.
const PAUSE_MIN_MS: u64 = 250;
/// The longest pause that a provider's word makes: it is asked again after that.
const PAUSE_MAX_MS: u64 = 15 * 60 * 1_000;
/// After a pause the pace stays as it was cut for so long.
const HOLD_MS: u64 = 2_000;
/// The pace grows in steps of so long …
const STEP_MS: u64 = 1_000;
/// … by a tenth each.
const GROWTH: (u64, u64) = (10, 11);
/// The pace stays this much below where it was refused …
const WARY: (u64, u64) = (33, 32);
/// … for so long; then the limit may have risen.
const WARY_MS: u64 = 20_000;
/// However often it is refused, a lane tries once in so many microseconds, or at its own pace.
const CUT_MAX_US: u64 = 1_000_000;
/// The pace at which a lane without a limit of its own is taken to have been refused …
const UNKNOWN_MET_US: u64 = 1_000;
/// … and the pace at which such a lane counts as unlimited again.
const UNLIMITED_US: u64 = 20;
/// Refusals count as one moment's if they came of what leaves in so many microseconds.
const MOMENT_US: u64 = 100_000;

/// Microseconds between two requests of a lane whose own pace is `own_us`; 0 means no limit.
pub fn interval_us(slow: Option<&Slow>, own_us: u64, now: Millis) -> u64 {
    let Some(slow) = slow else { return own_us };
    let goal_us = own_us.max(UNLIMITED_US);
    let mut interval_us = slow.cut_us;
    let mut at = slow.until.plus(HOLD_MS);
    while interval_us > goal_us && at.plus(STEP_MS) <= now {
        at = at.plus(STEP_MS);
        let grown_us = scaled(interval_us, GROWTH);
        let wary_us = scaled(slow.met_us, WARY).min(interval_us);
        let is_wary = at < slow.since.plus(WARY_MS);
        interval_us = if is_wary { grown_us.max(wary_us) } else { grown_us };
    }
    if interval_us > goal_us { interval_us } else { own_us }
}

/// A request that was one too many.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    /// When it left.
    pub sent_at: Millis,
    /// When it was answered.
    pub told_at: Millis,
    /// For how long the provider wants to be left alone.
    pub pause_ms: u64,
}

/// What one more refusal makes of it; `None` where it changes nothing.
pub fn refused(slow: Option<&Slow>, own_us: u64, refusal: &Refusal) -> Option<Slow> {
    let Refusal { sent_at, told_at, pause_ms } = *refusal;
    let until = told_at.plus(pause_ms.clamp(PAUSE_MIN_MS, PAUSE_MAX_MS));
    match slow {
        // What left before the pause had ended left at the pace that was refused already,
        // however late its answer comes: it tells nothing of the slower one.
        Some(slow) if sent_at < slow.until => {
            let refusals = slow.refusals.saturating_add(1);
            let is_most = u64::from(refusals) > (MOMENT_US / slow.met_us.max(1) / 4).max(2);
            let deep_us = cut(slow.met_us, (8, 1), own_us).max(slow.cut_us);
            let cut_us = if is_most { deep_us } else { slow.cut_us };
            // The answers of one moment each ask for the same pause, counted from their own
            // time: only a longer one is news.
            let asks_for_more = until.since(slow.until) > PAUSE_MIN_MS;
            let counts = slow.cut_us < deep_us;
            let until = if asks_for_more { until } else { slow.until };
            (counts || asks_for_more).then_some(Slow { refusals, cut_us, until, ..*slow })
        }
        earlier => {
            let at_us = interval_us(earlier, own_us, sent_at);
            let met_us = if at_us == 0 { UNKNOWN_MET_US } else { at_us };
            // Refused again before it had grown: a small step was not enough.
            let is_again = earlier.is_some_and(|slow| sent_at < slow.until.plus(HOLD_MS + STEP_MS));
            let by = if is_again { (2, 1) } else { (5, 4) };
            let cut_us = cut(met_us, by, own_us);
            Some(Slow { since: told_at, until, refusals: 1, met_us, cut_us })
        }
    }
}

/// A longer interval, but never longer than a lane's slowest.
fn cut(met_us: u64, by: (u64, u64), own_us: u64) -> u64 {
    scaled(met_us, by).min(CUT_MAX_US.max(own_us))
}

fn scaled(interval_us: u64, (by, of): (u64, u64)) -> u64 {
    interval_us.saturating_mul(by) / of
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Millis = Millis(1_000_000);
    const OWN_US: u64 = 2_000;
    const SECOND_MS: u64 = 1_000;

    /// Refused at once, for so long.
    fn at_once(told_at: Millis, pause_ms: u64) -> Refusal {
        Refusal { sent_at: told_at, told_at, pause_ms }
    }

    /// Refused so often at one moment, each time for a second.
    fn bout(slow: Option<Slow>, now: Millis, refusals: u32) -> Slow {
        let refusal = at_once(now, SECOND_MS);
        let more = |slow: Option<Slow>, _| refused(slow.as_ref(), OWN_US, &refusal).or(slow);
        (0..refusals).fold(slow, more).unwrap()
    }

    /// Requests a second, so long after the pause.
    fn rate(slow: &Slow, after_ms: u64) -> u64 {
        1_000_000 / interval_us(Some(slow), OWN_US, slow.until.plus(after_ms))
    }

    #[test]
    fn a_lane_that_was_never_refused_keeps_its_own_pace_and_so_does_one_without_a_limit() {
        assert_eq!(interval_us(None, OWN_US, NOW), OWN_US);
        assert_eq!(interval_us(None, 0, NOW), 0);
    }

    #[test]
    fn one_refusal_of_many_slows_a_little_and_the_pace_comes_back() {
        let slow = bout(None, NOW, 1);
        assert_eq!(slow.until, NOW.plus(SECOND_MS));
        assert_eq!(rate(&slow, 0), 400);
        assert!((450..500).contains(&rate(&slow, 5_000)), "near the limit: {}", rate(&slow, 5_000));
        assert_eq!(rate(&slow, 30_000), 500);
    }

    #[test]
    fn when_most_of_a_moment_is_refused_the_pace_falls_to_an_eighth_and_finds_the_limit_by_growing()
    {
        let slow = bout(None, NOW, 13);
        assert_eq!(rate(&slow, 0), 62);
        assert_eq!(rate(&slow, HOLD_MS), 62, "held");
        assert!(rate(&slow, 10_000) > 100, "{}", rate(&slow, 10_000));
        assert_eq!(rate(&slow, 60_000), 500);
        assert_eq!(refused(Some(&slow), OWN_US, &at_once(NOW, SECOND_MS)), None, "nothing new");
    }

    #[test]
    fn a_second_refusal_before_any_growth_halves_the_pace() {
        let first = bout(None, NOW, 1);
        let second = bout(Some(first), first.until.plus(500), 1);
        assert_eq!(rate(&second, 0), 200);
    }

    #[test]
    fn what_left_before_the_pause_had_ended_is_no_refusal_of_the_slower_pace() {
        let slow = bout(None, NOW, 13);
        let late = Refusal { sent_at: NOW, told_at: slow.until.plus(100), pause_ms: SECOND_MS };
        let again = refused(Some(&slow), OWN_US, &late).unwrap();
        assert_eq!((again.cut_us, again.met_us), (slow.cut_us, slow.met_us));
        assert_eq!(again.until, late.told_at.plus(SECOND_MS), "but the provider's word holds");
    }

    #[test]
    fn a_limit_that_was_met_by_growing_is_approached_warily() {
        let fallen = bout(None, NOW, 13);
        let met = fallen.until.plus(9_000);
        let met_rate = rate(&fallen, 9_000);
        let slow = bout(Some(fallen), met, 1);
        assert!(rate(&slow, 0) * 10 >= met_rate * 7, "a fifth less");
        assert!(rate(&slow, 15_000) < met_rate, "just below it: {}", rate(&slow, 15_000));
        assert!(rate(&slow, 40_000) > met_rate * 2, "it may have risen");
    }

    #[test]
    fn a_longer_pause_holds_and_an_echo_does_not_prolong_it() {
        let slow = bout(None, NOW, 20);
        assert_eq!(refused(Some(&slow), OWN_US, &at_once(NOW.plus(200), SECOND_MS)), None);
        let longer = refused(Some(&slow), OWN_US, &at_once(NOW.plus(200), 60 * SECOND_MS)).unwrap();
        assert_eq!(longer.until, NOW.plus(200 + 60 * SECOND_MS));
        let forever = refused(None, OWN_US, &at_once(NOW, u64::MAX / 2)).unwrap();
        assert_eq!(forever.until, NOW.plus(PAUSE_MAX_MS));
    }

    #[test]
    fn a_lane_without_a_limit_gets_one_and_loses_it_again() {
        let slow = refused(None, 0, &at_once(NOW, SECOND_MS)).unwrap();
        assert!(interval_us(Some(&slow), 0, slow.until) > 0);
        assert_eq!(interval_us(Some(&slow), 0, slow.until.plus(200 * SECOND_MS)), 0);
    }

    #[test]
    fn a_lane_at_its_slowest_does_not_go_slower_for_being_wary() {
        let now = NOW.plus(10 * SECOND_MS);
        let (met_us, cut_us) = (CUT_MAX_US, CUT_MAX_US);
        let slow = Slow { since: NOW, until: NOW, refusals: 1, met_us, cut_us };
        assert_eq!(interval_us(Some(&slow), OWN_US, now), CUT_MAX_US);
    }

    proptest! {
        #[test]
        fn the_pace_is_never_above_its_own_never_stands_still_and_always_comes_back(
            own_us in 0u64..3_000_000,
            steps in proptest::collection::vec((0u64..10_000, 0u64..5_000, 0u64..3_000), 1..40),
        ) {
            let (mut slow, mut now) = (None, NOW);
            for (wait_ms, pause_ms, flight_ms) in steps {
                now = now.plus(wait_ms);
                let sent_at = Millis(now.0 - flight_ms);
                let refusal = Refusal { sent_at, told_at: now, pause_ms };
                slow = refused(slow.as_ref(), own_us, &refusal).or(slow);
                let interval_us = interval_us(slow.as_ref(), own_us, now);
                prop_assert!(interval_us >= own_us && interval_us <= CUT_MAX_US.max(own_us));
            }
            let later = now.plus(10 * 60 * SECOND_MS);
            prop_assert_eq!(interval_us(slow.as_ref(), own_us, later), own_us);
        }
    }
}
