//! What journals name and the ledger has forgotten (S18), and how it is brought back.
//!
//! A payout is forgotten where its ledger knows fewer intents than a journal names, or the same
//! number with another deadline: then it gave that number twice. Marked, it is `unknown` (or in
//! review), so a look-up tells before anything is sent again. Marking twice changes nothing.

use crate::entry::{Entry, EntryRow};
use domain::{
    Account, Batch, BatchId, BatchState, ChunkId, Event, LaneName, Millis, Payout, Place, Policy,
    ReferenceKey, Sender, State,
};
use ledger::apply::{Happening, apply};
use ledger::{Chunk, Guard, Ledger, LedgerError, Note, NoteKind};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use ulid::Ulid;

/// One intent that a journal names and the ledger has forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// The ledger knows the row.
    Intent {
        /// Where it lies.
        place: Place,
        /// The row as the ledger knows it.
        payout: Payout,
        /// The attempt of the intent.
        attempt: u8,
        /// At least so many intents it had.
        intents: u16,
        /// The deadline of the intent.
        send_before: Millis,
        /// Who wrote it; nobody, where he is known to be gone.
        sender: Sender,
        /// For which account.
        account: Account,
        /// First attempts of its chunk were journalled for the same account: it is, or was, the first
        /// lane's, also where the ledger has forgotten that.
        is_firsts: bool,
    },
    /// The ledger does not know the batch, or not as one that was ever payable.
    Row {
        /// Where it lay.
        place: Place,
        /// Its reference.
        key: ReferenceKey,
    },
}

/// The newest intent of a row in the journals.
#[derive(Clone, Copy)]
struct Newest<'a> {
    row: &'a EntryRow,
    entry: &'a Entry,
    /// Its number was given to another one, too.
    is_twice: bool,
}

impl<'a> Newest<'a> {
    fn see(&mut self, row: &'a EntryRow, entry: &'a Entry) {
        let number = |row: &EntryRow| (row.attempt, row.intents);
        let is_another = entry.send_before != self.entry.send_before;
        match number(row).cmp(&number(self.row)) {
            Ordering::Less => {}
            Ordering::Equal => self.is_twice |= is_another,
            Ordering::Greater => *self = Newest { row, entry, is_twice: false },
        }
    }
}

/// What the entries name and the ledger has forgotten, in the order of places.
pub async fn compare(
    ledger: &dyn Ledger,
    entries: &[Entry],
) -> Result<Vec<Forgotten>, LedgerError> {
    let id = ledger.about().await?.id;
    let mut firsts: HashSet<(ChunkId, Account)> = HashSet::new();
    let mut chunks: BTreeMap<ChunkId, BTreeMap<u16, Newest<'_>>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.ledger == id) {
        let rows = chunks.entry(entry.chunk).or_default();
        if entry.rows.iter().any(|row| row.attempt == 1) {
            firsts.insert((entry.chunk, entry.account));
        }
        for row in &entry.rows {
            let first = Newest { row, entry, is_twice: false };
            rows.entry(row.row).or_insert(first).see(row, entry);
        }
    }
    let mut forgotten = Vec::new();
    for (id, rows) in chunks {
        let chunk = ledger.chunk(id).await?;
        for (row, newest) in rows {
            let place = Place { chunk: id, row };
            let payout = chunk.as_ref().and_then(|c| c.payouts.get(usize::from(row)));
            match payout {
                Some(payout) => forgotten.extend(missing(place, payout, newest, &firsts)),
                None => forgotten.extend(lost(ledger, place, newest, &firsts).await?),
            }
        }
    }
    Ok(forgotten)
}

/// What the ledger misses of an intent, if anything.
fn missing(
    place: Place,
    payout: &Payout,
    newest: Newest<'_>,
    firsts: &HashSet<(ChunkId, Account)>,
) -> Option<Forgotten> {
    let Newest { row, entry, is_twice } = newest;
    let is_another = is_twice || entry.send_before != payout.send_before;
    let intents = if row.attempt > payout.attempt || row.intents > payout.intents {
        row.intents
    } else if row.intents == payout.intents && is_another {
        // It gave this number to two intents: both may have arrived.
        payout.intents.saturating_add(1)
    } else {
        return None;
    };
    Some(Forgotten::Intent {
        place,
        payout: *payout,
        attempt: row.attempt,
        intents,
        send_before: entry.send_before,
        sender: entry.sender,
        account: entry.account,
        is_firsts: firsts.contains(&(entry.chunk, entry.account)),
    })
}

