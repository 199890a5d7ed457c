//! The one function that changes a payout.
//!
//! `decide(payout, event, now, policy)` is pure and total: it gives the changed payout, or says
//! that the event is only to be recorded, or that it is illegal. The ledgers store what it
//! gives by compare-and-set on the payout it was given.

use crate::payout::{Cause, Payout, State};
use crate::policy::Policy;
use crate::sender::{Account, Sender};
use crate::table::{Cell, Event, Kind, News, Outcome, cell, kind};
use crate::time::Millis;

/// What becomes of a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Store this in place of what was given.
    Change(Payout),
    /// Keep the event as a note; the payout stays as it is.
    Record,
}

/// No correct program asks for this event in this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind:?} is not possible for a payout that is {state}")]
pub struct IllegalEvent {
    /// The event's column in the table.
    pub kind: Kind,
    /// The payout's state.
    pub state: State,
}

/// How many live look-ups in a row must miss a payout before that proves something (S11).
pub const ABSENCES_NEEDED: u8 = 2;

/// A payout that was sent so often and is absent still goes to a person (S17).
pub const INTENTS_MAX: u16 = 10;

/// Applies `event`, which the ledger sees at `now`, to `payout`.
pub fn decide(
    payout: &Payout,
    event: &Event,
    now: Millis,
    policy: &Policy,
) -> Result<Decision, IllegalEvent> {
    let kind = match kind(event, payout.attempt) {
        Kind::Moves if !payout.may_move() => Kind::Refused,
        kind => kind,
    };
    let illegal = IllegalEvent { kind, state: payout.state };
    if is_rash(payout, kind) || names_the_future(payout, event) || is_astray(payout, event) {
        return Err(illegal);
    }
    if kind == Kind::NotFound && contradicts_absence(payout) {
        return Ok(Decision::Change(enter(payout, State::Unknown, event, now, policy)));
    }
    if let Some(decision) = remembered(payout, event, now) {
        return Ok(decision);
    }
    let target = match cell(kind, payout.state) {
        Cell::Illegal => return Err(illegal),
        Cell::Recorded => return Ok(Decision::Record),
        // It was sent once, or somebody says so: "never sent" would be false (S17).
        Cell::To(State::Failed) if kind == Kind::TooOld && may_have_been_sent(payout) => {
            State::Review
        }
        // A later attempt may have been paid: that this one was not is no end of it (S18).
        Cell::To(State::Failed | State::Cancelled) if payout.past_lost && !is_by_person(kind) => {
            State::Review
        }
        Cell::IfNewest(State::Failed) if payout.past_lost && is_newest(payout, event) => {
            State::Review
        }
        Cell::To(state) => state,
        Cell::Anew if payout.past_lost => State::Unknown,
        Cell::Anew => State::Accepted,
        // What the provider has is never payable again in the same attempt, whatever is said.
        Cell::IfNewest(State::Accepted) if payout.ever_accepted || payout.past_lost => {
            return Ok(Decision::Record);
        }
        Cell::IfNewest(state) if is_newest(payout, event) => state,
        // An older request arrived after all, and was believed absent: a person must see it.
        Cell::IfNewest(State::Submitted) => State::Review,
        Cell::IfNewest(_) => return Ok(Decision::Record),
        Cell::IfSent if payout.account == Account::NONE => return Ok(Decision::Record),
        Cell::IfSent => State::Review,
        Cell::SettlesDoubt if payout.cause == Cause::CannotBeKnown => State::Paid,
        Cell::SettlesDoubt => return Ok(Decision::Record),
        Cell::StaysIfNewest if !(is_awaited(payout, kind) && is_newest(payout, event)) => {
            return Ok(Decision::Record);
        }
        Cell::Stays | Cell::StaysIfNewest => {
            return Ok(Decision::Change(stay(payout, event, now, policy)));
        }
        // What he may still send is not absent yet: no miss counts before he is known to be gone.
        // Nor while a later attempt may be there: then this one has ended.
        Cell::ProvesAbsence if sender_may_send(payout, event) || may_be_later(payout, event) => {
            return Ok(Decision::Change(void_miss(payout, now, policy)));
        }
        Cell::ProvesAbsence | Cell::ProvesLoss => match missed(payout, now, policy) {
            Missed::Early => return Ok(Decision::Record),
            Missed::Once(payout) => return Ok(Decision::Change(payout)),
            // Where its past is lost, a person has sent it here to be asked about, and to review it
            // would come back for ever: nothing was sent since, and once this is over it counts.
            Missed::Proved if payout.intents >= INTENTS_MAX && !payout.past_lost => State::Review,
            Missed::Proved if payout.ever_accepted || kind_is_loss(payout.state) => State::Review,
            Missed::Proved => State::Accepted,
        },
    };
    Ok(Decision::Change(enter(payout, target, event, now, policy)))
}

