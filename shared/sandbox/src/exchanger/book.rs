//! The site's ledger: **nothing is visible before it is written**, and nothing written is lost.
//!
//! One lock (around the book) guards the file and the picture of it in memory. Each change is
//! written first and made second, inside that lock: what a client was ever told stands in the file.
//! Only what became of callbacks lags behind; losing it repeats a callback.

use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::bid::{Bid, Notified, Order, Status, Withdrawal};
use super::picture::{Picture, Record};
use crate::journal::Journal;

pub(super) struct Book {
    journal: Journal,
    picture: Picture,
}

/// Why an order was not accepted.
#[derive(Debug, thiserror::Error)]
pub(super) enum CreateError {
    #[error("the api id is not unique")]
    NotUnique,
    #[error("the ledger could not be written: {0}")]
    Write(#[from] io::Error),
}

impl Book {
    /// Reads the ledger back, or starts one.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut picture = Picture::default();
        let mut line_number = 0;
        let journal = Journal::open(path, |line| {
            line_number += 1;
            // The line itself holds account numbers: it is named and not shown.
            let record = serde_json::from_slice(line).map_err(|_| damaged(line_number))?;
            picture.replay(record).ok_or_else(|| damaged(line_number))
        })?;
        Ok(Self { journal, picture })
    }

    /// Accepts an order. A crash before it returns leaves no answer and maybe an order; a crash
    /// after it leaves the order. `may_repeat` takes an id that must be unique a second time.
    pub(super) fn create(
        &mut self,
        order: Order,
        may_repeat: bool,
    ) -> Result<Arc<Order>, CreateError> {
        if !may_repeat && self.picture.is_taken(&order.api_id) {
            return Err(CreateError::NotUnique);
        }
        self.journal.append(&line(&Record::Created(Cow::Borrowed(&order)))?)?;
        Ok(self.picture.created(order))
    }

    /// Changes the status of an order that stands at one of `from`; returns which change of the
    /// order it is. A crash before it returns may leave the change, and its callback owed.
    pub(super) fn change(
        &mut self,
        seq: usize,
        from: &[Status],
        status: Status,
        at_ms: u64,
    ) -> io::Result<Option<usize>> {
        if !self.get(seq).is_some_and(|bid| from.contains(&bid.status())) {
            return Ok(None);
        }
        self.journal.append(&line(&Record::Changed { seq, at_ms, status })?)?;
        Ok(self.picture.changed(seq, at_ms, status))
    }

    /// Notes money for an order that did not wait for any.
    pub(super) fn overpaid(&mut self, seq: usize, at_ms: u64) -> io::Result<()> {
        self.journal.append(&line(&Record::Overpaid { seq, at_ms })?)?;
        self.picture.overpaid(seq);
        Ok(())
    }

    /// Notes that nobody needs to be told of a change any more.
    pub(super) fn notified(&mut self, seq: usize, change: usize, now: Notified) -> io::Result<()> {
        let stands = self.get(seq).and_then(|bid| bid.changes.get(change));
        if stands.is_none_or(|change| change.notified != Notified::Owed) {
            return Ok(());
        }
        self.journal.append_later(&line(&Record::Notified { seq, change, notified: now })?)?;
        self.picture.notified(seq, change, now);
        Ok(())
    }

    /// Takes the partner's balance; returns the withdrawal's place.
    pub(super) fn withdraw(&mut self, withdrawal: Withdrawal) -> io::Result<usize> {
        self.journal.append(&line(&Record::Withdrawn(Cow::Borrowed(&withdrawal)))?)?;
        self.picture.withdrawals.push(withdrawal);
        Ok(self.picture.withdrawals.len() - 1)
    }

    /// Pays a withdrawal that is pending.
    pub(super) fn pay_withdrawal(&mut self, place: usize) -> io::Result<()> {
        if self.withdrawals().get(place).is_none_or(|withdrawal| withdrawal.is_paid) {
            return Ok(());
        }
        let record = Record::WithdrawalPaid { place };
        self.journal.append(&line(&record)?)?;
        self.picture.replay(record);
        Ok(())
    }

    /// Writes what lags behind.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.journal.flush()
    }

    pub(super) fn get(&self, seq: usize) -> Option<&Bid> {
        self.picture.bids.get(seq)
    }

    /// In the order of creation.
    pub(super) fn bids(&self) -> &[Bid] {
        &self.picture.bids
    }

    /// The orders behind the ledger's entries from `from` on.
    pub(super) fn entries(&self, from: usize) -> impl Iterator<Item = &Bid> {
        let seqs = self.picture.entries.get(from..).unwrap_or_default();
        seqs.iter().filter_map(|seq| self.get(*seq))
    }

    pub(super) fn picture(&self) -> &Picture {
        &self.picture
    }

    pub(super) fn withdrawals(&self) -> &[Withdrawal] {
        &self.picture.withdrawals
    }

    /// USD that the partner took out.
    pub(super) fn withdrawn(&self) -> Decimal {
        self.picture.withdrawn()
    }
}

fn line(record: &Record<'_>) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    Ok(line)
}

fn damaged(line_number: u64) -> io::Error {
    let text = format!("record {line_number} of the ledger is damaged or out of order");
    io::Error::new(io::ErrorKind::InvalidData, text)
}
