//! Nobody is forgotten, and nobody is told a falsehood: every payout is final or in review, and
//! a final state says what the provider did.

use super::Violation;
use crate::gateway::book::{Entry, Fate};
use crate::run::Ending;
use domain::State;

/// Every payout that is still open, or whose final state is not the truth.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (reference, payout) in &ending.payouts {
        let entries: &[Entry] = ending.book.get(reference).map_or(&[], Vec::as_slice);
        let has = |fate: Fate| entries.iter().any(|entry| entry.fate == fate);
        let is_true = match payout.state {
            State::Review => true,
            State::Paid => has(Fate::Paid),
            // What still waits for its step could be paid any day.
            State::Failed => !has(Fate::Paid) && !has(Fate::Waits),
            State::Cancelled => entries.is_empty(),
            _ => false,
        };
        if !is_true {
            let found = format!("{reference} is {payout:?} and the provider says {entries:?}");
            violations.push(Violation { invariant: "nobody forgotten", found });
        }
    }
    violations
}
