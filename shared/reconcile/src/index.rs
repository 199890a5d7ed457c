//! Which payouts the list may show, and what it has shown of them.
//!
//! One slot for each attempt that may stand in the list: 32 bytes with its key, in a hash table that
//! is half to nearly full: **40 to 75 bytes an attempt**, 75 MB at most for a million payouts. The
//! rows themselves stay in the ledger.

use crate::found::hash;
use domain::{ChunkId, Place};
use std::collections::HashMap;

/// What is known of an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    chunk: u32,
    pub(crate) row: u16,
    pub(crate) attempt: u8,
    /// Here it is paid, by this attempt.
    pub(crate) is_paid_here: bool,
    /// It was sent within the period: the list must have it.
    pub(crate) is_expected: bool,
    /// The list shows it as paid …
    pub(crate) is_paid: bool,
    /// … or as returned, failed, open.
    pub(crate) is_returned: bool,
    pub(crate) is_failed: bool,
    pub(crate) is_open: bool,
    /// Some bits of the provider's id that was paid.
    pub(crate) paid_id: u32,
}

/// What an entry is found by.
pub(crate) type Key = u64;

#[derive(Default)]
pub(crate) struct Index {
    slots: HashMap<Key, Slot>,
    chunks: Vec<ChunkId>,
    numbers: HashMap<ChunkId, u32>,
}

impl Index {
    /// The key of a provider reference.
    pub(crate) fn key(reference: &str) -> Key {
        hash(&[reference])
    }

    /// Some bits of a provider's id.
    pub(crate) fn id_bits(id: &str) -> u32 {
        let bytes = hash(&[id]).to_be_bytes();
        u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    /// Adds an attempt, unless it is there.
    pub(crate) fn add(&mut self, key: Key, place: Place, attempt: u8) -> &mut Slot {
        let next = u32::try_from(self.chunks.len()).unwrap_or(u32::MAX);
        let chunk = *self.numbers.entry(place.chunk).or_insert_with(|| {
            self.chunks.push(place.chunk);
            next
        });
        let new = Slot { chunk, row: place.row, attempt, ..Slot::default() };
        self.slots.entry(key).or_insert(new)
    }

    pub(crate) fn get(&mut self, key: Key) -> Option<&mut Slot> {
        self.slots.get_mut(&key)
    }

    pub(crate) fn chunk_of(&self, slot: &Slot) -> Option<ChunkId> {
        let at = usize::try_from(slot.chunk).ok()?;
        self.chunks.get(at).copied()
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_as_small_as_it_says() {
        assert_eq!(size_of::<(Key, Slot)>(), 32);
    }
}
