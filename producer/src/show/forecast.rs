//! When a batch will be through, at the pace of the last minutes.

use crate::report::cells::put_time;
use domain::{BatchId, Millis};
use jiff::Timestamp;
use ledger::forecast::{Forecast, Measured};
use serde_json::{Value, json};

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// `batch …: through about 14:32 UTC, in 12 min, at 38 payouts a second`.
pub fn words(batch: BatchId, forecast: Forecast, now: Millis) -> String {
    let told = match forecast {
        Forecast::NotKnownYet => "when it will be through is not known yet".to_owned(),
        Forecast::AllAnswered => "every payout is answered; some are not final yet".to_owned(),
        Forecast::StandsStill { since } => {
            format!("stands still: nothing was answered for {}", span(now.since(since)))
        }
        Forecast::At { at, pace } => {
            let wait_ms = at.since(now);
            format!("through about {}, in {}, at {}", clock(at, wait_ms), span(wait_ms), rate(pace))
        }
    };
    format!("batch {batch}: {told}\n")
}

/// For scripts; null where nothing is known.
pub fn to_json(forecast: Option<Forecast>) -> Value {
    let time = |at: Millis| {
        let mut out = String::new();
        put_time(&mut out, at.0);
        out
    };
    match forecast {
        None => Value::Null,
        Some(Forecast::NotKnownYet) => json!({ "is": "not_known_yet" }),
        Some(Forecast::AllAnswered) => json!({ "is": "all_answered" }),
        Some(Forecast::StandsStill { since }) => {
            json!({ "is": "stands_still", "since": time(since) })
        }
        Some(Forecast::At { at, pace }) => json!({
            "is": "expected",
            "at": time(at),
            "payouts_per_hour": each(pace, HOUR_MS),
        }),
    }
}

/// The time of day in UTC, with its date where that is not soon.
fn clock(at: Millis, wait_ms: u64) -> String {
    let moment = i64::try_from(at.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let form = if wait_ms < 12 * HOUR_MS { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" };
    moment.map_or_else(|| "the end of time".to_owned(), |at| at.strftime(form).to_string())
}

/// In the largest unit of which there are two.
fn span(ms: u64) -> String {
    let units = [(DAY_MS, "days"), (HOUR_MS, "hours"), (MINUTE_MS, "min")];
    let found = units.into_iter().find(|(unit, _)| ms >= 2 * unit);
    let (unit, name) = found.unwrap_or((SECOND_MS, "s"));
    format!("{} {name}", (ms + unit / 2) / unit)
}

/// In the smallest unit in which there are two.
fn rate(pace: Measured) -> String {
    let units = [(SECOND_MS, "a second"), (MINUTE_MS, "a minute")];
    let found = units.into_iter().find(|(unit, _)| each(pace, *unit) >= 2);
    let (unit, name) = found.unwrap_or((HOUR_MS, "an hour"));
    format!("{} payouts {name}", each(pace, unit))
}

fn each(pace: Measured, unit_ms: u64) -> u64 {
    let per = u128::from(pace.payouts) * u128::from(unit_ms) / u128::from(pace.in_ms.max(1));
    u64::try_from(per).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ulid::Ulid;

    const NOW: Millis = Millis(1_700_000_000_000);

    fn told(forecast: Forecast) -> String {
        let id = BatchId(Ulid(1));
        words(id, forecast, NOW).replace(&format!("batch {id}: "), "").trim_end().to_owned()
    }

    fn at(wait_ms: u64, payouts: u64) -> Forecast {
        Forecast::At { at: NOW.plus(wait_ms), pace: Measured { payouts, in_ms: 10_000 } }
    }

    #[test]
    fn a_forecast_is_told_in_units_that_people_use() {
        let minutes = told(at(12 * MINUTE_MS, 380));
        assert_eq!(minutes, "through about 22:25 UTC, in 12 min, at 38 payouts a second");
        let seconds = told(at(20_000, 15));
        assert_eq!(seconds, "through about 22:13 UTC, in 20 s, at 90 payouts a minute");
        let days = told(Forecast::At {
            at: NOW.plus(3 * DAY_MS),
            pace: Measured { payouts: 1, in_ms: 120_000 },
        });
        assert_eq!(days, "through about 2023-11-17 22:13 UTC, in 3 days, at 30 payouts an hour");
    }

    #[test]
    fn a_batch_that_stands_still_says_for_how_long() {
        let still = Forecast::StandsStill { since: Millis(NOW.0 - 5 * MINUTE_MS) };
        assert_eq!(told(still), "stands still: nothing was answered for 5 min");
        assert_eq!(to_json(Some(still))["since"], "2023-11-14T22:08:20Z");
        assert_eq!(to_json(None), Value::Null);
    }
}
