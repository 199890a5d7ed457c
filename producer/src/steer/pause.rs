//! A batch is paused and goes on, by a person's word; so does one that its caps on spending hold.
//!
//! At once and across the pool: the statement that writes an intent checks the batch's state in the
//! same step (S6), so none is written after the pause. What was sent before is under way and is
//! drained: answered, written down, looked up, called back about.

use super::SteerError;
use crate::audit::{Chain, Kind};
use crate::rules::Rules;
use domain::{Batch, BatchId, BatchState, ChunkId, Millis};
use ledger::pause::{self, Hold, Pause};
use ledger::spend::{self, Holder};
use ledger::{Ledger, LedgerError};

/// What is told where nobody said why.
const NO_REASON: &str = "no reason given";

/// What a pause found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paused {
    /// The batch was active and is paused.
    Now,
    /// It was paused before, for what is told here, if it was told.
    Before(Option<Hold>),
}

/// Pauses a batch: nothing of it is sent until it is resumed.
pub async fn pause(
    ledger: &dyn Ledger,
    rules: &Rules,
    id: BatchId,
    reason: Option<&str>,
) -> Result<Paused, SteerError> {
    let reason = reason.unwrap_or(NO_REASON);
    loop {
        let batch = ledger.batch(id).await?.ok_or(SteerError::NoBatch(id))?;
        match batch.state {
            BatchState::Active => {}
            BatchState::Paused => return Ok(Paused::Before(hold(ledger, &batch).await?)),
            state => return Err(SteerError::CannotPause { batch: id, state }),
        }
        let (version, mut register) = pause::read(ledger, id).await?;
        let since = ledger.about().await?.now;
        let (who, reason) = (rules.clerk.who().to_owned(), reason.to_owned());
        register.hold = Some(Hold { who, since, reason, canaries: None });
        if pause::put(ledger, id, version, &register).await?
            && ledger.set_batch_state(id, BatchState::Active, BatchState::Paused).await?
        {
            break;
        }
    }
    // What holds money back is told after it holds.
    let told = serde_json::json!({ "reason": reason });
    rules.clerk.tell_signed(ledger, &Chain::batch(id), Kind::Paused, told).await?;
    Ok(Paused::Now)
}

/// Lets a paused batch go on, and one that its caps on spending hold; false where nothing did. What
/// stands there now was seen: its brakes count from here on, lost canaries are followed by the next
/// rows, and caps that hold it have all their room again.
pub async fn resume(ledger: &dyn Ledger, rules: &Rules, id: BatchId) -> Result<bool, SteerError> {
    let now = ledger.about().await?.now;
    let held = spend::holds_of_batch(ledger, id, now).await?;
    let mut is_told = false;
    loop {
        let batch = ledger.batch(id).await?.ok_or(SteerError::NoBatch(id))?;
        let is_paused = match batch.state {
            BatchState::Paused => true,
            BatchState::Active => false,
            state => return Err(SteerError::CannotResume { batch: id, state }),
        };
        if !is_paused && (held.is_empty() || is_told) {
            return Ok(open(ledger, &held, now).await? || is_told);
        }
        let (version, mut register) = pause::read(ledger, id).await?;
        if !is_told {
            // What lets money flow is told before it flows.
            let hold = register.hold.as_ref().filter(|_| is_paused);
            let mut told = serde_json::json!({
                "was_paused_by": hold.map(|hold| &hold.who),
                "was_paused_for": hold.map(|hold| &hold.reason),
            });
            if !held.is_empty() {
                told["was_held_for"] = held.iter().map(|(who, hold)| who.reason(hold)).collect();
            }
            rules.clerk.tell_signed(ledger, &Chain::batch(id), Kind::Resumed, told).await?;
            is_told = true;
        }
        if !is_paused {
            continue;
        }
        see(ledger, &batch, &mut register).await?;
        if pause::put(ledger, id, version, &register).await?
            && ledger.set_batch_state(id, BatchState::Paused, BatchState::Active).await?
        {
            open(ledger, &held, now).await?;
            return Ok(true);
        }
    }
}

/// Caps that hold have all their room again; false where none does any more.
async fn open(
    ledger: &dyn Ledger,
    held: &[(Holder, spend::Hold)],
    now: Millis,
) -> Result<bool, LedgerError> {
    let mut is_opened = false;
    for (holder, hold) in held {
        is_opened |= spend::open(ledger, holder, hold, now).await?;
    }
    Ok(is_opened)
}

/// Takes in what a person sees who lets the batch go on.
async fn see(ledger: &dyn Ledger, batch: &Batch, register: &mut Pause) -> Result<(), LedgerError> {
    register.seen.counts = batch.counts;
    let Some(no) = register.hold.as_ref().and_then(|hold| hold.canaries) else { return Ok(()) };
    let chunk = ledger.chunk(ChunkId { batch: batch.id, no }).await?;
    let payouts = chunk.map(|chunk| chunk.payouts).unwrap_or_default();
    let lost = (0u16..).zip(&payouts).filter(|(_, payout)| payout.state.is_lost());
    register.seen.canaries.entry(no).or_default().extend(lost.map(|(row, _)| row));
    Ok(())
}

/// Why a batch is paused; nothing where it is not, or where nobody said why.
pub async fn hold(ledger: &dyn Ledger, batch: &Batch) -> Result<Option<Hold>, LedgerError> {
    if batch.state != BatchState::Paused {
        return Ok(None);
    }
    Ok(pause::read(ledger, batch.id).await?.1.hold)
}
