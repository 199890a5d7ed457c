//! Days and times in the platform's zone, Moscow: UTC+3 all year.

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

fn moscow() -> TimeZone {
    TimeZone::fixed(Offset::constant(3))
}

/// `dd.mm.yyyy hh:mm:ss`
pub(super) fn show(unix_ms: u64) -> String {
    let at = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let at = at.unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(moscow());
    at.strftime("%d.%m.%Y %H:%M:%S").to_string()
}

/// The first moment of a day `dd.mm.yyyy`, and that of the next day.
pub(super) fn bounds(text: &str) -> Option<(u64, u64)> {
    let mut parts = text.split('.');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if (day.len(), month.len(), year.len()) != (2, 2, 4) || parts.next().is_some() {
        return None;
    }
    let date = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    Some((start(date)?, start(date.checked_add(1.day()).ok()?)?))
}

fn start(date: Date) -> Option<u64> {
    let at = date.to_zoned(moscow()).ok()?.timestamp();
    u64::try_from(at.as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_three_hours_before_that_of_greenwich() {
        let (from, until) = bounds("01.03.2024").unwrap();
        assert_eq!(
            (show(from), show(until - 1000)),
            ("01.03.2024 00:00:00".to_owned(), "01.03.2024 23:59:59".to_owned())
        );
        assert_eq!(from, 1_709_240_400_000, "29 February, 21:00 UTC");
    }

    #[test]
    fn what_is_no_day_is_none() {
        for wrong in ["", "1.3.2024", "30.02.2024", "2024-03-01", "01.03.2024.1", "01.03.24"] {
            assert_eq!(bounds(wrong), None, "{wrong}");
        }
    }
}
