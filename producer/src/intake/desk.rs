//! Groups of rows are reserved and placed. The protocol, and why it holds:
//!
//! 1. The group is placed tentatively, from where the group before it ended.
//! 2. All its references are reserved for those places in one call. Usually all are free, and
//!    then each reservation names exactly where its row lies.
//! 3. Where some are held (by another batch, or by an earlier row of this file), their rows are
//!    taken out and the rest is placed again from the same beginning. Rows behind a gap move up:
//!    their reservations are moved from the tentative place to the final one by compare-and-set.
//!    The batch is `receiving`, so neither place ever had or will have an intent before the seal.
//! 4. Only then rows go into chunks, and full chunks to the writing task.
//!
//! A crash anywhere leaves a batch that nobody seals; its references are taken over lazily.

use super::IntakeError;
use super::packing::{Building, Packing};
use super::places::{Places, Spot};
use super::source::{BadRow, Cells, Item};
use crate::rules::reader::Candidate;
use crate::rules::problem::shown;
use crate::rules::{Problem, Rules};
use domain::batch::Totals;
use domain::{Batch, BatchId, BatchState, ChunkId, LaneName, Place};
use futures::{StreamExt, TryStreamExt};
use ledger::intake::Conflict;
use ledger::{Ledger, LedgerError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of a group, and bytes of text at which it is full earlier.
pub const GROUP_ROWS: usize = 8_000;
const GROUP_BYTES: usize = 8 << 20;

/// Reservations that are moved at once; they share the ledger's commits.
const MOVES_AT_ONCE: usize = 512;

/// Whether there is enough for a group.
pub fn is_group(items: &[Item]) -> bool {
    items.len() >= GROUP_ROWS || items.iter().map(Item::bytes).sum::<usize>() >= GROUP_BYTES
}

/// A good row and its fields.
type Good = (Candidate, Cells);

/// Reserves, places and hands over.
pub struct Desk {
    ledger: Arc<dyn Ledger>,
    rules: Arc<Rules>,
    batch: BatchId,
    places: Places,
    building: BTreeMap<u16, Building>,
    packing: Packing,
    totals: Totals,
    lanes: BTreeMap<usize, u64>,
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
                Item::Good(candidate, cells) => good.push((candidate, cells)),
                Item::Bad(row) => bad.push(*row),
            }
        }
        let before = self.places.clone();
        let mut spots = self.place_all(&good)?;
        let wanted: Vec<_> =
            good.iter().zip(&spots).map(|((c, _), spot)| (c.key, self.at(*spot))).collect();
        let conflicts = ledger::intake::reserve(&*self.ledger, &wanted).await?;
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
                    Some(words) => bad.push(refused(row, column, words)),
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
        for ((candidate, _), spot) in good.into_iter().zip(spots) {
            self.put(candidate, spot).await?;
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
        let name = |(lane, rows): (usize, u64)| (self.rules.lanes[lane].name.clone(), rows);
        Ok(Written {
            totals: self.totals,
            chunks: self.places.chunks(),
            lanes: self.lanes.into_iter().map(name).collect(),
        })
    }

    fn at(&self, spot: Spot) -> Place {
        Place { chunk: ChunkId { batch: self.batch, no: spot.no }, row: spot.row }
    }

    fn place_all(&mut self, rows: &[Good]) -> Result<Vec<Spot>, IntakeError> {
        let next = |(c, _): &Good| self.places.next(c.lane, c.bytes).ok_or(IntakeError::TooLarge);
        rows.iter().map(next).collect()
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

    async fn put(&mut self, candidate: Candidate, spot: Spot) -> Result<(), IntakeError> {
        self.totals.add(&candidate.row.money);
        *self.lanes.entry(candidate.lane).or_default() += 1;
        let building = self
            .building
            .entry(spot.no)
            .or_insert_with(|| Building { no: spot.no, lane: candidate.lane, rows: Vec::new() });
        building.rows.push(candidate.row);
        if spot.closes
            && let Some(full) = self.building.remove(&spot.no)
        {
            self.packing.send(full).await?;
        }
        Ok(())
    }

    /// For references that an earlier row of this file holds: the line of that row.
    async fn first_lines(
        &mut self,
        conflicts: &[Conflict],
        group: &[Good],
        wanted: &[(domain::ReferenceKey, Place)],
    ) -> Result<Vec<Option<u32>>, IntakeError> {
        let in_group: BTreeMap<Place, u32> =
            wanted.iter().zip(group).map(|((_, place), (c, _))| (*place, c.row.line)).collect();
        let mut lines = Vec::with_capacity(conflicts.len());
        let mut is_drained = false;
        for conflict in conflicts {
            let by = conflict.by;
            let ours = by.chunk.batch == self.batch;
            // A row of this group stands at its tentative place; one before it lies where it is
            // named. Both cannot be: the group's places begin where the ones before end.
            let near = in_group.get(&by).copied().or_else(|| self.line_in_building(by));
            lines.push(match (ours, near) {
                (false, _) => None,
                (true, Some(line)) => Some(line),
                (true, None) => {
                    if !is_drained {
                        self.packing.drain().await?;
                        is_drained = true;
                    }
                    self.line_in_ledger(by).await?
                }
            });
        }
        Ok(lines)
    }

    fn line_in_building(&self, place: Place) -> Option<u32> {
        let rows = &self.building.get(&place.chunk.no)?.rows;
        rows.get(usize::from(place.row)).map(|row| row.line)
    }

    async fn line_in_ledger(&self, place: Place) -> Result<Option<u32>, LedgerError> {
        let block = ledger::rows::block_of(place.row);
        let blocks = self.ledger.blocks(place.chunk, block, block).await?;
        let Some(block) = blocks.first() else { return Ok(None) };
        let rows = ledger::rows::decode(block)?;
        let row = rows.get(usize::from(place.row % ledger::rows::BLOCK_ROWS));
        Ok(row.map(|row| row.line))
    }

    fn words(&self, conflict: &Conflict, first_line: Option<u32>) -> String {
        if conflict.by.chunk.batch != self.batch {
            return held_by(&conflict.batch);
        }
        match first_line {
            Some(line) => {
                format!("the same reference stands in line {line}; every row needs its own")
            }
            None => "the same reference stands in an earlier line; every row needs its own".into(),
        }
    }
}

/// Who holds a reference, for people.
pub fn held_by(batch: &Batch) -> String {
    let Batch { id, name, state, .. } = batch;
    if *state == BatchState::Receiving {
        return format!(
            "batch {id} (\"{name}\") holds this reference and is being taken in at this moment"
        );
    }
    format!(
        "batch {id} (\"{name}\", {state}) holds this reference; a reference is paid once, so take \
         the row out or give it a new one"
    )
}

/// A good row whose reference is held.
pub fn refused((candidate, cells): Good, column: &str, text: String) -> BadRow {
    let row = candidate.row;
    let value = shown(row.reference.as_str());
    let problem = Problem { line: row.line, column: column.to_owned(), value, text };
    BadRow { ordinal: row.ordinal, line: row.line, problems: vec![problem], cells }
}
