//! Every payout in review, the newest batch first, a chunk at a time: memory depends on a chunk
//! and on the number of currencies and causes, not on how much waits.

use super::seen::Seen;
use crate::provider::payout;
use domain::batch::CurrencyTotal;
use domain::{Batch, BatchId, ChunkId, LaneName, Payout, Row, State};
use ledger::{Chunk, Ledger, LedgerError, Note, NoteKind};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Batches that are read at once.
const PAGE: u32 = 256;

/// Which payouts are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only of this batch.
    pub batch: Option<BatchId>,
    /// Only of this lane.
    pub lane: Option<LaneName>,
}

/// A payout that a person must decide about.
#[derive(Clone, Debug)]
pub struct InReview {
    /// What is to be paid.
    pub row: Arc<Row>,
    /// Where it stands.
    pub payout: Payout,
    /// The newest words about it.
    pub reason: Option<String>,
    /// What who reads this has seen.
    pub seen: Seen,
}

/// Those of one chunk, in the order of the file.
#[derive(Clone, Debug)]
pub struct Page {
    /// Their batch.
    pub batch: BatchId,
    /// Its file.
    pub name: String,
    /// Their lane.
    pub lane: LaneName,
    /// At least one.
    pub payouts: Vec<InReview>,
}

/// Sums per currency and cause: the currency's code and the cause's sentence.
pub type Sums = BTreeMap<(String, &'static str), CurrencyTotal>;

/// Reads page after page.
pub struct Pages<'a> {
    ledger: &'a dyn Ledger,
    wanted: Wanted,
    batches: VecDeque<Batch>,
    before: Option<BatchId>,
    is_last: bool,
    /// The batch whose chunks are being read, and the next of them.
    open: Option<(Batch, u16)>,
    /// Pages that were read and not given yet.
    ready: VecDeque<Page>,
    sums: Sums,
}

impl<'a> Pages<'a> {
    /// Nothing is read yet.
    pub fn new(ledger: &'a dyn Ledger, wanted: Wanted) -> Pages<'a> {
        let (batches, open) = (VecDeque::new(), None);
        let sums = Sums::new();
        let ready = VecDeque::new();
        Pages { ledger, wanted, batches, before: None, is_last: false, open, ready, sums }
    }

    /// The next page that holds anything.
    pub async fn next(&mut self) -> Result<Option<Page>, LedgerError> {
        loop {
            if let Some(page) = self.ready.pop_front() {
                page.payouts.iter().for_each(|one| self.add(one));
                return Ok(Some(page));
            }
            let Some((batch, no)) = self.next_chunk().await? else { return Ok(None) };
            let id = ChunkId { batch: batch.id, no };
            let Some(chunk) = self.ledger.chunk(id).await? else { continue };
            self.ready.extend(self.pages(&batch, &chunk).await?);
        }
    }

    /// What of a chunk is in review, a page for each lane.
    async fn pages(&self, batch: &Batch, chunk: &Chunk) -> Result<Vec<Page>, LedgerError> {
        let is_wanted = |lane: &LaneName| self.wanted.lane.as_ref().is_none_or(|it| it == lane);
        let lanes: Vec<&LaneName> =
            chunk.vias().map(|via| &via.lane).filter(|lane| is_wanted(lane)).collect();
        let all = if lanes.is_empty() { vec![] } else { of_chunk(self.ledger, chunk).await? };
        let page = |lane: &LaneName| {
            let payouts = all.iter().filter(|one| chunk.via(&one.payout).lane == *lane);
            let payouts: Vec<InReview> = payouts.cloned().collect();
            let (name, lane) = (batch.name.clone(), lane.clone());
            (!payouts.is_empty()).then_some(Page { batch: batch.id, name, lane, payouts })
        };
        Ok(lanes.into_iter().filter_map(page).collect())
    }

    /// What the pages so far add up to.
    pub fn sums(&self) -> &Sums {
        &self.sums
    }

    fn add(&mut self, one: &InReview) {
        let money = &one.row.money;
        let code = money.currency().code().to_owned();
        let sum = self.sums.entry((code, one.payout.cause.sentence())).or_default();
        sum.rows += 1;
        sum.minor += money.minor_units();
        sum.exponent = money.currency().exponent();
    }

    async fn next_chunk(&mut self) -> Result<Option<(Batch, u16)>, LedgerError> {
        loop {
            if let Some((batch, next)) = &mut self.open
                && *next < batch.chunks
            {
                *next += 1;
                return Ok(Some((batch.clone(), *next - 1)));
            }
            self.open = match self.next_batch().await? {
                Some(batch) => Some((batch, 0)),
                None => return Ok(None),
            };
        }
    }

    async fn next_batch(&mut self) -> Result<Option<Batch>, LedgerError> {
        loop {
            let waits = |batch: &Batch| batch.counts.get(State::Review) > 0;
            while let Some(batch) = self.batches.pop_front() {
                if waits(&batch) {
                    return Ok(Some(batch));
                }
            }
            if self.is_last {
                return Ok(None);
            }
            if let Some(id) = self.wanted.batch {
                self.is_last = true;
                self.batches.extend(self.ledger.batch(id).await?);
            } else {
                self.batches = self.ledger.batches(self.before, PAGE).await?.into();
                self.before = self.batches.back().map(|batch| batch.id);
                self.is_last = self.batches.is_empty();
            }
        }
    }
}

async fn of_chunk(ledger: &dyn Ledger, chunk: &Chunk) -> Result<Vec<InReview>, LedgerError> {
    let in_review = |payout: &Payout| payout.state == State::Review;
    if !chunk.payouts.iter().any(in_review) {
        return Ok(Vec::new());
    }
    let mut notes: BTreeMap<u16, (usize, Option<String>)> = BTreeMap::new();
    for (row, Note { kind, text }) in ledger.notes(chunk.id).await? {
        let (count, reason) = notes.entry(row).or_default();
        *count += 1;
        if kind == NoteKind::Reason {
            *reason = Some(text);
        }
    }
    let rows = payout::rows(ledger, chunk.id).await?;
    let numbered = (0u16..).zip(chunk.payouts.iter().zip(rows));
    let found = numbered.filter(|(_, (payout, _))| in_review(payout));
    let one = |(at, (payout, row)): (u16, (&Payout, Arc<Row>))| {
        let (count, reason) = notes.remove(&at).unwrap_or_default();
        let seen = Seen { version: payout.version, notes: count };
        InReview { row, payout: *payout, reason, seen }
    };
    Ok(found.map(one).collect())
}
