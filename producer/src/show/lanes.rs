//! Lanes as the pool knows them.

use super::table::table;
use crate::report::cells::time;
use domain::hours::Closed;
use domain::{Batch, State};
use ledger::LaneRecord;
use serde_json::{Value, json};

/// A lane as the pool knows it, and what this config says about it.
pub struct Shown {
    /// What the pool knows.
    pub record: LaneRecord,
    /// Its provider's name.
    pub provider: String,
    /// That it is closed at this hour.
    pub closed: Option<Closed>,
    /// The last of its holidays, where all of them are over.
    pub holidays_ended: Option<String>,
}

/// A table of lanes.
pub fn list(lanes: &[Shown]) -> String {
    let row = |shown: &Shown| {
        let (name, provider) = (shown.record.name.to_string(), shown.provider.clone());
        vec![name, provider, state(shown), detail(shown)]
    };
    let rows: Vec<_> = lanes.iter().map(row).collect();
    table(&["lane", "provider", "state", ""], &rows)
}

/// Only the lanes that send nothing, with why; empty where all do.
pub fn stopped(lanes: &[Shown]) -> String {
    let stopped = lanes.iter().filter(|shown| shown.record.stopped.is_some());
    stopped
        .map(|shown| format!("lane {} is stopped: {}\n", shown.record.name, detail(shown)))
        .collect()
}

/// `lane main is closed until 2026-12-28 08:00 Europe/Berlin (holiday)`, for each that is.
pub fn closed(lanes: &[Shown]) -> String {
    let one = |shown: &Shown| {
        let closed = shown.closed.as_ref()?;
        Some(format!("lane {} is {closed}\n", shown.record.name))
    };
    lanes.iter().filter_map(one).collect()
}

/// The same, if any of these batches has payouts that wait to be sent.
pub fn holding(lanes: &[Shown], batches: &[Batch]) -> String {
    let waits = |batch: &Batch| batch.counts.get(State::Accepted) > 0;
    if batches.iter().any(waits) { closed(lanes) } else { String::new() }
}

fn state(shown: &Shown) -> String {
    let Shown { record, closed, .. } = shown;
    let state = match (&record.stopped, closed, &record.control, &record.canary) {
        (Some(_), ..) => "stopped",
        (None, Some(_), ..) => "closed",
        (None, None, Some(_), _) => "open",
        (None, None, None, Some(_)) => "trying one payout",
        (None, None, None, None) => "new",
    };
    state.to_owned()
}

fn detail(shown: &Shown) -> String {
    let Shown { record, closed, holidays_ended, .. } = shown;
    match (&record.stopped, closed, holidays_ended) {
        (Some(stop), ..) if stop.until.is_some() => {
            format!("{} (tries again by itself)", stop.reason)
        }
        (Some(stop), ..) => {
            format!("{} (start it with `producer lane start {}`)", stop.reason, record.name)
        }
        (None, Some(closed), _) => format!("until {} ({})", closed.shown, closed.why),
        (None, None, Some(last)) => format!("its holidays end with {last}; list those to come"),
        (None, None, None) => String::new(),
    }
}

/// Lanes for scripts.
pub fn to_json(lanes: &[Shown]) -> Value {
    let one = |shown: &Shown| {
        let Shown { record, provider, .. } = shown;
        json!({
            "lane": record.name.as_str(),
            "provider": provider,
            "state": state(shown),
            "closed": shown.closed.as_ref().map(hours_json),
            "stopped": record.stopped.as_ref().map(|stop| stop.reason.clone()),
            "fingerprint": record.fingerprint,
        })
    };
    lanes.iter().map(one).collect()
}

/// The lanes that are closed at this hour, for scripts.
pub fn closed_json(lanes: &[Shown]) -> Value {
    let one = |shown: &Shown| {
        let mut told = hours_json(shown.closed.as_ref()?);
        told["lane"] = shown.record.name.as_str().into();
        Some(told)
    };
    lanes.iter().filter_map(one).collect()
}

fn hours_json(closed: &Closed) -> Value {
    json!({ "until": time(&closed.until), "shown": closed.shown, "why": closed.why.to_string() })
}
