//! The four folders. Names never meet: a file that would take the name of another gets a counter,
//! and nothing is ever overwritten.

use super::rest::Waiting;
use crate::folders::{base_name, keep_private, rename_new, sync_folder, write_whole};
use config::key_file::make_private_folders;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Half-written files of ours that are older belong to a process that died.
const STALE_PART: Duration = Duration::from_secs(3600);
/// Names that are tried before giving up.
const NAMES_TRIED: u32 = 10_000;

/// The folders of an inbox.
#[derive(Clone, Debug)]
pub struct Inbox {
    dir: PathBuf,
}

/// A file in `processing/` that we hold the lock of. The lock ends with this value, or with the
/// process.
#[derive(Debug)]
pub struct Claimed {
    path: PathBuf,
    name: String,
    left_behind: bool,
    _lock: File,
}

impl Claimed {
    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name in `processing/`, and in the ledger.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// It was found in `processing/`: somebody began with it and died, or has to try again.
    pub fn is_left_behind(&self) -> bool {
        self.left_behind
    }
}

impl Inbox {
    /// Makes the folders where they are missing.
    pub fn open(dir: &Path) -> io::Result<Inbox> {
        let inbox = Inbox { dir: dir.to_owned() };
        for folder in [inbox.processing(), inbox.done(), inbox.failed()] {
            make_private_folders(&folder)?;
            remove_stale_parts(&folder)?;
        }
        Ok(inbox)
    }

    /// Files that are being taken.
    pub fn processing(&self) -> PathBuf {
        self.dir.join("processing")
    }

    /// Files that were taken, and their results.
    pub fn done(&self) -> PathBuf {
        self.dir.join("done")
    }

    /// Files that were refused, and the reasons.
    pub fn failed(&self) -> PathBuf {
        self.dir.join("failed")
    }

