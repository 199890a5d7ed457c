//! The step itself: lease, look-up, intent, request, outcome.

use super::ConfirmError;
use super::calls::{self, Call, CallRow};
use super::first;
use super::gate::Deadline;
use super::later;
use crate::provider::{Line, account};
use domain::{BatchState, Event, LedgerId, Millis, News, Payout, Place, ProviderReference};
use ledger::apply::{Happening, apply};
use ledger::told::Told;
use ledger::{Chunk, Claim, Guard, Ledger, LedgerError, Note, NoteKind, Token};
use providers::{Past, Payment, Step, StepAnswer};
use std::sync::Arc;
use std::time::Duration;

/// Times that a lease is asked for while a worker holds it, and the pause between two.
const LEASE_TRIES: u32 = 25;
const LEASE_PAUSE: Duration = Duration::from_millis(200);
/// Times that an outcome is offered to a ledger that is away. After that the step stays open,
/// which a look-up settles.
const OUTCOME_TRIES: u32 = 20;
const OUTCOME_PAUSE: Duration = Duration::from_millis(500);

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// The provider took it.
    Taken,
    /// It refused, and nothing happened.
    Refused {
        /// The provider's words, and what to do.
        text: String,
    },
    /// No readable answer: the step stays open until a look-up tells.
    Unknown {
        /// What happened.
        text: String,
        /// When the look-up is due.
        until: Millis,
    },
    /// Certainly not sent.
    NotSent {
        /// Why.
        text: String,
    },
}

/// Takes the second step of a call that a person has seen.
pub async fn take(
    ledger: &dyn Ledger,
    line: &Line,
    call: &Call,
    code: Option<String>,
    lease_ms: u64,
) -> Result<Confirmed, ConfirmError> {
    call.check()?;
    let record = account::check(ledger, line).await?;
    if let Some(stop) = record.stopped {
        return Err(ConfirmError::Stopped { lane: line.lane.clone(), reason: stop.reason });
    }
    if let Some(confirm) = line.provider.confirm() {
        confirm.ready().await;
    }
    let (token, chunk, now) = lease(ledger, call, lease_ms).await?;
    let step = under_lease(ledger, line, call, code, Lease { token, chunk, now });
    let done = tokio::select! {
        done = step => done,
        never = keep(ledger, call, token, lease_ms) => match never {},
    };
    give_back(ledger, call, token).await;
    done
}

/// What a claim gave.
struct Lease {
    token: Token,
    chunk: Chunk,
    now: Millis,
}

async fn lease(
    ledger: &dyn Ledger,
    call: &Call,
    lease_ms: u64,
) -> Result<(Token, Chunk, Millis), ConfirmError> {
    for _ in 0..LEASE_TRIES {
        match ledger.claim(call.chunk, lease_ms).await? {
            Claim::Held { token, chunk, batch: BatchState::Active, now, .. } => {
                return Ok((token, chunk, now));
            }
            Claim::Held { token, batch: state, .. } => {
                give_back(ledger, call, token).await;
                return Err(ConfirmError::NotActive { batch: call.chunk.batch, state });
            }
            Claim::Gone => return Err(ConfirmError::Changed),
            Claim::Busy => tokio::time::sleep(LEASE_PAUSE).await,
        }
    }
    Err(ConfirmError::Busy)
}

/// Renews the lease as long as the step takes. Losing it changes nothing of what was sent.
async fn keep(
    ledger: &dyn Ledger,
    call: &Call,
    token: Token,
    lease_ms: u64,
) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(Duration::from_millis(lease_ms / 3)).await;
        if let Err(error) = ledger.renew(call.chunk, token, lease_ms).await {
            tracing::debug!(chunk = %call.chunk, %error, "lease not renewed");
        }
    }
}

/// Best effort: a lease that is not given back ends by itself.
async fn give_back(ledger: &dyn Ledger, call: &Call, token: Token) {
    let given = async {
        let payouts = ledger.chunk(call.chunk).await?.map(|chunk| chunk.payouts);
        let open = payouts.iter().flatten().filter(|payout| payout.state.is_open());
        let next_at = open.map(|payout| payout.due).min().unwrap_or(Millis::NEVER);
        ledger.release(call.chunk, token, next_at).await
    };
    if let Err(error) = given.await {
        tracing::debug!(chunk = %call.chunk, %error, "the lease ends by itself");
    }
}

