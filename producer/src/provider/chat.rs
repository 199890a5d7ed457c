//! One payout with its provider: where does it stand, and can it be cancelled?
//!
//! A look-up from here is read-only. A cancellation is only asked for: the payout keeps its
//! state, and the worker's next look-up, which is asked for at once, tells what became of it.

use super::Line;
use super::account::{self, AccountError};
use super::act::Act;
use super::payout::{self, FindError, Known};
use crate::report::cells::time;
use domain::{Event, State};
use ledger::apply::{Happening, apply};
use ledger::{Guard, Ledger, LedgerError};
use providers::{CancelAnswer, Found, LookUp, SecondStep};

/// Why nothing was asked.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// The payout.
    #[error(transparent)]
    Find(#[from] FindError),
    /// It was never sent in this attempt.
    #[error("payout \"{0}\" was never sent, so the provider knows nothing of it")]
    NeverSent(String),
    /// There is nothing at the provider to cancel.
    #[error("payout \"{reference}\" is {state}: {why}")]
    NotThere {
        /// The reference.
        reference: String,
        /// Where it stands.
        state: State,
        /// What that means, and what to do.
        why: &'static str,
    },
    /// The provider cancels nothing.
    #[error("the provider of lane {0} offers no cancellation")]
    NoCancel(domain::LaneName),
    /// Another account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Asks where a payout stands. Writes nothing.
pub async fn look_up(
    ledger: &dyn Ledger,
    line: &Line,
    reference: &str,
) -> Result<(Known, Found), ChatError> {
    let known = payout::find_on(ledger, &line.lane, reference).await?;
    if !known.payout.was_ever_sent() {
        return Err(ChatError::NeverSent(known.row.reference.as_str().to_owned()));
    }
    account::check(ledger, line).await?;
    let by_id = line.provider.limits().looks_up_by_id;
    let past = known.past(ledger, by_id, &line.policy).await?;
    let question =
        LookUp { payments: vec![known.payment(past)], control: None, turns: line.turns() };
    let found = line.provider.look_up(question).await.found.into_iter().next();
    let nothing = || Found::Unclear { text: "the adapter gave no answer".to_owned() };
    Ok((known, found.unwrap_or_else(nothing)))
}

/// Whether a payout can be cancelled at the provider now; gives it.
pub async fn cancellable(
    ledger: &dyn Ledger,
    line: &Line,
    reference: &str,
) -> Result<Known, ChatError> {
    if line.provider.cancel().is_none() {
        return Err(ChatError::NoCancel(line.lane.clone()));
    }
    let known = payout::find_on(ledger, &line.lane, reference).await?;
    let state = known.payout.state;
    let why = match state {
        State::Submitted | State::Waiting | State::Unknown | State::Review => {
            account::check(ledger, line).await?;
            return Ok(known);
        }
        State::Accepted => {
            "it is not at the provider; `producer cancel BATCH` cancels what is not sent"
        }
        State::Submitting => "it is being sent at this moment; ask again",
        State::Paid | State::Failed | State::Cancelled => "there is nothing left to cancel",
    };
    Err(ChatError::NotThere { reference: known.row.reference.as_str().to_owned(), state, why })
}

/// What a person should know before he cancels: a second step was begun, so the provider may be
/// paying, and where people fund, their money may be there.
pub fn warning(line: &Line, known: &Known) -> Option<String> {
    let payout = &known.payout;
    let begun = match line.provider.limits().second_step {
        _ if !payout.stepped => return None,
        SecondStep::Funding => {
            "it was said to be funded; cancelled, the money may stay where it was sent: find out \
             where that is first"
        }
        SecondStep::Code | SecondStep::None => {
            "its call was confirmed, or that was tried: the provider may be paying it"
        }
    };
    let open = format!("; what became of that is not known before {}", time(&payout.due));
    Some(format!("{begun}{}", if payout.step_open { open.as_str() } else { "" }))
}

/// Asks the provider to cancel a payout that [`cancellable`] gave.
pub async fn cancel(
    ledger: &dyn Ledger,
    line: &Line,
    known: &Known,
) -> Result<CancelAnswer, ChatError> {
    let offered = line.provider.cancel();
    let cancel = offered.ok_or_else(|| ChatError::NoCancel(line.lane.clone()))?;
    let past = known.past(ledger, true, &line.policy).await?;
    let payment = known.payment(past);
    let what = format!("cancel {} ({})", known.row.reference.as_str(), payment.reference.as_str());
    let act = Act::begin(ledger, &line.lane, what).await?;
    let answer = cancel.cancel(payment).await;
    act.end(match &answer {
        CancelAnswer::Taken => "taken",
        CancelAnswer::Refused { .. } => "refused",
        CancelAnswer::Unknown { .. } => "no readable answer",
    })
    .await;
    if !matches!(answer, CancelAnswer::Refused { .. })
        && let Err(error) = ask_soon(ledger, line, known).await
    {
        tracing::warn!(%error, "the look-up comes at its usual time");
    }
    Ok(answer)
}

/// Lets the worker look the payout up at once, instead of when it is overdue.
async fn ask_soon(ledger: &dyn Ledger, line: &Line, known: &Known) -> Result<(), LedgerError> {
    let hint = Happening {
        row: known.place.row,
        payout: known.payout,
        event: Event::Hint,
        notes: Vec::new(),
    };
    let now = ledger.about().await?.now;
    apply(ledger, known.place.chunk, Guard::Fact, now, &line.policy, vec![hint]).await.map(drop)
}
