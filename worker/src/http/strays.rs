//! What a provider sent and nobody can place is kept as evidence (S16), at a bounded rate: the
//! listener faces the network, and a flood must not wash real evidence out of the ledger.
//!
//! Numbers are masked before anything is kept: a stray names nobody whom we know.

use super::rim::Rim;
use domain::LaneName;
use providers::without_numbers;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Strays that are kept at once after a quiet time.
const BURST: u64 = 20;

/// Strays that are kept on in a flood.
const PER_SECOND: u64 = 1;

/// Characters of a body that are kept.
const CHARS_MAX: usize = 1_000;

/// Digits in a row from which on a number is masked.
const DIGITS_SHOWN: usize = 7;

/// How many strays may be kept, and what became of all.
pub(super) struct Strays {
    allowance: Mutex<Allowance>,
    pub(super) kept: AtomicU64,
    pub(super) dropped: AtomicU64,
}

struct Allowance {
    left: u64,
    since: Instant,
}

impl Default for Strays {
    fn default() -> Self {
        let allowance = Allowance { left: BURST, since: Instant::now() };
        Strays { allowance: Mutex::new(allowance), kept: 0.into(), dropped: 0.into() }
    }
}

impl Strays {
    /// Takes one of what may be kept now; counts what may not.
    pub(super) fn may_keep(&self) -> bool {
        let may = self.take(Instant::now());
        if !may {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        may
    }

    fn take(&self, now: Instant) -> bool {
        let mut allowance = self.allowance.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = now.saturating_duration_since(allowance.since).as_secs();
        if seconds > 0 {
            allowance.left = BURST.min(allowance.left + seconds * PER_SECOND);
            allowance.since = now;
        }
        let may = allowance.left > 0;
        allowance.left = allowance.left.saturating_sub(1);
        may
    }

    /// Keeps one. Gives whether it is durable: a ledger that is away loses it.
    pub(super) async fn keep(&self, rim: &Rim, lane: LaneName, why: &str, body: &[u8]) -> bool {
        tracing::info!(%lane, why, bytes = body.len(), "a callback that nobody can place");
        let text = format!("{why}: {}", without_numbers(&masked(&String::from_utf8_lossy(body))));
        let is_kept = rim.ledger.keep_stray(lane, text).await.is_ok();
        let tally = if is_kept { &self.kept } else { &self.dropped };
        tally.fetch_add(1, Ordering::Relaxed);
        is_kept
    }
}

/// The beginning of a text, with only the last four digits of long numbers.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(CHARS_MAX));
    let mut number = String::new();
    for c in text.chars().take(CHARS_MAX) {
        if c.is_ascii_digit() {
            number.push(c);
        } else {
            flush(&mut number, &mut out);
            out.push(if c.is_control() { ' ' } else { c });
        }
    }
    flush(&mut number, &mut out);
    out
}

fn flush(number: &mut String, out: &mut String) {
    if number.len() > DIGITS_SHOWN {
        out.push('…');
        out.push_str(&number[number.len() - 4..]);
    } else {
        out.push_str(number);
    }
    number.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_flood_is_kept_at_one_a_second_after_the_first_twenty() {
        let strays = Strays::default();
        let start = Instant::now();
        assert_eq!((0..1_000).filter(|_| strays.take(start)).count(), 20);
        let later = start + Duration::from_secs(3);
        assert_eq!((0..1_000).filter(|_| strays.take(later)).count(), 3);
        let much_later = later + Duration::from_secs(3_600);
        assert_eq!((0..1_000).filter(|_| strays.take(much_later)).count(), 20);
    }

    #[test]
    fn long_numbers_and_control_characters_are_not_kept() {
        let body = "{\"number_card\":\"4276345439581234\",\n\"amount\":\"1500.00\"}";
        assert_eq!(masked(body), "{\"number_card\":\"…1234\", \"amount\":\"1500.00\"}");
        assert_eq!(masked(&"x".repeat(5_000)).len(), CHARS_MAX);
        assert_eq!(masked("79161234567"), "…4567");
    }
}
