//! S14: a final state is left for review or, by a person, for a new attempt. "Paid" about what had
//! failed makes a dispute, which counts as paid only when a person says so; the one review that
//! news may end is the one whose cause is that nobody could know. A ledger that goes back takes back
//! decisions, too; whoever writes after that decides by what it knows then.

use super::Violation;
use crate::log::{By, Wrote};
use crate::run::Ending;
use domain::{Cause, State};

/// Every change that took a decision out of a person's hands.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let taken = ending.wrote.iter().filter(|wrote| !is_allowed(wrote));
    taken
        .map(|w| {
            let found = format!("{:?} became {:?} at {} ms by {:?}", w.from, w.to, w.at_ms, w.by);
            Violation::of("disputes are decided by people", w.place, found)
        })
        .collect()
}

fn is_allowed(w: &Wrote) -> bool {
    if w.by == By::Rewind || w.from.state == w.to.state || w.from.state.is_open() {
        return true;
    }
    match (w.from.state, w.to.state) {
        (State::Review, State::Paid) if w.from.cause == Cause::CannotBeKnown => true,
        (State::Paid | State::Failed | State::Cancelled, State::Review) => true,
        (State::Review, _) | (State::Failed, State::Accepted) => w.by == By::Person,
        // Asked about before it is sent, since the ledger may have forgotten it.
        (State::Failed, State::Unknown) => {
            w.by == By::Person && w.from.past_lost && w.to.attempt > w.from.attempt
        }
        _ => false,
    }
}
