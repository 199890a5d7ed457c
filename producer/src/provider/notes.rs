//! What is kept beside the rows of a chunk: the provider's ids, calls, and the newest reasons.
//!
//! As in a worker, an id counts only for the attempt that the provider accepted, and a call's
//! handle only while that call is the row's newest ([`ledger::shipment`]).

use domain::{ChunkId, Millis, Payout, Policy};
use ledger::shipment::Shipment;
use ledger::{Ledger, LedgerError, NoteKind};
use providers::{Past, Sent};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The notes of one chunk, sorted.
#[derive(Debug, Default)]
pub struct Notes {
    provider_ids: BTreeMap<u16, Arc<str>>,
    reasons: BTreeMap<u16, String>,
    shipments: Vec<Shipment>,
}

impl Notes {
    /// Reads them.
    pub async fn read(ledger: &dyn Ledger, chunk: ChunkId) -> Result<Notes, LedgerError> {
        let mut notes = Notes::default();
        for (row, note) in ledger.notes(chunk).await? {
            match note.kind {
                NoteKind::ProviderId => {
                    notes.provider_ids.insert(row, note.text.into());
                }
                NoteKind::Reason => {
                    notes.reasons.insert(row, note.text);
                }
                NoteKind::Shipment => notes.shipments.extend(Shipment::of_note(&note)),
                NoteKind::Cost | NoteKind::Receipt | NoteKind::Evidence => {}
            }
        }
        Ok(notes)
    }

    /// The newest words on why a row stands where it stands.
    pub fn reason(&self, row: u16) -> Option<&str> {
        self.reasons.get(&row).map(String::as_str)
    }

    /// The call that carried a row last, where the provider gave it an id.
    pub fn shipment(&self, row: u16, payout: &Payout) -> Option<&Shipment> {
        self.shipments.iter().rev().find(|shipment| shipment.carries(row, payout))
    }

    /// What is known of a payout from earlier calls.
    pub fn past(&self, row: u16, payout: &Payout, policy: &Policy) -> Past {
        let told = self.provider_ids.get(&row).filter(|_| payout.ever_accepted);
        Past {
            provider_id: told.cloned(),
            shipment: self.shipment(row, payout).map(|shipment| shipment.handle.as_str().into()),
            ..without_ids(payout, policy)
        }
    }
}

/// What is known of a payout that is looked up by our reference alone.
pub fn without_ids(payout: &Payout, policy: &Policy) -> Past {
    let sent = (payout.intents > 0).then(|| Sent {
        from: Millis(payout.send_before.0.saturating_sub(policy.send_window_ms)),
        until: payout.send_before.plus(policy.request_timeout_ms),
    });
    Past { provider_id: None, shipment: None, sent, stepped: payout.stepped }
}
