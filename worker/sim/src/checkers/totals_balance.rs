//! S14, S17: totals balance: the counters are a recount of the payouts, and the batch ends when they say so.

use super::Violation;
use crate::run::Ending;
use domain::{BatchState, Counts};

/// Differences between counters and payouts.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let mut recount = [0u64; 9];
    for row in &ending.rows {
        recount[row.payout.state.index()] += 1;
    }
    let recount = Counts::from_array(recount);
    let mut violations = Vec::new();
    let mut wrong = |found: String| {
        violations.push(Violation { invariant: "totals balance", place: None, found });
    };
    if recount != ending.batch.counts {
        wrong(format!("counters {:?}, recount {recount:?}", ending.batch.counts));
    }
    if ending.batch.totals.rows() != recount.total() {
        wrong(format!("{} rows in, {} out", ending.batch.totals.rows(), recount.total()));
    }
    if ending.batch.state != BatchState::Complete {
        wrong(format!("the batch is {}", ending.batch.state));
    }
    violations
}
