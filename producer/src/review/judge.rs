//! Which decisions a payout leaves to a person. Pure: the table of [`super`], in code.

use super::asked::{Asked, Says};
use super::story::Story;
use crate::report::cells::time;
pub use domain::ATTEMPTS_MAX;
use domain::{BatchState, Cause, Event, Millis, Payout, Sender, State, decide};
use std::fmt;

/// What a person decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It was paid.
    Paid,
    /// It was not paid and will not be.
    Failed,
    /// It is sent again, in a new attempt.
    Again,
}

impl Decision {
    /// All, in the order in which they are shown.
    pub const ALL: [Decision; 3] = [Decision::Paid, Decision::Failed, Decision::Again];

    /// What it is in the table of payouts.
    pub fn event(self) -> Event {
        match self {
            Decision::Paid => Event::ResolvePaid,
            Decision::Failed => Event::ResolveFailed,
            Decision::Again => Event::NewAttempt,
        }
    }

    /// As it is typed behind two dashes.
    pub fn name(self) -> &'static str {
        match self {
            Decision::Paid => "paid",
            Decision::Failed => "failed",
            Decision::Again => "again",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a possible decision asks of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Nothing more: the provider says the same.
    Given,
    /// Amount and reference, typed (S21).
    Typed,
}

/// Why a decision is not possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The table has no such way.
    #[error("it is {state}, and {decision} is decided only of {}", from(.decision))]
    State {
        /// Where it stands.
        state: State,
        /// What was wanted.
        decision: Decision,
    },
    /// Nothing of the batch is sent any more.
    #[error(
        "its batch is {0}, and nothing of it is sent any more; pay it with a new file, under a new \
         reference, once it is decided as failed"
    )]
    Batch(BatchState),
    /// Too many attempts.
    #[error(
        "it was tried {0} times; find out at the provider why, and pay it under a new reference"
    )]
    Attempts(u8),
    /// The provider may still pay it.
    #[error(
        "the provider has attempt {0} in work and may still pay it; wait until the provider itself \
         says what became of it, or have it cancelled there"
    )]
    UnderWay(u8),
    /// The provider says that it paid.
    #[error("the provider says that attempt {0} was paid; only --paid agrees with that")]
    SaysPaid(u8),
    /// The provider says that it did not pay.
    #[error(
        "the provider says that it was not paid; if it was, have the provider say so first, else \
         --failed agrees with that"
    )]
    SaysEnded,
    /// Something else stands there.
    #[error(
        "the provider has something else under the reference of attempt {0}, which it may have paid; \
         a new attempt could pay twice. Clear it up at the provider, and pay what is missing under \
         a new reference"
    )]
    Differs(u8),
    /// Somebody reported it as paid.
    #[error(
        "it was reported as paid or accepted against what was known ({0}); only the provider's own \
         word about every attempt (failed, cancelled, returned) takes that back, and its look-up \
         does not say so"
    )]
    HeardPaid(&'static str),
    /// Its request may not have ended.
    #[error("a request for it may still be under way; ask again after {}", time(.0))]
    MayBeUnderWay(Millis),
    /// The provider had it under another account, and nobody here can ask that one.
    #[error(
        "the account that its lane had before accepted it and may still pay it; only --paid or \
         --failed, by what that account shows, close it. Pay what is missing under a new reference"
    )]
    OtherAccount,
    /// An attempt that the ledger forgot may have been paid, and no look-up tells (S18).
    #[error(
        "the ledger went back in time without its journals, so later attempts may have been sent and \
         forgotten, and the look-up cannot tell; a new attempt could pay twice. Find out at the \
         provider, decide by what it shows, and pay what is missing under a new reference"
    )]
    PastLost,
    /// Whoever began to send it may be frozen, not dead (S12).
    #[error(
        "worker {0} began to send it and is not known to be gone: it may still do so. Stop that \
         machine for good, then say so: producer worker lost {0}"
    )]
    SenderAtLarge(Sender),
    /// A late success is still possible.
    #[error(
        "the provider had it, and what has failed there may still turn out to be paid until {} \
         (late_success_window_ms of the lane); a new attempt before that could pay twice", time(.0)
    )]
    LateSuccess(Millis),
}

fn from(decision: &Decision) -> &'static str {
    match decision {
        Decision::Paid | Decision::Failed => "a payout in review",
        Decision::Again => "a payout in review or failed",
    }
}

