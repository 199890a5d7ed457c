//! Lanes as the pool knows them.

use super::spend;
use super::table::table;
use crate::report::cells::time;
use domain::hours::Closed;
use domain::{Batch, Millis, State};
use ledger::LaneRecord;
use ledger::spend::{Hold, Holder};
use serde_json::{Value, json};

/// A lane as the pool knows it, and what this config says about it.
pub struct Shown {
    /// What the pool knows.
    pub record: LaneRecord,
    /// Its provider's name.
    pub provider: String,
    /// Until when its provider wants to be left alone.
    pub paused_until: Option<Millis>,
    /// That it is closed at this hour.
    pub closed: Option<Closed>,
    /// The last of its holidays, where all of them are over.
    pub holidays_ended: Option<String>,
    /// The caps that hold it.
    pub hold: Option<Hold>,
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
    let line = |shown: &Shown| match (&shown.record.stopped, &shown.hold) {
        (Some(_), _) => format!("lane {} is stopped: {}\n", shown.record.name, detail(shown)),
        (None, Some(hold)) => spend::line(&holder(shown), hold),
        (None, None) => String::new(),
    };
    lanes.iter().map(line).collect()
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

fn holder(shown: &Shown) -> Holder {
    Holder::Lane(shown.record.name.clone())
}

fn state(shown: &Shown) -> String {
    let Shown { record, closed, hold, .. } = shown;
    let state = match (&record.stopped, closed, hold) {
        (Some(_), ..) => "stopped",
        (None, Some(_), _) => "closed",
        (None, None, Some(_)) => "holds",
        (None, None, None) => match (&record.control, &record.canary) {
            (Some(_), _) => "open",
            (None, Some(_)) => "trying one payout",
            (None, None) => "new",
        },
    };
    state.to_owned()
}

/// All that keeps it from sending, each said: one does not end with the other.
fn detail(shown: &Shown) -> String {
    let Shown { record, paused_until, closed, holidays_ended, hold, .. } = shown;
    let stop = record.stopped.as_ref().map(|stop| match stop.until {
        Some(_) => format!("{} (tries again by itself)", stop.reason),
        None => format!("{} (start it with `producer lane start {}`)", stop.reason, record.name),
    });
    let closed = closed.as_ref().map(|closed| match &stop {
        // Its state says so already.
        None => format!("until {} ({})", closed.shown, closed.why),
        Some(_) => closed.to_string(),
    });
    let held = hold.as_ref().map(|hold| format!("held {}", spend::words(&holder(shown), hold)));
    let paused = paused_until.map(|until| {
        let (until, name) = (time(&until), &record.name);
        format!("its provider wants no requests until {until} (`producer lane hurry {name}`)")
    });
    let ended = holidays_ended.as_ref();
    let ended = ended.map(|last| format!("its holidays end with {last}; list those to come"));
    [stop, closed, held, paused, ended].into_iter().flatten().collect::<Vec<_>>().join("; ")
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
            "paused_until": shown.paused_until.as_ref().map(time),
            "held": shown.hold.as_ref().map(|hold| spend::to_json(&holder(shown), hold)),
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
