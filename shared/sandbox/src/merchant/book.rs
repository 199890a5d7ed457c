//! The gateway's ledger: **nothing is visible before it is written**, and nothing written is lost.
//!
//! One lock (around the book) guards the file and the picture of it in memory. Each change is
//! written first and made second, inside that lock: what a client was ever told stands in the file.
//! Only acknowledgements of callbacks lag behind; losing one repeats a callback.

use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::check::Checked;
use super::order::{Notified, Order, Payout, Status};
use super::picture::{Money, Picture, Record, Totals};
use crate::journal::Journal;

pub(super) struct Book {
    journal: Journal,
    picture: Picture,
}

/// An amount in USDT.
#[derive(Debug, Clone, Copy)]
pub(super) struct Price {
    pub(super) usdt: Decimal,
    pub(super) spent: Decimal,
    pub(super) rate: Decimal,
}

/// An order that may be accepted, and its line in the file: made outside the book's lock.
pub(super) struct Draft {
    order: Order,
    line: Vec<u8>,
}

impl Draft {
    pub(super) fn new(checked: &Checked<'_>, price: Price, at_ms: u64) -> io::Result<Self> {
        let order = Order {
            seq: 0,
            created_ms: at_ms,
            order_id: checked.order_id.into(),
            method: checked.method,
            fiat: checked.fiat,
            currency: checked.currency.into(),
            requisite: checked.requisite.into(),
            bank_name: checked.bank_name.into(),
            full_name: checked.full_name.into(),
            success_url: checked.success_url.into(),
            error_url: checked.error_url.into(),
            usdt: price.usdt,
            spent: price.spent,
            rate: price.rate,
        };
        let mut line = Vec::with_capacity(512);
        write_line(&mut line, &Record::Accepted(Cow::Borrowed(&order)))?;
        Ok(Self { order, line })
    }
}

/// Why an order was not accepted; nothing was paid.
#[derive(Debug, thiserror::Error)]
pub(super) enum AcceptError {
    #[error("low balance")]
    LowBalance,
    #[error("order with this order_id already exists")]
    Repeated,
    #[error("the ledger could not be written: {0}")]
    Write(#[from] io::Error),
}

impl Book {
    /// Reads the ledger back, or starts one with `balance`.
    pub(super) fn open(path: &Path, balance: Decimal) -> io::Result<Self> {
        let mut picture = Picture::new(balance);
        let journal = Journal::open(path, |line| {
            let record = serde_json::from_slice(line).map_err(|error| damaged(line, &error))?;
            picture.replay(record).ok_or_else(|| damaged(line, &"out of order"))
        })?;
        Ok(Self { journal, picture })
    }

    /// Promises to pay. A crash before it returns leaves no answer and maybe an entry; a crash
    /// after it leaves the entry.
    pub(super) fn accept(
        &mut self,
        draft: Draft,
        refuse_repeated: bool,
    ) -> Result<Arc<Order>, AcceptError> {
        let Draft { order, line } = draft;
        if refuse_repeated && self.picture.newest(&order.order_id).is_some() {
            return Err(AcceptError::Repeated);
        }
        if order.spent > self.picture.money.available() {
            return Err(AcceptError::LowBalance);
        }
        self.journal.append(&line)?;
        Ok(self.picture.accepted(order))
    }

    /// Makes those of the payouts final that are pending, in one write, and returns them.
    pub(super) fn settle(
        &mut self,
        outcomes: &[(usize, Status)],
        at_ms: u64,
    ) -> io::Result<Vec<usize>> {
        let mut lines = Vec::new();
        let mut pending: Vec<(usize, Status)> = Vec::new();
        for &(seq, status) in outcomes {
            let is_pending = self.get(seq).is_some_and(|p| p.status == Status::Expectation);
            if is_pending {
                write_line(&mut lines, &Record::Settled { seq, at_ms, status })?;
                pending.push((seq, status));
            }
        }
        self.journal.append(&lines)?;
        let made = pending
            .into_iter()
            .filter(|(seq, status)| self.picture.settled(*seq, at_ms, *status).is_some());
        Ok(made.map(|(seq, _)| seq).collect())
    }

    /// Notes that nobody needs to be called back for a payout any more.
    pub(super) fn notified(&mut self, seq: usize, notified: Notified) -> io::Result<()> {
        if self.get(seq).is_none_or(|payout| payout.notified != Notified::Owed) {
            return Ok(());
        }
        let mut line = Vec::new();
        write_line(&mut line, &Record::Notified { seq, notified })?;
        self.journal.append_later(&line)?;
        self.picture.notified(seq, notified);
        Ok(())
    }

    /// Writes the acknowledgements that lag behind.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.journal.flush()
    }

    pub(super) fn get(&self, seq: usize) -> Option<&Payout> {
        self.picture.payouts().get(seq)
    }

    /// The newest payout under an order id.
    pub(super) fn newest(&self, order_id: &str) -> Option<&Payout> {
        self.picture.newest(order_id)
    }

    /// From `seq` on, in the order of acceptance.
    pub(super) fn from(&self, seq: usize) -> &[Payout] {
        self.picture.payouts().get(seq..).unwrap_or_default()
    }

    pub(super) fn money(&self) -> Money {
        self.picture.money
    }

    pub(super) fn totals(&self) -> Totals {
        self.picture.totals
    }
}

fn write_line(lines: &mut Vec<u8>, record: &Record<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *lines, record)?;
    lines.push(b'\n');
    Ok(())
}

fn damaged(line: &[u8], why: &dyn std::fmt::Display) -> io::Error {
    let text = format!("a record of the ledger ({why}): {}", String::from_utf8_lossy(line));
    io::Error::new(io::ErrorKind::InvalidData, text)
}
