//! What became of a batch, told when its result is written.
//!
//! Under the report lease, and so by one process at a time. *Crash before or in the middle*: the
//! result is written again, and what the chain says already is not said again. *After*: everything
//! that the result shows was told and signed.

use super::clerk::{AuditError, Clerk};
use super::pages::Pages;
use super::told::{ChunkTold, IntakeTold, LeftOut, RowTold, SettledTold, TermsTold, digest, sums};
use domain::{Batch, ChunkId, LaneName, Payout, Row, State};
use ledger::audit::{Chain, Entry, Hash, Kind, SignedHead};
use ledger::rows::{BLOCK_ROWS, block_of, decode};
use ledger::{Ledger, LedgerError};
use std::collections::BTreeMap;

/// Chunks that one entry tells of, and payouts that it names, at most about: entries stay small,
/// and a batch of a million rows costs some ten of them.
const CHUNKS_MAX: usize = 100;
const NAMED_MAX: usize = 1_000;

/// What a chain says of a batch by now.
#[derive(Debug, Default)]
pub struct Said {
    /// Its intake.
    pub intake: Option<IntakeTold>,
    /// The newest digest of each chunk.
    pub digests: BTreeMap<u16, Hash>,
}

impl Said {
    /// Takes an entry in.
    pub fn take(&mut self, entry: &Entry) {
        match entry.kind {
            Kind::Intake => {
                // The newest counts: a seal that was not taken is told again.
                let told = serde_json::from_value(entry.text.clone()).ok();
                self.intake = told.or(self.intake.take());
            }
            Kind::Settled => {
                let told = serde_json::from_value::<SettledTold>(entry.text.clone());
                let chunks = told.map(|told| told.chunks).unwrap_or_default();
                self.digests.extend(chunks.into_iter().map(|chunk| (chunk.no, chunk.sha256)));
            }
            _ => {}
        }
    }
}

/// What was told of a batch.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The rows that intake left out.
    pub left_out: LeftOut,
    /// The chain's head, signed.
    pub head: Option<SignedHead>,
}

/// Tells what became of the settled chunks of a batch, as far as the chain does not say it, and
/// signs its head and those of the lanes.
pub async fn settle(
    ledger: &dyn Ledger,
    clerk: &Clerk,
    lanes: &[LaneName],
    batch: &Batch,
) -> Result<Recorded, AuditError> {
    let chain = Chain::batch(batch.id);
    let said = read(ledger, &chain).await?;
    let intake = match said.intake {
        Some(intake) => intake,
        None => tell_late(ledger, clerk, &chain, batch).await?,
    };
    let mut page = Page::default();
    for no in 0..batch.chunks {
        let id = ChunkId { batch: batch.id, no };
        let Some(chunk) = ledger.chunk(id).await? else { continue };
        let sha256 = digest(&chunk.payouts);
        let is_open = chunk.payouts.iter().any(|payout| payout.state.is_open());
        if is_open || said.digests.get(&no) == Some(&sha256) {
            continue;
        }
        page.add(told(ledger, id, &chunk.payouts, sha256).await?);
        if page.is_full() {
            page.tell(ledger, clerk, &chain).await?;
        }
    }
    page.tell(ledger, clerk, &chain).await?;
    for lane in lanes {
        match clerk.sign(ledger, &Chain::lane(lane)).await {
            // A damaged chain of a lane is a finding of the audit, and no batch's fault.
            Err(AuditError::Ledger(error @ LedgerError::Broken(_))) => {
                tracing::error!(%lane, %error, "the head of the lane's chain is not signed");
            }
            signed => drop(signed?),
        }
    }
    let head = clerk.sign(ledger, &chain).await?;
    Ok(Recorded { left_out: intake.left_out, head })
}

/// Chunks that wait for their entry.
#[derive(Default)]
struct Page {
    chunks: Vec<ChunkTold>,
    named: usize,
}

impl Page {
    fn add(&mut self, chunk: ChunkTold) {
        self.named += chunk.review.len() + chunk.returned.len();
        self.chunks.push(chunk);
    }

    fn is_full(&self) -> bool {
        self.chunks.len() >= CHUNKS_MAX || self.named >= NAMED_MAX
    }

    async fn tell(
        &mut self,
        ledger: &dyn Ledger,
        clerk: &Clerk,
        chain: &Chain,
    ) -> Result<(), AuditError> {
        let Page { chunks, .. } = std::mem::take(self);
        if chunks.is_empty() {
            return Ok(());
        }
        clerk.tell(ledger, chain, Kind::Settled, json(&SettledTold { chunks })?).await
    }
}

async fn read(ledger: &dyn Ledger, chain: &Chain) -> Result<Said, LedgerError> {
    let mut said = Said::default();
    let mut pages = Pages::new(ledger, chain.clone());
    while let Some((entry, _)) = pages.next().await? {
        said.take(&entry);
    }
    // The chain goes on behind what was changed; `producer audit verify` tells of it.
    for finding in pages.found {
        tracing::error!(%finding, "the audit chain was changed; run `producer audit verify`");
    }
    Ok(said)
}

/// Whoever took the file in told nothing: the ledger's own record is told, and that it is late.
async fn tell_late(
    ledger: &dyn Ledger,
    clerk: &Clerk,
    chain: &Chain,
    batch: &Batch,
) -> Result<IntakeTold, AuditError> {
    let intake = IntakeTold {
        file: batch.name.clone(),
        sha256: batch.file_sha256.clone(),
        totals: sums(&batch.totals),
        left_out: LeftOut::default(),
        lanes: BTreeMap::new(),
        terms: TermsTold::of(batch.terms),
        late: true,
    };
    clerk.tell(ledger, chain, Kind::Intake, json(&intake)?).await?;
    Ok(intake)
}

/// What is told of a chunk. Rows are read only where one of them is named.
async fn told(
    ledger: &dyn Ledger,
    id: ChunkId,
    payouts: &[Payout],
    sha256: Hash,
) -> Result<ChunkTold, LedgerError> {
    let mut told = ChunkTold {
        no: id.no,
        sha256,
        payouts: BTreeMap::new(),
        review: Vec::new(),
        returned: Vec::new(),
    };
    let mut open: Option<(u16, Vec<Row>)> = None;
    for (at, payout) in (0u16..).zip(payouts) {
        *told.payouts.entry(payout.state).or_default() += 1;
        let in_review = payout.state == State::Review;
        if !in_review && !payout.returned {
            continue;
        }
        let block = block_of(at);
        if open.as_ref().is_none_or(|(no, _)| *no != block) {
            let bytes = ledger.blocks(id, block, block).await?;
            let rows = bytes.first().map(|bytes| decode(bytes)).transpose()?;
            open = Some((block, rows.unwrap_or_default()));
        }
        let row = open.as_ref().and_then(|(_, rows)| rows.get(usize::from(at % BLOCK_ROWS)));
        let missing = || LedgerError::Broken(format!("chunk {id} has no row {at}"));
        let row = RowTold::of(row.ok_or_else(missing)?, payout);
        if payout.returned {
            told.returned.push(row.clone());
        }
        if in_review {
            told.review.push(row);
        }
    }
    Ok(told)
}

/// What an entry is to say, as JSON.
pub fn json<T: serde::Serialize>(told: &T) -> Result<serde_json::Value, LedgerError> {
    serde_json::to_value(told).map_err(|e| LedgerError::Broken(format!("an audit entry: {e}")))
}
