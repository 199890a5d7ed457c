//! One payout by its reference, as the ledger has it and as an adapter sees it.

use domain::{
    ChunkId, LaneName, LedgerId, PayerReference, Payout, Place, Policy, ProviderReference,
    ReferenceFormat, Row,
};
use ledger::rows::{BLOCK_ROWS, block_of, decode};
use ledger::told::Told;
use ledger::{Chunk, Ledger, LedgerError, Via};
use providers::{Past, Payment};
use std::sync::Arc;

/// Why there is no such payout.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The reference itself cannot be one.
    #[error("\"{found}\" is no reference: {problem}")]
    NotAReference {
        /// What was given.
        found: String,
        /// Why.
        problem: String,
    },
    /// Nobody was ever to be paid under it.
    #[error("the ledger knows no payout \"{0}\"; write the reference as the file has it")]
    Unknown(String),
    /// It is paid by another lane.
    #[error("payout \"{reference}\" is paid by lane {lane}; ask that one")]
    OtherLane {
        /// The reference.
        reference: String,
        /// Its lane.
        lane: LaneName,
    },
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A payout as the ledger has it.
#[derive(Clone, Debug)]
pub struct Known {
    /// Where it lies.
    pub place: Place,
    /// The lane that pays it.
    pub lane: LaneName,
    /// Where it goes if that lane refuses it and creates nothing (S15).
    pub failover: Option<LaneName>,
    /// Where it stands.
    pub payout: Payout,
    /// What is to be paid.
    pub row: Arc<Row>,
    /// How its provider references are made.
    pub format: ReferenceFormat,
    /// Which ledger this is.
    pub ledger: LedgerId,
}

/// Finds a payout of any lane.
pub async fn find(ledger: &dyn Ledger, reference: &str) -> Result<Known, FindError> {
    let wanted = PayerReference::new(reference).map_err(|e| FindError::NotAReference {
        found: reference.chars().take(64).collect(),
        problem: e.to_string(),
    })?;
    let unknown = || FindError::Unknown(wanted.as_str().to_owned());
    let place = ledger.find(wanted.key()).await?.ok_or_else(unknown)?;
    // Reserved by a batch that was never sealed: nothing of it is payable.
    let chunk = ledger.chunk(place.chunk).await?.ok_or_else(unknown)?;
    let payout = *chunk.payouts.get(usize::from(place.row)).ok_or_else(unknown)?;
    let row = row(ledger, place.chunk, place.row).await?;
    // The index keeps a hash, and this the reference itself.
    if row.reference != wanted {
        return Err(unknown());
    }
    let about = ledger.about().await?;
    Ok(Known::of(&chunk, place, payout, Arc::new(row), about.id))
}

/// Finds a payout of this lane.
pub async fn find_on(
    ledger: &dyn Ledger,
    lane: &LaneName,
    reference: &str,
) -> Result<Known, FindError> {
    let known = find(ledger, reference).await?;
    if known.lane == *lane {
        return Ok(known);
    }
    let reference = known.row.reference.as_str().to_owned();
    Err(FindError::OtherLane { reference, lane: known.lane })
}

impl Known {
    /// One of a chunk.
    pub fn of(
        chunk: &Chunk,
        place: Place,
        payout: Payout,
        row: Arc<Row>,
        ledger: LedgerId,
    ) -> Known {
        let Via { lane, format } = chunk.via(&payout).clone();
        let failover = chunk.second.as_ref().filter(|_| !payout.moved);
        let failover = failover.map(|via| via.lane.clone());
        Known { place, lane, failover, payout, row, format, ledger }
    }

    /// As an adapter sees it, in its newest attempt.
    pub fn payment(&self, past: Past) -> Payment {
        let (reference, attempt) = (&self.row.reference, self.payout.attempt);
        Payment {
            place: self.place,
            attempt,
            reference: ProviderReference::make(self.ledger, reference, attempt, self.format),
            row: Arc::clone(&self.row),
            past,
        }
    }

    /// What earlier calls told, with ids only where the provider's look-ups want them.
    pub async fn past(
        &self,
        ledger: &dyn Ledger,
        by_id: bool,
        policy: &Policy,
    ) -> Result<Past, LedgerError> {
        let past = Past::of(&self.payout, self.place.chunk.batch, policy);
        if !by_id {
            return Ok(past);
        }
        let told = Told::read(ledger, self.place.chunk).await?;
        Ok(past.with_ids(told.ids(self.place.row, &self.payout)))
    }
}

/// Reads one row.
pub async fn row(ledger: &dyn Ledger, chunk: ChunkId, row: u16) -> Result<Row, LedgerError> {
    let block = block_of(row);
    let blocks = ledger.blocks(chunk, block, block).await?;
    let rows = blocks.first().map(|block| decode(block)).transpose()?.unwrap_or_default();
    let short = || LedgerError::Broken(format!("chunk {chunk} has no row {row}"));
    rows.into_iter().nth(usize::from(row % BLOCK_ROWS)).ok_or_else(short)
}

/// Reads all rows of a chunk, in order.
pub async fn rows(ledger: &dyn Ledger, chunk: ChunkId) -> Result<Vec<Arc<Row>>, LedgerError> {
    let mut rows = Vec::new();
    for block in ledger.blocks(chunk, 0, u16::MAX).await? {
        rows.extend(decode(&block)?.into_iter().map(Arc::new));
    }
    Ok(rows)
}
