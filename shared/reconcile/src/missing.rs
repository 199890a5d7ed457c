//! What is paid here and was not shown as paid.

use crate::compare::CompareError;
use crate::found::{Difference, Kind, Outcome};
use crate::index::Slot;
use crate::run::{LAG_MS, Run};
use crate::walk::rows_if_kept;
use domain::{ChunkId, Payout, Row, State};
use std::collections::BTreeMap;

impl Run<'_> {
    /// The end: the list is read whole.
    pub(crate) async fn end(mut self) -> Result<Outcome, CompareError> {
        let expected = self.index.slots().filter(|slot| slot.is_expected).count();
        if expected > 0 && self.outcome.ours == 0 {
            self.outcome.tell(Difference {
                kind: Kind::Blind,
                reference: String::new(),
                provider_id: None,
                here: None,
                amount: None,
                words: format!(
                    "none of {expected} payouts that are paid here stands in the list: is it that \
                     of another account, of another time, or empty by mistake?"
                ),
            });
            return Ok(self.outcome);
        }
        let mut missing: BTreeMap<ChunkId, Vec<Slot>> = BTreeMap::new();
        for slot in self.index.slots().filter(|s| s.is_paid_here && !s.is_paid && !s.is_returned) {
            let is_shown = slot.is_failed || slot.is_open;
            if let Some(chunk) = self.index.chunk_of(slot).filter(|_| slot.is_expected || is_shown)
            {
                missing.entry(chunk).or_default().push(*slot);
            }
        }
        for (id, mut slots) in missing {
            let Some(chunk) = self.job.ledger.chunk(id).await? else { continue };
            let Some(rows) = rows_if_kept(self.job.ledger, &chunk).await? else {
                self.outcome.destroyed += u64::try_from(slots.len()).unwrap_or(u64::MAX);
                continue;
            };
            slots.sort_by_key(|slot| slot.row);
            for slot in slots {
                if let Some((row, payout)) = rows.get(usize::from(slot.row)) {
                    self.missed(&slot, row, payout);
                }
            }
        }
        Ok(self.outcome)
    }

    fn missed(&mut self, slot: &Slot, row: &Row, payout: &Payout) {
        if payout.state != State::Paid || payout.attempt != slot.attempt {
            return;
        }
        let words = match (slot.is_open, slot.is_failed) {
            // The list may lag behind the news that paid it here.
            (true, _) if self.now.since(payout.since) <= LAG_MS => return,
            (true, _) => "in the list, and not as paid",
            (false, true) => "failed there",
            (false, false) => "not in the provider's list",
        };
        self.outcome.tell(Difference {
            kind: Kind::PaidHere,
            reference: row.reference.to_string(),
            provider_id: None,
            here: Some(payout.state),
            amount: Some(row.money.to_string()),
            words: words.to_owned(),
        });
    }
}
