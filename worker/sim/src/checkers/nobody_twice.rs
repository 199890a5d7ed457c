//! Nobody is paid twice: the provider took each payout at most once, whether or not it was paid
//! by a second step since, and money moved for it at most once.

use super::Violation;
use crate::gateway::book::Fate;
use crate::run::Ending;

/// Every reference of which the provider's book has more than one entry.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let twice = ending.book.iter().filter(|(_, entries)| entries.len() > 1);
    twice
        .map(|(reference, entries)| {
            let paid = entries.iter().filter(|entry| entry.fate == Fate::Paid).count();
            let taken = entries.len();
            Violation {
                invariant: "nobody twice",
                found: format!("{reference} was taken {taken} times and paid {paid} times"),
            }
        })
        .collect()
}
