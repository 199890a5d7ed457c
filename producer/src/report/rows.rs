//! The rows of a batch in the order of the file.
//!
//! Chunks are numbered in the order in which they were begun, and at most one per route was
//! open at a time. So a merge by ordinal holds about one chunk per route, and of each chunk's rows one
//! block: memory depends on the number of routes, not on the file.

use domain::{Batch, ChunkId, LaneName, Payout, Row};
use ledger::rows::{block_of, decode};
use ledger::{Ledger, LedgerError, NoteKind};
use std::collections::BTreeMap;
use std::collections::VecDeque;

/// A row with what became of it.
#[derive(Clone, Debug)]
pub struct ReportRow {
    /// The row.
    pub row: Row,
    /// The lane that pays it.
    pub lane: LaneName,
    /// Where it stands.
    pub payout: Payout,
    /// The provider's id of it, if told.
    pub provider_id: String,
    /// The newest words about it, which may be about an earlier state ([`super::cells`] knows).
    pub reason: String,
    /// Links to the provider's receipts, with a space between two.
    pub receipts: String,
}

/// Streams the rows of a batch.
pub struct ReportRows<'a> {
    ledger: &'a dyn Ledger,
    batch: &'a Batch,
    next_no: u16,
    /// The chunk that will be begun next.
    ahead: Option<Open>,
    open: Vec<Open>,
}

/// What the notes say of a row: the newest id and reason, and all receipts.
#[derive(Default)]
struct Words {
    provider_id: String,
    reason: String,
    receipts: String,
}

struct Open {
    id: ChunkId,
    first: LaneName,
    /// Of what that one refused (S15).
    second: Option<LaneName>,
    first_ordinal: u32,
    payouts: Vec<Payout>,
    words: BTreeMap<u16, Words>,
    /// Rows that are unpacked, and the place of the first of them.
    rows: VecDeque<Row>,
    at: u16,
}

impl<'a> ReportRows<'a> {
    /// Streams the rows of a sealed batch.
    pub fn new(ledger: &'a dyn Ledger, batch: &'a Batch) -> ReportRows<'a> {
        ReportRows { ledger, batch, next_no: 0, ahead: None, open: Vec::new() }
    }

    /// The next row, by its ordinal.
    pub async fn next(&mut self) -> Result<Option<ReportRow>, LedgerError> {
        loop {
            if self.ahead.is_none() && self.next_no < self.batch.chunks {
                self.ahead = Some(self.load(self.next_no).await?);
                self.next_no += 1;
            }
            let front = |(at, open): (usize, &Open)| open.rows.front().map(|r| (r.ordinal, at));
            let first = self.open.iter().enumerate().filter_map(front).min();
            let begins = match (&self.ahead, first) {
                (Some(ahead), Some((ordinal, _))) => ahead.first_ordinal < ordinal,
                (Some(_), None) => true,
                (None, _) => false,
            };
            match (begins, first) {
                (true, _) => self.open.extend(self.ahead.take()),
                (false, Some((_, at))) => return self.pop(at).await.map(Some),
                (false, None) => return Ok(None),
            }
        }
    }

    async fn pop(&mut self, at: usize) -> Result<ReportRow, LedgerError> {
        let open = &mut self.open[at];
        let place = open.at;
        let (Some(row), Some(payout)) =
            (open.rows.pop_front(), open.payouts.get(usize::from(place)).copied())
        else {
            return Err(short(open.id));
        };
        open.at += 1;
        let Words { provider_id, reason, receipts } = open.words.remove(&place).unwrap_or_default();
        let second = open.second.as_ref().filter(|_| payout.moved);
        let lane = second.unwrap_or(&open.first).clone();
        if usize::from(open.at) == open.payouts.len() {
            self.open.swap_remove(at);
        } else if open.rows.is_empty() {
            open.rows = rows(self.ledger, open.id, open.at).await?;
        }
        Ok(ReportRow { row, lane, payout, provider_id, reason, receipts })
    }

    async fn load(&self, no: u16) -> Result<Open, LedgerError> {
        let id = ChunkId { batch: self.batch.id, no };
        let chunk = self.ledger.chunk(id).await?.ok_or_else(|| short(id))?;
        let mut words: BTreeMap<u16, Words> = BTreeMap::new();
        for (row, note) in self.ledger.notes(id).await? {
            let entry = words.entry(row).or_default();
            match note.kind {
                NoteKind::ProviderId => entry.provider_id = note.text,
                NoteKind::Reason => entry.reason = note.text,
                NoteKind::Receipt => add_receipt(&mut entry.receipts, &note.text),
                NoteKind::Cost | NoteKind::Evidence | NoteKind::Shipment => {}
            }
        }
        Ok(Open {
            id,
            first: chunk.first.lane,
            second: chunk.second.map(|via| via.lane),
            first_ordinal: chunk.first_ordinal,
            payouts: chunk.payouts,
            words,
            rows: rows(self.ledger, id, 0).await?,
            at: 0,
        })
    }
}

/// Look-ups tell the same receipt again.
fn add_receipt(receipts: &mut String, link: &str) {
    if receipts.split(' ').any(|known| known == link) {
        return;
    }
    if !receipts.is_empty() {
        receipts.push(' ');
    }
    receipts.push_str(link);
}

async fn rows(ledger: &dyn Ledger, id: ChunkId, from: u16) -> Result<VecDeque<Row>, LedgerError> {
    let block = block_of(from);
    let blocks = ledger.blocks(id, block, block).await?;
    let rows = blocks.first().map(|block| decode(block)).transpose()?.unwrap_or_default();
    if rows.is_empty() { Err(short(id)) } else { Ok(rows.into()) }
}

fn short(id: ChunkId) -> LedgerError {
    LedgerError::Broken(format!("chunk {id} is missing or has fewer rows than payouts"))
}
