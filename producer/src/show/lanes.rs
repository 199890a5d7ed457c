//! Lanes as the pool knows them, and what each provider allows.

use super::table::table;
use ledger::LaneRecord;
use providers::{Absence, Calls, Deduplication, Limits, Polling, SecondStep};
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

/// What each provider allows.
pub fn providers(all: &[&Limits]) -> String {
    let row = |limits: &&Limits| {
        vec![
            limits.provider.to_owned(),
            methods(limits),
            limits.rows_per_call.to_string(),
            format!("{}/s, {} at once", limits.creates_per_second, limits.in_flight),
            format!("{}/s", limits.look_ups_per_second),
            polling(limits.polling).to_owned(),
            deduplication(limits.idempotency.deduplication),
            absence(limits.idempotency.absence),
            offers(limits).join(", "),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    let headers = [
        "provider",
        "pays by",
        ">rows a call",
        "creates",
        "look-ups",
        "polling",
        "same reference",
        "not found",
        "offers",
    ];
    table(&headers, &rows)
}

/// Limits for scripts.
pub fn providers_json(all: &[&Limits]) -> Value {
    let one = |limits: &&Limits| {
        json!({
            "provider": limits.provider,
            "methods": limits.methods,
            "rows_per_call": limits.rows_per_call,
            "creates_per_second": limits.creates_per_second,
            "in_flight": limits.in_flight,
            "look_ups_per_second": limits.look_ups_per_second,
            "polling": polling(limits.polling),
            "page_size": limits.page_size,
            "same_reference": deduplication(limits.idempotency.deduplication),
            "not_found": absence(limits.idempotency.absence),
            "reference": limits.reference,
            "offers": offers(limits),
        })
    };
    all.iter().map(one).collect()
}

fn methods(limits: &Limits) -> String {
    limits.methods.iter().map(|method| method.name()).collect::<Vec<_>>().join(", ")
}

fn polling(polling: Polling) -> &'static str {
    match polling {
        Polling::Never => "never",
        Polling::ByAgreement => "by agreement",
        Polling::Paged => "lists by page",
    }
}

fn deduplication(deduplication: Deduplication) -> String {
    match deduplication {
        Deduplication::None => "pays twice".to_owned(),
        Deduplication::Refuses { for_ms: None, scope } => format!("refused for ever, by {scope}"),
        Deduplication::Refuses { for_ms: Some(ms), scope } => {
            format!("refused for {} s, by {scope}", ms / 1000)
        }
    }
}

fn absence(absence: Absence) -> String {
    let proves = if absence.proves { "proves it was not taken" } else { "proves nothing" };
    format!("{} ({proves})", absence.form)
}

fn offers(limits: &Limits) -> Vec<&'static str> {
    let all = [
        (limits.callbacks != Calls::None, "callbacks"),
        (limits.cancel, "cancel"),
        (limits.second_step != SecondStep::None, "second step"),
        (limits.rules, "rules at intake"),
    ];
    all.into_iter().filter_map(|(offered, name)| offered.then_some(name)).collect()
}
