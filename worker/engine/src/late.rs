//! Words about payouts that nothing asks about any more: those that are final or in review, and
//! older attempts, while the newer one is followed.
//!
//! An unverified word about one of them is never answered 200 unchecked: no poll and no overdue
//! look-up would ever find out what it was about (S14, S16). So it gets one look-up at once. A
//! look-up that told nothing, or that does not find the payout, leaves the word as evidence, and the
//! provider is asked to call again.

use crate::ask::look_up;
use crate::lane::Lane;
use crate::work::Core;
use domain::{News, Payout, State};
use ledger::told::Told;
use ledger::{LedgerError, Note, NoteKind};
use providers::{CallbackKind, Found, Past, Payment};

/// Look-ups of one round of a desk. They hold up the other letters of the round, so that more of
/// them wait for the next one.
pub const PER_ROUND: usize = 4;

/// What became of the one look-up.
pub enum Checked {
    /// It found what the word may have been about, or what a person must see all the same; with
    /// what is kept beside it.
    Confirmed(News, Vec<Note>),
    /// It found the payout, in a state that changes nothing.
    Denied,
    /// It told nothing, or did not find the payout, or not as far as the word says.
    Untold,
}

/// What an unverified word of this kind, about this attempt, may be about: a success of what is
/// not paid, or a return of what is. `None` where there is nothing to ask, or where the payout's
/// own look-ups come anyway.
pub fn what_it_may_mean(payout: &Payout, attempt: u8, kind: CallbackKind) -> Option<News> {
    let is_current = attempt == payout.attempt;
    match (payout.state, kind) {
        // An older attempt that was paid after all (S3): what looks the payout up asks about the
        // newest attempt alone.
        (_, CallbackKind::Success | CallbackKind::Status) if !is_current => Some(News::Paid),
        (_, CallbackKind::Error) if !is_current => None,
        // A URL for successes or rejections tells of no return.
        (State::Paid, CallbackKind::Status) => (!payout.returned).then_some(News::Returned),
        (State::Paid, _) => None,
        (
            State::Failed | State::Cancelled | State::Review,
            CallbackKind::Success | CallbackKind::Status,
        ) => Some(News::Paid),
        _ => None,
    }
}

/// Asks once, by all that is known of the payout, whether it is as the word may mean.
pub async fn check(
    core: &Core,
    lane: &Lane,
    payout: &Payout,
    mut payment: Payment,
    (wanted, kind): (News, CallbackKind),
) -> Result<Checked, LedgerError> {
    // Another account's answer tells nothing about it (S4). That of an attempt which went by another
    // lane is not kept.
    let same_way = payout.goes_by_second(payment.attempt) == payout.moved;
    if same_way && lane.is_astray(payout) {
        return Ok(Checked::Untold);
    }
    // What is kept of a payout is about its newest attempt.
    if payment.attempt == payout.attempt {
        payment.past = Past::of(payout, payment.place.chunk.batch, &lane.policy);
        if lane.provider.limits().looks_up_by_id {
            let told = Told::read(&*core.ledger, payment.place.chunk).await?;
            payment.past = payment.past.with_ids(told.ids(payment.place.row, payout));
        }
    }
    let attempt = payment.attempt;
    if attempt > payout.attempt {
        let batch = payment.place.chunk.batch;
        payment.past = Past::of_other_attempt(payout, batch, &lane.policy);
    }
    // A status may tell of progress itself; the attempt that is followed has look-ups of its own.
    let may_be_ahead = kind == CallbackKind::Success || attempt < payout.attempt;
    let found = look_up(core, lane, vec![payment], None).await.found;
    Ok(match found.into_iter().next() {
        Some(Found::Is { news, .. }) if news == wanted => Checked::Confirmed(news, Vec::new()),
        // What the provider's list does not show, or not as ended, may only be late on it.
        Some(Found::Is { news: News::InProgress | News::Waiting, .. })
            if wanted == News::Paid && may_be_ahead =>
        {
            Checked::Untold
        }
        None | Some(Found::Absent | Found::Unclear { .. } | Found::StopLane { .. }) => {
            Checked::Untold
        }
        Some(Found::Differs { text }) => {
            let news = what_differing_means(payout, attempt);
            let kind = if news == News::Paid { NoteKind::Reason } else { NoteKind::Evidence };
            Checked::Confirmed(news, vec![Note::new(kind, text)])
        }
        Some(Found::Is { .. } | Found::StepDue { .. }) => Checked::Denied,
    })
}

/// What a record under our reference means that differs from ours.
///
/// Where the ledger says that nothing was paid, or follows a newer attempt, money may have left
/// all the same, if not the sum or to whom we meant: the same dispute as a success that agrees
/// (S14, S3), and what differs is its reason. A review is not settled by it, as a success would
/// settle one whose cause is "cannot be known", and what is paid has not come back by it: there it
/// is evidence.
fn what_differing_means(payout: &Payout, attempt: u8) -> News {
    let is_over = matches!(payout.state, State::Failed | State::Cancelled);
    match is_over || attempt < payout.attempt {
        true => News::Paid,
        false => News::Differs,
    }
}
