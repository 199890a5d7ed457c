//! Nobody is forgotten, and nobody is told a falsehood: every payout is final or in review, and
//! a final state says what the provider did.

use super::Violation;
use crate::gateway::Fate;
use crate::run::Ending;
use domain::State;

/// Every payout that is still open, or whose final state is not the truth.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (reference, payout) in &ending.payouts {
        let fate = ending.book.get(reference).and_then(|e| e.first()).map(|e| e.fate);
        let is_true = match payout.state {
            State::Review => true,
            State::Paid => fate == Some(Fate::Paid),
            State::Failed => fate != Some(Fate::Paid),
            State::Cancelled => fate.is_none(),
            _ => false,
        };
        if !is_true {
            let found = format!("{reference} is {payout:?} and the provider says {fate:?}");
            violations.push(Violation { invariant: "nobody forgotten", found });
        }
    }
    violations
}
