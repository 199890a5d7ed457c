//! A sender's home (S12): a numbered folder with a random id, made once, and a lock that a process
//! holds as long as it lives.
//!
//! ```text
//!  state/worker/1/lock   held for life: whoever takes it knows that all before him are gone
//!               1/id     16 random bytes, in hex
//!               1/number                the sender's number, as it was last
//!               1/journal/0000000001 …
//!               2/…      the second process on this machine
//! ```
//!
//! The lock is the kernel's: it ends with the process, however that ends, and not when the process
//! is merely frozen.

use domain::Sender;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Processes on one machine with one state directory, at most.
const SLOTS_MAX: u16 = 64;

/// Why there is no home.
#[derive(Debug, thiserror::Error)]
pub enum SlotError {
    /// A file cannot be read or made.
    #[error("cannot use the state directory {path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// All are taken.
    #[error("the state directory {path} has {SLOTS_MAX} workers already; give this one another")]
    Full {
        /// Which.
        path: String,
    },
}

/// A home that this process holds. Dropping it gives it up.
#[derive(Debug)]
pub struct Slot {
    home: HomeDir,
    /// Locked as long as it is open.
    _lock: File,
}

/// A home, whoever holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeDir {
    /// Its random id.
    pub id: String,
    /// Its folder.
    pub path: PathBuf,
}

impl HomeDir {
    /// The number of the last process that held it.
    pub fn number(&self) -> Sender {
        // One that was cut off by a power cut was never used.
        let text = fs::read_to_string(self.path.join("number")).unwrap_or_default();
        Sender(text.trim().parse().unwrap_or_default())
    }

    /// Where its journal lies.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }
}

impl Slot {
    /// Takes the first home below `state` that nobody holds, and makes one if all are held.
    pub fn take(state: &Path) -> Result<Slot, SlotError> {
        for number in 1..=SLOTS_MAX {
            let path = state.join(number.to_string());
            let at = |source| SlotError::File { path: path.display().to_string(), source };
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path.join("journal"))
                .map_err(at)?;
            let Some(lock) = try_lock(&path).map_err(at)? else { continue };
            // A journal is no more durable than the folders that it lies in.
            let above = state.parent().filter(|folder| !folder.as_os_str().is_empty());
            for folder in [Some(&*path), Some(state), above].into_iter().flatten() {
                sync_folder(folder).map_err(at)?;
            }
            let id = load_or_make_id(&path).map_err(at)?;
            return Ok(Slot { home: HomeDir { id, path }, _lock: lock });
        }
        Err(SlotError::Full { path: state.display().to_string() })
    }

    /// Takes a certain home, if nobody holds it.
    pub fn take_home(home: &HomeDir) -> Result<Option<Slot>, SlotError> {
        let at = |source| SlotError::File { path: home.path.display().to_string(), source };
        let lock = try_lock(&home.path).map_err(at)?;
        Ok(lock.map(|lock| Slot { home: home.clone(), _lock: lock }))
    }

    /// Keeps the number that the ledger gave, whatever becomes of the ledger.
    pub fn keep_number(&self, number: Sender) -> Result<(), SlotError> {
        let path = &self.home.path;
        let at = |source| SlotError::File { path: path.display().to_string(), source };
        put(path, "number", &number.to_string()).map_err(at)
    }

    /// Which home it is.
    pub fn home(&self) -> &HomeDir {
        &self.home
    }
}

/// All homes below `state`, whoever holds them, in the order of their numbers.
pub fn homes(state: &Path) -> Result<Vec<HomeDir>, SlotError> {
    let mut homes = Vec::new();
    for number in 1..=SLOTS_MAX {
        let path = state.join(number.to_string());
        match fs::read_to_string(path.join("id")) {
            Ok(id) => homes.push(HomeDir { id: id.trim().to_owned(), path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => {
                return Err(SlotError::File { path: path.display().to_string(), source });
            }
        }
    }
    Ok(homes)
}

/// The highest number that any home below `state` has kept.
pub fn highest_number(state: &Path) -> Result<Sender, SlotError> {
    let numbers = homes(state)?.into_iter().map(|home| home.number());
    Ok(numbers.max().unwrap_or(Sender::NOBODY))
}

fn try_lock(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    let file =
        options.create(true).truncate(false).write(true).mode(0o600).open(path.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Only whoever holds the lock comes here, so nobody else makes one at the same time.
fn load_or_make_id(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path.join("id")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        // One that was cut off by a power cut was never used: it was not yet durable.
        Ok(id) if id.trim().len() < 32 => {}
        read => return read.map(|id| id.trim().to_owned()),
    }
    let id = hex::encode(rand::random::<[u8; 16]>());
    put(path, "id", &id)?;
    Ok(id)
}

/// A small file that appears whole or not at all, and durably.
fn put(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let draft = folder.join(format!("{name}.part"));
    let mut options = OpenOptions::new();
    let mut open = options.create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
    open.write_all(text.as_bytes())?;
    open.sync_all()?;
    fs::rename(&draft, folder.join(name))?;
    sync_folder(folder)
}

pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_senders_have_two_homes_and_one_that_died_leaves_his_to_the_next() {
        let state = tempfile::tempdir().unwrap();
        let first = Slot::take(state.path()).unwrap();
        let second = Slot::take(state.path()).unwrap();
        assert_ne!(first.home(), second.home());
        let known = homes(state.path()).unwrap();
        assert_eq!(known, [first.home().clone(), second.home().clone()]);
        assert!(Slot::take_home(&known[0]).unwrap().is_none(), "it lives");
        let home = first.home().clone();
        drop(first);
        assert_eq!(Slot::take(state.path()).unwrap().home(), &home, "with the same id");
    }

    #[test]
    fn the_highest_number_of_all_homes_is_known_without_a_ledger() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(highest_number(state.path()).unwrap(), Sender::NOBODY);
        let slots = [(); 2].map(|()| Slot::take(state.path()).unwrap());
        slots[0].keep_number(Sender(12)).unwrap();
        slots[1].keep_number(Sender(7)).unwrap();
        assert_eq!(highest_number(state.path()).unwrap(), Sender(12));
    }

    #[test]
    fn a_home_that_cannot_be_made_is_told_by_its_path() {
        let state = tempfile::tempdir().unwrap();
        let file = state.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = Slot::take(&file).unwrap_err().to_string();
        assert!(error.contains(&file.display().to_string()), "{error}");
    }
}
