//! When a lane sends: business days, holidays, opening hour and cut-off, in the provider's time zone.
//!
//! The invariant: *a moment is open or it names a later one that is, within a year*. A calendar
//! that could not keep it is never made ([`Hours::read`]). Pure: whoever asks brings the moment.
//!
//! A day is open from the first moment at which the clock on the wall shows `open` or later, until
//! the first at which it shows `cut_off` or later. So on days whose clock changes:
//!
//! ```text
//!  forward, 02:00 → 03:00   open = 02:30      opens at 03:00, the first moment that is not before
//!  back,    03:00 → 02:00   cut_off = 02:30   closes at the first 02:30; the second stays closed
//!  skipped whole            (a hole of a day, as Apia had one)   is not open at all
//! ```

mod closure;
mod read;
#[cfg(test)]
mod tests;

pub use closure::Closure;
pub use read::{Given, HoursError};

use crate::time::Millis;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeSet;
use std::fmt;

/// Days that are looked through for the next opening or the last closing.
const SEARCH_DAYS: u16 = 400;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
const MINUTE_MS: u64 = 60 * 1_000;

/// The hours of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    zone: TimeZone,
    open: Time,
    /// `None`: the end of the day, 24:00.
    cut_off: Option<Time>,
    /// From Monday to Sunday.
    days: [bool; 7],
    holidays: BTreeSet<Date>,
}

/// Whether a lane sends at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Now {
    /// It does.
    Open {
        /// Until its cut-off, or until midnight where it is open through the night.
        until: Millis,
    },
    /// It does not.
    Closed(Closed),
}

/// A lane that does not send now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// When it opens: always in the future.
    pub until: Millis,
    /// Why it is closed at this moment.
    pub why: Why,
    /// `2026-12-28 08:00 Europe/Berlin`.
    pub shown: String,
}

/// Why a lane is closed at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The day is listed.
    Holiday,
    /// It is no business day.
    DayOff,
    /// The day has not begun.
    Early,
    /// It is over.
    Late,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::Holiday => "holiday",
            Why::DayOff => "no business day",
            Why::Early => "before the opening hour",
            Why::Late => "after the cut-off",
        })
    }
}

impl fmt::Display for Closed {
    /// `closed until 2026-12-28 08:00 Europe/Berlin (holiday)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "closed until {} ({})", self.shown, self.why)
    }
}

/// From when until when a lane is open on one day: never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    opens: Timestamp,
    closes: Timestamp,
}

impl Hours {
    /// Whether the lane sends at this moment.
    pub fn at(&self, now: Millis) -> Now {
        let Some((at, day)) = self.moment(now) else {
            // No calendar goes so far: asked again a day later.
            let until = now.plus(DAY_MS);
            return Now::Closed(Closed { until, why: Why::DayOff, shown: String::new() });
        };
        // Where midnight comes twice, the day before or after may have the moment.
        let near = [day.yesterday(), Ok(day), day.tomorrow()];
        let windows = near.into_iter().flatten().filter_map(|day| self.window(day));
        let window = windows.into_iter().find(|window| window.opens <= at && at < window.closes);
        if let Some(window) = window {
            return Now::Open { until: millis(window.closes) };
        }
        let why = self.why(day, self.zone.to_datetime(at).time());
        let opens = day.yesterday().ok().and_then(|day| self.opens_after(at, day));
        let (until, shown) = match opens {
            Some(opens) => (millis(opens), self.shown(opens)),
            None => (now.plus(DAY_MS), String::new()),
        };
        Now::Closed(Closed { until, why, shown })
    }

    /// Why and until when the lane is closed; nothing where it is open.
    pub fn closed(&self, now: Millis) -> Option<Closed> {
        match self.at(now) {
            Now::Open { .. } => None,
            Now::Closed(closed) => Some(closed),
        }
    }

    /// When the lane opens, where what begins now and takes up to `lead_ms` (less than a day) to
    /// leave would not have left before the cut-off; nothing where it may begin.
    pub fn shut(&self, now: Millis, lead_ms: u64) -> Option<Millis> {
        match self.at(now) {
            Now::Closed(closed) => Some(closed.until),
            Now::Open { until } if now.plus(lead_ms) <= until => None,
            // At midnight, a lane that is open through the night goes on.
            Now::Open { until } => self.closed(until).map(|closed| closed.until),
        }
    }

    /// How long it is open on a day whose clock is not changed.
    pub fn opening_ms(&self) -> u64 {
        let minutes = |time: Time| {
            u64::try_from(time.hour()).unwrap_or(0) * 60 + u64::try_from(time.minute()).unwrap_or(0)
        };
        let ends_ms = self.cut_off.map_or(DAY_MS, |time| minutes(time) * MINUTE_MS);
        ends_ms.saturating_sub(minutes(self.open) * MINUTE_MS)
    }

    /// Whether all holidays that are listed are over: the list is to be continued. Never where
    /// none is.
    pub fn holidays_ended(&self, now: Millis) -> Option<String> {
        let last = self.holidays.last()?;
        let (_, day) = self.moment(now)?;
        (*last < day).then(|| last.to_string())
    }

    fn moment(&self, now: Millis) -> Option<(Timestamp, Date)> {
        let at = Timestamp::from_millisecond(i64::try_from(now.0).ok()?).ok()?;
        Some((at, self.zone.to_datetime(at).date()))
    }

    fn is_business(&self, day: Date) -> bool {
        let listed = usize::try_from(day.weekday().to_monday_zero_offset());
        let of_week = listed.ok().and_then(|at| self.days.get(at)).copied().unwrap_or(false);
        of_week && !self.holidays.contains(&day)
    }

    fn why(&self, day: Date, time: Time) -> Why {
        if self.holidays.contains(&day) {
            Why::Holiday
        } else if !self.is_business(day) {
            Why::DayOff
        } else if time < self.open {
            Why::Early
        } else {
            Why::Late
        }
    }

    fn window(&self, day: Date) -> Option<Window> {
        if !self.is_business(day) {
            return None;
        }
        let end = match self.cut_off {
            Some(time) => day.to_datetime(time),
            None => day.tomorrow().ok()?.to_datetime(Time::midnight()),
        };
        let opens = self.first_at(day.to_datetime(self.open))?;
        let closes = self.first_at(end)?;
        (opens < closes).then_some(Window { opens, closes })
    }

    /// The first moment at which the clock on the wall shows `time` or later.
    fn first_at(&self, time: DateTime) -> Option<Timestamp> {
        let found = self.zone.to_ambiguous_timestamp(time);
        let gap = matches!(found.offset(), AmbiguousOffset::Gap { .. });
        // In a gap the earlier of both readings lies before the change of the clock.
        let earlier = found.earlier().ok()?;
        match gap {
            true => self.zone.following(earlier).next().map(|change| change.timestamp()),
            false => Some(earlier),
        }
    }

    /// The first opening after a moment, on `day` or later.
    fn opens_after(&self, at: Timestamp, day: Date) -> Option<Timestamp> {
        let days = day.series(1.day()).take(SEARCH_DAYS.into());
        days.filter_map(|day| self.window(day)).map(|w| w.opens).find(|opens| *opens > at)
    }

    fn shown(&self, at: Timestamp) -> String {
        let zone = self.zone.iana_name().unwrap_or("UTC");
        format!("{} {zone}", self.zone.to_datetime(at).strftime("%Y-%m-%d %H:%M"))
    }
}

fn millis(at: Timestamp) -> Millis {
    Millis(u64::try_from(at.as_millisecond()).unwrap_or(0))
}
