//! A lane that is closed begins nothing: no create leaves outside its hours, by the ledger's clock.

use super::Violation;
use crate::gateway::book::Request;
use crate::run::{Ending, ledger_time};
use providers::CLOCK_AHEAD_MAX_MS;

/// Every create that left while the lane was closed. A worker's clock is ahead of the ledger's by a
/// little, so that it opens the lane as much too early; but never closes it too late.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let Some(hours) = ending.bounds.hours() else { return Vec::new() };
    let mut violations = Vec::new();
    for seen in &ending.seen {
        let Request::Create(rows) = &seen.request else { continue };
        let at = ledger_time(seen.at_ms);
        let opens = hours.closed(at).map(|closed| closed.until.since(at));
        if let Some(in_ms) = opens.filter(|ms| *ms > CLOCK_AHEAD_MAX_MS) {
            let found = format!("a call left at {at:?}, and the lane opens {in_ms} ms later");
            let place = rows.first().map(|(place, _)| *place);
            violations.push(Violation { invariant: "only at its hours", place, found });
        }
    }
    violations
}
