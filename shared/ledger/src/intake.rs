//! Reserving references (S2): who holds one is told by name, and what nobody will ever pay
//! gives its reference back.
//!
//! A reservation is freed lazily, by the next one who wants it, and only where it is certain
//! that the old row never had and never will have an intent: its batch was rejected, its intake
//! died (then it is rejected first, on the same field that sealing uses), or its batch was
//! cancelled before the row was sent.

use crate::api::{Ledger, LedgerError};
use domain::{Batch, BatchState, Place, ReferenceKey, State};
use std::collections::BTreeMap;

/// A reference that a standing batch holds.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// Index into what was wanted.
    pub index: usize,
    /// Where it lies.
    pub by: Place,
    /// The batch that holds it; `None` for one that the ledger lost when it went back in time
    /// (S18): its payouts may have been paid, so it holds them for ever.
    pub batch: Option<Batch>,
}

/// Reserves `wanted`, taking over what is free to take. Gives the references that others hold.
pub async fn reserve(
    ledger: &dyn Ledger,
    wanted: &[(ReferenceKey, Place)],
) -> Result<Vec<Conflict>, LedgerError> {
    let mut conflicts = Vec::new();
    let mut batches: BTreeMap<_, Option<Batch>> = BTreeMap::new();
    for held in ledger.reserve(wanted.to_vec()).await? {
        let (key, place) = wanted[held.index];
        let mut by = held.by;
        // Each loss of the race names a new holder; it can only be lost to a newer intake.
        loop {
            if let std::collections::btree_map::Entry::Vacant(slot) = batches.entry(by.chunk.batch)
            {
                slot.insert(settled(ledger, by).await?);
            }
            let batch = batches.get(&by.chunk.batch).cloned().flatten();
            if !is_free(ledger, by, batch.as_ref()).await? {
                conflicts.push(Conflict { index: held.index, by, batch });
                break;
            }
            if ledger.take_over(key, by, place).await? {
                break;
            }
            match ledger.find(key).await? {
                Some(now_by) if now_by == place => break,
                Some(now_by) => by = now_by,
                None => {
                    if ledger.reserve(vec![(key, place)]).await?.is_empty() {
                        break;
                    }
                }
            }
        }
    }
    Ok(conflicts)
}

/// The holder's batch, after an abandoned intake was rejected.
async fn settled(ledger: &dyn Ledger, by: Place) -> Result<Option<Batch>, LedgerError> {
    let id = by.chunk.batch;
    let batch = ledger.batch(id).await?;
    if batch.as_ref().is_some_and(|b| b.state == BatchState::Receiving) {
        let reason = "its intake did not finish".to_owned();
        if ledger.reject(id, reason, true).await? {
            return ledger.batch(id).await;
        }
    }
    Ok(batch)
}

async fn is_free(
    ledger: &dyn Ledger,
    by: Place,
    batch: Option<&Batch>,
) -> Result<bool, LedgerError> {
    match batch.map(|b| b.state) {
        Some(BatchState::Rejected) => Ok(true),
        Some(BatchState::Cancelled) => {
            let chunk = ledger.chunk(by.chunk).await?;
            let payout = chunk.as_ref().and_then(|c| c.payouts.get(usize::from(by.row)));
            Ok(payout.is_some_and(|p| p.state == State::Cancelled && !p.was_ever_sent()))
        }
        _ => Ok(false),
    }
}
