//! What earlier calls told about the payouts of a chunk, read back from the notes beside them.
//!
//! An id counts only for the attempt that the provider accepted, and a shipment's handle only
//! while that call is the row's newest ([`ledger::shipment`]).

use crate::lane::Lane;
use crate::work::{Core, Held};
use domain::{Payout, Policy};
use ledger::shipment::Shipment;
use ledger::{LedgerError, NoteKind};
use providers::{Past, Sent};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The ids that providers told, of one chunk.
#[derive(Debug, Default)]
pub struct Ids {
    provider_ids: BTreeMap<u16, Arc<str>>,
    shipments: Vec<(Shipment, Arc<str>)>,
}

impl Ids {
    /// Reads them, where the lane's provider wants them.
    pub async fn read(core: &Core, lane: &Lane, held: &Held) -> Result<Ids, LedgerError> {
        let mut ids = Ids::default();
        if !lane.provider.limits().looks_up_by_id {
            return Ok(ids);
        }
        for (row, note) in core.ledger.notes(held.id).await? {
            if note.kind == NoteKind::ProviderId {
                ids.provider_ids.insert(row, note.text.into());
            } else if let Some(shipment) = Shipment::of_note(&note) {
                let handle = shipment.handle.as_str().into();
                ids.shipments.push((shipment, handle));
            }
        }
        Ok(ids)
    }

    /// What is known of a row.
    pub fn past(&self, row: u16, payout: &Payout, policy: &Policy) -> Past {
        let newest = self.shipments.iter().rev().find(|(s, _)| s.carries(row, payout));
        let told = self.provider_ids.get(&row).filter(|_| payout.ever_accepted);
        Past {
            provider_id: told.cloned(),
            shipment: newest.map(|(_, handle)| Arc::clone(handle)),
            ..without_ids(payout, policy)
        }
    }
}

/// What is known of a payout that is to be looked up by our reference alone.
pub fn without_ids(payout: &Payout, policy: &Policy) -> Past {
    let sent = (payout.intents > 0).then(|| Sent {
        from: domain::Millis(payout.send_before.0.saturating_sub(policy.send_window_ms)),
        until: payout.send_before.plus(policy.request_timeout_ms),
    });
    Past { provider_id: None, shipment: None, sent, stepped: payout.stepped }
}
