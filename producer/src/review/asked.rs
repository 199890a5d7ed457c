//! What the provider says of every attempt of a payout, asked now. Writes nothing.
//!
//! Every attempt is asked about, not only the newest: an older one may have been paid after all
//! (S3). That nobody can be asked is an answer too, with why. And with "not found" comes whether
//! the same look-up finds a payout that is known to exist (S11): a blind one says nothing.

use super::story::Story;
use super::told;
use crate::provider::account::{self, AccountError};
use crate::provider::payout::{self, Known};
use crate::provider::{Line, LineError};
use domain::{Account, Cause, News, Payout, Place};
use ledger::{Ledger, LedgerError};
use providers::{Found, LookUp, LookedUp, Past, Payment};
use std::sync::Arc;
use std::time::Duration;

/// A look-up may take several requests; after so many times a request's whole time nobody waits
/// any longer.
const REQUESTS_MAX: u64 = 5;

/// One attempt, asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Which.
    pub attempt: u8,
    /// What was answered, or why nobody could be asked.
    pub told: Result<Found, String>,
    /// Of "not found": whether the same look-up finds the lane's control, a payout that is known
    /// to exist. `None` where it was not asked for.
    pub is_live: Option<bool>,
}

/// What an answer means for who has to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// It was paid.
    Paid,
    /// It was paid and the money came back.
    Returned,
    /// The provider has it and may still pay it.
    UnderWay,
    /// It failed or was cancelled, and will not be paid.
    Ended,
    /// Something stands under our reference that is not what was sent.
    Differs,
    /// Not found; this alone proves nothing.
    NotFound,
    /// No clear answer, or nobody could be asked.
    Nothing,
}

impl Asked {
    /// What it means.
    pub fn says(&self) -> Says {
        match &self.told {
            Ok(Found::Is { news, .. }) => match news {
                News::Paid => Says::Paid,
                News::Returned => Says::Returned,
                News::InProgress | News::Waiting => Says::UnderWay,
                News::Failed | News::Cancelled => Says::Ended,
                News::Differs => Says::Differs,
            },
            Ok(Found::StepDue { .. }) => Says::UnderWay,
            Ok(Found::Differs { .. }) => Says::Differs,
            Ok(Found::Absent) if self.is_live == Some(false) => Says::Nothing,
            Ok(Found::Absent) => Says::NotFound,
            Ok(Found::Unclear { .. } | Found::StopLane { .. }) | Err(_) => Says::Nothing,
        }
    }
}

/// Asks about every attempt of a payout, the newest first; about one that was never sent, nobody.
/// Where its past is lost, later attempts that are found come before those that the ledger knows,
/// and behind them, in one line, those that may be there for all that a look-up can tell.
pub async fn ask(
    ledger: &dyn Ledger,
    line: Result<&Line, &LineError>,
    story: &Story,
) -> Result<Vec<Asked>, LedgerError> {
    if !story.known.payout.was_ever_sent() {
        return Ok(Vec::new());
    }
    let line = match line {
        Ok(line) => line,
        Err(error) => return Ok(nobody(story, &error.to_string())),
    };
    let record = match account::check(ledger, line).await {
        Ok(record) => record,
        Err(AccountError::Ledger(error)) => return Err(error),
        Err(error) => return Ok(nobody(story, &error.to_string())),
    };
    let account = story.known.payout.account;
    if account != Account::NONE && account != Account::of(line.provider.fingerprint()) {
        let why = "it was sent under another account than its lane has now; ask that account";
        return Ok(nobody(story, why));
    }
    let was_moved = story.was_ever(Cause::Rebound);
    let control = match record.control.filter(|place| *place != story.known.place) {
        Some(place) => control(ledger, line, story, place).await?,
        None => None,
    };
    let mut all = Vec::new();
    let mut untold = None;
    for attempt in story.known.payout.later_attempts().rev() {
        if let Some(lane) = &story.known.failover {
            // Of them this lane may know nothing (S15).
            let text = format!("it may have gone by lane {lane}; look there");
            untold = Some(Asked { attempt, told: Ok(Found::Unclear { text }), is_live: None });
            continue;
        }
        let payment = payment(ledger, line, story, attempt).await?;
        let (told, is_live) = one(line, payment, control.as_ref()).await;
        let later = Asked { attempt, told, is_live };
        match later.says() {
            // What was never begun is missed by a look-up that sees.
            Says::NotFound if later.is_live == Some(true) => {}
            Says::NotFound | Says::Nothing => untold = Some(later),
            _ => all.push(later),
        }
    }
    for (attempt, _) in story.attempts() {
        if story.known.payout.moved && attempt == 1 {
            // The first lane refused it and created nothing (S15): nobody asks, unless somebody has
            // said since that it was paid after all.
            if story.is_heard_paid() {
                let text = "it went by the lane that refused it first; ask that lane";
                all.push(Asked { attempt, told: Err(text.to_owned()), is_live: None });
            }
            continue;
        }
        let is_older = attempt < story.known.payout.attempt;
        let (told, is_live) = if was_moved && is_older {
            (Err("its lane had another account then; ask that account".to_owned()), None)
        } else {
            let payment = payment(ledger, line, story, attempt).await?;
            one(line, payment, control.as_ref()).await
        };
        all.push(Asked { attempt, told, is_live });
    }
    all.extend(untold.map(not_known));
    Ok(all)
}

