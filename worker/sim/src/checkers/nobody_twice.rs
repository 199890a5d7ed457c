//! Nobody is paid twice: the provider took each payout at most once.

use super::Violation;
use crate::run::Ending;

/// Every reference of which the provider's book has more than one entry.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let twice = ending.book.iter().filter(|(_, entries)| entries.len() > 1);
    twice
        .map(|(reference, entries)| Violation {
            invariant: "nobody twice",
            found: format!("{reference} was taken {} times", entries.len()),
        })
        .collect()
}
