//! S3: old news changes nothing new. A payout becomes paid, other than by a person, only when the
//! provider has already paid its newest attempt, and submitted or waiting only when the provider has
//! that; what it says of an older attempt is not about this one.

use super::Violation;
use crate::gateway::book::{Entry, Fate};
use crate::log::{By, Wrote};
use crate::run::Ending;
use crate::sides::Side;
use domain::State;
use std::collections::BTreeMap;

/// Every row that became paid, or was believed to be at the provider, without its newest attempt
/// being so.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let rows: BTreeMap<_, _> = ending.rows.iter().map(|row| (row.place, row)).collect();
    let mut violations = Vec::new();
    let by_news = |w: &&Wrote| w.to.state != w.from.state && w.by == By::Worker;
    for w in ending.wrote.iter().filter(by_news) {
        let is_so = |entry: &Entry| match w.to.state {
            State::Paid => entry.fate == Fate::Paid && entry.settles_at_ms <= w.at_ms,
            State::Submitted | State::Waiting => entry.taken_at_ms <= w.at_ms,
            _ => true,
        };
        let is_told = matches!(w.to.state, State::Paid | State::Submitted | State::Waiting);
        let Some(row) = rows.get(&w.place).filter(|_| is_told) else { continue };
        let side = Side::of(&w.to, w.to.attempt);
        if !ending.entries(row, side, w.to.attempt).iter().any(is_so) {
            let found = format!(
                "attempt {} became {} at {} ms; the provider says {:?}",
                w.to.attempt,
                w.to.state,
                w.at_ms,
                ending.all_entries(row).collect::<Vec<_>>()
            );
            violations.push(Violation::of("old news changes nothing new", w.place, found));
        }
    }
    violations
}
