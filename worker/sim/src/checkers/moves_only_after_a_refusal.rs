//! S15: a payout moves only after a refusal. An attempt goes by the second lane, or the ledger says
//! that it does, only where the first provider answered every create of the row's first attempt that
//! reached it with a refusal that created nothing, the last of them for good; never where one of them
//! was taken, lost, or left without an answer. A ledger that forgets a move may send by the first lane
//! again, if nothing had left by the second.

use super::Violation;
use crate::gateway::book::Request;
use crate::log::By;
use crate::run::{Ending, RowEnd};
use crate::sides::Side;
use domain::Place;
use std::collections::BTreeMap;

const NAME: &str = "moves only after a refusal";

/// Every create by the second lane, and every move in the ledger, of what the first did not refuse.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let firsts = firsts(ending);
    let sent = ending.seen.iter().filter(|seen| seen.side == Side::Second);
    let sent = sent.flat_map(|seen| match &seen.request {
        Request::Create(rows) => rows.iter().map(|(at, _)| (seen.at_ms, *at)).collect(),
        Request::LookUp(_) | Request::Step(_) => Vec::new(),
    });
    // An old copy of the ledger moves nothing; what it takes back was a move when it was written.
    let written = ending.wrote.iter().filter(|w| w.by != By::Rewind && w.to.moved && !w.from.moved);
    let written = written.map(|w| (w.at_ms, w.place));
    let rows: BTreeMap<Place, &RowEnd> = ending.rows.iter().map(|row| (row.place, row)).collect();
    let mut violations = Vec::new();
    for (at_ms, place) in sent.chain(written) {
        let Some(row) = rows.get(&place) else { continue };
        let reached = firsts.get(&place).map_or(&[][..], Vec::as_slice);
        if !was_refused(ending, row, reached, at_ms) {
            let found = format!(
                "by the second lane at {at_ms} ms; of its first attempt, creates left at {reached:?} \
                 ms, the first lane took {:?} and turned away {:?}",
                ending.entries(row, Side::First, 1),
                row.reference(Side::First, 1).and_then(|name| ending.refusals.get(name))
            );
            violations.push(Violation::of(NAME, place, found));
        }
    }
    violations
}

/// When creates of each row's first attempt left by the first lane.
fn firsts(ending: &Ending) -> BTreeMap<Place, Vec<u64>> {
    let names: BTreeMap<Place, &str> = ending
        .rows
        .iter()
        .filter_map(|row| Some((row.place, row.reference(Side::First, 1)?)))
        .collect();
    let mut firsts: BTreeMap<Place, Vec<u64>> = BTreeMap::new();
    for seen in ending.seen.iter().filter(|seen| seen.side == Side::First) {
        let Request::Create(rows) = &seen.request else { continue };
        for (place, _) in rows.iter().filter(|(at, name)| names.get(at) == Some(&&**name)) {
            firsts.entry(*place).or_default().push(seen.at_ms);
        }
    }
    firsts
}

/// Whether all that had reached the first provider by then had been turned away, at last for good.
fn was_refused(ending: &Ending, row: &RowEnd, reached: &[u64], at_ms: u64) -> bool {
    let refusals = row.reference(Side::First, 1).and_then(|name| ending.refusals.get(name));
    let refusals = refusals.map_or(&[][..], Vec::as_slice);
    let mut until_then = refusals.iter().filter(|refusal| refusal.at_ms <= at_ms);
    let sent = reached.iter().filter(|left_ms| **left_ms <= at_ms).count();
    let taken = ending.entries(row, Side::First, 1);
    taken.iter().all(|entry| entry.taken_at_ms > at_ms)
        && until_then.clone().count() == sent
        && until_then.next_back().is_some_and(|refusal| refusal.for_good)
}