/// What a hint says must be looked up before anything is sent, paid or cancelled (S6); and of an
/// open step nobody knows yet whether it moved money (S9).
fn is_rash(payout: &Payout, kind: Kind) -> bool {
    match kind {
        Kind::Intent | Kind::Cancel => payout.news_pending,
        Kind::StepIntent => payout.news_pending || payout.step_open,
        _ => false,
    }
}

/// A payout that may have reached one account is never sent from another one (S4).
fn is_astray(payout: &Payout, event: &Event) -> bool {
    match event {
        Event::Intent { account, .. } => {
            payout.account != Account::NONE && payout.account != *account
        }
        _ => false,
    }
}

/// What a sender's journal remembers and the ledger has forgotten (S18). A forgotten attempt is
/// for a person; what the ledger knows as well changes nothing.
fn remembered(payout: &Payout, event: &Event, now: Millis) -> Option<Decision> {
    let Event::Rewound { attempt, intents, send_before, account, moved, .. } = event else {
        return None;
    };
    let mut next = changed(payout);
    if *attempt <= payout.attempt {
        if *intents <= payout.intents {
            return Some(Decision::Record);
        }
        // Paid, or in a person's hands already: only the number is learnt, so that nobody finds it
        // forgotten again.
        if matches!(payout.state, State::Paid | State::Review) {
            next.intents = *intents;
            next.send_before = payout.send_before.max(*send_before);
            return Some(Decision::Change(next.normal()));
        }
        return None;
    }
    next.state = State::Review;
    next.cause = Cause::LedgerRewound;
    next.attempt = *attempt;
    if *moved {
        next.moved = true;
        next.account = *account;
    }
    next.intents = payout.intents.max(*intents);
    next.send_before = *send_before;
    next.since = now;
    next.absences = 0;
    next.asked = 0;
    next.news_pending = false;
    next.step_open = false;
    next.due = Millis::NEVER;
    next.give_up_at = Millis::NEVER;
    Some(Decision::Change(next.normal()))
}

/// Whether an answer tells something that is still open: what became of a step, or that the
/// sender of a doubtful create is done with it.
fn is_awaited(payout: &Payout, kind: Kind) -> bool {
    match kind {
        Kind::NoAnswer => payout.sender != Sender::NOBODY,
        _ => payout.step_open,
    }
}

/// Whoever wrote the intent never wrote what came of it, and may be frozen, not dead: it may
/// still send (S12).
fn sender_may_send(payout: &Payout, event: &Event) -> bool {
    payout.sender != Sender::NOBODY && matches!(event, Event::NotFound { sender_gone: false, .. })
}

/// A person, or a ledger that forgot, may have begun a later attempt that nobody has asked about.
fn may_be_later(payout: &Payout, event: &Event) -> bool {
    payout.past_lost && matches!(event, Event::NotFound { none_later: false, .. })
}

/// What a person decides, he has looked into.
fn is_by_person(kind: Kind) -> bool {
    matches!(kind, Kind::Cancel | Kind::ResolveFailed)
}

/// Absent, but not for good as long as the sender may wake up, or a later attempt may turn up: it is
/// asked about again.
fn void_miss(payout: &Payout, now: Millis, policy: &Policy) -> Payout {
    let mut next = changed(payout);
    next.absences = 0;
    ask_later(&mut next, payout.asked, now, policy);
    next.normal()
}

/// An outcome of an intent that was never written, or news of an attempt that never began.
fn names_the_future(payout: &Payout, event: &Event) -> bool {
    match event {
        Event::Outcome { intent, .. }
        | Event::StepOutcome { intent }
        | Event::StepWithdrawn { intent, .. } => *intent == 0 || *intent > payout.intents,
        Event::News { attempt, .. } | Event::Found { attempt, .. } => {
            *attempt == 0 || *attempt > payout.attempt
        }
        _ => false,
    }
}

fn is_news(event: &Event) -> bool {
    matches!(event, Event::News { .. } | Event::Found { .. })
}

fn is_newest(payout: &Payout, event: &Event) -> bool {
    match event {
        Event::Outcome { intent, .. }
        | Event::StepOutcome { intent }
        | Event::StepWithdrawn { intent, .. } => *intent == payout.intents,
        _ => false,
    }
}

