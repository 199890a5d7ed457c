//! What earlier calls told about the payouts of a chunk, read back from the notes beside them:
//! the providers' ids, the calls that carried the rows, and the newest reasons.
//!
//! An id counts only for the attempt that the provider accepted, and a call's handle only while
//! that call is the row's newest ([`crate::shipment`]).

use crate::api::{Ledger, LedgerError};
use crate::shipment::Shipment;
use crate::types::{Note, NoteKind};
use domain::{ChunkId, Payout};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The notes of one chunk, sorted. Empty where nothing was read.
#[derive(Debug, Default)]
pub struct Told {
    provider_ids: BTreeMap<u16, Arc<str>>,
    reasons: BTreeMap<u16, String>,
    shipments: Vec<Shipment>,
}

impl Told {
    /// Reads them.
    pub async fn read(ledger: &dyn Ledger, chunk: ChunkId) -> Result<Told, LedgerError> {
        ledger.notes(chunk).await.map(Told::sorted)
    }

    /// Sorts notes that come oldest first.
    fn sorted(notes: Vec<(u16, Note)>) -> Told {
        let mut told = Told::default();
        for (row, note) in notes {
            match note.kind {
                NoteKind::ProviderId => {
                    told.provider_ids.insert(row, note.text.into());
                }
                NoteKind::Reason => {
                    told.reasons.insert(row, note.text);
                }
                NoteKind::Shipment => told.shipments.extend(Shipment::of_note(&note)),
                NoteKind::Cost | NoteKind::Receipt | NoteKind::Evidence => {}
            }
        }
        told
    }

    /// The newest words on why a row stands where it stands.
    pub fn reason(&self, row: u16) -> Option<&str> {
        self.reasons.get(&row).map(String::as_str)
    }

    /// The call that carried a row last, where the provider gave it an id.
    pub fn shipment(&self, row: u16, payout: &Payout) -> Option<&Shipment> {
        self.shipments.iter().rev().find(|shipment| shipment.carries(row, payout))
    }

    /// The provider's id of a row, and of the call that carried it last.
    pub fn ids(&self, row: u16, payout: &Payout) -> (Option<Arc<str>>, Option<Arc<str>>) {
        let id = self.provider_ids.get(&row).filter(|_| payout.ever_accepted);
        let handle = self.shipment(row, payout).map(|shipment| shipment.handle.as_str().into());
        (id.cloned(), handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Millis;

    fn payout(send_before: u64, ever_accepted: bool) -> Payout {
        let send_before = Millis(send_before);
        Payout { send_before, ever_accepted, ..Payout::new(Millis(0), Millis(1)) }
    }

    fn call(send_before: u64, handle: &str) -> Note {
        Shipment::new(Millis(send_before), handle, &[0, 1]).unwrap().to_note()
    }

    #[test]
    fn the_newest_note_of_a_row_counts() {
        let told = Told::sorted(vec![
            (3, Note::new(NoteKind::ProviderId, "old")),
            (3, Note::new(NoteKind::Reason, "busy")),
            (4, Note::new(NoteKind::Reason, "another row")),
            (3, Note::new(NoteKind::ProviderId, "new")),
            (3, Note::new(NoteKind::Reason, "wrong card")),
            (3, Note::new(NoteKind::Evidence, "a callback")),
        ]);
        assert_eq!(told.ids(3, &payout(1, true)), (Some("new".into()), None));
        assert_eq!(told.reason(3), Some("wrong card"));
        assert_eq!((told.reason(5), told.ids(5, &payout(1, true))), (None, (None, None)));
    }

    #[test]
    fn an_id_counts_only_where_the_attempt_was_accepted() {
        let told = Told::sorted(vec![(3, Note::new(NoteKind::ProviderId, "7"))]);
        assert_eq!(told.ids(3, &payout(1, false)), (None, None));
    }

    #[test]
    fn a_handle_counts_only_while_its_call_is_the_rows_newest() {
        let told = Told::sorted(vec![(0, call(1_000, "first")), (0, call(2_000, "second"))]);
        let handle = |row, send_before| told.ids(row, &payout(send_before, false)).1;
        assert_eq!(handle(1, 1_000), Some("first".into()));
        assert_eq!(handle(1, 2_000), Some("second".into()));
        assert_eq!((handle(1, 3_000), handle(2, 1_000)), (None, None));
    }
}
