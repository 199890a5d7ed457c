//! One world told for people: what befell it, and the whole way of a payout in order of time, from
//! the ledger's changes, the provider's book and the letters between them.

use crate::gateway::book::{Fate, Request};
use crate::log::By;
use crate::mishaps::Mishap;
use crate::run::{Ending, Report, RowEnd, world_after};
use crate::scenario::Scenario;
use crate::sides::Side;
use domain::Place;
use std::collections::BTreeSet;

/// Ways of payouts that are told when rules were broken.
const WAYS_MAX: usize = 3;

/// Of a long wait so many steps are told from either end.
const ENDS: usize = 3;

/// A world that was run to its end.
pub struct Story {
    /// What came of it.
    pub report: Report,
    /// What befell its workers.
    pub mishaps: Vec<Mishap>,
    /// The way of each payout that broke a rule; else of the one that had the hardest time.
    pub ways: Vec<Way>,
}

/// The way of one payout.
pub struct Way {
    /// Which.
    pub place: Place,
    /// What happened, in order: when, and what.
    pub steps: Vec<(u64, String)>,
}

/// Runs a scenario and tells it.
pub fn story(scenario: &Scenario) -> Story {
    let world = world_after(scenario);
    let report = world.report();
    let ending = world.ending();
    let broken: BTreeSet<Place> = report.violations.iter().filter_map(|v| v.place).collect();
    let mut told: Vec<&RowEnd> =
        ending.rows.iter().filter(|row| broken.contains(&row.place)).take(WAYS_MAX).collect();
    if told.is_empty() {
        told.extend(ending.rows.iter().max_by_key(|row| (row.payout.intents, row.payout.version)));
    }
    let ways = told.into_iter().map(|row| way(&ending, row)).collect();
    Story { report, mishaps: world.pool.mishaps.all(), ways }
}

fn way(ending: &Ending, row: &RowEnd) -> Way {
    let mut steps: Vec<(u64, String)> = Vec::new();
    for w in ending.wrote.iter().filter(|wrote| wrote.place == row.place) {
        let who = match w.by {
            By::Person => "a person",
            By::Worker => "a worker",
            By::Journal => "the journals",
            By::Rewind => "going back in time",
        };
        let text = match w.from.state == w.to.state {
            true => format!("ledger: stays {}, noted by {who}", w.to.state),
            false => format!("ledger: {} to {} by {who}", w.from.state, w.to.state),
        };
        let cause = w.to.cause.sentence();
        let why = if cause.is_empty() { String::new() } else { format!(" ({cause})") };
        steps.push((w.at_ms, format!("{text}{why}")));
    }
    for seen in &ending.seen {
        if let Some(what) = asked(row, &seen.request) {
            steps.push((
                seen.at_ms,
                format!("request: worker {} sends {what}{}", seen.by.0, by(seen.side)),
            ));
        }
    }
    let entries = ending.sided_entries(row);
    for (side, entry) in entries {
        let by = by(side);
        steps.push((entry.taken_at_ms, format!("provider: takes it as {}{by}", entry.id)));
        let end = match entry.fate {
            Fate::Waits => continue,
            Fate::Failed => "fails",
            Fate::Paid if entry.turned => "fails, and is paid later on",
            Fate::Paid => "is paid",
        };
        steps.push((entry.settles_at_ms, format!("provider: {} {end}{by}", entry.id)));
    }
    for told in ending.told.iter().filter(|told| told.place == row.place) {
        let word = told.word.map_or("from a stranger".to_owned(), |word| format!("{word:?}"));
        let about = format!("callback {word} about attempt {}{}", told.attempt, by(told.side));
        steps.push((told.at_ms, format!("{about}: answered 200")));
    }
    // Of one moment the ledger comes first: an intent stands before its request leaves.
    steps.sort_by_key(|(at_ms, _)| *at_ms);
    Way { place: row.place, steps: shortened(steps) }
}

/// Waiting is asking again and again: of many questions that changed nothing the first ones and the
/// last ones are told.
fn shortened(steps: Vec<(u64, String)>) -> Vec<(u64, String)> {
    let is_waiting = |(_, what): &(u64, String)| {
        what.contains("sends a look-up") || what.contains("ledger: stays")
    };
    let mut short: Vec<(u64, String)> = Vec::with_capacity(steps.len());
    for run in steps.chunk_by(|a, b| is_waiting(a) && is_waiting(b)) {
        let left_out = run.len().saturating_sub(2 * ENDS);
        if left_out <= 1 {
            short.extend_from_slice(run);
            continue;
        }
        short.extend_from_slice(&run[..ENDS]);
        short.push((run[ENDS].0, format!("({left_out} more like these)")));
        short.extend_from_slice(&run[run.len() - ENDS..]);
    }
    short
}

/// The first lane is not named: most worlds have no other.
fn by(side: Side) -> &'static str {
    match side {
        Side::First => "",
        Side::Second => " by the second lane",
    }
}

/// What a request asked about a row, if it did.
fn asked(row: &RowEnd, request: &Request) -> Option<&'static str> {
    let is_named = |reference: &String| row.names().any(|(_, name)| name == reference);
    match request {
        Request::Create(rows) => rows.iter().any(|(at, _)| *at == row.place).then_some("a create"),
        Request::Step(rows) => rows.iter().any(|at| at.place == row.place).then_some("a step"),
        Request::LookUp(rows) => rows.iter().any(|(name, _)| is_named(name)).then_some("a look-up"),
    }
}
