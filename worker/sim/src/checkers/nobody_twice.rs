//! S3, S6, S11: nobody is paid twice.
//!
//! Of each attempt a provider took at most one order, whether or not it was paid; and of all attempts
//! of a payout, by whichever lane they went, at most one moved money. One thing is not counted, since no program can
//! prevent it: what the provider paid after it had told, for good, that it had failed.

use super::Violation;
use crate::gateway::book::Fate;
use crate::run::Ending;

const NAME: &str = "nobody twice";

/// Every attempt that was taken twice, and every row that was paid for more than one attempt.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let mut violations = Vec::new();
    for row in &ending.rows {
        for (_, reference) in row.names() {
            let entries = ending.book.get(reference).map_or(&[][..], Vec::as_slice);
            if entries.len() > 1 {
                let paid = entries.iter().filter(|entry| entry.fate == Fate::Paid).count();
                let found =
                    format!("{reference} was taken {} times and paid {paid} times", entries.len());
                violations.push(Violation::of(NAME, row.place, found));
            }
        }
        let kept_word = ending.all_entries(row).filter(|e| e.fate == Fate::Paid && !e.turned);
        let paid: Vec<_> = kept_word.collect();
        if paid.len() > 1 {
            let found = format!("{} of the attempts {:?} were paid", paid.len(), row.references);
            violations.push(Violation::of(NAME, row.place, found));
        }
    }
    violations
}
