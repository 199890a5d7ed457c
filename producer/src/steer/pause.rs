//! A batch is paused and goes on, by a person's word; so does one that its caps on spending hold.
//!
//! At once and across the pool: the statement that writes an intent checks the batch's state in the
//! same step (S6), so none is written after the pause. What was sent before is under way and is
//! drained: answered, written down, looked up, called back about.

use super::SteerError;
use crate::audit::{Chain, Kind};
use crate::rules::Rules;
use domain::{Batch, BatchId, BatchState, ChunkId, LaneName};
use ledger::pause::{self, Hold, Pause};
use ledger::spend;
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
        let batch = batch(ledger, id).await?;
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
    let caps = |lane: &LaneName| rules.spend_caps(lane).batch;
    let held = spend::holds_of_batch(ledger, id, caps, now).await?;
    let was_paused = is_paused(&batch(ledger, id).await?)?;
    if !was_paused && held.is_empty() {
        return Ok(false);
    }
    // What lets money flow is told before it flows.
    let (_, register) = pause::read(ledger, id).await?;
    let hold = register.hold.filter(|_| was_paused);
    let mut told = serde_json::json!({
        "was_paused_by": hold.as_ref().map(|hold| &hold.who),
        "was_paused_for": hold.as_ref().map(|hold| &hold.reason),
    });
    if !held.is_empty() {
        told["was_held_for"] = held.iter().map(|(who, hold)| who.reason(hold)).collect();
    }
    rules.clerk.tell_signed(ledger, &Chain::batch(id), Kind::Resumed, told).await?;
    if was_paused {
        unpause(ledger, id).await?;
    }
    for (holder, hold) in &held {
        spend::open(ledger, holder, hold, now).await?;
    }
    Ok(true)
}

/// Its brakes count anew, then it is active; nothing where somebody else was faster.
async fn unpause(ledger: &dyn Ledger, id: BatchId) -> Result<(), SteerError> {
    loop {
        let batch = batch(ledger, id).await?;
        if !is_paused(&batch)? {
            return Ok(());
        }
        let (version, mut register) = pause::read(ledger, id).await?;
        see(ledger, &batch, &mut register).await?;
        if pause::put(ledger, id, version, &register).await?
            && ledger.set_batch_state(id, BatchState::Paused, BatchState::Active).await?
        {
            return Ok(());
        }
    }
}

async fn batch(ledger: &dyn Ledger, id: BatchId) -> Result<Batch, SteerError> {
    ledger.batch(id).await?.ok_or(SteerError::NoBatch(id))
}

/// Whether a batch is paused that may go on.
fn is_paused(batch: &Batch) -> Result<bool, SteerError> {
    match batch.state {
        BatchState::Paused => Ok(true),
        BatchState::Active => Ok(false),
        state => Err(SteerError::CannotResume { batch: batch.id, state }),
    }
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
