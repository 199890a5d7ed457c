//! A decision is written: on the very sight that it rests on, with its reason, or not at all.
//!
//! ```text
//!  version as seen? ─▶ look-ups ─▶ judge ─▶ amount and reference ─▶ version as seen, again?
//!                                                                        │ the audit chain is told
//!                                                                        │ one write: decision
//!                                                                        ▼ and notes
//!                                   anything arrived between? ─▶ told; a new attempt is taken back
//! ```
//!
//! The payout itself is compared by the write. Evidence that changes nothing could still slip in
//! between the last reading and the write; for a new attempt the chunk's lease is held meanwhile,
//! so nothing of it can leave before the notes were read once more.

use super::act::Act;
use super::asked::{Asked, Says};
use super::judge::{Decision, judge};
use super::seen::Seen;
use super::story::Story;
use super::typed::Typed;
use super::{Consent, ReviewError, told};
use crate::audit::Clerk;
use crate::show::table::plain;
use domain::{Event, Millis, News, Payout};
use ledger::apply::{Applied, Happening, apply};
use ledger::{Claim, Guard, Ledger, Note, NoteKind, Token};
use std::time::Duration;

/// Times that a lease is asked for while a worker holds it, and the pause between two.
const LEASE_TRIES: u32 = 25;
const LEASE_PAUSE: Duration = Duration::from_millis(200);
/// Characters of a reason.
pub const REASON_CHARS_MAX: usize = 500;
/// A value with so many characters may be an account or a phone number.
const NUMBER_CHARS_MIN: usize = 8;

/// What a person wants.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The decision.
    pub decision: Decision,
    /// The sight that it rests on.
    pub seen: Seen,
    /// Why.
    pub reason: String,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The payout as the ledger has it now.
    pub payout: Payout,
    /// What arrived while it was written; nobody has seen it yet.
    pub meanwhile: Vec<Note>,
    /// The new attempt was stopped for that.
    pub is_taken_back: bool,
}

/// Before anybody is asked: is it this payout that was seen, and is the reason one?
pub fn check(story: &Story, wish: &Wish) -> Result<(), ReviewError> {
    if story.seen() != wish.seen {
        return Err(ReviewError::arrived(story, wish.seen));
    }
    let chars = wish.reason.trim().chars().count();
    if chars == 0 || chars > REASON_CHARS_MAX {
        return Err(ReviewError::Reason);
    }
    let bare: String = wish.reason.chars().filter(|c| c.is_alphanumeric()).collect();
    let row = &story.known.row;
    let values = row.fields.values().map(String::as_str).chain([row.destination.reveal()]);
    let digits = |value: &str| value.bytes().filter(u8::is_ascii_digit).count();
    let numbers = values.filter(|value| digits(value) >= NUMBER_CHARS_MIN);
    let plain = |value: &str| value.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    match numbers.map(plain).any(|number| bare.contains(&number)) {
        true => Err(ReviewError::ReasonTellsNumber),
        false => Ok(()),
    }
}

/// Writes the decision that [`judge`] allows; with what was typed, where that is needed.
pub async fn resolve(
    ledger: &dyn Ledger,
    story: &Story,
    asked: &[Asked],
    wish: &Wish,
    typed: Option<&Typed>,
    clerk: &Clerk,
    lease_ms: u64,
) -> Result<Resolved, ReviewError> {
    check(story, wish)?;
    let consent = judge(wish.decision, story, asked);
    let refused = |why| ReviewError::refused(story, wish.decision, why);
    match (consent.map_err(refused)?, typed) {
        (Consent::Given, None) => {}
        (Consent::Typed, None) => return Err(ReviewError::NotTyped),
        (_, Some(typed)) => typed.check(&story.known.row)?,
    }
    let said = told::summary(asked);
    let reason = plain(wish.reason.trim());
    let act = Act { clerk, decision: wish.decision, seen: wish.seen, reason: &reason, told: &said };
    match wish.decision {
        Decision::Again => {
            let token = hold(ledger, story, lease_ms).await?;
            let done = again(ledger, story, &act).await;
            give_back(ledger, story, token).await;
            done
        }
        Decision::Paid | Decision::Failed => close(ledger, story, asked, &act).await,
    }
}

