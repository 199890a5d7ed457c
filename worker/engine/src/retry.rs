//! Pauses between tries: exponential with full jitter. The only module that knows `backoff`.
//!
//! The crate draws its own randomness and reads its own clock; here its jitter is switched off
//! and its elapsed time unused, so that a pause depends on the number of tries and on the random
//! number handed in, and on nothing else. (It is unmaintained, RUSTSEC-2025-0012; swapping it
//! touches this file alone.)

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;
use std::time::Duration;

/// The first pause at most, in milliseconds.
const FIRST_MS: u64 = 500;
/// The longest pause, in milliseconds.
const MAX_MS: u64 = 60_000;

/// The pause before try number `tries + 1`: between 1 ms and 0.5 s, 1 s, 2 s … 60 s.
pub fn pause_ms(tries: u8, random: u64) -> u64 {
    let mut backoff = ExponentialBackoff {
        current_interval: Duration::from_millis(FIRST_MS),
        initial_interval: Duration::from_millis(FIRST_MS),
        randomization_factor: 0.0,
        multiplier: 2.0,
        max_interval: Duration::from_millis(MAX_MS),
        max_elapsed_time: None,
        ..ExponentialBackoff::default()
    };
    let mut ceiling = Duration::from_millis(FIRST_MS);
    for _ in 0..=tries.min(16) {
        ceiling = backoff.next_backoff().unwrap_or(ceiling);
    }
    let ceiling = u64::try_from(ceiling.as_millis()).unwrap_or(MAX_MS).clamp(1, MAX_MS);
    1 + random % ceiling
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_are_drawn_from_the_whole_range() {
        let ceiling = |tries| (0..MAX_MS).map(|r| pause_ms(tries, r)).max().unwrap();
        assert_eq!(ceiling(0), 500);
        assert_eq!(ceiling(1), 1_000);
        assert_eq!(ceiling(30), MAX_MS);
        assert_eq!(pause_ms(5, 0), 1);
    }

    #[test]
    fn the_same_random_number_gives_the_same_pause() {
        assert_eq!(pause_ms(3, 12_345), pause_ms(3, 12_345));
    }
}
