//! S9, S11, S15: a final state is the truth. What the ledger calls paid was paid, with the payer's
//! own amount; what it calls failed was not, and cannot be any more, as far as anybody was told.

use super::Violation;
use crate::gateway::book::{Entry, Fate};
use crate::gateway::letters::{Told, Word};
use crate::log::{By, Wrote};
use crate::run::{Ending, RowEnd};
use crate::sides::Side;
use domain::State;

/// Every row whose final state is not what the provider did.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let is_false = |row: &&RowEnd| match row.payout.state {
        State::Paid => !was_paid(ending, row),
        State::Failed => may_be_paid(ending, row),
        State::Cancelled => ending.all_entries(row).next().is_some(),
        _ => false,
    };
    let rows = ending.rows.iter().filter(is_false);
    rows.map(|row| {
        let entries: Vec<_> = ending.all_entries(row).collect();
        let found =
            format!("{:?} is {:?} and the provider says {entries:?}", row.references, row.payout);
        Violation::of("final states are true", row.place, found)
    })
    .collect()
}

/// The newest attempt was paid, or any that a person has decided by.
fn was_paid(ending: &Ending, row: &RowEnd) -> bool {
    let counts = |entry: &Entry| entry.fate == Fate::Paid && entry.minor == row.minor;
    let stands = |w: &&Wrote| w.by != By::Rewind && !w.is_forgotten;
    let mut wrote = ending.wrote.iter().filter(stands);
    let last = wrote.rfind(|w| w.place == row.place && w.to.state != w.from.state);
    let by_person = last.is_some_and(|wrote| wrote.by == By::Person);
    match by_person {
        true => ending.all_entries(row).any(counts),
        false => {
            let side = Side::of(&row.payout, row.payout.attempt);
            ending.entries(row, side, row.payout.attempt).iter().any(counts)
        }
    }
}

/// It was paid, with whatever amount, or still waits for its step and could be any day. A provider
/// that paid what it had told as failed counts from when we were told. What we were told and a
/// ledger that went back forgot, nobody tells again: the comparison with the provider's own list
/// finds that (S22).
fn may_be_paid(ending: &Ending, row: &RowEnd) -> bool {
    row.attempts().any(|(side, attempt)| {
        let was_told = || {
            let mut words = ending.told.iter().filter(|t| t.place == row.place && !t.is_forgotten);
            let is_it = |told: &Told| (told.side, told.attempt) == (side, attempt);
            words.any(|told| is_it(told) && told.word == Some(Word::Paid))
        };
        ending.entries(row, side, attempt).iter().any(|entry| match entry.fate {
            Fate::Paid => !entry.turned || was_told(),
            Fate::Waits => true,
            Fate::Failed => false,
        })
    })
}
