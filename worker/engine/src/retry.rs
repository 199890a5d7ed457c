//! Pauses between tries: exponential with full jitter. The only module that knows `backoff`.
//!
//! The crate draws its own randomness and reads its own clock; here its jitter is switched off
//! and its elapsed time unused, so that a pause depends on the number of tries and on the random
//! number handed in, and on nothing else. (It is unmaintained, RUSTSEC-2025-0012; swapping it
//! touches this file alone.)

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use domain::Policy;
use std::time::Duration;

/// The pause before try number `tries + 1`: drawn from 1 ms up to `retry_first_ms`, twice that,
/// four times that … `retry_max_ms`.
pub fn pause_ms(policy: &Policy, tries: u8, random: u64) -> u64 {
    let longest_ms = policy.retry_max_ms.max(1);
    let first = Duration::from_millis(policy.retry_first_ms.clamp(1, longest_ms));
    let mut backoff = ExponentialBackoff {
        current_interval: first,
        initial_interval: first,
        randomization_factor: 0.0,
        multiplier: 2.0,
        max_interval: Duration::from_millis(longest_ms),
        max_elapsed_time: None,
        ..ExponentialBackoff::default()
    };
    let mut ceiling = first;
    // Every payout ends in review or fails long before so many.
    for _ in 0..=tries.min(64) {
        ceiling = backoff.next_backoff().unwrap_or(ceiling);
    }
    let ceiling_ms = u64::try_from(ceiling.as_millis()).unwrap_or(longest_ms).clamp(1, longest_ms);
    1 + random % ceiling_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ceiling(policy: &Policy, tries: u8) -> u64 {
        (0..policy.retry_max_ms).map(|random| pause_ms(policy, tries, random)).max().unwrap()
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_are_drawn_from_the_whole_range() {
        let policy = Policy::DEFAULT;
        assert_eq!(ceiling(&policy, 0), 500);
        assert_eq!(ceiling(&policy, 1), 1_000);
        assert_eq!(ceiling(&policy, 30), 60_000);
        assert_eq!(pause_ms(&policy, 5, 0), 1);
    }

    #[test]
    fn a_lane_may_want_other_pauses() {
        let policy = Policy { retry_first_ms: 3, retry_max_ms: 10, ..Policy::DEFAULT };
        assert_eq!([0, 1, 2, 200].map(|tries| ceiling(&policy, tries)), [3, 6, 10, 10]);
        let none = Policy { retry_first_ms: 0, retry_max_ms: 0, ..Policy::DEFAULT };
        assert_eq!(pause_ms(&none, 7, 12_345), 1);
    }

    #[test]
    fn the_same_random_number_gives_the_same_pause() {
        let pause = || pause_ms(&Policy::DEFAULT, 3, 12_345);
        assert_eq!(pause(), pause());
    }
}
