//! Payouts that may have reached another account than the one that the lane has now (S4): they are
//! neither sent nor asked about here, because another account's silence proves nothing. They wait
//! for their account, or for the time when a person decides.

use crate::lane::Lane;
use crate::work::{Core, Held};
use domain::Payout;
use ledger::told::Told;
use ledger::{Change, Guard, LedgerError, Note, NoteKind};

/// What stands beside them.
const REASON: &str = "sent under another account than the one that this lane has now: it is \
    neither sent nor asked about until the lane has that account again; else it goes to review";

/// Says so beside each of them, once.
pub async fn tell(core: &Core, lane: &Lane, held: &mut Held) -> Result<(), LedgerError> {
    let rows = held.rows(|p: &Payout| p.state.is_open() && lane.is_astray(p));
    if rows.is_empty() {
        return Ok(());
    }
    let told = Told::read(&*core.ledger, held.id).await?;
    let untold = rows.into_iter().filter(|row| told.reason(*row) != Some(REASON));
    let changes: Vec<Change> = untold
        .filter_map(|row| {
            let payout = *held.payout(row)?;
            let notes = vec![Note::new(NoteKind::Reason, REASON)];
            Some(Change { row, from: payout, to: payout, notes })
        })
        .collect();
    if changes.is_empty() {
        return Ok(());
    }
    tracing::warn!(chunk = %held.id, rows = changes.len(), "sent under another account");
    core.ledger.write(held.id, Guard::Held(held.token), changes).await.map(drop)
}