/// A row whose batch is not there, or was never payable. Its file may have been taken again:
/// then the same reference is paid under the same provider reference, and is the same payout.
async fn lost(
    ledger: &dyn Ledger,
    place: Place,
    newest: Newest<'_>,
    firsts: &HashSet<(ChunkId, Account)>,
) -> Result<Option<Forgotten>, LedgerError> {
    let key = newest.row.key;
    let gone = Forgotten::Row { place, key };
    let Some(now_at) = ledger.find(key).await? else { return Ok(Some(gone)) };
    if ledger.batch(now_at.chunk.batch).await?.is_none() {
        // Held by a lost batch already.
        return Ok(None);
    }
    let chunk = ledger.chunk(now_at.chunk).await?;
    let payout = chunk.as_ref().and_then(|c| c.payouts.get(usize::from(now_at.row)));
    Ok(match payout {
        Some(payout) => missing(now_at, payout, newest, firsts),
        None => Some(gone),
    })
}

/// What was marked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marked {
    /// Payouts that are looked up before anything is sent again, or are in review.
    pub payouts: u64,
    /// References that a batch holds for ever that the ledger lost.
    pub references: u64,
}

/// Brings back what was forgotten. Every step may be taken twice.
pub async fn mark(
    ledger: &dyn Ledger,
    policy: &(dyn Fn(&LaneName) -> Policy + Sync),
    forgotten: &[Forgotten],
) -> Result<Marked, LedgerError> {
    let mut marked = Marked::default();
    let mut chunks: BTreeMap<ChunkId, Vec<Happening>> = BTreeMap::new();
    for one in forgotten {
        match *one {
            Forgotten::Intent {
                place,
                payout,
                attempt,
                intents,
                send_before,
                sender,
                account,
                is_firsts,
            } => {
                let moved =
                    attempt > 1 && went_by_second(ledger, place.chunk, account, is_firsts).await?;
                let event =
                    Event::Rewound { attempt, intents, send_before, sender, account, moved };
                let text =
                    format!("a sender's journal names intent {intents}, which the ledger forgot");
                let notes = vec![Note::new(NoteKind::Evidence, text)];
                let happening = Happening { row: place.row, payout, event, notes };
                chunks.entry(place.chunk).or_default().push(happening);
            }
            Forgotten::Row { place, key } => {
                hold(ledger, key, place).await?;
                marked.references += 1;
            }
        }
    }
    for (id, happenings) in chunks {
        let Some(chunk) = ledger.chunk(id).await? else { continue };
        marked.payouts += write(ledger, &policy(&chunk.first.lane), id, happenings).await?;
    }
    Ok(marked)
}

/// Whether a later attempt that the ledger forgot went by the second lane of its chunk (S15), by the
/// account that it was for. A ledger that was put back to before its lanes were first started knows
/// neither account; then what the journals tell of first attempts counts. Whatever is not known to have
/// gone by the first lane may have gone by the second.
async fn went_by_second(
    ledger: &dyn Ledger,
    id: ChunkId,
    account: Account,
    is_firsts: bool,
) -> Result<bool, LedgerError> {
    let chunk = ledger.chunk(id).await?;
    let Some(Chunk { first, second: Some(second), .. }) = chunk else { return Ok(false) };
    if account_of(ledger, &first.lane).await? == account {
        return Ok(false);
    }
    Ok(account_of(ledger, &second.lane).await? == account || !is_firsts)
}

async fn account_of(ledger: &dyn Ledger, lane: &LaneName) -> Result<Account, LedgerError> {
    Ok(Account::of(&ledger.lane(lane.clone()).await?.fingerprint))
}

/// Marks everything that is not paid or cancelled, in place of journals that are missing: any of it
/// may have been sent once more than the ledger knows, and what failed may have been ordered anew.
/// Only what nobody can order anew is left alone: what failed in a batch that is cancelled, or whose
/// rows are destroyed.
pub async fn mark_all(
    ledger: &dyn Ledger,
    policy: &(dyn Fn(&LaneName) -> Policy + Sync),
) -> Result<Marked, LedgerError> {
    let mut marked = Marked::default();
    let mut accounts = BTreeMap::new();
    let mut before = None;
    loop {
        let batches = ledger.batches(before, 100).await?;
        let Some(last) = batches.last() else { return Ok(marked) };
        before = Some(last.id);
        for batch in batches.iter().filter(|batch| batch.state.was_sealed() && is_unsure(batch)) {
            let is_payable = batch.state != BatchState::Cancelled;
            for no in 0..batch.chunks {
                let id = ChunkId { batch: batch.id, no };
                let Some(chunk) = ledger.chunk(id).await? else { continue };
                let failed = is_payable && has_failed(&chunk) && has_rows(ledger, id).await?;
                for lane in chunk.vias().map(|via| &via.lane) {
                    if !accounts.contains_key(lane) {
                        accounts.insert(lane.clone(), account_of(ledger, lane).await?);
                    }
                    let account = accounts.get(lane).copied().unwrap_or(Account::NONE);
                    let happenings = lost_past(&chunk, lane, account, failed);
                    marked.payouts += write(ledger, &policy(lane), id, happenings).await?;
                }
            }
        }
    }
}

