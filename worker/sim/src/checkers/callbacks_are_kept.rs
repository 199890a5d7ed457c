//! S3, S14, S16: a callback that was answered with 200 is kept, and what it says holds from then on.
//! Between its arrival and the answer something was written to its row, if only as evidence: the
//! provider will not say it again. Success has made the payout paid, or put it before a person; success
//! of an older attempt always has a person look (S3); money that came back is noted beside what was
//! paid.

use super::Violation;
use crate::gateway::letters::{Told, Word};
use crate::log::{By, Wrote};
use crate::run::Ending;
use crate::sides::Side;
use domain::State;

const NAME: &str = "callbacks are kept";

/// Every callback that was answered and left no trace, or the wrong one.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let histories = ending.histories();
    let mut violations = Vec::new();
    for told in &ending.told {
        let history = histories.get(&told.place).map_or(&[][..], Vec::as_slice);
        let stands = history.iter().rfind(|wrote| wrote.at_ms <= told.at_ms);
        if !told.is_kept || !stands.is_none_or(|wrote| holds(ending, told, wrote)) {
            let found = format!(
                "{:?} about attempt {} was answered with 200 at {} ms, and the row is {:?}",
                told.word,
                told.attempt,
                told.at_ms,
                stands.map(|wrote| wrote.to)
            );
            violations.push(Violation::of(NAME, told.place, found));
        }
    }
    violations
}

/// Whether a row may stand so right after it was told.
fn holds(ending: &Ending, told: &Told, stands: &Wrote) -> bool {
    let payout = &stands.to;
    let row = ending.rows.iter().find(|row| row.place == told.place);
    // Of an open payout, or of what came back, another amount than ours is only asked about.
    let is_ours = || {
        row.is_some_and(|row| {
            ending
                .entries(row, told.side, told.attempt)
                .iter()
                .all(|entry| entry.minor == row.minor)
        })
    };
    let is_newest = told.attempt == payout.attempt && told.side == Side::of(payout, payout.attempt);
    match (told.word, payout.state) {
        (Some(Word::Paid), State::Review) => true,
        (Some(Word::Paid), State::Paid) if is_newest => true,
        (Some(Word::Paid), State::Paid) => stands.by == By::Person,
        // Its own look-ups are still to come, and they tell what differs.
        (Some(Word::Paid), state) => state.is_open() && is_newest && !is_ours(),
        (Some(Word::Returned), State::Paid) => {
            payout.returned || told.attempt < payout.attempt || !is_ours()
        }
        _ => true,
    }
}
