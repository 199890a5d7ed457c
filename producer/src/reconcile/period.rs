//! Days in UTC become a period.

use super::ReconcileError;
use domain::Millis;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use providers::Period;
use reconcile::DAY_MS;

/// Without `--from`: so far back. In milliseconds.
const BACK_MS: u64 = 3 * DAY_MS;

/// From the first moment of `from` to the last of `to`, and not beyond now.
pub fn of(from: Option<&str>, to: Option<&str>, now: Millis) -> Result<Period, ReconcileError> {
    let from = match from {
        Some(text) => start(day("--from", text)?),
        None => Some(Millis(now.0.saturating_sub(BACK_MS))),
    };
    let until = match to {
        Some(text) => day("--to", text)?.checked_add(1.day()).ok().and_then(start),
        None => Some(now),
    };
    let (from, until) = from.zip(until).ok_or_else(|| wrong("a day beyond all calendars"))?;
    if from >= until.min(now) {
        return Err(wrong("the period ends before it begins"));
    }
    Ok(Period { from, until: until.min(now) })
}

fn day(option: &str, text: &str) -> Result<Date, ReconcileError> {
    text.trim().parse().map_err(|_| wrong(&format!("{option}: expected a day, such as 2026-01-31")))
}

fn start(day: Date) -> Option<Millis> {
    let at: Zoned = day.to_zoned(TimeZone::UTC).ok()?;
    u64::try_from(at.timestamp().as_millisecond()).ok().map(Millis)
}

fn wrong(text: &str) -> ReconcileError {
    ReconcileError::Period(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-31, 12:00 UTC.
    const NOW: Millis = Millis(1_769_860_800_000);

    #[test]
    fn both_days_belong_to_the_period_and_the_future_does_not() {
        let period = of(Some("2026-01-29"), Some("2026-01-29"), NOW).unwrap();
        assert_eq!(period.until.0 - period.from.0, DAY_MS);
        assert_eq!(period.from.0 % DAY_MS, 0);
        assert_eq!(of(Some("2026-01-31"), Some("2026-02-05"), NOW).unwrap().until, NOW);
        let usual = of(None, None, NOW).unwrap();
        assert_eq!((usual.until, usual.until.0 - usual.from.0), (NOW, BACK_MS));
    }

    #[test]
    fn what_is_no_period_is_told() {
        for (from, to) in [("31.01.2026", "2026-01-31"), ("2026-01-30", "2026-01-29")] {
            assert!(of(Some(from), Some(to), NOW).is_err(), "{from} {to}");
        }
        assert!(of(Some("2026-02-01"), None, NOW).is_err(), "it has not begun");
    }
}