/// Later attempts that nobody can tell of, in one line: this is the first of them.
fn not_known(first: Asked) -> Asked {
    let why = told::words(&first);
    let text =
        format!("later attempts, which the ledger may have forgotten: not known; this one: {why}");
    Asked { told: Ok(Found::Unclear { text }), ..first }
}

/// Every attempt, unasked for this reason.
pub fn nobody(story: &Story, why: &str) -> Vec<Asked> {
    if !story.known.payout.was_ever_sent() {
        return Vec::new();
    }
    let unasked = |(attempt, _)| Asked { attempt, told: Err(why.to_owned()), is_live: None };
    story.attempts().map(unasked).collect()
}

/// Asks about one payment; where it is not found, about the control too.
async fn one(
    line: &Line,
    payment: Payment,
    control: Option<&Payment>,
) -> (Result<Found, String>, Option<bool>) {
    let limits = line.provider.limits();
    // Where one look-up takes many, the control is asked for with it, as a worker does.
    let beside = control.filter(|_| limits.rows_per_look_up > 1).cloned();
    let LookedUp { found, control_found } = match question(line, payment, beside).await {
        Ok(told) => told,
        Err(why) => return (Err(why), None),
    };
    let found = found.into_iter().next();
    let told = found.ok_or_else(|| "the adapter gave no answer".to_owned());
    let is_missed = told == Ok(Found::Absent) && limits.idempotency.absence.proves;
    let is_live = match control.filter(|_| is_missed) {
        None => None,
        Some(_) if limits.rows_per_look_up > 1 => control_found,
        Some(control) => {
            let told = question(line, control.clone(), None).await.map(|told| told.found);
            let is = |found: &Found| matches!(found, Found::Is { .. } | Found::StepDue { .. });
            Some(told.is_ok_and(|found| found.iter().any(is)))
        }
    };
    (told, is_live)
}

async fn question(
    line: &Line,
    payment: Payment,
    control: Option<Payment>,
) -> Result<LookedUp, String> {
    let question = LookUp { payments: vec![payment], control, turns: line.turns() };
    let patience = Duration::from_millis(line.policy.request_timeout_ms * REQUESTS_MAX);
    let told = tokio::time::timeout(patience, line.provider.look_up(question)).await;
    told.map_err(|_| format!("no answer within {} s", patience.as_secs()))
}

/// The lane's control, by our reference alone.
async fn control(
    ledger: &dyn Ledger,
    line: &Line,
    story: &Story,
    place: Place,
) -> Result<Option<Payment>, LedgerError> {
    let Some(chunk) = ledger.chunk(place.chunk).await? else { return Ok(None) };
    let Some(payout) = chunk.payouts.get(usize::from(place.row)).copied() else { return Ok(None) };
    let row = Arc::new(payout::row(ledger, place.chunk, place.row).await?);
    let known = Known::of(&chunk, place, payout, row, story.known.ledger);
    Ok(Some(known.payment(Past::of(&payout, place.chunk.batch, &line.policy))))
}

/// The newest attempt as a worker asks about it. Of an older one no id and no call is known for
/// certain: by our reference, over all the time since the batch was taken.
async fn payment(
    ledger: &dyn Ledger,
    line: &Line,
    story: &Story,
    attempt: u8,
) -> Result<Payment, LedgerError> {
    let known = &story.known;
    if attempt == known.payout.attempt {
        let by_id = line.provider.limits().looks_up_by_id;
        return Ok(known.payment(known.past(ledger, by_id, &line.policy).await?));
    }
    let past = Past::of_other_attempt(&known.payout, known.place.chunk.batch, &line.policy);
    let payout = Payout { attempt, ..known.payout };
    Ok(Known { payout, ..known.clone() }.payment(past))
}
