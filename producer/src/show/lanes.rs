//! Lanes as the pool knows them.

use super::table::table;
use ledger::LaneRecord;
use serde_json::{Value, json};

/// A lane with its provider's name.
pub type Shown = (LaneRecord, String);

/// A table of lanes.
pub fn list(lanes: &[Shown]) -> String {
    let row = |(record, provider): &Shown| {
        vec![record.name.to_string(), provider.clone(), state(record), detail(record)]
    };
    let rows: Vec<_> = lanes.iter().map(row).collect();
    table(&["lane", "provider", "state", ""], &rows)
}

/// Only the lanes that send nothing, with why; empty where all do.
pub fn stopped(lanes: &[Shown]) -> String {
    let stopped = lanes.iter().filter(|(record, _)| record.stopped.is_some());
    stopped
        .map(|(record, _)| format!("lane {} is stopped: {}\n", record.name, detail(record)))
        .collect()
}

fn state(record: &LaneRecord) -> String {
    let state = match (&record.stopped, &record.control, &record.canary) {
        (Some(_), _, _) => "stopped",
        (None, Some(_), _) => "open",
        (None, None, Some(_)) => "trying one payout",
        (None, None, None) => "new",
    };
    state.to_owned()
}

fn detail(record: &LaneRecord) -> String {
    match &record.stopped {
        None => String::new(),
        Some(stop) => match stop.until {
            Some(_) => format!("{} (tries again by itself)", stop.reason),
            None => {
                format!("{} (start it with `producer lane start {}`)", stop.reason, record.name)
            }
        },
    }
}

/// Lanes for scripts.
pub fn to_json(lanes: &[Shown]) -> Value {
    let one = |(record, provider): &Shown| {
        json!({
            "lane": record.name.as_str(),
            "provider": provider,
            "state": state(record),
            "stopped": record.stopped.as_ref().map(|stop| stop.reason.clone()),
            "fingerprint": record.fingerprint,
        })
    };
    lanes.iter().map(one).collect()
}