/// Whether news that is not final leaves a step open (S9): only a look-up that was asked after
/// the step's request had surely ended tells what became of it. While a step is open, `due` is
/// never before that moment. What the provider sent by itself may have left before the step.
fn leaves_step_open(payout: &Payout, event: &Event) -> bool {
    let tells = matches!(event, Event::Found { asked_at, .. } if *asked_at >= payout.due);
    payout.step_open && !tells
}

/// It was proved absent, and then something said otherwise: one miss is not enough to believe
/// the absence again.
fn contradicts_absence(payout: &Payout) -> bool {
    payout.state == State::Accepted && payout.news_pending && payout.bound
}

fn may_have_been_sent(payout: &Payout) -> bool {
    payout.news_pending || payout.bound
}

fn kind_is_loss(state: State) -> bool {
    state != State::Unknown
}

enum Missed {
    /// Too early after the intent to mean anything.
    Early,
    /// The first live miss; ask again after the settling time.
    Once(Payout),
    /// The second one.
    Proved,
}

fn missed(payout: &Payout, now: Millis, policy: &Policy) -> Missed {
    if now < payout.may_be_missed_from(policy) {
        return Missed::Early;
    }
    let absences = payout.absences.saturating_add(1);
    // The second look-up must come the settling time after the first, not at the same moment:
    // until then `due` lies ahead.
    let too_soon = payout.absences > 0 && now < payout.due;
    if too_soon {
        return Missed::Early;
    }
    if absences >= ABSENCES_NEEDED {
        return Missed::Proved;
    }
    let mut next = changed(payout);
    next.absences = absences;
    next.asked = payout.asked.saturating_add(1);
    next.due = now.plus(policy.settling_ms);
    keep_time_of_step(payout, &mut next);
    Missed::Once(next)
}

fn changed(payout: &Payout) -> Payout {
    let mut next = *payout;
    next.version = payout.version.wrapping_add(1);
    next
}

/// The payout keeps its state; timers and flags change.
fn stay(payout: &Payout, event: &Event, now: Millis, policy: &Policy) -> Payout {
    let mut next = changed(payout);
    match event {
        // If its outcome is never written, a look-up tells, once the request has surely ended.
        Event::StepIntent => {
            next.step_open = true;
            next.stepped = true;
            next.intents = payout.intents.saturating_add(1);
            next.asked = 0;
            next.due = now.plus(policy.send_window_ms + policy.doubt_ms());
        }
        Event::StepOutcome { .. } => {
            next.step_open = false;
            next.due = now.plus(policy.settling_ms);
        }
        // As if its intent had never been: an earlier step keeps the attempt stepped.
        Event::StepWithdrawn { is_first, .. } => {
            next.step_open = false;
            next.stepped = !*is_first;
            next.due = now.plus(policy.settling_ms);
        }
        Event::News { news: News::Returned, .. } | Event::Found { news: News::Returned, .. } => {
            next.returned = true;
        }
        Event::News { .. } | Event::Found { .. } => {
            // Found alive: earlier misses are void, the next question can wait longer.
            next.absences = 0;
            next.news_pending = false;
            next.ever_accepted = true;
            if !leaves_step_open(payout, event) {
                next.step_open = false;
                ask_later(&mut next, payout.asked, now, policy);
            }
        }
        // Not found while it is payable: the hint was about nothing. It may be sent again.
        Event::NotFound { .. } => {
            next.news_pending = false;
            next.due = now;
        }
        // What the intent's own answer was is as unknown as before, but its sender is done: its
        // request has ended only now, and what was missed before means nothing.
        Event::Outcome { outcome, .. } => {
            next.sender = Sender::NOBODY;
            next.absences = 0;
            next.due = now.plus(policy.settling_ms);
            next.ever_accepted |= *outcome == Outcome::Exists;
        }
        // A step may be under way that nobody remembers: only a look-up tells.
        Event::Rewound { intents, send_before, sender, account, .. } => {
            next.intents = *intents;
            next.send_before = payout.send_before.max(*send_before);
            (next.sender, next.account) = (*sender, *account);
            next.absences = 0;
            next.due = next.send_before.max(now).plus(policy.doubt_ms());
            next.step_open = payout.state != State::Unknown;
            next.stepped |= next.step_open;
        }
        Event::PastLost { account } => {
            lose_past(&mut next, *account, now);
            if payout.state.is_open() {
                next.absences = 0;
                next.due = next.send_before.plus(policy.doubt_ms());
                next.step_open = payout.state != State::Unknown;
                next.stepped |= next.step_open;
            }
        }
        Event::Inconclusive => {
            next.absences = 0;
            ask_later(&mut next, payout.asked, now, policy);
        }
        Event::Hint => {
            next.news_pending = true;
            // For a doubtful create the answer proves nothing before its time (S11), but
            // finding it does: ask at once.
            // A step that was just answered is not to be seen yet, and would be found due again.
            let soonest = if payout.stepped { now.plus(policy.settling_ms) } else { now };
            next.due = next.due.min(soonest);
            // A miss so soon after the first would be no second one.
            next.absences = 0;
        }
        _ => {}
    }
    keep_time_of_step(payout, &mut next);
    next.normal()
}