/// Tells the chain, and writes the decision over the payout as it was seen; gives what stands then.
async fn write(
    ledger: &dyn Ledger,
    story: &Story,
    act: &Act<'_>,
) -> Result<(Payout, Vec<Note>), ReviewError> {
    let again = story.again(ledger).await?;
    if again.seen() != act.seen {
        return Err(ReviewError::arrived(&again, act.seen));
    }
    act.tell(ledger, &again).await?;
    let ours = act.notes(&again.known.payout);
    let event = act.decision.event();
    let applied = happen(ledger, &again, again.known.payout, event, ours.clone()).await?;
    let Applied::Changed(payout) = applied else {
        return Err(ReviewError::arrived(&again.again(ledger).await?, act.seen));
    };
    let after = again.again(ledger).await?.notes;
    let fresh = after.into_iter().skip(again.notes.len());
    Ok((payout, fresh.filter(|note| !ours.contains(note)).collect()))
}

async fn happen(
    ledger: &dyn Ledger,
    story: &Story,
    payout: Payout,
    event: Event,
    notes: Vec<Note>,
) -> Result<Applied, ReviewError> {
    let place = story.known.place;
    let now = ledger.about().await?.now;
    let happening = Happening { row: place.row, payout, event, notes };
    let done = apply(ledger, place.chunk, Guard::Fact, now, &story.policy, vec![happening]).await?;
    let one = done.and_then(|rows| rows.into_iter().next());
    // Nothing of a batch that was rejected is ever written.
    one.map(|(_, applied)| applied).ok_or(ReviewError::Gone)
}

async fn close(
    ledger: &dyn Ledger,
    story: &Story,
    asked: &[Asked],
    act: &Act<'_>,
) -> Result<Resolved, ReviewError> {
    let (mut payout, meanwhile) = write(ledger, story, act).await?;
    let newest = asked.first().filter(|asked| asked.says() == Says::Returned);
    if let (Decision::Paid, Some(newest)) = (act.decision, newest) {
        // It was paid and came back: a return is recorded beside it (S14).
        // One that the ledger has forgotten, it cannot name.
        let (attempt, asked_at) = (newest.attempt.min(payout.attempt), story.now);
        let event = Event::Found { attempt, news: News::Returned, asked_at };
        payout = happen(ledger, story, payout, event, Vec::new()).await?.payout();
    }
    Ok(Resolved { payout, meanwhile, is_taken_back: false })
}

/// A new attempt, under the chunk's lease: no intent of it can be written meanwhile (S6).
async fn again(ledger: &dyn Ledger, story: &Story, act: &Act<'_>) -> Result<Resolved, ReviewError> {
    let (payout, meanwhile) = write(ledger, story, act).await?;
    if meanwhile.is_empty() {
        return Ok(Resolved { payout, meanwhile, is_taken_back: false });
    }
    // Unread news, and then its end without a look-up: together they mean review.
    let text = "stopped before it was sent: something arrived while the new attempt was written";
    let why = vec![Note::new(NoteKind::Reason, text)];
    let hinted = happen(ledger, story, payout, Event::Hint, why).await?.payout();
    let stopped = happen(ledger, story, hinted, Event::TooOld, Vec::new()).await?.payout();
    Ok(Resolved { payout: stopped, meanwhile, is_taken_back: true })
}

async fn hold(ledger: &dyn Ledger, story: &Story, lease_ms: u64) -> Result<Token, ReviewError> {
    for _ in 0..LEASE_TRIES {
        match ledger.claim(story.known.place.chunk, lease_ms).await? {
            Claim::Held { token, .. } => return Ok(token),
            Claim::Gone => return Err(ReviewError::Gone),
            Claim::Busy => tokio::time::sleep(LEASE_PAUSE).await,
        }
    }
    Err(ReviewError::Busy)
}

/// Best effort: a lease that is not given back ends by itself. Whoever claims the chunk next finds
/// out what of it is due.
async fn give_back(ledger: &dyn Ledger, story: &Story, token: Token) {
    let chunk = story.known.place.chunk;
    if let Err(error) = ledger.release(chunk, token, Millis(0)).await {
        tracing::debug!(%chunk, %error, "the lease ends by itself");
    }
}