/// Whether a decision is possible for a payout of which the provider says this.
pub fn judge(decision: Decision, story: &Story, asked: &[Asked]) -> Result<Consent, Refusal> {
    let payout = &story.known.payout;
    if decide(payout, &decision.event(), story.now, &story.policy).is_err() {
        return Err(Refusal::State { state: payout.state, decision });
    }
    let attempt = |wanted: Says| asked.iter().find(|a| a.says() == wanted).map(|a| a.attempt);
    if let Some(attempt) = attempt(Says::UnderWay) {
        return Err(Refusal::UnderWay(attempt));
    }
    let is_told_paid = asked.first().is_some_and(|newest| newest.says() == Says::Paid);
    let surely_ended = surely_ended(story);
    if payout.was_ever_sent() && story.now < surely_ended && !is_told_paid {
        return Err(Refusal::MayBeUnderWay(surely_ended));
    }
    let is_ended = !asked.is_empty() && asked.iter().all(|a| a.says() == Says::Ended);
    if decision == Decision::Paid {
        return match attempt(Says::Paid) {
            Some(_) => Ok(Consent::Given),
            None if is_ended => Err(Refusal::SaysEnded),
            None => Ok(Consent::Typed),
        };
    }
    if let Some(attempt) = attempt(Says::Paid) {
        return Err(Refusal::SaysPaid(attempt));
    }
    let is_unpaid = |a: &Asked| matches!(a.says(), Says::Ended | Says::Returned);
    let is_taken_back = !asked.is_empty() && asked.iter().all(is_unpaid);
    if let Some(heard) = story.heard_paid().filter(|_| !is_taken_back) {
        return Err(Refusal::HeardPaid(heard));
    }
    if decision == Decision::Again {
        may_be_sent_again(story, asked)?;
    }
    Ok(Consent::Typed)
}

fn may_be_sent_again(story: &Story, asked: &[Asked]) -> Result<(), Refusal> {
    let payout = &story.known.payout;
    let state = story.batch.state;
    if !matches!(state, BatchState::Active | BatchState::Paused | BatchState::Complete) {
        return Err(Refusal::Batch(state));
    }
    if payout.attempt >= ATTEMPTS_MAX {
        return Err(Refusal::Attempts(payout.attempt));
    }
    if let Some(differs) = asked.iter().find(|a| a.says() == Says::Differs) {
        return Err(Refusal::Differs(differs.attempt));
    }
    if payout.cause == Cause::Rebound && payout.ever_accepted {
        return Err(Refusal::OtherAccount);
    }
    // What was forgotten may have gone by the second lane, and its number would be given again (S15).
    if payout.past_lost && story.known.failover.is_some() {
        return Err(Refusal::PastLost);
    }
    // It would be asked about first, in vain once more.
    if payout.past_lost && payout.cause == Cause::CannotBeKnown && !is_told_unpaid(asked, payout) {
        return Err(Refusal::PastLost);
    }
    if let Some(sender) = story.sender_at_large {
        return Err(Refusal::SenderAtLarge(sender));
    }
    let until = payout.since.plus(story.policy.late_success_window_ms);
    if was_at_the_provider(story, asked) && story.now < until {
        return Err(Refusal::LateSuccess(until));
    }
    Ok(())
}

/// Whether the look-up of the newest attempt that the ledger knows says anything.
fn is_told_unpaid(asked: &[Asked], payout: &Payout) -> bool {
    asked.iter().filter(|asked| asked.attempt == payout.attempt).any(|asked| match asked.says() {
        Says::Ended | Says::Returned => true,
        Says::NotFound => asked.is_live == Some(true),
        _ => false,
    })
}

/// Whatever was begun before it came to stand where it stands (a create, a second step that was
/// open) has left within the send window, has its answer within the request's time, and can be
/// found after the settling time.
fn surely_ended(story: &Story) -> Millis {
    let (payout, policy) = (&story.known.payout, &story.policy);
    payout.send_before.max(payout.since.plus(policy.send_window_ms)).plus(policy.doubt_ms())
}

/// Whether the provider once had it (S15), as far as anybody knows.
fn was_at_the_provider(story: &Story, asked: &[Asked]) -> bool {
    const HAD: [Cause; 5] = [
        Cause::Rebound,
        Cause::FailedAtProvider,
        Cause::CancelledAtProvider,
        Cause::LostAtProvider,
        Cause::Differs,
    ];
    let caused = HAD.into_iter().any(|cause| story.was_ever(cause)) || story.is_heard_paid();
    let has_record = |a: &Asked| matches!(a.says(), Says::Ended | Says::Returned);
    story.known.payout.ever_accepted || caused || asked.iter().any(has_record)
}
