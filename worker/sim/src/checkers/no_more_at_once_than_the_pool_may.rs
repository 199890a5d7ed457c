//! No more creates are under way at once than the lane allows to the whole pool, whoever dies or is
//! frozen in the middle of one. A create is under way until its sender has heard what became of it;
//! what nobody waits for any more, until it would have been given up.
//!
//! A ledger that went back in time has forgotten who had the seats: such runs are not judged.

use super::Violation;
use crate::gateway::book::Request;
use crate::run::{Ending, policy};
use crate::sides::Side;

/// The moments at which there were too many.
pub fn check(ending: &Ending) -> Vec<Violation> {
    if ending.rewinds > 0 {
        return Vec::new();
    }
    Side::BOTH.into_iter().flat_map(|side| on(ending, side)).collect()
}

fn on(ending: &Ending, side: Side) -> Vec<Violation> {
    let creates = ending.seen.iter().filter(|seen| seen.side == side);
    let creates = creates.filter(|seen| matches!(seen.request, Request::Create(_)));
    // At one moment, what ends makes room for what begins.
    let mut turns: Vec<(u64, bool)> = creates
        .flat_map(|seen| {
            let given_up_ms = seen.at_ms + policy().request_timeout_ms;
            let ends_ms = seen.heard_ms.map_or(given_up_ms, |heard_ms| heard_ms.min(given_up_ms));
            // What was answered in the same moment takes no time.
            let turns = [(seen.at_ms, true), (ends_ms, false)];
            turns.into_iter().filter(move |_| ends_ms > seen.at_ms)
        })
        .collect();
    turns.sort_unstable();
    let mut under_way = 0u64;
    let mut violations = Vec::new();
    for (at_ms, begins) in turns {
        under_way = if begins { under_way + 1 } else { under_way.saturating_sub(1) };
        if begins && under_way > u64::from(ending.in_flight) {
            let found = format!("{under_way} of {} at {at_ms} ms", ending.in_flight);
            let invariant = "no more at once than the pool may";
            violations.push(Violation { invariant, place: None, found });
        }
    }
    violations
}
