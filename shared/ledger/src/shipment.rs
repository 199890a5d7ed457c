//! The rows of one provider call and the provider's id of it (a batch id), as one note: what a
//! later look-up asks by.
//!
//! The note stands at one row of the call and names all of them. It holds for a row only while
//! that call is the row's newest: a shipment is known by the `send_before` that all its intents
//! share, and a row that was sent again since has another one.

use crate::types::{Note, NoteKind};
use domain::{ChunkId, Millis, Payout};

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipment {
    /// The `send_before` of its intents.
    pub send_before: Millis,
    /// The provider's id of it.
    pub handle: String,
    /// One bit a row of the chunk.
    rows: Vec<u8>,
}

impl Shipment {
    /// The longest handle that is kept, in bytes.
    pub const HANDLE_BYTES_MAX: usize = 128;

    /// A call that carried `rows`. `None` for a handle that cannot be kept.
    pub fn new(send_before: Millis, handle: &str, rows: &[u16]) -> Option<Shipment> {
        let is_good = !handle.is_empty()
            && handle.len() <= Self::HANDLE_BYTES_MAX
            && !handle.contains(|c: char| c.is_whitespace() || c.is_control());
        let mut bits = vec![0u8; usize::from(ChunkId::MAX_ROWS).div_ceil(8)];
        for row in rows {
            *bits.get_mut(usize::from(row / 8))? |= 1 << (row % 8);
        }
        is_good.then(|| Shipment { send_before, handle: handle.to_owned(), rows: bits })
    }

    /// Whether it is what carried this row last.
    pub fn carries(&self, row: u16, payout: &Payout) -> bool {
        self.holds(row) && payout.send_before == self.send_before
    }

    /// Whether it carried this row at all, whatever has carried it since: the provider's call has
    /// it to this day.
    pub fn holds(&self, row: u16) -> bool {
        let byte = self.rows.get(usize::from(row / 8)).copied().unwrap_or(0);
        byte & (1 << (row % 8)) != 0
    }

    /// As a note.
    pub fn to_note(&self) -> Note {
        let end = self.rows.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let rows: String = self.rows[..end].iter().map(|byte| format!("{byte:02x}")).collect();
        Note::new(NoteKind::Shipment, format!("{} {rows} {}", self.send_before.0, self.handle))
    }

    /// From a note; `None` for any other.
    pub fn of_note(note: &Note) -> Option<Shipment> {
        if note.kind != NoteKind::Shipment {
            return None;
        }
        let mut parts = note.text.split(' ');
        let send_before = Millis(parts.next()?.parse().ok()?);
        let hex = parts.next()?;
        let byte = |at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
        let rows = (0..hex.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>()?;
        let handle = parts.next()?.to_owned();
        parts.next().is_none().then_some(Shipment { send_before, handle, rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn payout(send_before: u64) -> Payout {
        let mut payout = Payout::new(Millis(1), Millis(2));
        payout.send_before = Millis(send_before);
        payout
    }

    proptest! {
        #[test]
        fn a_shipment_survives_its_note(
            rows in proptest::collection::btree_set(0u16..1000, 0..200), at: u64,
        ) {
            let rows: Vec<u16> = rows.into_iter().collect();
            let made = Shipment::new(Millis(at), "8e9f-77", &rows).unwrap();
            let read = Shipment::of_note(&made.to_note()).unwrap();
            prop_assert_eq!(read.handle.as_str(), "8e9f-77");
            for row in 0..1000 {
                prop_assert_eq!(read.carries(row, &payout(at)), rows.contains(&row));
            }
        }

        #[test]
        fn no_text_makes_reading_panic(text in ".{0,60}") {
            Shipment::of_note(&Note::new(NoteKind::Shipment, text));
        }
    }

    #[test]
    fn a_row_that_was_sent_again_is_not_in_the_older_shipment() {
        let first = Shipment::new(Millis(1_000), "a", &[3]).unwrap();
        assert!(first.carries(3, &payout(1_000)));
        assert!(!first.carries(3, &payout(2_000)));
        assert!(first.holds(3) && !first.holds(2));
    }

    #[test]
    fn a_handle_that_would_not_come_back_whole_is_refused() {
        for bad in ["", "a b", "a\nb", &"x".repeat(129)] {
            assert_eq!(Shipment::new(Millis(1), bad, &[0]), None);
        }
        assert_eq!(Shipment::new(Millis(1), "a", &[1000]), None);
    }
}
