//! S10: calls stay within limits: none carries more rows than the provider allows, and none is empty.

use super::Violation;
use crate::gateway::book::Request;
use crate::run::Ending;

/// Every call and every look-up that was too large.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let mut violations = Vec::new();
    for seen in &ending.seen {
        let Some(limits) = ending.limits.get(&seen.side) else { continue };
        let (what, rows, most) = match &seen.request {
            Request::Create(rows) => ("call", rows.len(), limits.rows_per_call),
            Request::LookUp(rows) => ("look-up", rows.len(), limits.rows_per_look_up),
            Request::Step(_) => continue,
        };
        if rows == 0 || rows > usize::from(most) {
            let found = format!("a {what} of {rows} rows at {} ms; {most} at most", seen.at_ms);
            violations.push(Violation { invariant: "calls within limits", place: None, found });
        }
    }
    violations
}
