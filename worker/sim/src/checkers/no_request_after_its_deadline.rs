//! S7: no request after its deadline. A create leaves before the `send_before` of its intent, and a
//! step before its send window has passed: whoever sleeps in between and wakes up does not send.

use super::Violation;
use crate::gateway::book::Request;
use crate::run::{Ending, ledger_time, policy};
use domain::{Millis, Payout, Place};

const NAME: &str = "no request after its deadline";

/// Every payout in a request that left too late.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let mut violations = Vec::new();
    for seen in &ending.seen {
        let now = ledger_time(seen.at_ms);
        let (deadline, places): (fn(&Payout) -> Millis, Vec<Place>) = match &seen.request {
            Request::Create(rows) => (|p| p.send_before, rows.iter().map(|row| row.0).collect()),
            Request::Step(rows) => (step_before, rows.iter().map(|row| row.place).collect()),
            Request::LookUp(_) => continue,
        };
        for (place, stands) in places.into_iter().zip(&seen.stands) {
            let Some(payout) = stands else { continue };
            let before = deadline(payout);
            if now >= before {
                let found = format!("left at {now:?}, {} ms too late", now.since(before));
                violations.push(Violation::of(NAME, place, found));
            }
        }
    }
    violations
}

/// An open step is looked up once its request has surely ended; that time tells when it had to
/// leave. A step that a fact has settled meanwhile says nothing of it any more.
fn step_before(payout: &Payout) -> Millis {
    match payout.step_open {
        true => Millis(payout.due.0.saturating_sub(policy().doubt_ms())),
        false => Millis::NEVER,
    }
}