fn is_unsure(batch: &Batch) -> bool {
    batch.counts.open() + batch.counts.get(State::Review) + batch.counts.get(State::Failed) > 0
}

fn has_failed(chunk: &Chunk) -> bool {
    chunk.payouts.iter().any(|payout| payout.state == State::Failed)
}

/// Whether the rows of a chunk can still be read: else nobody orders anything of it anew.
async fn has_rows(ledger: &dyn Ledger, id: ChunkId) -> Result<bool, LedgerError> {
    match ledger.blocks(id, 0, 0).await {
        Ok(_) => Ok(true),
        Err(LedgerError::Destroyed { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn lost_past(chunk: &Chunk, lane: &LaneName, account: Account, failed: bool) -> Vec<Happening> {
    let is_unsure = |state: State| match state {
        State::Paid | State::Cancelled => false,
        State::Failed => failed,
        _ => true,
    };
    let unsure = chunk.on(lane).filter(|(_, payout)| is_unsure(payout.state));
    unsure
        .map(|(row, payout)| {
            let event = Event::PastLost { account };
            Happening { row, payout: *payout, event, notes: Vec::new() }
        })
        .collect()
}

async fn write(
    ledger: &dyn Ledger,
    policy: &Policy,
    id: ChunkId,
    happenings: Vec<Happening>,
) -> Result<u64, LedgerError> {
    let now = ledger.about().await?.now;
    let done = apply(ledger, id, Guard::Fact, now, policy, happenings).await?;
    let changed = done.into_iter().flatten().filter(|(_, applied)| applied.is_changed()).count();
    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}

/// Gives a reference to a batch that the ledger does not know: intake takes over only from
/// batches that it finds, so nobody ever takes it over from this one.
async fn hold(ledger: &dyn Ledger, key: ReferenceKey, place: Place) -> Result<(), LedgerError> {
    let nowhere = nowhere(ledger, place).await?;
    loop {
        let held = ledger.reserve(vec![(key, nowhere)]).await?;
        let Some(held) = held.first() else { return Ok(()) };
        if ledger.batch(held.by.chunk.batch).await?.is_none() {
            return Ok(());
        }
        // Whoever holds it is an intake that never became payable: it must not become so.
        let reason = "the ledger went back in time to before it was sealed".to_owned();
        if !ledger.reject(held.by.chunk.batch, reason, false).await? {
            let batch = held.by.chunk.batch;
            return Err(LedgerError::Unavailable(format!("batch {batch} was sealed meanwhile")));
        }
        if ledger.take_over(key, held.by, nowhere).await? {
            return Ok(());
        }
    }
}

/// The row's own place, in a batch that is not there.
async fn nowhere(ledger: &dyn Ledger, place: Place) -> Result<Place, LedgerError> {
    let BatchId(Ulid(number)) = place.chunk.batch;
    let batch = match ledger.batch(place.chunk.batch).await? {
        None => place.chunk.batch,
        // Its neighbour: made of a clock and 80 random bits, no batch will ever have that id.
        Some(_) => BatchId(Ulid(number ^ 1)),
    };
    Ok(Place { chunk: ChunkId { batch, no: place.chunk.no }, row: place.row })
}

/// What was forgotten, in a few words; `count` of it in all.
pub fn words(forgotten: &[Forgotten], count: usize) -> String {
    let batches: BTreeSet<BatchId> = forgotten
        .iter()
        .map(|one| match one {
            Forgotten::Intent { place, .. } | Forgotten::Row { place, .. } => place.chunk.batch,
        })
        .collect();
    let list: Vec<String> = batches.iter().take(5).map(ToString::to_string).collect();
    let more = if batches.len() > 5 { " …" } else { "" };
    format!(
        "{count} payouts were sent that the ledger does not know as sent; of batches {}{more}",
        list.join(", ")
    )
}
