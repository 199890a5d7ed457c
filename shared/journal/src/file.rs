//! A journal as files of one home: segments that only ever grow, each written by one life.
//!
//! One thread writes. What has come together since its last fsync is made durable by the next one,
//! and only then answered. A life never writes behind what an earlier one has left: so a torn end
//! is always the end of its file.

use crate::entry::{Entry, Journal};
use crate::read::{ReadError, highest_segment};
use crate::slots::{HomeDir, sync_folder};
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::BoxFuture;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// A segment that is longer is followed by another: what is compared at a time stays small.
const SEGMENT_BYTES: u64 = 4 << 20;

/// An entry, and who waits for it.
type Letter = (Entry, oneshot::Sender<Result<(), String>>);

/// The journal of a home that this process holds.
pub struct FileJournal {
    letters: Sender<Letter>,
}

impl FileJournal {
    /// Writes behind whatever stands in the home's journal already.
    pub fn open(home: &HomeDir) -> Result<FileJournal, ReadError> {
        let folder = home.journal();
        let last = highest_segment(home)?;
        let (letters, received) = channel();
        let writer = Writer { folder, last, open: None, counter: 0 };
        let at = |source| ReadError { path: home.path.display().to_string(), source };
        thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run(&received))
            .map_err(at)?;
        Ok(FileJournal { letters })
    }
}

impl Journal for FileJournal {
    fn append(&self, entry: Entry) -> BoxFuture<'_, Result<(), String>> {
        let (answer, answered) = oneshot::channel();
        let sent = self.letters.send((entry, answer));
        async move {
            let gone = || "the journal's thread has ended".to_owned();
            sent.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?
        }
        .boxed()
    }
}

struct Writer {
    folder: PathBuf,
    /// The number of the newest segment.
    last: u64,
    /// The segment that this life writes to, and its length.
    open: Option<(File, u64)>,
    counter: u64,
}

impl Writer {
    /// Until nobody can send letters any more.
    fn run(mut self, letters: &Receiver<Letter>) {
        while let Ok(first) = letters.recv() {
            let mut group = vec![first];
            group.extend(letters.try_iter());
            let mut bytes = Vec::new();
            let mut waiting = Vec::with_capacity(group.len());
            for (mut entry, answer) in group {
                entry.counter = self.counter;
                self.counter += 1;
                bytes.extend(entry.to_frame());
                waiting.push(answer);
            }
            let written = self.write(&bytes).map_err(|error| {
                // What stands there now is anybody's guess: the next one begins a new segment.
                self.open = None;
                format!("cannot write the journal in {}: {error}", self.folder.display())
            });
            for answer in waiting {
                // Whoever does not wait any more sends nothing.
                let _ = answer.send(written.clone());
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (mut file, len) = match self.open.take() {
            Some((file, len)) if len < SEGMENT_BYTES => (file, len),
            _ => (self.begin()?, 0),
        };
        file.write_all(bytes)?;
        file.sync_data()?;
        let added = u64::try_from(bytes.len()).unwrap_or(SEGMENT_BYTES);
        self.open = Some((file, len.saturating_add(added)));
        Ok(())
    }

    /// A new segment, whose name is durable, too.
    fn begin(&mut self) -> io::Result<File> {
        self.last += 1;
        let path = self.folder.join(name(self.last));
        let file = OpenOptions::new().create_new(true).append(true).mode(0o600).open(path)?;
        sync_folder(&self.folder)?;
        Ok(file)
    }
}

/// The name of a segment.
pub(crate) fn name(number: u64) -> String {
    format!("{number:010}")
}
