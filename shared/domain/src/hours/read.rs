//! From the words of a config to a calendar that opens again and again.

use super::Hours;
use jiff::civil::{Date, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::collections::BTreeSet;

/// More holidays than a century has: a longer list is another file.
const HOLIDAYS_MAX: usize = 5_000;
/// Years that a holiday may lie in; any other is a slip of the pen.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2199;
/// The days of the week, from Monday on.
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What a config says about hours.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// `Europe/Berlin`.
    pub zone: &'a str,
    /// `08:00`.
    pub open: &'a str,
    /// `16:30`; `24:00` is the end of the day.
    pub cut_off: &'a str,
    /// `mon`, `tue` …
    pub days: &'a [String],
    /// `2026-12-25`.
    pub holidays: &'a [String],
}

/// What does not make a calendar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each text says what was found and what would be accepted")]
pub enum HoursError {
    #[error("zone is \"{0}\"; write a name of the IANA list, such as \"Europe/Berlin\" or \"UTC\"")]
    Zone(String),
    #[error("{key} is \"{found}\"; write hours and minutes as \"08:00\"")]
    Time { key: &'static str, found: String },
    #[error(
        "open is {open} and cut_off is {cut_off}; open comes before the cut-off of the same day \
         (\"24:00\" is its end)"
    )]
    Order { open: String, cut_off: String },
    #[error("days has \"{0}\"; write some of {all}", all = WEEKDAYS.join(", "))]
    Day(String),
    #[error("days is empty, so the lane never opens; write some of {all}", all = WEEKDAYS.join(", "))]
    NoDay,
    #[error("\"{0}\" is not a holiday; write a date from 2000 to 2199 as \"2026-12-25\"")]
    Holiday(String),
    #[error("{0} holidays are listed; at most {HOLIDAYS_MAX} would be accepted")]
    Holidays(usize),
    #[error("the lane never opens for a year around {0}; take holidays out, or add days")]
    NeverOpens(String),
}

impl Hours {
    /// Makes a calendar of what a config says, if it opens again within a year, always.
    pub fn read(given: Given<'_>) -> Result<Hours, HoursError> {
        let Given { zone, open, cut_off, days, holidays } = given;
        let order = || HoursError::Order { open: open.to_owned(), cut_off: cut_off.to_owned() };
        let hours = Hours {
            zone: read_zone(zone).ok_or_else(|| HoursError::Zone(zone.to_owned()))?,
            open: read_time("open", open)?.ok_or_else(order)?,
            cut_off: read_time("cut_off", cut_off)?,
            days: read_days(days)?,
            holidays: read_holidays(holidays)?,
        };
        if hours.cut_off.is_some_and(|cut_off| cut_off <= hours.open) {
            return Err(order());
        }
        match hours.longest() {
            Ok(_) => Ok(hours),
            Err(never) => Err(HoursError::NeverOpens(never.day.to_string())),
        }
    }
}

/// From the data that is built in, and no other: all machines of a pool have the same.
fn read_zone(name: &str) -> Option<TimeZone> {
    let zone = TimeZoneDatabase::bundled().get(name).ok()?;
    (!zone.is_unknown()).then_some(zone)
}

/// `None` for the end of the day.
fn read_time(key: &'static str, found: &str) -> Result<Option<Time>, HoursError> {
    if found == "24:00" {
        return Ok(None);
    }
    let two = |text: &str| (text.len() == 2).then(|| text.parse::<i8>().ok()).flatten();
    let time = found
        .split_once(':')
        .and_then(|(hour, minute)| Time::new(two(hour)?, two(minute)?, 0, 0).ok());
    time.map(Some).ok_or_else(|| HoursError::Time { key, found: found.to_owned() })
}

fn read_days(named: &[String]) -> Result<[bool; 7], HoursError> {
    if let Some(wrong) = named.iter().find(|day| !WEEKDAYS.contains(&day.as_str())) {
        return Err(HoursError::Day(wrong.clone()));
    }
    if named.is_empty() {
        return Err(HoursError::NoDay);
    }
    Ok(WEEKDAYS.map(|day| named.iter().any(|named| named == day)))
}

fn read_holidays(listed: &[String]) -> Result<BTreeSet<Date>, HoursError> {
    if listed.len() > HOLIDAYS_MAX {
        return Err(HoursError::Holidays(listed.len()));
    }
    let one = |text: &String| {
        let date = text.parse::<Date>().ok().filter(|date| YEARS.contains(&date.year()));
        date.filter(|date| date.to_string() == *text)
            .ok_or_else(|| HoursError::Holiday(text.clone()))
    };
    listed.iter().map(one).collect()
}
