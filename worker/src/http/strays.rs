//! What a provider sent and nobody can place is kept as evidence (S16), at a bounded rate: the
//! listener faces the network, and a flood must not wash real evidence out of the ledger.
//!
//! A call to a URL that we never made has an allowance of its own, and a small one: anybody can
//! make such calls, and they neither use up what is for calls with our MAC nor fill the ledger's
//! place for strays within months.
//!
//! Numbers are masked before anything is kept: a stray names nobody whom we know.

use super::rim::Rim;
use domain::LaneName;
use providers::without_numbers;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How much may be kept.
struct Bounds {
    /// At once, after a quiet time.
    burst: u64,
    /// One more, in a flood, after so many seconds.
    every_seconds: u64,
}

/// Calls that carry our MAC: one a second.
const OURS: Bounds = Bounds { burst: 20, every_seconds: 1 };

/// Calls that anybody can make: 24 a day.
const FORGED: Bounds = Bounds { burst: 5, every_seconds: 3_600 };

/// Characters of a body that are kept.
const CHARS_MAX: usize = 1_000;

/// Digits in a row from which on a number is masked.
const DIGITS_SHOWN: usize = 7;

/// How many strays may be kept, and what became of all.
pub(super) struct Strays {
    ours: Allowance,
    forged: Allowance,
    pub(super) kept: AtomicU64,
    pub(super) dropped: AtomicU64,
}

struct Allowance {
    bounds: Bounds,
    left: Mutex<Left>,
}

struct Left {
    count: u64,
    since: Instant,
}

impl Allowance {
    fn new(bounds: Bounds) -> Allowance {
        let left = Left { count: bounds.burst, since: Instant::now() };
        Allowance { bounds, left: Mutex::new(left) }
    }

    /// Takes one, if any is left.
    fn take(&self, now: Instant) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = now.saturating_duration_since(left.since).as_secs();
        let more = seconds / self.bounds.every_seconds;
        if more > 0 {
            left.count = self.bounds.burst.min(left.count.saturating_add(more));
            left.since = now;
        }
        let may = left.count > 0;
        left.count = left.count.saturating_sub(1);
        may
    }
}

impl Default for Strays {
    fn default() -> Self {
        let (ours, forged) = (Allowance::new(OURS), Allowance::new(FORGED));
        Strays { ours, forged, kept: 0.into(), dropped: 0.into() }
    }
}

impl Strays {
    /// Takes one of what may be kept now of calls with our MAC; counts what may not.
    pub(super) fn may_keep(&self) -> bool {
        self.count(self.ours.take(Instant::now()))
    }

    /// The same for calls without it.
    pub(super) fn may_keep_forged(&self) -> bool {
        self.count(self.forged.take(Instant::now()))
    }

    fn count(&self, may: bool) -> bool {
        if !may {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
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
        let ours = Allowance::new(OURS);
        let start = Instant::now();
        assert_eq!((0..1_000).filter(|_| ours.take(start)).count(), 20);
        let later = start + Duration::from_secs(3);
        assert_eq!((0..1_000).filter(|_| ours.take(later)).count(), 3);
        let much_later = later + Duration::from_secs(3_600);
        assert_eq!((0..1_000).filter(|_| ours.take(much_later)).count(), 20);
    }

    #[test]
    fn a_flood_of_calls_that_anybody_can_make_is_kept_at_one_an_hour() {
        let forged = Allowance::new(FORGED);
        let start = Instant::now();
        let kept = (0..7 * 24 * 60).filter(|minute| {
            let now = start + Duration::from_secs(60 * minute);
            (0..10).filter(|_| forged.take(now)).count() > 0
        });
        assert!(kept.count() <= 7 * 24, "a week of it");
    }

    #[test]
    fn long_numbers_and_control_characters_are_not_kept() {
        let body = "{\"number_card\":\"4276345439581234\",\n\"amount\":\"1500.00\"}";
        assert_eq!(masked(body), "{\"number_card\":\"…1234\", \"amount\":\"1500.00\"}");
        assert_eq!(masked(&"x".repeat(5_000)).len(), CHARS_MAX);
        assert_eq!(masked("79161234567"), "…4567");
    }
}
