//! When a lane sends. Without this section it always does.

use domain::hours::Given;
use domain::{Hours, Policy};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A file of dates is read up to so many bytes: a century of holidays, each with a word.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What must be left of `unsent_give_up_ms` when the longest closure is over: a day, so that what
/// was taken in as the lane closed has the whole next business day.
const LEFT_MS: u64 = 24 * HOUR_MS;
const HOUR_MS: u64 = 60 * 60 * 1_000;

/// `[lanes.X.hours]`. Outside them no new payout leaves; look-ups, callbacks and second steps of what
/// is under way go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HoursConfig {
    /// The time zone that all of it is in, such as `Europe/Berlin`. Required.
    pub zone: String,
    /// From this hour on, as `08:00`.
    pub open: String,
    /// Nothing leaves from this hour on, as `16:30`; `24:00` is the end of the day.
    pub cut_off: String,
    /// The days of business.
    pub days: Vec<String>,
    /// Dates that are none, as `2026-12-25`.
    pub holidays: Vec<String>,
    /// A file of further dates, one a line; what follows a `#` is for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holidays_file: Option<PathBuf>,
}

impl Default for HoursConfig {
    fn default() -> Self {
        HoursConfig {
            zone: String::new(),
            open: "00:00".to_owned(),
            cut_off: "24:00".to_owned(),
            days: ["mon", "tue", "wed", "thu", "fri"].map(str::to_owned).to_vec(),
            holidays: Vec::new(),
            holidays_file: None,
        }
    }
}

impl HoursConfig {
    /// The calendar, with the dates of the file.
    pub fn read(&self) -> Result<Hours, String> {
        let mut holidays = self.holidays.clone();
        if let Some(path) = &self.holidays_file {
            let told = |e: io::Error| format!("holidays_file {}: {e}", path.display());
            holidays.extend(dates(path).map_err(told)?);
        }
        let HoursConfig { zone, open, cut_off, days, .. } = self;
        let given = Given { zone, open, cut_off, days, holidays: &holidays };
        Hours::read(given).map_err(|e| e.to_string())
    }

    /// What does not fit, if anything: above all, payouts that would fail as too old before the
    /// lane opens again.
    pub(crate) fn check(&self, policy: &Policy) -> Result<(), String> {
        let Policy { send_window_ms, unsent_give_up_ms, .. } = *policy;
        let hours = self.read()?;
        let opening_ms = hours.opening_ms();
        if opening_ms <= send_window_ms {
            return Err(format!(
                "the lane is open from {} until {}, {opening_ms} ms a day, and a payout is begun only \
                 where its whole send window lies before the cut-off (policy.send_window_ms = \
                 {send_window_ms}): none would ever be sent. Set a later cut_off, or a send_window_ms \
                 below {opening_ms}",
                self.open, self.cut_off
            ));
        }
        let Some(longest) = hours.longest_closure() else { return Ok(()) };
        let needed_ms = longest.ms.saturating_add(LEFT_MS);
        if unsent_give_up_ms >= needed_ms {
            return Ok(());
        }
        Err(format!(
            "the lane is closed from {} until {}, {} hours, and a payout that was never sent fails \
             after {} hours (policy.unsent_give_up_ms = {unsent_give_up_ms}): it would fail unsent \
             because of the calendar alone. Set policy.unsent_give_up_ms to at least {needed_ms}, the \
             closure and a day",
            longest.from,
            longest.until,
            longest.ms.div_ceil(HOUR_MS),
            unsent_give_up_ms / HOUR_MS,
        ))
    }
}

fn dates(path: &Path) -> io::Result<Vec<String>> {
    let mut text = String::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|bytes| bytes > FILE_BYTES_MAX) {
        let text = format!("it is larger than {FILE_BYTES_MAX} bytes; one date a line is expected");
        return Err(io::Error::other(text));
    }
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    Ok(lines.filter(|date| !date.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK_MS: u64 = 7 * 24 * HOUR_MS;

    fn patient(unsent_give_up_ms: u64) -> Policy {
        Policy { unsent_give_up_ms, ..Policy::DEFAULT }
    }

    fn berlin(holidays: &[&str]) -> HoursConfig {
        HoursConfig {
            zone: "Europe/Berlin".to_owned(),
            open: "08:00".to_owned(),
            cut_off: "16:30".to_owned(),
            holidays: holidays.iter().map(|&day| day.to_owned()).collect(),
            ..HoursConfig::default()
        }
    }

    #[test]
    fn a_holiday_that_outlasts_the_patience_for_unsent_payouts_is_refused_with_what_would_do() {
        assert_eq!(berlin(&[]).check(&patient(WEEK_MS)), Ok(()), "a weekend is short");
        // From Thursday before the 1st of May until Monday in a week.
        let week =
            ["2026-05-01", "2026-05-04", "2026-05-05", "2026-05-06", "2026-05-07", "2026-05-08"];
        let told = berlin(&week).check(&patient(WEEK_MS)).unwrap_err();
        let closed = "closed from 2026-04-30 16:30 Europe/Berlin until 2026-05-11 08:00 Europe/Berlin, \
                      256 hours, and a payout that was never sent fails after 168 hours";
        assert!(told.contains(closed), "{told}");
        let needed_ms = (255 * 60 + 30) * 60_000 + LEFT_MS;
        assert!(told.contains(&format!("to at least {needed_ms}, ")), "{told}");
        assert_eq!(berlin(&week).check(&patient(needed_ms)), Ok(()));
        assert!(berlin(&week).check(&patient(needed_ms - 1)).is_err());
    }

    #[test]
    fn an_opening_that_no_send_window_fits_into_is_refused_with_what_would_do() {
        let one_minute = HoursConfig { cut_off: "08:01".to_owned(), ..berlin(&[]) };
        let within = |send_window_ms| Policy { send_window_ms, ..Policy::DEFAULT };
        let told = one_minute.check(&within(60_000)).unwrap_err();
        assert!(told.contains("open from 08:00 until 08:01, 60000 ms a day"), "{told}");
        assert!(told.contains("a send_window_ms below 60000"), "{told}");
        assert_eq!(one_minute.check(&within(59_999)), Ok(()));
        let (open, cut_off) = ("23:59".to_owned(), "24:00".to_owned());
        let last_minute = HoursConfig { open, cut_off, ..berlin(&[]) };
        assert!(last_minute.check(&within(60_000)).is_err());
    }

    #[test]
    fn dates_of_a_file_count_like_those_of_the_config() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("holidays.txt");
        std::fs::write(&path, "# the bank's own\n2026-12-25 # Christmas\n\n2026-12-26\n").unwrap();
        let listed = berlin(&["2026-12-25", "2026-12-26"]).read().unwrap();
        let mut config = berlin(&[]);
        config.holidays_file = Some(path.clone());
        assert_eq!(config.read().unwrap(), listed);
        std::fs::write(&path, "Christmas\n").unwrap();
        assert!(config.read().unwrap_err().contains("\"Christmas\" is not a holiday"));
        config.holidays_file = Some(folder.path().join("none.txt"));
        assert!(config.read().unwrap_err().contains("none.txt"));
    }
}
