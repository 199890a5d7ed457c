//! Where this process sends from (S12): a home in the state directory, a number in the ledger, and
//! the journal that its intents stand in (S18).

use config::WorkerConfig;
use domain::Sender;
use journal::read::ReadError;
use journal::slots::highest_number;
use journal::{FileJournal, Slot, SlotError};
use ledger::senders::{EnlistError, Home, enlist};
use ledger::{Ledger, LedgerError};
use std::fs;
use std::path::{Path, PathBuf, absolute};

/// Why this process may not send.
#[derive(Debug, thiserror::Error)]
pub enum BerthError {
    /// The state directory.
    #[error(transparent)]
    Slot(#[from] SlotError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] ReadError),
    /// The ledger gave no number.
    #[error(transparent)]
    Enlist(#[from] EnlistError),
}

/// A home that this process holds for life.
pub struct Berth {
    slot: Slot,
    /// The state directory.
    pub state: PathBuf,
    /// As the ledger knows it.
    pub home: Home,
    /// The number of this life.
    pub number: Sender,
}

impl Berth {
    /// Takes a home, and a number that no process of this machine ever had.
    pub async fn take(config: &WorkerConfig, ledger: &dyn Ledger) -> Result<Berth, BerthError> {
        let slot = Slot::take(&config.state)?;
        let home = Home {
            id: slot.home().id.clone(),
            path: shown(&slot.home().path),
            host: line("/proc/sys/kernel/hostname"),
            machine: line("/etc/machine-id"),
            boot: line("/proc/sys/kernel/random/boot_id"),
        };
        let number = enlist(ledger, &home, highest_number(&config.state)?).await?;
        slot.keep_number(number)?;
        Ok(Berth { slot, state: config.state.clone(), home, number })
    }

    /// The journal of this home.
    pub fn journal(&self) -> Result<FileJournal, BerthError> {
        Ok(FileJournal::open(self.slot.home())?)
    }

    /// Says that this process sends no more: nobody waits for it.
    pub async fn leave(&self, ledger: &dyn Ledger) -> Result<(), LedgerError> {
        let us = |record: &ledger::senders::SenderRecord| {
            record.number == self.number && record.home.id == self.home.id
        };
        ledger::senders::declare_gone(ledger, "it stopped in order", us).await.map(drop)
    }
}

fn shown(path: &Path) -> String {
    absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// What a file of the system says; empty where there is none.
fn line(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}
