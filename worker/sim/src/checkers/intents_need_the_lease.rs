//! S6, S13: intents need a current lease. Whoever has lost his chunk, by a pause of his own or of
//! his connection, writes no more intents for it, however late his write arrives.

use super::Violation;
use crate::log::{By, Lease, Wrote};
use crate::run::Ending;
use domain::State;

/// Every intent that the ledger took from somebody who did not hold the chunk.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let is_intent = |w: &Wrote| {
        let creates = w.to.state == State::Submitting && w.from.state != State::Submitting;
        // A person's step takes no lease: the compare-and-set alone keeps it apart. A journal brings back
        // a step that was one, and an old copy of the ledger anything.
        let steps = w.to.step_open && !w.from.step_open && w.by == By::Worker;
        (creates && w.by != By::Rewind) || steps
    };
    let without = ending.wrote.iter().filter(|w| is_intent(w) && w.lease != Lease::Current);
    without
        .map(|w| {
            let found = format!("an intent at {} ms, lease {:?}: {:?}", w.at_ms, w.lease, w.to);
            Violation::of("intents need the lease", w.place, found)
        })
        .collect()
}
