//! One group of intents, as the journal keeps it.
//!
//! ```text
//!  frame:   magic (4) │ length (4) │ check (8) │ payload
//!  payload: life │ counter │ ledger id │ sender │ account │ chunk │ send_before │ rows
//!  row:     row (2) │ attempt (1) │ intents (2) │ reference key (16)      21 bytes
//! ```
//!
//! The check is the beginning of SHA-256 over length and payload. A frame that does not check and
//! has nothing whole behind it is the torn end of a write that was never answered: its request
//! never left. With a whole frame behind it, it is damage: something may be missing.

use domain::{Account, BatchId, ChunkId, LedgerId, Millis, ReferenceKey, Sender};
use futures::FutureExt;
use futures::future::BoxFuture;
use ledger::Life;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a frame begins with; the last byte is the version of the form.
const MAGIC: [u8; 4] = *b"PJE\x01";
/// Bytes before the payload.
const HEAD_LEN: usize = 16;
/// Bytes of a payload before its rows.
const FIXED_LEN: usize = 8 + 8 + 4 + 4 + 4 + 16 + 2 + 8;
/// Bytes of a row.
pub const ROW_LEN: usize = 2 + 1 + 2 + 16;

/// A group of intents that were durable in the ledger before they were journalled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The ledger's life, as the sender knew it.
    pub life: Life,
    /// Counts the entries of a sender; set by the journal.
    pub counter: u64,
    /// The ledger.
    pub ledger: LedgerId,
    /// Who is about to send.
    pub sender: Sender,
    /// From which account (S4).
    pub account: Account,
    /// Of which chunk.
    pub chunk: ChunkId,
    /// As it stands in the payouts: the deadline of their newest creates.
    pub send_before: Millis,
    /// Which rows.
    pub rows: Vec<EntryRow>,
}

/// One intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// The row.
    pub row: u16,
    /// Its attempt.
    pub attempt: u8,
    /// The number of the intent.
    pub intents: u16,
    /// Its payer reference: a batch that the ledger lost whole is known by them.
    pub key: ReferenceKey,
}

/// Keeps what a sender is about to do.
pub trait Journal: Send + Sync + 'static {
    /// Keeps an entry, durably. *Crash before*: its requests never left. *After*: it is compared
    /// with the ledger at every start. An error means that nothing of the group may leave.
    fn append(&self, entry: Entry) -> BoxFuture<'_, Result<(), String>>;
}

/// A journal in memory: the simulator's, and that of tests. A clone is the same journal.
#[derive(Clone, Debug, Default)]
pub struct Remembered(Arc<Mutex<Vec<Entry>>>);

impl Remembered {
    /// All entries, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for Remembered {
    fn append(&self, mut entry: Entry) -> BoxFuture<'_, Result<(), String>> {
        let mut entries = self.lock();
        entry.counter = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        entries.push(entry);
        futures::future::ready(Ok(())).boxed()
    }
}

impl Entry {
    /// The frame.
    pub fn to_frame(&self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(FIXED_LEN + self.rows.len() * ROW_LEN);
        payload.extend(self.life.0.to_le_bytes());
        payload.extend(self.counter.to_le_bytes());
        payload.extend(self.ledger.to_string().as_bytes());
        payload.extend(self.sender.0.to_le_bytes());
        payload.extend(self.account.0.to_le_bytes());
        payload.extend(self.chunk.batch.to_bytes());
        payload.extend(self.chunk.no.to_le_bytes());
        payload.extend(self.send_before.0.to_le_bytes());
        for row in &self.rows {
            payload.extend(row.row.to_le_bytes());
            payload.push(row.attempt);
            payload.extend(row.intents.to_le_bytes());
            payload.extend(row.key.0);
        }
        // A chunk has at most 1,000 rows, so the length is far below four bytes.
        let len = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
        let check = check(len, &payload);
        [&MAGIC[..], &len[..], &check[..], &payload[..]].concat()
    }

    fn from_payload(payload: &[u8]) -> Option<Entry> {
        let mut rest = payload;
        let life = Life(u64::from_le_bytes(take(&mut rest)?));
        let counter = u64::from_le_bytes(take(&mut rest)?);
        let ledger = LedgerId::parse(std::str::from_utf8(&take::<4>(&mut rest)?).ok()?)?;
        let sender = Sender(u32::from_le_bytes(take(&mut rest)?));
        let account = Account(u32::from_le_bytes(take(&mut rest)?));
        let batch = BatchId::from_bytes(take(&mut rest)?);
        let chunk = ChunkId { batch, no: u16::from_le_bytes(take(&mut rest)?) };
        let send_before = Millis(u64::from_le_bytes(take(&mut rest)?));
        let mut rows = Vec::with_capacity(rest.len() / ROW_LEN);
        while !rest.is_empty() {
            rows.push(EntryRow {
                row: u16::from_le_bytes(take(&mut rest)?),
                attempt: u8::from_le_bytes(take(&mut rest)?),
                intents: u16::from_le_bytes(take(&mut rest)?),
                key: ReferenceKey(take(&mut rest)?),
            });
        }
        Some(Entry { life, counter, ledger, sender, account, chunk, send_before, rows })
    }
}

