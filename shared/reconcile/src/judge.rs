//! One entry of the provider's list against one row and its payout. Pure.
//!
//! The payout was read after the entry: where the two disagree, the ledger had its time.

use crate::DAY_MS;
use crate::found::Kind;
use domain::{Millis, Payout, Row, State};
use providers::{Entry, Standing};

/// News of a payment takes no longer: look-ups of what is overdue come within hours.
const BEHIND_MAX_MS: u64 = DAY_MS;

/// What an entry shows, beside agreement.
pub(crate) fn judge(
    entry: &Entry,
    attempt: u8,
    row: &Row,
    payout: &Payout,
    now: Millis,
) -> Option<(Kind, String)> {
    if matches!(entry.standing, Standing::Failed | Standing::Unclear) {
        return None;
    }
    // What is still open may yet be told otherwise; it is judged once it is paid.
    let other = match entry.standing {
        Standing::Paid | Standing::Returned => entry.differences(row),
        _ => Vec::new(),
    };
    match (entry.standing, payout.state) {
        (standing, State::Review) => {
            Some((Kind::InReview, format!("{} there; a person decides", standing.name())))
        }
        _ if !other.is_empty() => {
            Some((Kind::Otherwise, format!("the provider tells another {}", other.join(", "))))
        }
        (Standing::Returned, _) if payout.returned => None,
        (Standing::Returned, state) => Some((
            Kind::Returned,
            format!("the provider says that the money came back; it is {state} here"),
        )),
        (Standing::Open, State::Failed | State::Cancelled) => Some((
            Kind::StillOpen,
            format!("{} here, and the provider may still pay it", payout.state),
        )),
        (Standing::Open, _) if attempt < payout.attempt => Some((
            Kind::StillOpen,
            format!("attempt {attempt} may still be paid there, beside attempt {}", payout.attempt),
        )),
        (Standing::Paid, _) => paid(entry, attempt, payout, now),
        _ => None,
    }
}

fn paid(entry: &Entry, attempt: u8, payout: &Payout, now: Millis) -> Option<(Kind, String)> {
    let state = payout.state;
    if attempt < payout.attempt {
        let newest = payout.attempt;
        return Some((
            Kind::PaidThere,
            format!("attempt {attempt} was paid there, and attempt {newest} is {state} here"),
        ));
    }
    match state {
        State::Paid | State::Review => None,
        State::Failed | State::Cancelled => {
            Some((Kind::PaidThere, format!("paid there, {state} here")))
        }
        State::Accepted => {
            Some((Kind::PaidThere, "paid there, and it would be sent again here".to_owned()))
        }
        State::Submitting | State::Submitted | State::Waiting | State::Unknown => {
            match entry.at.is_some_and(|at| now.since(at) > BEHIND_MAX_MS) {
                true => Some((
                    Kind::PaidThere,
                    format!("paid there for more than a day, and still {state} here"),
                )),
                false => Some((Kind::Behind, format!("paid there, {state} here"))),
            }
        }
    }
}
