//! How long a calendar closes at most: what a payout must be able to outwait.

use super::{DAY_MS, Hours, SEARCH_DAYS, millis};
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeSet;

/// A calendar that is closed for longer never opens: no pause in business takes a year.
const CLOSURE_MAX_MS: u64 = 366 * DAY_MS;
/// A year like any other, for the closures that come every week; holidays bring their own.
const ANY_YEAR: (Date, u16) = (date(2026, 1, 1), 365);

/// A time in which nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure {
    /// How long it takes.
    pub ms: u64,
    /// `2026-12-24 16:30 Europe/Berlin`.
    pub from: String,
    /// When it is over.
    pub until: String,
}

/// A calendar that is closed for a year, or for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NeverOpens {
    /// A day from which on it does not open.
    pub(super) day: Date,
}

impl Hours {
    /// The longest closure that this calendar makes; nothing where it never closes.
    pub fn longest_closure(&self) -> Option<Closure> {
        self.longest().ok().flatten()
    }

    pub(super) fn longest(&self) -> Result<Option<Closure>, NeverOpens> {
        let (first, count) = ANY_YEAR;
        let mut days: BTreeSet<Date> = first.series(1.day()).take(count.into()).collect();
        days.extend(&self.holidays);
        let mut longest: Option<(u64, Timestamp, Timestamp)> = None;
        let mut opens_on = Date::MIN;
        for day in days {
            // Before this day: one more of a closure that was seen.
            if day < opens_on {
                continue;
            }
            let (closes, opens) = self.around(day).ok_or(NeverOpens { day })?;
            let ms = millis(opens).since(millis(closes));
            if ms >= CLOSURE_MAX_MS {
                return Err(NeverOpens { day });
            }
            if ms > longest.map_or(0, |(ms, ..)| ms) {
                longest = Some((ms, closes, opens));
            }
            opens_on = self.zone.to_datetime(opens).date();
        }
        Ok(longest.map(|(ms, closes, opens)| Closure {
            ms,
            from: self.shown(closes),
            until: self.shown(opens),
        }))
    }

    /// The last closing before a day, and the first opening on it or after it.
    fn around(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let mut before = day.yesterday().ok()?.series(-1.day()).take(SEARCH_DAYS.into());
        let closes = before.find_map(|day| self.window(day))?.closes;
        let mut after = day.series(1.day()).take(SEARCH_DAYS.into());
        let opens = after.find_map(|day| self.window(day))?.opens;
        Some((closes, opens))
    }
}
