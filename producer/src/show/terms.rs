//! When a batch may go, and before whom.

use crate::report::cells::put_time;
use domain::{Batch, BatchState, Millis, Priority, Terms};
use serde_json::Value;

/// What was asked of a batch: `nothing is sent before 2026-11-24T08:00:00Z, high priority`; empty
/// where nothing was.
pub fn words(terms: &Terms) -> String {
    let before = (terms.not_before > Millis(0))
        .then(|| format!("nothing is sent before {}", time(terms.not_before)));
    let priority =
        (terms.priority != Priority::Normal).then(|| format!("{} priority", terms.priority));
    before.into_iter().chain(priority).collect::<Vec<_>>().join(", ")
}

/// That a batch is waiting for its time; empty where it is not.
pub fn waits(batch: &Batch, now: Millis) -> String {
    if !is_waiting(batch, now) {
        return String::new();
    }
    format!("batch {} waits until {}\n", batch.id, time(batch.terms.not_before))
}

/// A batch that will be sent as soon as its time has come.
pub fn is_waiting(batch: &Batch, now: Millis) -> bool {
    batch.state == BatchState::Active && batch.terms.waits(now)
}

/// For scripts: null for at once.
pub fn not_before_json(terms: &Terms) -> Value {
    match terms.not_before {
        Millis(0) => Value::Null,
        at => time(at).into(),
    }
}

fn time(at: Millis) -> String {
    let mut out = String::new();
    put_time(&mut out, at.0);
    out
}