/// How a journal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a whole frame, or empty.
    Whole,
    /// In a write that was never answered.
    Torn,
    /// Something in it is damaged: not everything that it named is known.
    Damaged {
        /// From which byte.
        at: usize,
    },
}

/// Reads frames one after the other. What stands behind damage is read as well.
pub fn read(bytes: &[u8]) -> (Vec<Entry>, End) {
    let mut entries = Vec::new();
    let mut end = End::Whole;
    let mut at = 0;
    while at < bytes.len() {
        if let Some((entry, len)) = frame(&bytes[at..]) {
            entries.push(entry);
            at += len;
            continue;
        }
        let next = (at + 1..bytes.len()).find(|at| frame(&bytes[*at..]).is_some());
        match next {
            Some(next) => {
                end = if let End::Damaged { .. } = end { end } else { End::Damaged { at } };
                at = next;
            }
            None => return (entries, if end == End::Whole { End::Torn } else { end }),
        }
    }
    (entries, end)
}

/// The frame that the bytes begin with, and its length.
fn frame(bytes: &[u8]) -> Option<(Entry, usize)> {
    let mut rest = bytes;
    if take::<4>(&mut rest)? != MAGIC {
        return None;
    }
    let len: [u8; 4] = take(&mut rest)?;
    let told: [u8; 8] = take(&mut rest)?;
    let size = usize::try_from(u32::from_le_bytes(len)).ok()?;
    let payload = rest.get(..size)?;
    if check(len, payload) != told {
        return None;
    }
    Some((Entry::from_payload(payload)?, HEAD_LEN + size))
}

fn check(len: [u8; 4], payload: &[u8]) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::new().chain_update(len).chain_update(payload).finalize().into();
    let mut check = [0; 8];
    check.copy_from_slice(&digest[..8]);
    check
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ulid::Ulid;

    fn entry(counter: u64, rows: u16) -> Entry {
        let row = |row| EntryRow { row, attempt: 1, intents: 2, key: ReferenceKey([7; 16]) };
        Entry {
            life: Life(9),
            counter,
            ledger: LedgerId::from_random(5),
            sender: Sender(3),
            account: Account(4),
            chunk: ChunkId { batch: BatchId(Ulid(u128::from(counter) << 64)), no: 2 },
            send_before: Millis(1_700_000_000_000),
            rows: (0..rows).map(row).collect(),
        }
    }

    fn frames(count: u64) -> (Vec<Entry>, Vec<u8>) {
        let entries: Vec<Entry> = (0..count).map(|n| entry(n, 3)).collect();
        let bytes = entries.iter().flat_map(Entry::to_frame).collect();
        (entries, bytes)
    }

    #[test]
    fn an_entry_takes_21_bytes_a_row() {
        assert_eq!(entry(1, 300).to_frame().len() - entry(1, 200).to_frame().len(), 100 * 21);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(count in 0u64..20) {
            let (entries, bytes) = frames(count);
            prop_assert_eq!(read(&bytes), (entries, End::Whole));
        }

        #[test]
        fn a_torn_end_loses_what_was_torn_and_nothing_else(count in 1u64..10, cut in 1usize..130) {
            let (mut entries, bytes) = frames(count);
            let len = entry(0, 3).to_frame().len();
            prop_assume!(cut < len);
            entries.pop();
            prop_assert_eq!(read(&bytes[..bytes.len() - cut]), (entries, End::Torn));
        }

        #[test]
        fn one_changed_bit_before_the_end_is_damage_and_the_rest_is_still_read(
            count in 2u64..10, at in any::<prop::sample::Index>(), bit in 0u8..8,
        ) {
            let (entries, mut bytes) = frames(count);
            let len = entry(0, 3).to_frame().len();
            let at = at.index(bytes.len() - len);
            bytes[at] ^= 1 << bit;
            let (found, end) = read(&bytes);
            let hit = at / len;
            prop_assert_eq!(end, End::Damaged { at: hit * len });
            let others: Vec<Entry> =
                entries.into_iter().enumerate().filter(|(n, _)| *n != hit).map(|(_, e)| e).collect();
            prop_assert_eq!(found, others);
        }
    }
}
