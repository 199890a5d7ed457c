//! A comparison under way: the ledger's payouts get their slots, the list's entries find theirs.

use crate::compare::{Job, MARGIN_MS, Progress};
use crate::found::{Difference, Kind, Outcome};
use crate::index::{Index, Key, Slot};
use crate::judge::judge;
use crate::walk::{BATCH_AGE_MAX_MS, Walk, rows_if_kept};
use domain::{Account, ChunkId, LedgerId, Millis, Payout, Place, ProviderReference, Row, State};
use ledger::{Chunk, LedgerError};
use providers::{Entry, Period, Standing};
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::Ordering;

/// What was sent so lately need not stand in the list yet.
pub(crate) const LAG_MS: u64 = 3_600_000;

/// A comparison under way.
pub(crate) struct Run<'a> {
    pub(crate) job: &'a Job<'a>,
    pub(crate) id: LedgerId,
    pub(crate) now: Millis,
    pub(crate) adopted: Vec<LedgerId>,
    pub(crate) index: Index,
    /// Numbers that may be ours and are not known, by their hash: two pages may show one.
    pub(crate) unplaced: HashSet<u64>,
    /// Chunks of the period whose rows were destroyed at retention.
    pub(crate) destroyed: HashSet<ChunkId>,
    pub(crate) outcome: Outcome,
}

