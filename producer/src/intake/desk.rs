//! Groups of rows are reserved and placed. The protocol, and why it holds:
//!
//! 1. The group is placed tentatively, from where the group before it ended.
//! 2. All its references are reserved for those places. Usually all are free, and
//!    then each reservation names exactly where its row lies.
//! 3. Where some are held (by another batch that does not give way, see [`super::held`], or by an
//!    earlier row of this file), their rows are taken out and the rest is placed again from the
//!    same beginning. Rows behind a gap move up: their reservations are moved from the tentative
//!    place to the final one by compare-and-set. The batch is `receiving`, so neither place ever
//!    had or will have an intent before the seal.
//! 4. Only then rows go into chunks, and full chunks to the writing task.
//!
//! A crash anywhere leaves a batch that nobody seals; its references are taken over lazily.

use super::IntakeError;
use super::held::refused;
use super::packing::{Building, Packing};
use super::places::{Places, Spot};
use super::size::{LargeRow, Largest};
use super::source::{BadRow, Cells, Item, Packed};
use crate::rules::Rules;
use domain::batch::{CurrencyTotal, Totals};
use domain::{BatchId, ChunkId, LaneName, Place, ReferenceKey};
use futures::{StreamExt, TryStreamExt};
use ledger::intake::Conflict;
use ledger::{Ledger, LedgerError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of a group, and bytes of packed rows at which it is full earlier. References are spread
/// over the whole index: the more of them are reserved at once, the fewer of its pages are
/// written twice.
pub const GROUP_ROWS: usize = 32_000;
const GROUP_BYTES: usize = 4 << 20;

/// References that are reserved in one step, about.
const SLICE_ROWS: usize = 2_000;

/// Reservations that are moved at once; they share the ledger's commits.
const MOVES_AT_ONCE: usize = 512;

/// Whether there is enough for a group.
pub fn is_group(items: &[Item]) -> bool {
    items.len() >= GROUP_ROWS || items.iter().map(Item::bytes).sum::<usize>() >= GROUP_BYTES
}

/// A good row and its fields.
pub type Good = (Packed, Cells);

/// Reserves, places and hands over.
pub struct Desk {
    pub(super) ledger: Arc<dyn Ledger>,
    rules: Arc<Rules>,
    pub(super) batch: BatchId,
    places: Places,
    pub(super) building: BTreeMap<u16, Building>,
    pub(super) packing: Packing,
    totals: Totals,
    lanes: BTreeMap<usize, Totals>,
    may_come: BTreeMap<usize, Totals>,
    largest: Largest,
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// Rows and money.
    pub totals: Totals,
    /// Chunks.
    pub chunks: u16,
    /// Rows per lane.
    pub lanes: Vec<(LaneName, u64)>,
    /// What may come to a lane, with what it is the second one for, by index into [`Rules::lanes`].
    pub by_lane: Vec<(usize, Totals)>,
    /// The largest rows.
    pub largest: Vec<LargeRow>,
}

impl Desk {
    /// A desk for an open batch.
    pub fn new(ledger: Arc<dyn Ledger>, rules: Arc<Rules>, batch: BatchId) -> Desk {
        Desk {
            packing: Packing::start(ledger.clone(), rules.clone(), batch),
            ledger,
            rules,
            batch,
            places: Places::default(),
            building: BTreeMap::new(),
            totals: Totals::default(),
            lanes: BTreeMap::new(),
            may_come: BTreeMap::new(),
            largest: Largest::default(),
        }
    }

    /// The batch.
    pub fn batch(&self) -> BatchId {
        self.batch
    }

    /// Takes a group. Gives its bad rows in order: those that were bad already, and those whose
    /// reference is held. `column` is the file's name of the reference.
    pub async fn take(
        &mut self,
        group: Vec<Item>,
        column: &str,
    ) -> Result<Vec<BadRow>, IntakeError> {
        let mut good: Vec<Good> = Vec::with_capacity(group.len());
        let mut bad = Vec::new();
        for item in group {
            match item {
                Item::Good(row, cells) => good.push((row, cells)),
                Item::Bad(row) => bad.push(*row),
            }
        }
        let before = self.places.clone();
        let mut spots = self.place_all(&good)?;
        let wanted: Vec<_> =
            good.iter().zip(&spots).map(|((c, _), spot)| (c.key, self.at(*spot))).collect();
        let conflicts = self.reserve_from_younger(&wanted).await?;
        if !conflicts.is_empty() {
            let lines = self.first_lines(&conflicts, &good, &wanted).await?;
            let mut held = BTreeMap::new();
            for (conflict, first_line) in conflicts.into_iter().zip(lines) {
                held.insert(conflict.index, self.words(&conflict, first_line));
            }
            let mut tentative = Vec::with_capacity(good.len());
            let mut kept = Vec::with_capacity(good.len());
            for (index, (row, (_, place))) in good.into_iter().zip(&wanted).enumerate() {
                match held.remove(&index) {
                    Some(words) => bad.push(refused(row, column, words)?),
                    None => {
                        tentative.push(*place);
                        kept.push(row);
                    }
                }
            }
            good = kept;
            self.places = before;
            spots = self.place_all(&good)?;
            self.move_up(&good, &spots, &tentative).await?;
            bad.sort_by_key(|row| row.ordinal);
        }
        for ((row, _), spot) in good.into_iter().zip(spots) {
            self.put(row, spot).await?;
        }
        Ok(bad)
    }

    /// Writes what is left and waits for the writing task.
    pub async fn finish(mut self) -> Result<Written, IntakeError> {
        for building in std::mem::take(&mut self.building).into_values() {
            if self.packing.send(building).await.is_err() {
                break;
            }
        }
        self.packing.finish().await?;
        Ok(Written {
            totals: self.totals,
            chunks: self.places.chunks(),
            lanes: rows_per_lane(&self.rules, &self.lanes),
            by_lane: self.may_come.into_iter().collect(),
            largest: self.largest.rows()?,
        })
    }

    fn at(&self, spot: Spot) -> Place {
        Place { chunk: ChunkId { batch: self.batch, no: spot.no }, row: spot.row }
    }

    fn place_all(&mut self, rows: &[Good]) -> Result<Vec<Spot>, IntakeError> {
        let next =
            |(c, _): &Good| self.places.next(c.way, c.row.len()).ok_or(IntakeError::TooLarge);
        rows.iter().map(next).collect()
    }

    /// Reserves in slices of the key space, for one commit all together. The order of the index
    /// is kept, so no page is written twice, and what a ledger must remember to undo one step is
    /// a fraction of what it would be for the whole group.
    pub(super) async fn reserve(
        &self,
        wanted: &[(ReferenceKey, Place)],
    ) -> Result<Vec<Conflict>, LedgerError> {
        let slices = wanted.len().div_ceil(SLICE_ROWS).clamp(1, 256);
        let mut sliced = vec![(Vec::new(), Vec::new()); slices];
        for (index, (key, place)) in wanted.iter().enumerate() {
            // Equal keys meet in one slice, in their order: of two rows the first wins.
            let (indices, pairs) = &mut sliced[usize::from(key.0[0]) * slices / 256];
            indices.push(index);
            pairs.push((*key, *place));
        }
        let reserved = sliced.iter().map(|(indices, pairs)| async move {
            let mut conflicts = ledger::intake::reserve(&*self.ledger, pairs).await?;
            conflicts.iter_mut().for_each(|conflict| conflict.index = indices[conflict.index]);
            Ok::<_, LedgerError>(conflicts)
        });
        let mut conflicts = futures::future::try_join_all(reserved).await?.concat();
        conflicts.sort_unstable_by_key(|conflict| conflict.index);
        Ok(conflicts)
    }

    async fn move_up(
        &self,
        rows: &[Good],
        spots: &[Spot],
        tentative: &[Place],
    ) -> Result<(), IntakeError> {
        let moved = rows.iter().zip(spots).zip(tentative).filter_map(|(((c, _), spot), from)| {
            let to = self.at(*spot);
            (to != *from).then_some((c.key, *from, to))
        });
        let moves: Vec<_> = moved.collect();
        futures::stream::iter(moves)
            .map(|(key, from, to)| async move {
                match self.ledger.take_over(key, from, to).await? {
                    true => Ok(()),
                    // Somebody took it over from us: our batch was rejected.
                    false => Err(IntakeError::Overtaken { batch: self.batch }),
                }
            })
            .buffer_unordered(MOVES_AT_ONCE)
            .try_collect()
            .await
    }

    async fn put(&mut self, row: Packed, spot: Spot) -> Result<(), IntakeError> {
        add(&mut self.totals, &row);
        add(self.lanes.entry(row.way.lane).or_default(), &row);
        add_all(&mut self.may_come, &row);
        self.largest.see(&row);
        let building = self.building.entry(spot.no).or_insert_with(|| Building {
            no: spot.no,
            way: row.way,
            first_ordinal: row.ordinal,
            rows: Vec::new(),
        });
        building.rows.push(row.row);
        if spot.closes
            && let Some(full) = self.building.remove(&spot.no)
        {
            self.packing.send(full).await?;
        }
        Ok(())
    }
}

/// Rows per lane, by name.
pub fn rows_per_lane(rules: &Rules, lanes: &BTreeMap<usize, Totals>) -> Vec<(LaneName, u64)> {
    lanes.iter().map(|(at, totals)| (rules.lanes[*at].name.clone(), totals.rows())).collect()
}

/// Adds a row to the totals of all lanes that may have to pay it.
pub fn add_all(may_come: &mut BTreeMap<usize, Totals>, row: &Packed) {
    row.way.lanes().for_each(|lane| add(may_come.entry(lane).or_default(), row));
}

/// Adds a row to totals.
pub fn add(totals: &mut Totals, row: &Packed) {
    let code = row.currency.code();
    // A code is looked up before it is copied: this runs once per row.
    if !totals.0.contains_key(code) {
        let exponent = row.currency.exponent();
        totals.0.insert(code.to_owned(), CurrencyTotal { exponent, ..CurrencyTotal::default() });
    }
    if let Some(total) = totals.0.get_mut(code) {
        total.rows += 1;
        total.minor += row.minor;
    }
}
