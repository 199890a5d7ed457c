//! The invariants, one file each, each opening with its rule. A checker looks at the end of a run:
//! what the ledger says, every change that it took, and what the provider saw and did. None
//! asks the engine.

pub mod callbacks_are_kept;
pub mod calls_within_limits;
pub mod caps_hold;
pub mod disputes_are_decided_by_people;
pub mod final_states_are_true;
pub mod intents_need_the_lease;
pub mod moves_only_after_a_refusal;
pub mod no_more_at_once_than_the_pool_may;
pub mod no_request_after_its_deadline;
pub mod no_request_without_intent;
pub mod nobody_forgotten;
pub mod nobody_twice;
pub mod old_news_changes_nothing_new;
pub mod only_at_its_hours;
pub mod totals_balance;

use crate::run::Ending;
use domain::Place;

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant.
    pub invariant: &'static str,
    /// Of which row, where it is about one.
    pub place: Option<Place>,
    /// What was found.
    pub found: String,
}

impl Violation {
    /// About one row.
    pub fn of(invariant: &'static str, place: Place, found: String) -> Violation {
        Violation { invariant, place: Some(place), found }
    }
}

/// A checker.
pub type Checker = fn(&Ending) -> Vec<Violation>;

/// All of them; those about money first.
pub const CHECKERS: [Checker; 15] = [
    nobody_twice::check,
    final_states_are_true::check,
    moves_only_after_a_refusal::check,
    nobody_forgotten::check,
    caps_hold::check,
    no_request_without_intent::check,
    no_request_after_its_deadline::check,
    intents_need_the_lease::check,
    only_at_its_hours::check,
    old_news_changes_nothing_new::check,
    disputes_are_decided_by_people::check,
    callbacks_are_kept::check,
    totals_balance::check,
    calls_within_limits::check,
    no_more_at_once_than_the_pool_may::check,
];

/// What all checkers find.
pub fn all(ending: &Ending) -> Vec<Violation> {
    CHECKERS.iter().flat_map(|check| check(ending)).collect()
}
