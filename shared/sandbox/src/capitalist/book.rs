//! The ledger of Capitalist: **nothing is visible before it is written**, and nothing written is
//! lost.
//!
//! One lock (around the book) guards the file and the picture of it in memory. Each change is
//! written first and made second, inside that lock: what a client was ever told stands in the file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use rust_decimal::Decimal;

use super::picture::{Picture, Record};
use super::record::{Import, State};
use crate::journal::Journal;

pub(super) struct Book {
    journal: Journal,
    picture: Picture,
}

/// Why a batch was not taken; nothing was promised.
#[derive(Debug, thiserror::Error)]
pub(super) enum ImportError {
    #[error("insufficient funds")]
    Funds,
    #[error("the ledger could not be written: {0}")]
    Write(#[from] io::Error),
}

impl Book {
    /// Reads the ledger back, or starts one with `balance` in each account.
    pub(super) fn open(path: &Path, balance: Decimal) -> io::Result<Self> {
        let mut picture = Picture::new(balance);
        let mut place = 0u64;
        let journal = Journal::open(path, |line| {
            place += 1;
            let record = serde_json::from_slice(line).map_err(|error| damaged(place, &error))?;
            picture.replay(record).ok_or_else(|| damaged(place, &"out of order"))
        })?;
        Ok(Self { journal, picture })
    }

    pub(super) fn picture(&self) -> &Picture {
        &self.picture
    }

    /// Takes a batch, whole, and returns its place. A crash before it returns leaves no answer and
    /// maybe a batch; a crash after it leaves the batch.
    pub(super) fn import(&mut self, import: Import) -> Result<usize, ImportError> {
        let mut costs = BTreeMap::new();
        for line in import.lines.iter().filter(|line| line.rejected.is_none()) {
            *costs.entry(line.currency).or_insert(Decimal::ZERO) += line.amount + line.fee;
        }
        for (currency, cost) in costs {
            let money = self.picture.money(currency);
            if cost > money.balance - money.hold {
                return Err(ImportError::Funds);
            }
        }
        self.write(&[Record::Imported(Cow::Borrowed(&import))])?;
        Ok(self.picture.imported(import))
    }

    /// Starts a batch that waited for its code; false if it did not wait.
    pub(super) fn confirm(&mut self, batch: usize, at_ms: u64) -> io::Result<bool> {
        if self.picture.batch(batch).is_none_or(|batch| batch.started_ms.is_some()) {
            return Ok(false);
        }
        self.write(&[Record::Confirmed { batch, at_ms }])?;
        Ok(self.picture.confirmed(batch, at_ms).is_some())
    }

    /// Makes those of the records final that are pending, in one write; returns how many.
    pub(super) fn settle(&mut self, outcomes: &[(usize, bool)], at_ms: u64) -> io::Result<usize> {
        let is_pending =
            |seq: usize| self.picture.entries().get(seq).map(|e| e.state) == Some(State::Pending);
        let due: Vec<_> = outcomes.iter().copied().filter(|(seq, _)| is_pending(*seq)).collect();
        let record = |&(seq, is_paid): &(usize, bool)| Record::Settled { seq, at_ms, is_paid };
        self.write(&due.iter().map(record).collect::<Vec<_>>())?;
        let made = due.iter().filter_map(|(seq, paid)| self.picture.settled(*seq, at_ms, *paid));
        Ok(made.count())
    }

    fn write(&mut self, records: &[Record<'_>]) -> io::Result<()> {
        let mut lines = Vec::new();
        for record in records {
            serde_json::to_writer(&mut lines, record)?;
            lines.push(b'\n');
        }
        self.journal.append(&lines)
    }
}

/// Names the line, not its content: it holds card numbers.
fn damaged(place: u64, why: &dyn std::fmt::Display) -> io::Error {
    let text = format!("line {place} of the ledger: {why}");
    io::Error::new(io::ErrorKind::InvalidData, text)
}
