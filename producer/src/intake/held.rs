//! References that are not free: who gives way to whom, and by whom they are held, told so that a
//! person finds the row.
//!
//! Two files with the same references may be taken in at one moment, and each may get hold of a
//! part. Were both refused, nobody would be paid. So the younger batch is refused, and the older
//! one waits for that ([`YIELDS_WITHIN`]). Only younger ones are waited for, so never in a circle.

use super::IntakeError;
use super::desk::{Desk, Good};
use super::source::BadRow;
use crate::rules::Problem;
use crate::rules::problem::shown;
use domain::{Batch, BatchId, BatchState, Place, ReferenceKey};
use ledger::LedgerError;
use ledger::intake::Conflict;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long an older intake waits for a younger one that holds its references to be refused: it
/// reads its file to the end before. Well within our own intake lease, which is not renewed here.
const YIELDS_WITHIN: Duration = Duration::from_millis(super::INTAKE_LEASE_MS / 3 * 2);

/// Between two looks at whether it was.
const LOOK: Duration = Duration::from_millis(20);

impl Desk {
    /// Reserves, and waits for younger intakes to give way.
    pub(super) async fn reserve_from_younger(
        &self,
        wanted: &[(ReferenceKey, Place)],
    ) -> Result<Vec<Conflict>, LedgerError> {
        let begun = Instant::now();
        let mut conflicts = self.reserve(wanted).await?;
        while begun.elapsed() < YIELDS_WITHIN {
            let (yielding, mut standing): (Vec<_>, Vec<_>) =
                conflicts.into_iter().partition(|conflict| self.yields_to_us(conflict));
            if yielding.is_empty() {
                return Ok(standing);
            }
            tokio::time::sleep(LOOK).await;
            let again: Vec<_> = yielding.iter().map(|conflict| wanted[conflict.index]).collect();
            let still = self.reserve(&again).await?.into_iter();
            standing.extend(still.map(|c| Conflict { index: yielding[c.index].index, ..c }));
            standing.sort_unstable_by_key(|conflict| conflict.index);
            conflicts = standing;
        }
        Ok(conflicts)
    }

    /// It began after us and is not sealed: it finds our references held, and is refused.
    fn yields_to_us(&self, conflict: &Conflict) -> bool {
        let yields = |b: &Batch| b.state == BatchState::Receiving && b.id > self.batch;
        conflict.batch.as_ref().is_some_and(yields)
    }

    /// For references that an earlier row of this file holds: the line of that row.
    pub(super) async fn first_lines(
        &mut self,
        conflicts: &[Conflict],
        group: &[Good],
        wanted: &[(ReferenceKey, Place)],
    ) -> Result<Vec<Option<u32>>, IntakeError> {
        let in_group: BTreeMap<Place, u32> =
            wanted.iter().zip(group).map(|((_, place), (c, _))| (*place, c.line)).collect();
        let mut lines = Vec::with_capacity(conflicts.len());
        let mut is_drained = false;
        for conflict in conflicts {
            let by = conflict.by;
            let ours = by.chunk.batch == self.batch;
            // A row of this group stands at its tentative place; one before it lies where it is
            // named. Both cannot be: the group's places begin where the ones before end.
            let near = match in_group.get(&by) {
                Some(line) => Some(*line),
                None if ours => self.line_in_building(by)?,
                None => None,
            };
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

    fn line_in_building(&self, place: Place) -> Result<Option<u32>, LedgerError> {
        let building = self.building.get(&place.chunk.no);
        let row = building.and_then(|building| building.rows.get(usize::from(place.row)));
        row.map(|row| Ok(ledger::rows::unpack(row)?.line)).transpose()
    }

    async fn line_in_ledger(&self, place: Place) -> Result<Option<u32>, LedgerError> {
        let block = ledger::rows::block_of(place.row);
        let blocks = self.ledger.blocks(place.chunk, block, block).await?;
        let Some(block) = blocks.first() else { return Ok(None) };
        let rows = ledger::rows::decode(block)?;
        let row = rows.get(usize::from(place.row % ledger::rows::BLOCK_ROWS));
        Ok(row.map(|row| row.line))
    }

    pub(super) fn words(&self, conflict: &Conflict, first_line: Option<u32>) -> String {
        if conflict.by.chunk.batch != self.batch {
            return match &conflict.batch {
                Some(batch) => held_by(batch),
                None => held_by_lost(conflict.by.chunk.batch),
            };
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

/// A reference that a batch held when the ledger went back in time and lost it (S18).
pub fn held_by_lost(batch: BatchId) -> String {
    format!(
        "batch {batch}, which the ledger lost when it went back in time, has sent this reference; \
         look it up at the provider, and pay it under a new reference only if it was never paid"
    )
}

/// A good row whose reference is held.
pub fn refused((row, cells): Good, column: &str, text: String) -> Result<BadRow, LedgerError> {
    let value = shown(ledger::rows::unpack(&row.row)?.reference.as_str());
    let problem = Problem { line: row.line, column: column.to_owned(), value, text };
    let amount = Some((row.currency.clone(), row.minor));
    Ok(BadRow { ordinal: row.ordinal, line: row.line, problems: vec![problem], amount, cells })
}
