//! The registers that hold keys, and the keys that this process remembers.

use super::Sealed;
use super::cipher::{self, DataKey, MasterKey};
use crate::api::{Ledger, LedgerError};
use crate::types::Register;
use domain::BatchId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Registers of data keys begin with it.
const PREFIX: &str = "key/";

/// Holds, sealed under the master key, the newest batch that was taken in before rows were
/// encrypted; sixteen zeros where there was none.
const CHECK: &str = "key/check";

/// What a register says whose key was destroyed, and then the date.
const DESTROYED: &str = "destroyed ";

/// Keys that are remembered; beyond them the oldest batch's goes and is read again where needed.
const REMEMBERED_MAX: usize = 1_024;

/// How long a key is remembered: what another process destroyed is unreadable here after that.
pub(super) const REMEMBERED_FOR: Duration = Duration::from_secs(600);

/// Whether a ledger's rows are encrypted, under whatever key.
pub async fn is_sealed(ledger: &dyn Ledger) -> Result<bool, LedgerError> {
    Ok(ledger.register(CHECK.to_owned()).await?.is_some())
}

/// Sees that the master key is this ledger's; the first process to come decides. Gives the newest
/// batch that may be without a key.
pub(super) async fn check(ledger: &dyn Ledger, master: &MasterKey) -> Result<BatchId, LedgerError> {
    if !is_sealed(ledger).await? {
        let newest = ledger.batches(None, 1).await?.first().map(|batch| batch.id);
        let newest = newest.map_or([0; 16], BatchId::to_bytes);
        let first = register(CHECK, 0, master.wrap(CHECK, &newest)?);
        ledger.put_register(first).await?;
    }
    let check = ledger.register(CHECK.to_owned()).await?;
    let newest = check.and_then(|check| master.unwrap(CHECK, &check.text));
    let newest = newest.and_then(|bytes| bytes.try_into().ok()).map(BatchId::from_bytes);
    let place = master.place();
    newest.ok_or_else(|| LedgerError::Broken(format!(
        "the rows of this ledger are encrypted under another key than that of {place}; copy the \
         key from a machine that works with this ledger (all need the same one)"
    )))
}

/// The register that holds a batch's data key.
pub(super) fn name_of(batch: BatchId) -> String {
    format!("{PREFIX}{batch}")
}

/// What such a register says.
pub(super) enum Told<'a> {
    /// A key, wrapped.
    Wrapped(&'a str),
    /// Destroyed on that day.
    Destroyed(&'a str),
}

pub(super) fn told(register: &Register) -> Told<'_> {
    match register.text.strip_prefix(DESTROYED) {
        Some(on) => Told::Destroyed(on),
        None => Told::Wrapped(&register.text),
    }
}

/// What the register says from that day on.
pub(super) fn destroyed(register: Register, on: &str) -> Register {
    Register { text: format!("{DESTROYED}{on}"), ..register }
}

pub(super) fn register(name: &str, version: u64, text: String) -> Register {
    Register { name: name.to_owned(), version, text }
}

/// A batch's key, for those who read.
#[derive(Clone)]
pub(super) enum BatchKey {
    Held(Arc<DataKey>),
    /// It has none: it was taken in before rows were encrypted.
    Never,
}

impl Sealed {
    /// The key to read a batch's rows with.
    pub(super) async fn key_to_read(&self, batch: BatchId) -> Result<BatchKey, LedgerError> {
        if let Some(key) = self.remembered.get(batch) {
            return Ok(key);
        }
        let Some(register) = self.inner.register(name_of(batch)).await? else {
            return if batch <= self.plain_up_to {
                Ok(BatchKey::Never)
            } else {
                Err(cipher::key_is_gone(batch))
            };
        };
        match told(&register) {
            Told::Wrapped(text) => self.unwrapped(batch, text).map(BatchKey::Held),
            Told::Destroyed(on) => Err(LedgerError::Destroyed { batch, on: on.to_owned() }),
        }
    }

    /// The key to write a batch's rows with, made if there is none; `None` where it was destroyed.
    pub(super) async fn key_to_write(
        &self,
        batch: BatchId,
    ) -> Result<Option<Arc<DataKey>>, LedgerError> {
        if let Some(BatchKey::Held(key)) = self.remembered.get(batch) {
            return Ok(Some(key));
        }
        let name = name_of(batch);
        let found = match self.inner.register(name.clone()).await? {
            None => {
                let (key, text) = DataKey::make(&self.master, &name)?;
                if self.inner.put_register(register(&name, 0, text)).await? {
                    return Ok(Some(self.remembered.keep(batch, key)));
                }
                self.inner.register(name).await?
            }
            found => found,
        };
        match found.as_ref().map(told) {
            Some(Told::Wrapped(text)) => self.unwrapped(batch, text).map(Some),
            Some(Told::Destroyed(_)) | None => Ok(None),
        }
    }

    fn unwrapped(&self, batch: BatchId, text: &str) -> Result<Arc<DataKey>, LedgerError> {
        let key = DataKey::unwrap(&self.master, &name_of(batch), text).ok_or_else(|| {
            LedgerError::Broken(format!(
                "the key of batch {batch} was not made under the key of {}: somebody has changed \
                 the ledger, or it is damaged",
                self.master.place()
            ))
        })?;
        Ok(self.remembered.keep(batch, key))
    }
}

/// Unwrapped keys of the batches that are worked on.
#[derive(Default)]
pub(super) struct Remembered(Mutex<BTreeMap<BatchId, (Instant, BatchKey)>>);

impl Remembered {
    fn get(&self, batch: BatchId) -> Option<BatchKey> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, key) = keys.get(&batch)?;
        if since.elapsed() < REMEMBERED_FOR {
            return Some(key.clone());
        }
        keys.remove(&batch);
        None
    }

    pub fn put(&self, batch: BatchId, key: BatchKey) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(batch, (Instant::now(), key));
        if keys.len() > REMEMBERED_MAX {
            keys.pop_first();
        }
    }

    fn keep(&self, batch: BatchId, key: DataKey) -> Arc<DataKey> {
        let key = Arc::new(key);
        self.put(batch, BatchKey::Held(Arc::clone(&key)));
        key
    }

    /// What a register of this name says is about to change.
    pub fn forget(&self, name: &str) {
        if let Some(Ok(batch)) = name.strip_prefix(PREFIX).map(str::parse) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&batch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(n: u64) -> BatchId {
        BatchId(ulid::Ulid::from_parts(n, 0))
    }

    #[test]
    fn a_bounded_number_of_keys_is_remembered_and_the_newest_batches_stay() {
        let remembered = Remembered::default();
        let all = u64::try_from(REMEMBERED_MAX).unwrap() + 5;
        (0..all).for_each(|n| remembered.put(batch(n), BatchKey::Never));
        assert_eq!(remembered.0.lock().unwrap().len(), REMEMBERED_MAX);
        assert!(remembered.get(batch(4)).is_none() && remembered.get(batch(5)).is_some());
        remembered.forget(&name_of(batch(5)));
        remembered.forget(CHECK);
        assert!(remembered.get(batch(5)).is_none() && remembered.get(batch(6)).is_some());
    }
}
