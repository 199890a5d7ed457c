//! Changing payouts: runs of neighbouring rows, so that a script compares and stores a run in
//! one command each, and looks at single rows only where a run is not as it was read.

use super::RedisLedger;
use super::keys::number;
use super::rebuild::Orders;
use super::scripts;
use super::values::{damaged, payout, take};
use crate::api::LedgerError;
use crate::notes;
use crate::types::{Change, Guard, Written};
use domain::payout::PACKED_LEN;
use domain::{ChunkId, Millis, Payout};
use redis::Value;

/// Bytes of a conflict in a script's answer: the row, and its slot as it stands.
const CONFLICT_BYTES: usize = 2 + PACKED_LEN;

impl RedisLedger {
    pub(super) async fn do_write(
        &self,
        chunk: ChunkId,
        guard: Guard,
        changes: Vec<Change>,
    ) -> Result<Written, LedgerError> {
        // Also what bounds the numbers in a packed write.
        if let Some(change) = changes.iter().find(|change| change.row >= ChunkId::MAX_ROWS) {
            return Err(LedgerError::Broken(format!("a chunk has no row {}", change.row)));
        }
        let packed = Packed::new(&changes);
        let mut call = scripts::WRITE.call(&[
            self.keys.meta(chunk.batch),
            self.keys.chunk(chunk),
            self.keys.slots(chunk),
            self.keys.notes(chunk),
            self.keys.due(chunk.batch),
        ]);
        match guard {
            Guard::Intent(token) => call.arg("I").arg(token.0),
            Guard::Held(token) => call.arg("H").arg(token.0),
            Guard::Fact => call.arg("F").arg(""),
        };
        call.arg(number(chunk.no));
        packed.add_to(&mut call);

        let answer = match guard {
            Guard::Intent(_) => {
                self.promise.holds(&self.link).await?;
                let answer = self.link.one_in(self.trusted(), call).await?;
                // A replica that came meanwhile was told behind the write itself.
                self.promise.holds(&self.link).await?;
                answer
            }
            Guard::Held(_) | Guard::Fact => self.link.one(call).await?,
        };
        let answer: Vec<Value> = take(answer, "a write")?;
        let mut answer = answer.into_iter();
        let mut next = || answer.next().ok_or_else(|| damaged("a write"));
        if take::<u8>(next()?, "a write")? == 0 {
            return Ok(Written::Refused);
        }
        let conflicts: Vec<u8> = take(next()?, "payouts")?;
        let awake: String = take(next()?, "a batch's lanes")?;
        if !awake.is_empty() {
            let priority: Option<String> = take(next()?, "a batch's priority")?;
            let orders = Orders::read(Some(&awake), priority.as_deref())?;
            self.join_lanes(chunk.batch, &orders).await;
        }
        conflicts.chunks(CONFLICT_BYTES).map(conflict).collect::<Result<_, _>>().map(Written::Done)
    }
}

fn conflict(bytes: &[u8]) -> Result<(u16, Payout), LedgerError> {
    let (row, slot) = bytes.split_first_chunk::<2>().ok_or_else(|| damaged("a payout"))?;
    Ok((u16::from_le_bytes(*row), payout(slot)?))
}

/// A write as the script wants it.
#[derive(Default)]
struct Packed {
    runs: Vec<Run>,
    last_row: u16,
    /// A row is changed twice: the second time over what the first left.
    repeats: bool,
    /// A payout has had an intent after this.
    sent: bool,
    notes: Vec<u8>,
    /// Whose they are, for the rows that are left out: index in the order of the runs, length.
    note_owners: Vec<u8>,
}

/// Neighbouring rows.
struct Run {
    first: u16,
    old: Vec<u8>,
    new: Vec<u8>,
    /// What it does to the counters, if all its rows are written.
    shifts: Vec<Shift>,
    /// The earliest due time of what is written.
    due: Millis,
}

/// So many rows go from one state's byte to another's.
struct Shift {
    from: u8,
    to: u8,
    rows: u16,
}

impl Packed {
    fn new(changes: &[Change]) -> Packed {
        let mut packed = Packed::default();
        let mut order: Vec<usize> = (0..changes.len()).collect();
        order.sort_by_key(|at| changes[*at].row);
        let mut before: Option<u16> = None;
        for at in &order {
            let change = &changes[*at];
            let (old, new) = (change.from.pack(), change.to.pack());
            let follows = before.is_some_and(|row| row.checked_add(1) == Some(change.row));
            packed.repeats |= before == Some(change.row);
            packed.sent |= change.to.was_ever_sent();
            before = Some(change.row);
            packed.last_row = change.row;
            match packed.runs.last_mut() {
                Some(run) if follows => run.push(&old, &new, change.to.due),
                _ => {
                    let mut run = Run::new(change.row);
                    run.push(&old, &new, change.to.due);
                    packed.runs.push(run);
                }
            }
        }
        packed.keep_notes(changes, &order);
        packed
    }

    /// Packs the notes in the order in which the caller gave them.
    fn keep_notes(&mut self, changes: &[Change], order: &[usize]) {
        let mut index_in_runs = vec![0; changes.len()];
        for (index, at) in (0u32..).zip(order) {
            index_in_runs[*at] = index;
        }
        for (change, index) in changes.iter().zip(index_in_runs) {
            let notes: Vec<_> = change.notes.iter().map(|n| (change.row, n.clone())).collect();
            let bytes = notes::encode(&notes);
            if let Ok(length @ 1..) = u32::try_from(bytes.len()) {
                self.note_owners.extend_from_slice(&index.to_le_bytes());
                self.note_owners.extend_from_slice(&length.to_le_bytes());
                self.notes.extend_from_slice(&bytes);
            }
        }
    }

    fn add_to(&self, call: &mut redis::Cmd) {
        let Some(first) = self.runs.first() else { return };
        let span = self.runs.len() > 1 && !self.repeats;
        call.arg(first.first).arg(self.last_row).arg(u8::from(span)).arg(u8::from(self.sent));
        call.arg(self.notes.as_slice()).arg(self.note_owners.as_slice());
        for run in &self.runs {
            call.arg(run.first).arg(run.old.as_slice()).arg(run.new.as_slice());
            call.arg(run.packed_shifts());
            match run.due {
                Millis::NEVER => call.arg(""),
                due => call.arg(due.0),
            };
        }
    }
}

impl Run {
    fn new(first: u16) -> Run {
        Run { first, old: Vec::new(), new: Vec::new(), shifts: Vec::new(), due: Millis::NEVER }
    }

    fn push(&mut self, old: &[u8; PACKED_LEN], new: &[u8; PACKED_LEN], due: Millis) {
        self.old.extend_from_slice(old);
        self.new.extend_from_slice(new);
        if old == new {
            return;
        }
        self.due = self.due.min(due);
        let (from, to) = (old[0], new[0]);
        match self.shifts.iter_mut().find(|shift| (shift.from, shift.to) == (from, to)) {
            Some(shift) => shift.rows += 1,
            None => self.shifts.push(Shift { from, to, rows: 1 }),
        }
    }

    fn packed_shifts(&self) -> Vec<u8> {
        let pack = |shift: &Shift| {
            let [low, high] = shift.rows.to_le_bytes();
            [shift.from, shift.to, low, high]
        };
        self.shifts.iter().flat_map(pack).collect()
    }
}