    /// Files that wait, by name; folders, dot files, `.tmp` and `.part` are none.
    pub fn waiting(&self) -> io::Result<Vec<Waiting>> {
        let mut waiting = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name();
            if is_unfinished(&name) {
                continue;
            }
            // Somebody else may have taken it between the two looks.
            let Ok(about) = entry.metadata() else { continue };
            if about.is_file() {
                waiting.push(Waiting { name, bytes: about.len(), changed: about.modified()? });
            }
        }
        waiting.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(waiting)
    }

    /// Takes a file; `None` if somebody else was faster.
    pub fn take(&self, name: &OsStr) -> io::Result<Option<Claimed>> {
        let from = self.dir.join(name);
        // The ledger keeps names as text: one that is none gets its nearest likeness.
        let wanted = name.to_string_lossy().into_owned();
        let name = self.rename_free(&from, &self.processing(), &wanted, |name| {
            is_taken(&self.processing(), name) || self.is_known(name)
        });
        match name {
            Ok(name) => claim(self.processing().join(&name), name, false),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Files in `processing/` that nobody holds.
    pub fn left_behind(&self) -> io::Result<Vec<Claimed>> {
        let mut claimed = Vec::new();
        for entry in fs::read_dir(self.processing())? {
            let entry = entry?;
            let name = entry.file_name();
            if is_unfinished(&name) || !entry.file_type()?.is_file() {
                continue;
            }
            let name = name.to_string_lossy().into_owned();
            claimed.extend(claim(entry.path(), name, true)?);
        }
        Ok(claimed)
    }

    /// Moves a file that was taken; gives where it lies now.
    pub fn to_done(&self, claimed: Claimed, batch: &str) -> io::Result<PathBuf> {
        let path = self.done().join(&claimed.name);
        keep_private(&claimed.path);
        match rename_new(&claimed.path, &path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let path = self.done().join(with_infix(&claimed.name, batch));
                rename_new(&claimed.path, &path)?;
                sync_folder(&claimed.path)?;
                return Ok(path);
            }
            Err(error) => return Err(error),
        }
        sync_folder(&claimed.path)?;
        Ok(path)
    }

    /// Moves a file that was refused, its reason and the list of its bad rows beside it. The
    /// reason is there before the file: nobody finds one without it.
    pub fn to_failed(
        &self,
        claimed: Claimed,
        reason: &str,
        list: Option<&Path>,
    ) -> io::Result<PathBuf> {
        let failed = self.failed();
        keep_private(&claimed.path);
        let prepare = |name: &str| {
            let base = base_name(name);
            if let Some(list) = list {
                fs::rename(list, failed.join(format!("{base}.rejected.csv")))?;
            }
            let text = format!("{}: {reason}\n", claimed.name);
            write_whole(&failed.join(format!("{base}.reason.txt")), text.as_bytes())
        };
        let name = free_name(&claimed.name, |name| is_taken(&failed, name))?;
        prepare(&name)?;
        rename_new(&claimed.path, &failed.join(&name))?;
        sync_folder(&claimed.path)?;
        Ok(failed.join(name))
    }

    /// Where the bad rows of a file go: beside where the file itself will most likely lie.
    pub fn rejected_path(&self, name: &str, skip_invalid: bool) -> PathBuf {
        let folder = if skip_invalid { self.done() } else { self.failed() };
        folder.join(format!("{}.rejected.csv", base_name(name)))
    }

    /// A file of this name was taken before: its results have the name.
    fn is_known(&self, name: &str) -> bool {
        let results = self.done().join(format!("{}.summary.json", base_name(name)));
        is_taken(&self.done(), name) || results.exists()
    }

    fn rename_free(
        &self,
        from: &Path,
        to: &Path,
        wanted: &str,
        is_used: impl Fn(&str) -> bool,
    ) -> io::Result<String> {
        for _ in 0..NAMES_TRIED {
            let name = free_name(wanted, &is_used)?;
            match rename_new(from, &to.join(&name)) {
                Ok(()) => {
                    sync_folder(from)?;
                    return Ok(name);
                }
                // Another watcher took the name between the look and the rename.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }
}

/// Locks a file in `processing/`; `None` if somebody holds it or has moved it on.
fn claim(path: PathBuf, name: String, left_behind: bool) -> io::Result<Option<Claimed>> {
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Ok(None),
        Err(fs::TryLockError::Error(error)) => return Err(error),
    }
    // Its holder may have moved it on and ended between our open and our lock.
    let is_still_there = fs::metadata(&path)
        .is_ok_and(|there| file.metadata().is_ok_and(|ours| is_same_file(&there, &ours)));
    Ok(is_still_there.then_some(Claimed { path, name, left_behind, _lock: file }))
}

#[cfg(unix)]
fn is_same_file(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn is_same_file(a: &fs::Metadata, b: &fs::Metadata) -> bool {
    (a.len(), a.modified().ok()) == (b.len(), b.modified().ok())
}

fn is_unfinished(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let lower = name.to_ascii_lowercase();
    name.starts_with('.') || lower.ends_with(".tmp") || lower.ends_with(".part")
}

/// A name is taken by a file of that name, or by one whose results would have the same names.
fn is_taken(folder: &Path, name: &str) -> bool {
    let base = base_name(name);
    [name, base, &format!("{base}.csv")].iter().any(|name| folder.join(name).exists())
}

/// `payouts.csv`, else `payouts.2.csv`, `payouts.3.csv` …
fn free_name(wanted: &str, is_used: impl Fn(&str) -> bool) -> io::Result<String> {
    let counted = (2..NAMES_TRIED).map(|n| with_infix(wanted, &n.to_string()));
    let mut names = std::iter::once(wanted.to_owned()).chain(counted);
    names.find(|name| !is_used(name)).ok_or_else(|| ErrorKind::AlreadyExists.into())
}

fn with_infix(name: &str, infix: &str) -> String {
    let base = base_name(name);
    format!("{base}.{infix}{}", &name[base.len()..])
}

fn remove_stale_parts(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_part = name.starts_with('.') && name.ends_with(".part");
        let age = |about: fs::Metadata| about.modified().ok().and_then(|at| at.elapsed().ok());
        if is_part && entry.metadata().ok().and_then(age).is_some_and(|age| age > STALE_PART) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
