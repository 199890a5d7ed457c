//! Which row lies where: a chunk per way is open, and chunks are numbered in the order in which
//! they are begun.
//!
//! [`Places`] is a pure function of the rows it is given. So a group can be placed, its
//! references reserved, the rows whose reference is held taken out, and the group placed again
//! from the same beginning: the second run says where each remaining row really lies, without a
//! hole in any chunk.

use crate::rules::Way;
use domain::ChunkId;
use std::collections::BTreeMap;

/// Text at which a chunk is closed before it has [`ChunkId::MAX_ROWS`] rows: what one open chunk
/// may cost in memory.
pub const CHUNK_BYTES: usize = 4 << 20;

/// Where a row lies inside its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The chunk.
    pub no: u16,
    /// The row.
    pub row: u16,
    /// The chunk is full with it.
    pub closes: bool,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    no: u16,
    rows: u16,
    bytes: usize,
}

/// The open chunks.
#[derive(Clone, Debug, Default)]
pub struct Places {
    next_no: u16,
    /// By where their rows go.
    open: BTreeMap<Way, Open>,
}

impl Places {
    /// The place of the next row that goes one way; `None` when the batch has all the chunks it can.
    pub fn next(&mut self, way: Way, bytes: usize) -> Option<Spot> {
        let open = match self.open.get(&way) {
            Some(open) => *open,
            None => {
                let no = self.next_no;
                self.next_no = no.checked_add(1)?;
                Open { no, rows: 0, bytes: 0 }
            }
        };
        let after = Open { rows: open.rows + 1, bytes: open.bytes + bytes, ..open };
        let closes = after.rows == ChunkId::MAX_ROWS || after.bytes >= CHUNK_BYTES;
        if closes {
            self.open.remove(&way);
        } else {
            self.open.insert(way, after);
        }
        Some(Spot { no: open.no, row: open.rows, closes })
    }

    /// Chunks begun.
    pub fn chunks(&self) -> u16 {
        self.next_no
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn chunks_have_no_holes_and_begin_in_the_order_of_their_numbers(
            rows in proptest::collection::vec(
                (0usize..3, proptest::option::of(0usize..2), 1usize..3_000_000), 1..200))
        {
            let mut places = Places::default();
            let mut seen: BTreeMap<u16, (Way, u16, bool)> = BTreeMap::new();
            for (lane, failover, bytes) in rows {
                let way = Way { lane, failover };
                let spot = places.next(way, bytes).unwrap();
                let begun = seen.len();
                let (its_way, rows, closed) = seen.entry(spot.no).or_insert((way, 0, false));
                prop_assert_eq!((*its_way, *rows, *closed), (way, spot.row, false));
                if spot.row == 0 {
                    prop_assert_eq!(usize::from(spot.no), begun);
                }
                *rows += 1;
                *closed = spot.closes;
            }
            prop_assert_eq!(usize::from(places.chunks()), seen.len());
        }
    }

    #[test]
    fn a_chunk_is_full_at_a_thousand_rows() {
        let mut places = Places::default();
        let spots: Vec<_> = (0..1001).map(|_| places.next(Way::only(0), 10).unwrap()).collect();
        assert_eq!(spots[999], Spot { no: 0, row: 999, closes: true });
        assert_eq!(spots[1000], Spot { no: 1, row: 0, closes: false });
    }

    #[test]
    fn a_batch_that_has_all_its_chunks_takes_no_more() {
        let mut places = Places { next_no: ChunkId::MAX_CHUNKS, ..Places::default() };
        assert_eq!(places.next(Way::only(0), 1), None);
    }
}
