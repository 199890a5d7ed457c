//! Who paused a batch, when and why, and what to do; what is under way of what is held.

use super::table::plain;
use crate::report::cells::put_time;
use crate::steer::drain::UnderWay;
use domain::{Batch, BatchState};
use ledger::pause::Hold;
use serde_json::{Value, json};

/// `, by anna@host at 2026-03-01T12:00:00Z: wrong file`; empty where nobody said why.
pub fn words(hold: Option<&Hold>) -> String {
    let Some(Hold { who, since, reason, .. }) = hold else { return String::new() };
    let mut at = String::new();
    put_time(&mut at, since.0);
    format!(", by {} at {at}: {}", plain(who), plain(reason))
}

/// Why a batch is paused and what lets it go on; empty where it is not.
pub fn to_do(batch: &Batch, hold: Option<&Hold>) -> String {
    if batch.state != BatchState::Paused {
        return String::new();
    }
    let id = batch.id;
    format!(
        "batch {id} is paused{}; `producer resume {id}` lets it go on, `producer cancel {id}` ends \
         it\n",
        words(hold)
    )
}

/// For scripts.
pub fn to_json(hold: Option<&Hold>) -> Value {
    let Some(Hold { who, since, reason, .. }) = hold else { return Value::Null };
    let mut at = String::new();
    put_time(&mut at, since.0);
    json!({ "by": who, "since": at, "reason": reason })
}

/// `3 payouts are still being sent`.
pub fn sending(payouts: u64) -> String {
    match payouts {
        1 => "1 payout is still being sent".to_owned(),
        n => format!("{n} payouts are still being sent"),
    }
}

/// What is under way of something that is held, once nothing of it is being sent.
pub fn drained(found: &UnderWay) -> String {
    let UnderWay { submitting: _, submitted, waiting, unknown } = *found;
    let states = [(submitted, "submitted"), (waiting, "waiting"), (unknown, "unknown")];
    let some = states.into_iter().filter(|(count, _)| *count > 0);
    let some: Vec<String> = some.map(|(count, state)| format!("{count} {state}")).collect();
    let quiet = "nothing of it is being sent any more";
    match some.is_empty() {
        true => format!("{quiet}, and nothing is under way"),
        false => format!(
            "{quiet}; under way are {}, which callbacks and look-ups settle",
            some.join(", ")
        ),
    }
}
