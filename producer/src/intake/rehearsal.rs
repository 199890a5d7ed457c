//! `--dry-run`: everything but writing. References are looked for and not reserved, so another
//! intake may take one meanwhile: a rehearsal promises nothing.
//!
//! Here alone memory grows with the file, by some 30 bytes a row: without reservations the
//! rehearsal itself must remember which references it has seen.

use super::ceilings;
use super::desk::{add, add_all, rows_per_lane};
use super::held::{held_by, held_by_lost, refused};
use super::size::Largest;
use super::source::{BadRow, Item};
use super::{IntakeError, Taken};
use crate::rules::Rules;
use domain::batch::Totals;
use domain::{Batch, BatchId, BatchState, Place, ReferenceKey, State};
use futures::{StreamExt, TryStreamExt};
use ledger::{Ledger, LedgerError};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// References that are looked for at once.
const LOOK_UPS_AT_ONCE: usize = 256;
/// Tables of seen references; many small ones grow without doubling the whole.
const SHARDS: usize = 64;

/// A rehearsed intake.
pub struct Rehearsal {
    ledger: Arc<dyn Ledger>,
    /// The first eight bytes of a reference's key, and the line where it was first seen.
    seen: Vec<HashMap<[u8; 8], u32>>,
    batches: BTreeMap<BatchId, Option<Batch>>,
    totals: Totals,
    lanes: BTreeMap<usize, Totals>,
    may_come: BTreeMap<usize, Totals>,
    largest: Largest,
}

impl Rehearsal {
    /// A rehearsal against this ledger.
    pub fn new(ledger: Arc<dyn Ledger>) -> Rehearsal {
        Rehearsal {
            ledger,
            seen: vec![HashMap::new(); SHARDS],
            batches: BTreeMap::new(),
            totals: Totals::default(),
            lanes: BTreeMap::new(),
            may_come: BTreeMap::new(),
            largest: Largest::default(),
        }
    }

    /// Takes a group; gives its bad rows in order.
    pub async fn take(
        &mut self,
        group: Vec<Item>,
        column: &str,
    ) -> Result<Vec<BadRow>, IntakeError> {
        let keys: Vec<ReferenceKey> = group
            .iter()
            .filter_map(|item| match item {
                Item::Good(row, _) => Some(row.key),
                Item::Bad(_) => None,
            })
            .collect();
        let ledger = self.ledger.clone();
        let found: Vec<Option<Place>> = futures::stream::iter(keys)
            .map(|key| ledger.find(key))
            .buffered(LOOK_UPS_AT_ONCE)
            .try_collect()
            .await?;
        let mut found = found.into_iter();
        let mut bad = Vec::new();
        for item in group {
            let (row, cells) = match item {
                Item::Good(row, cells) => (row, cells),
                Item::Bad(refused) => {
                    bad.push(*refused);
                    continue;
                }
            };
            let holder = match found.next().flatten() {
                Some(place) => self.holder(place).await?,
                None => None,
            };
            let words = match holder {
                Some(words) => Some(words),
                None => self.seen_before(row.key, row.line).map(|line| {
                    format!("the same reference stands in line {line}; every row needs its own")
                }),
            };
            match words {
                Some(words) => bad.push(refused((row, cells), column, words)?),
                None => {
                    add(&mut self.totals, &row);
                    add(self.lanes.entry(row.way.lane).or_default(), &row);
                    add_all(&mut self.may_come, &row);
                    self.largest.see(&row);
                }
            }
        }
        Ok(bad)
    }

    /// What would have been taken.
    pub fn finish(self, rules: &Rules) -> Result<Taken, IntakeError> {
        let by_lane: Vec<_> = self.may_come.into_iter().collect();
        ceilings::check_batch(rules, &by_lane)?;
        Ok(Taken {
            rows: self.totals.rows(),
            totals: self.totals,
            lanes: rows_per_lane(rules, &self.lanes),
            largest: self.largest.rows()?,
            ..Taken::default()
        })
    }

    fn seen_before(&mut self, key: ReferenceKey, line: u32) -> Option<u32> {
        let mut short = [0; 8];
        short.copy_from_slice(&key.0[..8]);
        let shard = usize::from(key.0[8]) % SHARDS;
        let first = *self.seen[shard].entry(short).or_insert(line);
        (first != line).then_some(first)
    }

    /// Who holds a place, in words, if he would not give its reference back (S2).
    async fn holder(&mut self, place: Place) -> Result<Option<String>, LedgerError> {
        let id = place.chunk.batch;
        let batch = match self.batches.get(&id) {
            Some(known) => known.clone(),
            None => {
                let batch = self.ledger.batch(id).await?;
                self.batches.insert(id, batch.clone());
                batch
            }
        };
        let Some(batch) = batch else { return Ok(Some(held_by_lost(id))) };
        match batch.state {
            BatchState::Rejected => Ok(None),
            BatchState::Cancelled => {
                let chunk = self.ledger.chunk(place.chunk).await?;
                let payout = chunk.and_then(|c| c.payouts.get(usize::from(place.row)).copied());
                let is_free =
                    payout.is_some_and(|p| p.state == State::Cancelled && !p.was_ever_sent());
                Ok((!is_free).then(|| held_by(&batch)))
            }
            _ => Ok(Some(held_by(&batch))),
        }
    }
}
