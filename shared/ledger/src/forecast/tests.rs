use super::*;
use proptest::prelude::*;

const SECOND: u64 = 1_000;

fn sample(at_s: u64, answered: u64) -> Sample {
    Sample { at: Millis(at_s * SECOND), answered }
}

fn ring(samples: &[(u64, u64)]) -> Ring {
    Ring(samples.iter().map(|(at_s, answered)| sample(*at_s, *answered)).collect())
}

#[test]
fn with_too_little_seen_nothing_is_promised() {
    assert_eq!(Ring::default().forecast(sample(9, 5), 7), Forecast::NotKnownYet);
    assert_eq!(ring(&[(0, 0)]).forecast(sample(4, 5), 7), Forecast::NotKnownYet);
    assert_eq!(ring(&[(0, 5)]).forecast(sample(20, 5), 7), Forecast::NotKnownYet);
}

#[test]
fn the_pace_of_the_last_minutes_is_carried_on() {
    let seen = ring(&[(100, 0), (110, 380), (120, 760)]);
    let pace = Measured { payouts: 1_140, in_ms: 30_000 };
    let at = Millis(230 * SECOND);
    assert_eq!(seen.forecast(sample(130, 1_140), 3_800), Forecast::At { at, pace });
    // What was before the window counts no more: the batch had rested for an hour.
    let rested = ring(&[(0, 0), (3_600, 10), (3_610, 110)]);
    let pace = Measured { payouts: 200, in_ms: 20_000 };
    let told = rested.forecast(sample(3_620, 210), 10);
    assert_eq!(told, Forecast::At { at: Millis(3_621 * SECOND), pace });
}

#[test]
fn a_batch_of_which_nothing_is_answered_stands_still_since_its_first_such_sample() {
    let seen = ring(&[(0, 5), (10, 9), (20, 9), (30, 9)]);
    let still = Forecast::StandsStill { since: Millis(10 * SECOND) };
    assert_eq!(seen.forecast(sample(40, 9), 1), still);
    // Nobody samples it any more.
    assert_eq!(seen.forecast(sample(9_000, 9), 1), still);
    // One that came back to life an hour later has no pace yet.
    assert_eq!(seen.forecast(sample(9_000, 10), 1), Forecast::NotKnownYet);
    assert_eq!(seen.forecast(sample(40, 9), 0), Forecast::AllAnswered);
}

proptest! {
    #[test]
    fn a_steady_pace_gives_the_true_end(
        per_second in 1u64..5_000,
        samples in 1u64..30,
        after_s in 5u64..10,
        left in 1u64..10_000_000,
    ) {
        let mut ring = Ring::default();
        for n in 0..samples {
            prop_assert!(ring.push(sample(1_000 + n * 10, n * 10 * per_second)));
        }
        let now_s = (samples - 1) * 10 + after_s;
        let now = sample(1_000 + now_s, now_s * per_second);
        let Forecast::At { at, .. } = ring.forecast(now, left) else {
            return Err(TestCaseError::fail("no forecast"));
        };
        prop_assert_eq!(at.since(now.at), (left * SECOND).div_ceil(per_second));
    }

    #[test]
    fn no_ring_promises_the_past_and_more_that_is_left_takes_no_less_time(
        samples in proptest::collection::vec((any::<u32>(), any::<u32>()), 0..20),
        now in (any::<u32>(), any::<u32>()),
        left in 1u64..u64::MAX / 2,
    ) {
        let mut ring = Ring::default();
        for (at, answered) in samples {
            ring.push(Sample { at: Millis(at.into()), answered: answered.into() });
        }
        prop_assert!(ring.0.len() <= SAMPLES_MAX);
        prop_assert!(ring.0.is_sorted_by_key(|sample| sample.at), "no clock goes back");
        let now = Sample { at: Millis(now.0.into()), answered: now.1.into() };
        match (ring.forecast(now, left), ring.forecast(now, left + 1)) {
            (Forecast::At { at, pace }, Forecast::At { at: later, .. }) => {
                prop_assert!(now.at <= at && at <= later);
                prop_assert!(pace.payouts > 0 && pace.in_ms >= SPAN_MS_MIN);
            }
            (Forecast::StandsStill { since }, same) => {
                prop_assert!(now.at.since(since) >= STILL_MS);
                prop_assert_eq!(same, Forecast::StandsStill { since });
            }
            (told, same) => prop_assert_eq!(told, same),
        }
    }
}