/// While the request of an open step may be under way, an answer would tell nothing of it: no
/// look-up is due any earlier.
fn keep_time_of_step(payout: &Payout, next: &mut Payout) {
    if payout.step_open && next.step_open {
        next.due = next.due.max(payout.due);
    }
}

fn ask_later(next: &mut Payout, asked: u8, now: Millis, policy: &Policy) {
    next.asked = asked.saturating_add(1);
    let due = match next.state {
        State::Submitted | State::Waiting if !(next.news_pending || next.step_open) => {
            policy.next_look_up(asked, next.since, now)
        }
        // What is in doubt, or was said and not confirmed, has times of its own, polled or not.
        _ => now.plus(policy.look_up_pause_ms(asked)),
    };
    // Two look-ups about a step that was begun are never closer than this.
    let soonest = if next.stepped { now.plus(policy.settling_ms) } else { now };
    next.due = due.max(soonest).min(next.give_up_at.max(now.plus(1)));
}

/// Anything may have been sent until now, of this attempt and of later ones.
fn lose_past(next: &mut Payout, lane: Account, now: Millis) {
    next.past_lost = true;
    next.intents = next.intents.saturating_add(1);
    next.send_before = next.send_before.max(now);
    if next.account == Account::NONE {
        next.account = lane;
    }
}

/// The attempt after this one. A late answer to this one does not name the newest intent any more.
fn begin_attempt(next: &mut Payout, payout: &Payout) {
    next.attempt = payout.attempt.saturating_add(1);
    let was_sent = u16::from(payout.was_ever_sent());
    next.intents = payout.intents.saturating_add(was_sent);
    next.sender = Sender::NOBODY;
    next.bound = false;
    next.ever_accepted = false;
    next.step_open = false;
    next.stepped = false;
}

/// The payout enters `target`: cause, timers and flags are those of the new state.
fn enter(payout: &Payout, target: State, event: &Event, now: Millis, policy: &Policy) -> Payout {
    let mut next = changed(payout);
    next.state = target;
    next.cause = cause(payout, target, event);
    if let Event::Rewound { intents, send_before, .. } = event {
        next.intents = payout.intents.max(*intents);
        next.send_before = payout.send_before.max(*send_before);
    }
    if let Event::PastLost { account } = event {
        lose_past(&mut next, *account, now);
    }
    if matches!(event, Event::Outcome { .. }) && is_newest(payout, event) {
        next.sender = Sender::NOBODY;
    }
    next.since = now;
    next.absences = 0;
    next.asked = 0;
    next.news_pending = false;
    next.due = Millis::NEVER;
    match target {
        State::Accepted => {
            next.due = Millis(0);
            // Trying again does not make it younger.
            let tried = payout.state == State::Submitting;
            let fresh = now.plus(policy.unsent_give_up_ms);
            next.give_up_at = if tried { payout.give_up_at } else { fresh };
            if let Event::Outcome { outcome: Outcome::RefusedForNow { retry_at }, .. } = event {
                next.due = *retry_at;
                next.asked = payout.asked.saturating_add(1);
            }
            // A request's own answer frees it from its account; that look-ups did not find it
            // does not.
            match event {
                // Nor is it a row of the call that carried the attempt before.
                Event::NewAttempt => (next.account, next.send_before) = (Account::NONE, Millis(0)),
                Event::Outcome { outcome: Outcome::Moves, .. } => {
                    begin_attempt(&mut next, payout);
                    (next.account, next.send_before) = (Account::NONE, Millis(0));
                    next.moved = true;
                }
                Event::Outcome { .. } if !payout.bound => next.account = Account::NONE,
                Event::Outcome { .. } => {}
                _ => next.bound = true,
            }
            next.sender = Sender::NOBODY;
            // Two misses of all that may have been forgotten: nothing is in doubt any more.
            next.past_lost &= !matches!(event, Event::NotFound { none_later: true, .. });
            if *event == Event::NewAttempt {
                begin_attempt(&mut next, payout);
            }
        }
        State::Submitting => {
            if let Event::Intent { send_before, sender, account } = event {
                next.send_before = *send_before;
                (next.sender, next.account) = (*sender, *account);
            }
            // Refusals so far count on: the next pause is longer.
            next.asked = payout.asked;
            next.due = next.send_before.plus(policy.request_timeout_ms);
            next.intents = payout.intents.saturating_add(1);
        }
        State::Unknown => {
            next.due = next.send_before.max(now).plus(policy.doubt_ms());
            next.give_up_at = now.plus(policy.unknown_give_up_ms.max(policy.doubt_ms()));
            if let Event::Outcome { outcome: Outcome::Exists, .. } = event {
                next.ever_accepted = true;
            }
            if let Event::Rewound { sender, account, .. } = event {
                (next.sender, next.account) = (*sender, *account);
            }
            // It may have been sent before the past was lost, at the account and until the moment
            // that the payout was marked with: if it is found, the sooner the better.
            if *event == Event::NewAttempt {
                begin_attempt(&mut next, payout);
                next.due = now;
            }
        }
        State::Submitted | State::Waiting => {
            next.ever_accepted = true;
            next.step_open = leaves_step_open(payout, event);
            next.due = match event {
                _ if next.step_open => payout.due,
                Event::Outcome { outcome: Outcome::Begun, .. } => now,
                _ => policy.first_look_up(now),
            };
            next.give_up_at = now.plus(policy.submitted_give_up_ms.max(policy.overdue_ms));
        }
        State::Paid | State::Failed | State::Cancelled | State::Review => {
            next.step_open = false;
            next.give_up_at = Millis::NEVER;
            // The provider has it, which the cause does not tell any more.
            next.ever_accepted |= next.cause == Cause::LedgerRewound && is_news(event);
        }
    }
    // A negative callback that came before the create's own answer is still to be confirmed.
    let unconfirmed = matches!(event, Event::Outcome { .. } | Event::SenderLost);
    if payout.news_pending && unconfirmed && target.is_open() {
        next.news_pending = true;
        next.due = now;
    }
    next.normal()
}

