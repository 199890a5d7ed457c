//! No step without an intent: when a second step leaves, the ledger already holds a step intent
//! for each of its payouts (S9). Otherwise nobody would ask what became of it.

use super::Violation;
use crate::gateway::book::Request;
use crate::run::Ending;

/// Every payout in a second step that the ledger did not know to be under way.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let mut violations = Vec::new();
    for seen in &ending.seen {
        let Request::Step(payouts) = &seen.request else { continue };
        for payout in payouts.iter().filter(|payout| !payout.has_intent) {
            let found = format!("{} was stepped at {} ms", payout.reference, seen.at_ms);
            violations.push(Violation { invariant: "no step without intent", found });
        }
    }
    violations
}
