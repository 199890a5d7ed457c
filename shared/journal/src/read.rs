//! Reading journals, one's own and those of the other homes below a state directory.
//!
//! What is compared stays small: one segment at a time. A segment whose entries are all older than
//! they are kept, and none of which the ledger has forgotten, is removed.

use crate::entry::{self, End, Entry};
use crate::file::name;
use crate::rewind::{Forgotten, Marked, compare, mark};
use crate::slots::{HomeDir, Slot, SlotError, homes};
use domain::{LaneName, LedgerId, Millis, Policy, Sender};
use ledger::{Ledger, LedgerError, senders};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the journal in {path}: {source}")]
pub struct ReadError {
    /// Which.
    pub path: String,
    /// Why.
    pub source: io::Error,
}

/// Why journals were not compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A file.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The state directory.
    #[error(transparent)]
    Slots(#[from] SlotError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A file of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Counts from 1.
    pub number: u64,
    /// Where it lies.
    pub path: PathBuf,
}

/// The segments of a home, oldest first.
pub fn segments(home: &HomeDir) -> Result<Vec<Segment>, ReadError> {
    let mut all = files(home)?;
    all.retain(|segment| segment.path.ends_with(name(segment.number)));
    Ok(all)
}

/// The highest number that a segment has or had before it was set aside.
pub(crate) fn highest_segment(home: &HomeDir) -> Result<u64, ReadError> {
    Ok(files(home)?.last().map_or(0, |segment| segment.number))
}

fn files(home: &HomeDir) -> Result<Vec<Segment>, ReadError> {
    let folder = home.journal();
    let at = |source| ReadError { path: folder.display().to_string(), source };
    let listed = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.map_err(at)?,
    };
    let mut segments = Vec::new();
    for file in listed {
        let path = file.map_err(at)?.path();
        let number = path.file_stem().and_then(|name| name.to_str()?.parse::<u64>().ok());
        if let Some(number) = number {
            segments.push(Segment { number, path });
        }
    }
    segments.sort_unstable_by_key(|segment| segment.number);
    Ok(segments)
}

fn read(segment: &Segment) -> Result<(Vec<Entry>, End), ReadError> {
    let bytes = fs::read(&segment.path);
    let at = |source| ReadError { path: segment.path.display().to_string(), source };
    bytes.map(|bytes| entry::read(&bytes)).map_err(at)
}

/// What was found in the journals of a state directory.
#[derive(Debug, Default)]
pub struct Compared {
    /// What the ledger has forgotten, at most [`Compared::KEPT`] of it.
    pub forgotten: Vec<Forgotten>,
    /// How much that is.
    pub count: usize,
    /// Segments that are damaged.
    pub damaged: Vec<PathBuf>,
    /// Homes whose journals were read.
    pub homes: Vec<String>,
}

impl Compared {
    /// Forgotten rows that are kept to be told.
    pub const KEPT: usize = 10_000;

    /// What is wrong, in a few words; `None` where nothing is.
    pub fn words(&self) -> Option<String> {
        let forgotten = (self.count > 0).then(|| crate::rewind::words(&self.forgotten, self.count));
        let damaged = self.damaged.first().map(|path| {
            format!("the journal {} is damaged: not all that it named is known", path.display())
        });
        let parts: Vec<String> = forgotten.into_iter().chain(damaged).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// What becomes of what was forgotten.
pub enum Then<'a> {
    /// It is told.
    Tell,
    /// It is marked, by these waiting times; damaged segments are set aside.
    Mark(&'a (dyn Fn(&LaneName) -> Policy + Sync)),
}

/// Compares the journals of all homes below `state` with the ledger: one's own, those of the dead
/// and those of living neighbours. Segments of which nothing is younger than `keep_from` go.
pub async fn compare_all(
    ledger: &dyn Ledger,
    state: &Path,
    keep_from: Millis,
    then: Then<'_>,
) -> Result<(Compared, Marked), CompareError> {
    let gone: Vec<Sender> = senders::all(ledger)
        .await?
        .into_iter()
        .filter(|sender| sender.gone.is_some())
        .map(|sender| sender.number)
        .collect();
    let id = ledger.about().await?.id;
    let (mut all, mut marked) = (Compared::default(), Marked::default());
    for home in homes(state)? {
        // While we hold its lock, nobody sends from it; else only whoever holds it, under this
        // number.
        let dead = Slot::take_home(&home)?;
        let living = if dead.is_some() { Sender::NOBODY } else { home.number() };
        let listed = segments(&home)?;
        let last = listed.last().map(|segment| segment.number);
        for segment in listed {
            let (mut entries, end) = read(&segment)?;
            // Whatever its process may still be writing to stays where it is.
            let is_over =
                Some(segment.number) != last || entries.iter().all(|entry| entry.sender != living);
            for entry in &mut entries {
                // Whoever is known to be gone owes no answer any more (S12).
                if entry.sender != living || gone.contains(&entry.sender) {
                    entry.sender = Sender::NOBODY;
                }
            }
            let forgotten = compare(ledger, &entries).await?;
            if let Then::Mark(policy) = &then {
                let more = mark(ledger, *policy, &forgotten).await?;
                marked.payouts += more.payouts;
                marked.references += more.references;
            }
            if let End::Damaged { .. } = end {
                match then {
                    Then::Tell => all.damaged.push(segment.path.clone()),
                    Then::Mark(_) if is_over => set_aside(&segment)?,
                    Then::Mark(_) => {}
                }
            } else if forgotten.is_empty() && is_old(&entries, id, keep_from) {
                remove(&segment)?;
            }
            all.count += forgotten.len();
            let room = Compared::KEPT.saturating_sub(all.forgotten.len());
            all.forgotten.extend(forgotten.into_iter().take(room));
        }
        all.homes.push(home.id);
    }
    Ok((all, marked))
}

fn is_old(entries: &[Entry], ledger: LedgerId, keep_from: Millis) -> bool {
    // An empty one may be a living neighbour's that has just begun; and what another ledger was
    // told is for that one to compare.
    let old = |entry: &Entry| entry.ledger == ledger && entry.send_before < keep_from;
    !entries.is_empty() && entries.iter().all(old)
}

/// Under another name, where a person may still look at it.
fn set_aside(segment: &Segment) -> Result<(), ReadError> {
    let at = |source| ReadError { path: segment.path.display().to_string(), source };
    fs::rename(&segment.path, segment.path.with_extension("damaged")).map_err(at)
}

fn remove(segment: &Segment) -> Result<(), ReadError> {
    let at = |source| ReadError { path: segment.path.display().to_string(), source };
    fs::remove_file(&segment.path).map_err(at)
}

/// Looks for homes below `state` whose process has died, but for `own`, and says so in the ledger:
/// while we hold a home's lock, none of its senders lives. Gives those that were not known yet.
pub async fn notice_the_dead(
    ledger: &dyn Ledger,
    state: &Path,
    own: &str,
) -> Result<Vec<senders::SenderRecord>, CompareError> {
    let alive = senders::all(ledger).await?;
    let mut dead = Vec::new();
    for home in homes(state)?.into_iter().filter(|home| home.id != own) {
        if !alive.iter().any(|sender| sender.gone.is_none() && sender.home.id == home.id) {
            continue;
        }
        let Some(slot) = Slot::take_home(&home)? else { continue };
        let reason = "its process has ended: the lock of its state directory is free";
        dead.extend(senders::declare_gone(ledger, reason, |r| r.home.id == home.id).await?);
        drop(slot);
    }
    Ok(dead)
}