impl Run<'_> {
    /// Gives a slot to every attempt of the lane that the list may show.
    pub(crate) async fn read_ledger(&mut self, progress: &Progress) -> Result<(), LedgerError> {
        let Job { ledger, lane, account, period, .. } = *self.job;
        let near = period.wider(2 * MARGIN_MS);
        let must =
            Period { until: period.until.min(Millis(self.now.0.saturating_sub(LAG_MS))), ..period };
        let oldest = Millis(near.from.0.saturating_sub(BATCH_AGE_MAX_MS));
        let mut walk = Walk::new(ledger, lane, oldest);
        while let Some(chunk) = walk.next().await? {
            let may_show =
                |p: &Payout| p.was_ever_sent() && (near.has(p.send_before) || near.has(p.since));
            let count = chunk.payouts.iter().filter(|p| may_show(p)).count();
            if count == 0 {
                continue;
            }
            let Some(rows) = rows_if_kept(ledger, &chunk).await? else {
                self.outcome.destroyed += u64::try_from(count).unwrap_or(u64::MAX);
                self.destroyed.insert(chunk.id);
                continue;
            };
            for (at, (row, payout)) in (0_u16..).zip(&rows).filter(|(_, (_, p))| may_show(p)) {
                progress.indexed.fetch_add(1, Ordering::Relaxed);
                let place = Place { chunk: chunk.id, row: at };
                for attempt in 1..=payout.attempt {
                    if self.went_here(&chunk, payout, attempt) {
                        let made = self.reference(&chunk, row, payout, attempt);
                        self.index.add(Index::key(made.as_str()), place, attempt);
                    }
                }
                if payout.state != State::Paid || !self.went_here(&chunk, payout, payout.attempt) {
                    continue;
                }
                if ![Account::NONE, account].contains(&payout.account) {
                    self.outcome.elsewhere += u64::from(period.has(payout.send_before));
                    continue;
                }
                let made = self.reference(&chunk, row, payout, payout.attempt);
                let slot = self.index.add(Index::key(made.as_str()), place, payout.attempt);
                slot.is_paid_here = true;
                slot.is_expected = must.has(payout.send_before);
                if period.has(payout.send_before) {
                    self.outcome.here.add_money(&row.money);
                }
            }
        }
        Ok(())
    }

    /// As the lane that the attempt went by wants it (S15).
    fn reference(&self, chunk: &Chunk, row: &Row, of: &Payout, attempt: u8) -> ProviderReference {
        let format = chunk.via_of(of, attempt).format;
        ProviderReference::make(self.id, &row.reference, attempt, format)
    }

    fn went_here(&self, chunk: &Chunk, payout: &Payout, attempt: u8) -> bool {
        chunk.via_of(payout, attempt).lane == *self.job.lane
    }

    /// One page: entries by chunk, so that each chunk is read once.
    pub(crate) async fn take(&mut self, entries: Vec<Entry>) -> Result<(), LedgerError> {
        let mut by_chunk: BTreeMap<ChunkId, Vec<(Key, Slot, Entry)>> = BTreeMap::new();
        for entry in entries {
            let key = Index::key(&entry.reference);
            if self.index.get(key).is_none() {
                self.trace(key, &entry).await?;
            }
            let slot = self.index.get(key).copied();
            match slot.and_then(|slot| Some((slot, self.index.chunk_of(&slot)?))) {
                Some((slot, chunk)) => by_chunk.entry(chunk).or_default().push((key, slot, entry)),
                None => self.nobodys(entry),
            }
        }
        for (id, found) in by_chunk {
            let Some(chunk) = self.job.ledger.chunk(id).await? else {
                // Its batch was never sealed: nothing of it was sent by this ledger.
                found.into_iter().for_each(|(_, _, entry)| self.nobodys(entry));
                continue;
            };
            let Some(rows) = rows_if_kept(self.job.ledger, &chunk).await? else {
                // Those of the period are counted by their payouts.
                if !self.destroyed.contains(&id) {
                    self.outcome.destroyed += u64::try_from(found.len()).unwrap_or(u64::MAX);
                }
                continue;
            };
            for (key, slot, entry) in found {
                match rows.get(usize::from(slot.row)) {
                    Some((row, payout))
                        if self.is_of(&chunk, row, payout, slot.attempt, &entry) =>
                    {
                        self.ours(&chunk, key, entry, row, payout);
                    }
                    _ => self.nobodys(entry),
                }
            }
        }
        Ok(())
    }

    fn is_of(&self, chunk: &Chunk, row: &Row, payout: &Payout, attempt: u8, entry: &Entry) -> bool {
        self.reference(chunk, row, payout, attempt).as_str() == entry.reference
    }

    /// A reference that says itself where it lies, of a payout that was sent at another time.
    async fn trace(&mut self, key: Key, entry: &Entry) -> Result<(), LedgerError> {
        let traced = ProviderReference::trace(self.id, &entry.reference);
        let Some((reference, attempt)) = traced else { return Ok(()) };
        if let Some(place) = self.job.ledger.find(reference).await? {
            self.index.add(key, place, attempt);
        }
        Ok(())
    }

    fn ours(&mut self, chunk: &Chunk, key: Key, entry: Entry, row: &Row, payout: &Payout) {
        let Some(slot) = self.index.get(key) else { return };
        // What is not paid here and shows on the list of a lane that it may have gone by is told (S15).
        let may_be_here = matches!(payout.state, State::Failed | State::Cancelled | State::Review)
            && chunk.vias().any(|via| via.lane == *self.job.lane);
        let went_here = chunk.via_of(payout, slot.attempt).lane == *self.job.lane;
        if !may_be_here && !went_here {
            // Two lanes of one login may see each other's payouts; each is compared on its own.
            self.outcome.others += 1;
            return;
        }
        let is_new = !(slot.is_paid || slot.is_returned || slot.is_failed || slot.is_open);
        self.outcome.ours += u64::from(is_new);
        let finding = |kind, words| Difference {
            kind,
            reference: row.reference.to_string(),
            provider_id: entry.provider_id.clone(),
            here: Some(payout.state),
            amount: Some(row.money.to_string()),
            words,
        };
        match entry.standing {
            Standing::Returned => slot.is_returned = true,
            Standing::Failed => slot.is_failed = true,
            Standing::Open | Standing::Unclear => slot.is_open = true,
            Standing::Paid => {
                let id = entry.provider_id.as_deref();
                let bits = id.map(Index::id_bits);
                if slot.is_paid {
                    // Two pages may show one entry; without an id nobody can tell.
                    if bits != Some(slot.paid_id) {
                        let words = "the provider paid it more than once".to_owned();
                        self.outcome.tell(finding(Kind::Twice, words));
                    }
                    return;
                }
                slot.is_paid = true;
                slot.paid_id = bits.unwrap_or_default();
                if let (Some(currency), Some(amount)) = (&entry.currency, entry.amount) {
                    self.outcome.there.add(currency, amount);
                }
            }
        }
        let attempt = slot.attempt;
        let is_money_due = matches!(entry.standing, Standing::Paid | Standing::Returned);
        self.outcome.untold += u64::from(is_money_due && !entry.tells_money());
        match judge(&entry, attempt, row, payout, self.now) {
            Some((kind, words)) => self.outcome.tell(finding(kind, words)),
            None => self.outcome.agree += u64::from(entry.standing == Standing::Paid),
        }
    }
}
