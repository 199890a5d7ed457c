//! What is asked of an intake, how far it is, and what comes out.

use super::error::{IntakeError, Problems};
use super::size::{Compared, LargeRow};
use crate::report::cells::put_time;
use domain::batch::Totals;
use domain::{BatchId, LaneName, Millis, Priority, Terms};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far ahead a batch may be told to wait: rows are kept and paid by the rules of the day on which
/// they were checked. A later date is more likely a slip than a plan.
const NOT_BEFORE_AHEAD_MS_MAX: u64 = 90 * 24 * 60 * 60 * 1_000;

/// How a file is to be taken.
#[derive(Clone, Debug, Default)]
pub struct TakeOptions {
    /// Where it lies.
    pub file: PathBuf,
    /// Its name in the ledger, if not that of `file`.
    pub name: Option<String>,
    /// The lane of rows that name none.
    pub lane: Option<LaneName>,
    /// The profile, if it is not to be chosen by the header.
    pub profile: Option<String>,
    /// Take the good rows and leave the bad ones out; otherwise one bad row refuses the file.
    pub skip_invalid: bool,
    /// Where the bad rows go. Written when there are any.
    pub rejected: Option<PathBuf>,
    /// The file must have so many rows, good and bad.
    pub expect_rows: Option<u64>,
    /// What is taken must add up to this, per currency: `EUR:1500.00`.
    pub expect_totals: Vec<String>,
    /// Send nothing of it before this moment.
    pub not_before: Option<Millis>,
    /// Which of two batches goes first on a lane.
    pub priority: Priority,
    /// Do everything but write to the ledger.
    pub dry_run: bool,
    /// The file was found in `processing/` after a crash: that its own batch holds its hash
    /// means that it was taken.
    pub recovered: bool,
}

impl TakeOptions {
    /// Takes `file` as it is.
    pub fn of(file: impl Into<PathBuf>) -> TakeOptions {
        TakeOptions { file: file.into(), ..TakeOptions::default() }
    }

    /// What is asked beside the rows, at `now`: a moment that has passed is as if none was named.
    pub fn terms(&self, now: Millis) -> Result<Terms, IntakeError> {
        let not_before = self.not_before.filter(|at| *at > now).unwrap_or_default();
        if not_before.since(now) > NOT_BEFORE_AHEAD_MS_MAX {
            let mut latest = String::new();
            put_time(&mut latest, now.plus(NOT_BEFORE_AHEAD_MS_MAX).0);
            return Err(IntakeError::Option(format!(
                "--not-before lies more than 90 days ahead; expected a moment until {latest}"
            )));
        }
        Ok(Terms { not_before, priority: self.priority })
    }

    /// The file's name in the ledger.
    pub fn name(&self) -> String {
        let own = || self.file.file_name().map(|name| name.to_string_lossy().into_owned());
        self.name.clone().or_else(own).unwrap_or_else(|| "unnamed".to_owned())
    }
}

/// What an intake did.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// The batch; none after a dry run.
    pub batch: Option<BatchId>,
    /// Its name.
    pub name: String,
    /// Rows taken.
    pub rows: u64,
    /// Their totals.
    pub totals: Totals,
    /// Rows per lane, by name.
    pub lanes: Vec<(LaneName, u64)>,
    /// Rows left out.
    pub rejected: u64,
    /// Where they are.
    pub rejected_file: Option<PathBuf>,
    /// What is wrong with them.
    pub problems: Problems,
    /// How the file was encoded.
    pub encoding: &'static str,
    /// The profile that read it.
    pub profile: String,
    /// The largest rows.
    pub largest: Vec<LargeRow>,
    /// The totals beside those of the batches before.
    pub compared: Vec<Compared>,
    /// What was asked beside the rows.
    pub terms: Terms,
    /// The batch stood already: a crash had come between its seal and the end of its intake.
    pub was_taken_before: bool,
}

/// How far an intake is; read from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    bytes: AtomicU64,
    of_bytes: AtomicU64,
    rows: AtomicU64,
}

impl Progress {
    /// Says how far it is.
    pub fn set(&self, bytes: u64, rows: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
        self.rows.store(rows, Ordering::Relaxed);
    }

    /// Says how large the file is.
    pub fn set_size(&self, bytes: u64) {
        self.of_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Bytes read, bytes in all, rows read.
    pub fn get(&self) -> (u64, u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.bytes), read(&self.of_bytes), read(&self.rows))
    }
}