fn cause(payout: &Payout, target: State, event: &Event) -> Cause {
    match event {
        Event::Outcome { outcome: Outcome::Refused { .. } | Outcome::Moves, .. }
            if target == State::Review =>
        {
            Cause::LedgerRewound
        }
        Event::Outcome { outcome, .. } => match outcome {
            Outcome::Moves if target == State::Accepted => Cause::Moved,
            Outcome::Refused { created_nothing: true } | Outcome::Moves => {
                Cause::RefusedCreatedNothing
            }
            Outcome::Refused { created_nothing: false } => Cause::Refused,
            Outcome::RefusedForNow { .. } => Cause::RefusedForNow,
            Outcome::Unlisted => Cause::UnlistedRefusal,
            Outcome::Unknown | Outcome::Exists => Cause::NoAnswer,
            Outcome::Accepted | Outcome::Begun if target == State::Review => Cause::TakenBefore,
            Outcome::Accepted | Outcome::Begun | Outcome::Withdrawn => Cause::None,
        },
        Event::SenderLost => Cause::SenderLost,
        Event::News { attempt, .. } | Event::Found { attempt, .. } if *attempt < payout.attempt => {
            Cause::OlderAttemptPaid
        }
        Event::News { news, .. } | Event::Found { news, .. } => match news {
            News::Paid if target == State::Review => Cause::Disputed,
            News::Failed | News::Cancelled if target == State::Review => Cause::LedgerRewound,
            News::Failed => Cause::FailedAtProvider,
            News::Cancelled => Cause::CancelledAtProvider,
            News::Differs | News::Returned => Cause::Differs,
            News::Paid | News::InProgress | News::Waiting => Cause::None,
        },
        Event::Rewound { .. } | Event::PastLost { .. } => Cause::LedgerRewound,
        Event::NewAttempt if target == State::Unknown => Cause::LedgerRewound,
        Event::Rebound => Cause::Rebound,
        Event::NotFound { .. } => match target {
            State::Review if payout.ever_accepted || kind_is_loss(payout.state) => {
                Cause::LostAtProvider
            }
            State::Review => Cause::CannotBeKnown,
            State::Unknown => Cause::NoAnswer,
            _ => Cause::ProvedAbsent,
        },
        Event::TooOld if target == State::Failed => Cause::TooOldUnsent,
        Event::TooOld => Cause::CannotBeKnown,
        Event::Cancel | Event::ResolvePaid | Event::ResolveFailed | Event::NewAttempt => {
            Cause::Operator
        }
        Event::Intent { .. }
        | Event::StepIntent
        | Event::StepOutcome { .. }
        | Event::StepWithdrawn { .. }
        | Event::Inconclusive
        | Event::Hint => Cause::None,
    }
}

#[cfg(test)]
mod tests;
