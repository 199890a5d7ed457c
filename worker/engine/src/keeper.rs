//! Intents stand in the sender's journal before their requests leave (S18).
//!
//! What the journal did not take never leaves: the caller withdraws it.

use crate::lane::Lane;
use crate::shelf::Rows;
use crate::work::Core;
use domain::{ChunkId, LedgerId, Millis, Payout};
use futures::future::try_join_all;
use journal::{Entry, EntryRow, Journal};
use ledger::{About, Life};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The journal of this process.
pub struct Keeper {
    journal: Arc<dyn Journal>,
    ledger: LedgerId,
    life: AtomicU64,
    trouble: Mutex<Option<String>>,
}

impl Keeper {
    /// A journal of what is sent for this ledger.
    pub fn new(journal: Arc<dyn Journal>, about: About) -> Keeper {
        let life = AtomicU64::new(about.life.0);
        Keeper { journal, ledger: about.id, life, trouble: Mutex::default() }
    }

    /// The ledger lives anew.
    pub fn lives(&self, life: Life) {
        self.life.store(life.0, Ordering::Relaxed);
    }

    /// Why the journal took nothing when it was asked last.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the intents of some rows, as they stand in the ledger.
    pub async fn keep(
        &self,
        core: &Core,
        lane: &Lane,
        chunk: ChunkId,
        at_hand: &Rows,
        rows: impl Iterator<Item = (u16, Payout)>,
    ) -> Result<(), String> {
        // Creates of a group share one deadline; steps have those of their payouts.
        let mut groups: BTreeMap<Millis, Vec<EntryRow>> = BTreeMap::new();
        for (row, payout) in rows {
            let key = at_hand.get(row).map_err(|error| error.to_string())?.reference.key();
            let entry = EntryRow { row, attempt: payout.attempt, intents: payout.intents, key };
            groups.entry(payout.send_before).or_default().push(entry);
        }
        let life = Life(self.life.load(Ordering::Relaxed));
        let entries = groups.into_iter().map(|(send_before, rows)| {
            self.journal.append(Entry {
                life,
                counter: 0,
                ledger: self.ledger,
                sender: core.sender,
                account: lane.account,
                chunk,
                send_before,
                rows,
            })
        });
        let kept = try_join_all(entries).await.map(drop);
        if let Err(error) = &kept {
            tracing::error!(%chunk, error, "nothing of the group is sent");
        }
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = kept.clone().err();
        kept
    }
}
