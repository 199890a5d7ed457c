//! S6, S9: no request without its own intent. When a create or a step leaves, the ledger already
//! holds an intent for each of its payouts, of the very attempt and lane that it names; and there are never
//! more requests than intents. Otherwise nobody would ask what became of it. An intent that the ledger
//! forgot was one when its request left; one that comes back with an old copy is no new one.

use super::Violation;
use crate::gateway::book::Request;
use crate::log::{By, Wrote};
use crate::run::{Ending, RowEnd};
use crate::sides::Side;
use domain::{Payout, Place, State};
use std::collections::BTreeMap;

const NAME: &str = "no request without intent";

/// Moments at which an intent of each row was written.
type Intents = BTreeMap<Place, Vec<u64>>;

/// Every payout in a request that the ledger did not know to be under way.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let creates = intents(ending, |from, to| {
        to.state == State::Submitting && from.state != State::Submitting
    });
    let steps = intents(ending, |from, to| to.step_open && to.intents > from.intents);
    let rows: BTreeMap<Place, &RowEnd> = ending.rows.iter().map(|row| (row.place, row)).collect();
    let mut left: BTreeMap<(bool, Place), usize> = BTreeMap::new();
    let mut violations = Vec::new();
    for seen in &ending.seen {
        let (is_step, named): (bool, Vec<(Place, &str)>) = match &seen.request {
            Request::Create(rows) => {
                (false, rows.iter().map(|(at, name)| (*at, &**name)).collect())
            }
            Request::Step(rows) => (true, rows.iter().map(|r| (r.place, &*r.reference)).collect()),
            Request::LookUp(_) => continue,
        };
        for ((place, reference), stands) in named.into_iter().zip(&seen.stands) {
            let so_far = left.entry((is_step, place)).or_default();
            *so_far += 1;
            let intents = if is_step { &steps } else { &creates };
            let written = intents.get(&place).map_or(&[][..], Vec::as_slice);
            let written = written.iter().filter(|at_ms| **at_ms <= seen.at_ms).count();
            let is_known = stands.is_some_and(|payout| {
                let name =
                    rows.get(&place).and_then(|row| row.reference(seen.side, payout.attempt));
                seen.side == Side::of(&payout, payout.attempt) && name == Some(reference)
            });
            if written < *so_far || !is_known {
                let what = if is_step { "step" } else { "create" };
                let found = format!(
                    "{what} number {so_far} of {reference} left at {} ms with {written} intents; \
                     the ledger held {stands:?}",
                    seen.at_ms
                );
                violations.push(Violation::of(NAME, place, found));
            }
        }
    }
    violations
}

fn intents(ending: &Ending, is_intent: impl Fn(&Payout, &Payout) -> bool) -> Intents {
    let mut intents = Intents::new();
    let is_ours = |w: &Wrote| matches!(w.by, By::Worker | By::Person);
    let is_written = |w: &&Wrote| is_ours(w) && is_intent(&w.from, &w.to);
    for wrote in ending.wrote.iter().filter(is_written) {
        intents.entry(wrote.place).or_default().push(wrote.at_ms);
    }
    intents
}
