//! The invariants, one file each. A checker looks at the end of a run: what the ledger says and
//! what the provider did.

pub mod calls_within_limits;
pub mod no_step_without_intent;
pub mod nobody_forgotten;
pub mod nobody_twice;
pub mod totals_balance;

use crate::run::Ending;

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant.
    pub invariant: &'static str,
    /// What was found.
    pub found: String,
}

/// All checkers.
pub fn all(ending: &Ending) -> Vec<Violation> {
    let mut violations = nobody_twice::check(ending);
    violations.extend(nobody_forgotten::check(ending));
    violations.extend(totals_balance::check(ending));
    violations.extend(no_step_without_intent::check(ending));
    violations.extend(calls_within_limits::check(ending));
    violations
}
