//! The ledger in memory. Live changes and the reading back at start go through the same three
//! functions, `imported`, `confirmed` and `settled`, so that a restart cannot come to another
//! picture.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::currency::Currency;
use super::record::{Batch, Entry, Import, State};

/// A line of the ledger's file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Record<'a> {
    Imported(Cow<'a, Import>),
    Confirmed { batch: usize, at_ms: u64 },
    Settled { seq: usize, at_ms: u64, is_paid: bool },
}

/// What is in one account.
#[derive(Debug, Clone, Copy)]
pub(super) struct Money {
    /// All that was not paid out yet.
    pub(super) balance: Decimal,
    /// Promised to pending records.
    pub(super) hold: Decimal,
}

/// Counts that are cheaper to keep than to count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) accepted: u64,
    pub(super) paid: u64,
    pub(super) pending: u64,
    /// Numbers accepted more than once.
    pub(super) duplicates: u64,
}

pub(super) struct Picture {
    batches: Vec<Batch>,
    /// In the order of acceptance; `Entry::seq` is the index.
    entries: Vec<Entry>,
    by_batch_id: HashMap<Box<str>, usize>,
    /// All entries under each of the client's numbers.
    by_number: HashMap<Box<str>, Vec<usize>>,
    money: BTreeMap<Currency, Money>,
    pub(super) totals: Totals,
}

impl Picture {
    pub(super) fn new(balance: Decimal) -> Self {
        let money = Money { balance, hold: Decimal::ZERO };
        Self {
            batches: Vec::new(),
            entries: Vec::new(),
            by_batch_id: HashMap::new(),
            by_number: HashMap::new(),
            money: Currency::ALL.into_iter().map(|currency| (currency, money)).collect(),
            totals: Totals::default(),
        }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn batch(&self, place: usize) -> Option<&Batch> {
        self.batches.get(place)
    }

    pub(super) fn batch_place(&self, id: &str) -> Option<usize> {
        self.by_batch_id.get(id).copied()
    }

    /// The places of all entries under a number, oldest first.
    pub(super) fn under(&self, number: &str) -> &[usize] {
        self.by_number.get(number).map_or(&[], Vec::as_slice)
    }

    pub(super) fn money(&self, currency: Currency) -> Money {
        let nothing = Money { balance: Decimal::ZERO, hold: Decimal::ZERO };
        self.money.get(&currency).copied().unwrap_or(nothing)
    }

    /// Replays one record; `None` if it cannot follow what came before it.
    pub(super) fn replay(&mut self, record: Record<'_>) -> Option<()> {
        match record {
            Record::Imported(import) => {
                self.imported(import.into_owned());
                Some(())
            }
            Record::Confirmed { batch, at_ms } => self.confirmed(batch, at_ms),
            Record::Settled { seq, at_ms, is_paid } => self.settled(seq, at_ms, is_paid),
        }
    }

    /// Promises to pay each record that was not rejected; returns the batch's place.
    pub(super) fn imported(&mut self, import: Import) -> usize {
        let import = Arc::new(import);
        let batch = self.batches.len();
        let mut entries = Vec::with_capacity(import.lines.len());
        for (index, line) in import.lines.iter().enumerate() {
            let seq = self.entries.len();
            entries.push(line.rejected.is_none().then_some(seq));
            if line.rejected.is_some() {
                continue;
            }
            let under = self.by_number.entry(line.number.clone()).or_default();
            under.push(seq);
            if under.len() == 2 {
                self.totals.duplicates += 1;
            }
            if let Some(money) = self.money.get_mut(&line.currency) {
                money.hold += line.amount + line.fee;
            }
            self.totals.accepted += 1;
            self.totals.pending += 1;
            self.entries.push(Entry {
                seq,
                batch,
                import: Arc::clone(&import),
                line: index,
                state: State::Pending,
                updated_ms: import.at_ms,
            });
        }
        let started_ms = (!import.waits).then_some(import.at_ms);
        self.by_batch_id.insert(import.id.clone(), batch);
        self.batches.push(Batch { import, entries, started_ms });
        batch
    }

    /// Starts a batch that waited; `None`, and nothing changes, if it does not wait.
    pub(super) fn confirmed(&mut self, batch: usize, at_ms: u64) -> Option<()> {
        let batch = self.batches.get_mut(batch).filter(|batch| batch.started_ms.is_none())?;
        batch.started_ms = Some(at_ms);
        Some(())
    }

    /// Makes a pending record final; `None`, and nothing changes, if it is not pending.
    pub(super) fn settled(&mut self, seq: usize, at_ms: u64, is_paid: bool) -> Option<()> {
        let entry = self.entries.get_mut(seq).filter(|entry| entry.state == State::Pending)?;
        entry.state = if is_paid { State::Paid } else { State::Declined };
        entry.updated_ms = at_ms;
        self.totals.pending -= 1;
        let line = entry.import.lines.get(entry.line)?;
        let (cost, money) = (line.amount + line.fee, self.money.get_mut(&line.currency)?);
        money.hold -= cost;
        if is_paid {
            self.totals.paid += 1;
            money.balance -= cost;
        }
        Some(())
    }
}