async fn under_lease(
    ledger: &dyn Ledger,
    line: &Line,
    seen: &Call,
    code: Option<String>,
    lease: Lease,
) -> Result<Confirmed, ConfirmError> {
    let confirm = line.provider.confirm();
    let confirm = confirm.ok_or_else(|| ConfirmError::NoStep(line.lane.clone()))?;
    // As it stands now; what a person has seen is what is confirmed, or nothing.
    let calls = calls::of_chunk(ledger, &lease.chunk).await?;
    let call = calls.into_iter().find(|call| call == seen).ok_or(ConfirmError::Changed)?;
    call.check()?;
    let about = ledger.about().await?;
    let payments = payments(ledger, line, &call, &lease.chunk, about.id).await?;
    later::ask(ledger, line, &call).await?;
    first::ask(line, &payments).await?;
    // Before the ledger's reading: the gate closes no later than what the intent is taken to say.
    let policy = &line.policy;
    let gate = Arc::new(Deadline::after(policy.send_window_ms, policy.request_timeout_ms));
    let lease = Lease { now: ledger.about().await?.now, ..lease };
    let begun = begin(ledger, line, &call, &lease).await?;
    let rows = begun.len();
    let handle = call.handle.as_deref().unwrap_or_default();
    tracing::info!(lane = %line.lane, chunk = %call.chunk, rows, handle, "confirming");
    let answer = confirm.confirm(Step { payments, code, gate }).await;
    let done = match answer {
        StepAnswer::Taken => Confirmed::Taken,
        StepAnswer::Refused { text } => Confirmed::Refused { text },
        StepAnswer::NotSent { text } => Confirmed::NotSent { text },
        StepAnswer::Unknown { text } => {
            let until = begun.iter().map(|(_, payout)| payout.due).max().unwrap_or(lease.now);
            Confirmed::Unknown { text, until }
        }
    };
    let told = match &done {
        Confirmed::Taken => "taken",
        Confirmed::Refused { .. } => "refused",
        Confirmed::NotSent { .. } => "not sent",
        Confirmed::Unknown { .. } => "no readable answer: a look-up tells",
    };
    tracing::info!(lane = %line.lane, chunk = %call.chunk, rows, handle, told, "confirmed");
    match &done {
        Confirmed::Unknown { .. } => {}
        Confirmed::Refused { text } => end(ledger, line, &call, begun, Some(text)).await,
        Confirmed::NotSent { .. } => end(ledger, line, &call, begun, None).await,
        Confirmed::Taken => {
            go_on(ledger, line, &call, begun.clone()).await;
            end(ledger, line, &call, begun, None).await;
        }
    }
    Ok(done)
}

async fn payments(
    ledger: &dyn Ledger,
    line: &Line,
    call: &Call,
    chunk: &Chunk,
    id: LedgerId,
) -> Result<Vec<Payment>, LedgerError> {
    let told = Told::read(ledger, call.chunk).await?;
    let one = |CallRow { row, payout, what }: &CallRow| {
        let (reference, attempt) = (&what.reference, payout.attempt);
        Payment {
            place: Place { chunk: call.chunk, row: *row },
            attempt,
            reference: ProviderReference::make(id, reference, attempt, chunk.via(payout).format),
            row: Arc::clone(what),
            past: Past::of(payout, call.chunk.batch, &line.policy).with_ids(told.ids(*row, payout)),
        }
    };
    Ok(call.rows.iter().map(one).collect())
}

/// Writes the step's intent on every row of the call, or on none that counts.
///
/// A step follows from how the payout was read: if another step has begun since, or a row was
/// settled, ours is off.
async fn begin(
    ledger: &dyn Ledger,
    line: &Line,
    call: &Call,
    lease: &Lease,
) -> Result<Vec<(u16, Payout)>, ConfirmError> {
    let intent = |CallRow { row, payout, .. }: &CallRow| Happening {
        row: *row,
        payout: *payout,
        event: Event::StepIntent,
        notes: Vec::new(),
    };
    let intents = call.rows.iter().map(intent).collect();
    let guard = Guard::Intent(lease.token);
    match apply(ledger, call.chunk, guard, lease.now, &line.policy, intents).await {
        Ok(Some(done)) => {
            let ours = done.iter().filter(|(_, applied)| applied.is_changed());
            let begun: Vec<_> = ours.map(|(row, applied)| (*row, applied.payout())).collect();
            if begun.len() == call.rows.len() {
                return Ok(begun);
            }
            end(ledger, line, call, begun, None).await;
            Err(ConfirmError::Changed)
        }
        Ok(None) => Err(ConfirmError::Changed),
        // If it was written, the rows are looked up like those of a step without an answer.
        Err(LedgerError::Unavailable(problem)) => Err(ConfirmError::NotAnnounced(problem)),
        Err(error) => Err(error.into()),
    }
}

/// Closes the step on these rows: it was answered, or certainly not sent. A refusal is kept as
/// evidence: why the payout waits is still what the provider says of the payout, and who looks
/// next needs those words.
async fn end(
    ledger: &dyn Ledger,
    line: &Line,
    call: &Call,
    begun: Vec<(u16, Payout)>,
    refusal: Option<&String>,
) {
    let happening = |(row, payout): (u16, Payout)| {
        let note = refusal
            .map(|text| Note::new(NoteKind::Evidence, format!("second step refused: {text}")));
        let event = Event::StepOutcome { intent: payout.intents };
        Happening { row, payout, event, notes: note.into_iter().collect() }
    };
    write(ledger, line, call, begun.into_iter().map(happening).collect()).await;
}

/// What was taken waits for nobody any more, so that nobody confirms it again; if the provider
/// says otherwise, the next look-up brings it back.
async fn go_on(ledger: &dyn Ledger, line: &Line, call: &Call, begun: Vec<(u16, Payout)>) {
    let happening = |(row, payout): (u16, Payout)| {
        let event = Event::News { attempt: payout.attempt, news: News::InProgress };
        Happening { row, payout, event, notes: Vec::new() }
    };
    write(ledger, line, call, begun.into_iter().map(happening).collect()).await;
}

async fn write(ledger: &dyn Ledger, line: &Line, call: &Call, happenings: Vec<Happening>) {
    if happenings.is_empty() {
        return;
    }
    for _ in 0..OUTCOME_TRIES {
        let written = async {
            let now = ledger.about().await?.now;
            apply(ledger, call.chunk, Guard::Fact, now, &line.policy, happenings.clone()).await
        };
        match written.await {
            Ok(_) => return,
            Err(LedgerError::Unavailable(_)) => tokio::time::sleep(OUTCOME_PAUSE).await,
            Err(problem) => {
                tracing::error!(chunk = %call.chunk, %problem, "what became of the step is not kept");
                return;
            }
        }
    }
    tracing::warn!(chunk = %call.chunk, "the ledger is away; a look-up tells what became of the step");
}
