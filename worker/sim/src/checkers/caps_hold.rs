//! S6: caps hold. In no hour did a provider take payouts of more than the cap, each counted where its
//! request left. The cap itself counts more: also what was refused for good, or lost on its way.

use super::Violation;
use crate::gateway::book::{Entry, Request};
use crate::run::{Ending, ledger_time, policy};
use crate::sides::Side;
use domain::Millis;
use ledger::spend::Span;
use providers::CLOCK_AHEAD_MAX_MS;
use std::collections::BTreeMap;

/// Every hour that was overspent.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let Some((_, cap)) = ending.bounds.cap else { return Vec::new() };
    let mut left: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for seen in &ending.seen {
        if let Request::Create(rows) = &seen.request {
            rows.iter().for_each(|(_, name)| left.entry(name).or_default().push(seen.at_ms));
        }
    }
    let mut spent: BTreeMap<(Side, u64), i128> = BTreeMap::new();
    for row in &ending.rows {
        for (side, reference) in row.names() {
            let sent = left.get(reference).map_or(&[][..], Vec::as_slice);
            let taken = ending.book.get(reference).map_or(&[][..], Vec::as_slice);
            for hour in taken.iter().filter_map(|entry| hour(sent, entry)) {
                *spent.entry((side, hour)).or_default() += row.minor;
            }
        }
    }
    let over = spent.into_iter().filter(|(_, spent)| *spent > cap);
    over.map(|((side, hour), spent)| {
        let found = format!("{spent} of {cap} were spent in hour {hour} on the {side:?}");
        Violation { invariant: "caps hold", place: None, found }
    })
    .collect()
}

/// The hour in which the request left that brought an entry. None where it left so near to the
/// beginning or the end of one that its room may have been reserved in the one beside it: a request
/// leaves within its send window, and a worker's clock is ahead of the ledger's by a little.
fn hour(sent: &[u64], entry: &Entry) -> Option<u64> {
    let brought_it = |at_ms: &&u64| **at_ms <= entry.taken_at_ms;
    let at = ledger_time(*sent.iter().rev().find(brought_it)?);
    let hour = |at: Millis| at.0 / Span::Hour.ms();
    let (earliest, latest) =
        (at.0.saturating_sub(policy().send_window_ms), at.plus(CLOCK_AHEAD_MAX_MS));
    (hour(Millis(earliest)) == hour(latest)).then(|| hour(at))
}
