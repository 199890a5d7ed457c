//! Compare-and-set on a chunk's packed payouts: a row is written only over exactly what was
//! read of it, and the counters move with it.

use crate::api::LedgerError;
use crate::rules::batch::BatchRecord;
use crate::rules::schedule::Schedule;
use crate::types::{Change, Guard, Note};
use domain::payout::PACKED_LEN;
use domain::{BatchState, Millis, Payout};

/// What a write did.
#[derive(Debug, Default)]
pub struct Effect {
    /// Rows that changed meanwhile, as they stand.
    pub conflicts: Vec<(u16, Payout)>,
    /// What is to be kept beside the rows that were written.
    pub notes: Vec<(u16, Note)>,
    /// A payout changed: slots, batch and schedule are to be stored.
    pub changed: bool,
}

/// Whether the guard holds. Nothing of a batch that was not sealed is ever written.
pub fn holds(guard: Guard, batch: &BatchRecord, schedule: &Schedule, now: Millis) -> bool {
    let state = batch.batch.state;
    state.was_sealed()
        && match guard {
            Guard::Intent(token) => {
                schedule.is_held_by(token, now)
                    && state == BatchState::Active
                    && !batch.batch.terms.waits(now)
            }
            Guard::Held(token) => schedule.is_held_by(token, now),
            Guard::Fact => true,
        }
}

/// Applies changes to a chunk's slots. On an error the caller throws all of it away.
pub fn write(
    slots: &mut [u8],
    batch: &mut BatchRecord,
    schedule: &mut Schedule,
    guard: Guard,
    changes: Vec<Change>,
) -> Result<Effect, LedgerError> {
    let mut effect = Effect::default();
    for change in changes {
        let slot = slot(slots, change.row)?;
        let stands = unpack(slot)?;
        if *slot != change.from.pack() {
            effect.conflicts.push((change.row, stands));
            continue;
        }
        effect.notes.extend(change.notes.into_iter().map(|note| (change.row, note)));
        let packed = change.to.pack();
        if *slot == packed {
            continue;
        }
        *slot = packed;
        effect.changed = true;
        batch.batch.counts.shift(stands.state, change.to.state);
        batch.batch.changes += 1;
        batch.ever_sent |= change.to.was_ever_sent();
        if guard == Guard::Fact {
            schedule.wake_at(change.to.due);
        }
    }
    if effect.changed {
        batch.settle_state();
    }
    Ok(effect)
}

fn slot(slots: &mut [u8], row: u16) -> Result<&mut [u8; PACKED_LEN], LedgerError> {
    let (slots, _) = slots.as_chunks_mut::<PACKED_LEN>();
    let no_row = || LedgerError::Broken(format!("a chunk has no row {row}"));
    slots.get_mut(usize::from(row)).ok_or_else(no_row)
}

fn unpack(slot: &[u8]) -> Result<Payout, LedgerError> {
    let damaged = || LedgerError::Broken("a stored payout cannot be unpacked".to_owned());
    Payout::unpack(slot).ok_or_else(damaged)
}

/// A chunk's payouts from their packed form.
pub fn unpack_all(slots: &[u8]) -> Result<Vec<Payout>, LedgerError> {
    slots.chunks(PACKED_LEN).map(unpack).collect()
}

/// The packed form of a chunk that was just taken in.
pub fn fresh(rows: u16, now: Millis, give_up_at: Millis) -> Result<Vec<u8>, LedgerError> {
    if !(1..=domain::ChunkId::MAX_ROWS).contains(&rows) {
        return Err(LedgerError::Broken(format!("a chunk cannot have {rows} rows")));
    }
    Ok(Payout::new(now, give_up_at).pack().repeat(usize::from(rows)))
}
