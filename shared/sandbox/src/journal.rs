//! An append-only file of JSON lines: a record that was appended survives the death of the process.
//!
//! One `write` call a record, no fsync: the sandbox promises to survive `kill -9`, not a power cut.
//! A torn last line (killed inside `write`) is cut off at the next start; whatever it said was
//! never answered. The file is locked for the life of the journal, so that two sandboxes never
//! share one ledger.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// A predecessor in the same process may need a moment to let go of the file.
const LOCK_WAIT: Duration = Duration::from_secs(2);
/// Records that may wait are written at the latest when this many bytes wait.
const LATER_BYTES_MAX: usize = 64 * 1024;

pub(crate) struct Journal {
    file: File,
    /// Length up to the last whole record: where the file is cut when a write fails half-way.
    length: u64,
    /// Records whose loss only repeats a callback; they ride along with the next write.
    later: Vec<u8>,
}

impl Journal {
    /// Opens or creates the file and hands each whole line to `each`, in order.
    pub(crate) fn open(
        path: &Path,
        mut each: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<Self> {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        lock_file(&file, path)?;
        let mut length = 0u64;
        let mut reader = BufReader::with_capacity(1 << 20, &file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            let Some(record) = line.strip_suffix(b"\n") else {
                tracing::warn!(bytes = line.len(), "cut a torn last record off the ledger");
                break;
            };
            each(record)?;
            length += u64::try_from(line.len()).map_err(io::Error::other)?;
            line.clear();
        }
        drop(reader);
        file.set_len(length)?;
        file.seek(SeekFrom::Start(length))?;
        Ok(Self { file, length, later: Vec::new() })
    }

    /// Writes whole lines, and those that waited, before it returns.
    ///
    /// On an error nothing of `lines` stands in the file.
    pub(crate) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.later.is_empty() {
            return self.write(lines);
        }
        self.later.extend_from_slice(lines);
        let all = std::mem::take(&mut self.later);
        self.write(&all)
    }

    /// Keeps whole lines back for the next write or [`Journal::flush`].
    pub(crate) fn append_later(&mut self, lines: &[u8]) -> io::Result<()> {
        self.later.extend_from_slice(lines);
        if self.later.len() >= LATER_BYTES_MAX { self.flush() } else { Ok(()) }
    }

    /// Writes what was kept back.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.later.is_empty() { Ok(()) } else { self.append(b"") }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(bytes) {
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
            return Err(error);
        }
        self.length += u64::try_from(bytes.len()).map_err(io::Error::other)?;
        Ok(())
    }
}

fn lock_file(file: &File, path: &Path) -> io::Result<()> {
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => {
                let text = format!("{} is in use by another sandbox", path.display());
                return Err(io::Error::new(io::ErrorKind::WouldBlock, text));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(path: &Path) -> Vec<String> {
        let mut lines = Vec::new();
        Journal::open(path, |line| {
            lines.push(String::from_utf8_lossy(line).into_owned());
            Ok(())
        })
        .map(drop)
        .expect("the journal opens");
        lines
    }

    #[test]
    fn a_torn_last_record_is_cut_off_and_the_next_starts_on_its_own_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j");
        std::fs::write(&path, "{\"a\":1}\n{\"torn").unwrap();
        let mut journal = Journal::open(&path, |_| Ok(())).unwrap();
        journal.append(b"{\"b\":2}\n").unwrap();
        drop(journal);
        assert_eq!(lines_of(&path), ["{\"a\":1}", "{\"b\":2}"]);
    }

    #[test]
    fn records_that_may_wait_are_written_before_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j");
        let mut journal = Journal::open(&path, |_| Ok(())).unwrap();
        journal.append_later(b"later\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"");
        journal.append(b"now\n").unwrap();
        drop(journal);
        assert_eq!(lines_of(&path), ["later", "now"]);
    }

    #[test]
    fn two_sandboxes_never_share_one_ledger() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j");
        let _first = Journal::open(&path, |_| Ok(())).unwrap();
        assert!(Journal::open(&path, |_| Ok(())).is_err());
    }
}
