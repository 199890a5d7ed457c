//! News that came after a payout was final (S14): shown beside its state, because it changes what
//! the payer must do.

use domain::{Batch, Cause, ChunkId, Payout, State};
use ledger::{Ledger, LedgerError};

/// Late news of a payout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LateNews {
    /// None.
    #[default]
    None,
    /// It was paid, and the money came back.
    Returned,
    /// It had failed or been cancelled, and then was reported as paid; a person must close it.
    Disputed,
}

impl LateNews {
    /// All of it.
    pub const ALL: [LateNews; 3] = [LateNews::None, LateNews::Returned, LateNews::Disputed];

    /// What a payout has.
    pub fn of(payout: &Payout) -> LateNews {
        let is_disputed = payout.state == State::Review && payout.cause == Cause::Disputed;
        match (payout.returned, is_disputed) {
            (true, _) => LateNews::Returned,
            (false, true) => LateNews::Disputed,
            (false, false) => LateNews::None,
        }
    }

    /// The word in the result file; empty for none.
    pub fn name(self) -> &'static str {
        match self {
            LateNews::None => "",
            LateNews::Returned => "returned",
            LateNews::Disputed => "disputed",
        }
    }

    /// The inverse of [`LateNews::name`].
    pub fn from_name(name: &str) -> Option<LateNews> {
        LateNews::ALL.into_iter().find(|late| late.name() == name)
    }
}

/// How many payouts of a batch have late news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LateCounts {
    /// Paid, and came back.
    pub returned: u64,
    /// Reported as paid after they had failed or been cancelled.
    pub disputed: u64,
}

/// Counts late news; chunks are read only where there can be any.
pub async fn of_batch(ledger: &dyn Ledger, batch: &Batch) -> Result<LateCounts, LedgerError> {
    let mut counts = LateCounts::default();
    if batch.counts.get(State::Paid) + batch.counts.get(State::Review) == 0 {
        return Ok(counts);
    }
    for no in 0..batch.chunks {
        let chunk = ledger.chunk(ChunkId { batch: batch.id, no }).await?;
        for payout in chunk.iter().flat_map(|chunk| &chunk.payouts) {
            match LateNews::of(payout) {
                LateNews::None => {}
                LateNews::Returned => counts.returned += 1,
                LateNews::Disputed => counts.disputed += 1,
            }
        }
    }
    Ok(counts)
}
