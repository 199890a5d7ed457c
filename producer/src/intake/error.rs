//! Why a file was not taken. Unless an error says otherwise, nothing of the file is payable.

use crate::audit::AuditError;
use crate::file::{SurveyError, TextError};
use crate::rules::{HeaderError, LacksRules, Problem};
use config::key_file::KeyError;
use domain::{BatchId, BatchState, ChunkId, LaneName};
use ledger::LedgerError;
use std::fmt;
use std::path::PathBuf;

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// It cannot be opened.
    #[error("cannot open {path}: {source}")]
    Open {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not a text.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// It broke off.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Its header does not fit.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Nothing after the header.
    #[error("the file has a header and no rows; expected at least one row")]
    NoRows,
    /// An option makes no sense.
    #[error("{0}")]
    Option(String),
    /// A lane's rules for rows are not known.
    #[error(transparent)]
    LacksRules(#[from] LacksRules),
    /// Rows are bad.
    #[error("{} of {rows} rows cannot be paid, so nothing was taken:\n{problems}", problems.rows)]
    BadRows {
        /// Rows in the file.
        rows: u64,
        /// What is wrong.
        problems: Problems,
        /// Where all bad rows are, if that was asked for.
        rejected_file: Option<PathBuf>,
    },
    /// Control totals differ.
    #[error("the control totals differ, so nothing was taken:\n{}", .0.join("\n"))]
    Control(Vec<String>),
    /// A lane that moves real money has no ceiling.
    #[error(
        "lane {0} moves real money and has no ceiling for one payout, so nothing was taken; add \
         [lanes.{0}.ceilings] with payout = {{ EUR = \"1000.00\" }}, or sandbox = true"
    )]
    NoCeiling(LaneName),
    /// More than a batch or a day may hold.
    #[error("nothing was taken: {0}")]
    Ceiling(String),
    /// The same bytes were taken before.
    #[error(
        "this very file was taken before as batch {batch} (\"{name}\", {state}); a file is paid \
         once. To pay again, make a file with new references"
    )]
    SameFile {
        /// The first batch.
        batch: BatchId,
        /// Its file's name.
        name: String,
        /// Where it stands.
        state: BatchState,
    },
    /// The same bytes are being taken.
    #[error("this very file is being taken in at this moment as batch {batch}")]
    Busy {
        /// That batch.
        batch: BatchId,
    },
    /// Somebody wrote to the file meanwhile.
    #[error(
        "the file changed while it was read, so nothing was taken; write it whole, then move it here"
    )]
    Changed,
    /// Somebody rejected the batch, because its lease had ended.
    #[error("batch {batch} was given up while it was taken in (its lease had ended); try again")]
    Overtaken {
        /// The batch.
        batch: BatchId,
    },
    /// More chunks than a batch can have.
    #[error("the file is too large for one batch ({max} chunks); split it", max = ChunkId::MAX_CHUNKS)]
    TooLarge,
    /// The `.rejected.csv` cannot be written.
    #[error("cannot write {path}: {problem}")]
    Rejected {
        /// The file.
        path: String,
        /// Why.
        problem: String,
    },
    /// A task of the intake ended before its time; another error says why.
    #[error("the intake broke off")]
    WriterGone,
    /// The ledger may have gone back in time (S18): it may not know what was paid.
    #[error(
        "the ledger may have gone back in time ({what}), so nothing is taken in until that is \
         cleared up: see producer ledger status"
    )]
    Suspect {
        /// What was found.
        what: String,
    },
    /// The ledger went away while sealing.
    #[error(
        "the ledger went away while batch {batch} was sealed, and it is not known whether it was \
         ({problem}); ask `producer status {batch}` before anything else"
    )]
    SealUnknown {
        /// The batch.
        batch: BatchId,
        /// What the ledger said.
        problem: String,
    },
    /// The audit's key: what is taken in must be told (S20).
    #[error("nothing was taken, because nothing can be told of it: {0}")]
    Audit(KeyError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<AuditError> for IntakeError {
    fn from(error: AuditError) -> IntakeError {
        match error {
            AuditError::Key(error) => IntakeError::Audit(error),
            AuditError::Ledger(error) => IntakeError::Ledger(error),
        }
    }
}

impl IntakeError {
    /// Nothing of the file is or will be payable; false where that is not known.
    pub fn is_certain(&self) -> bool {
        !matches!(self, IntakeError::SealUnknown { .. })
    }

    /// The file itself is refused: trying again would change nothing. One that lacks a lane's
    /// rules is taken as soon as a worker has fetched them.
    pub fn is_final(&self) -> bool {
        !matches!(
            self,
            IntakeError::SealUnknown { .. }
                | IntakeError::Ledger(LedgerError::Unavailable(_))
                | IntakeError::Busy { .. }
                | IntakeError::Suspect { .. }
                | IntakeError::LacksRules(_)
                | IntakeError::Audit(_)
                | IntakeError::NoCeiling(_)
                | IntakeError::Overtaken { .. }
                | IntakeError::WriterGone
        )
    }

    /// One line for the ledger.
    pub fn brief(&self) -> String {
        let text = self.to_string();
        let line = text.lines().next().unwrap_or_default().trim_end_matches(':');
        line.chars().take(300).collect()
    }
}

/// Problems that are kept for people; the `.rejected.csv` has them all.
pub const PROBLEMS_SHOWN: usize = 1_000;

/// What is wrong with a file's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// The first [`PROBLEMS_SHOWN`].
    pub list: Vec<Problem>,
    /// All of them, counted.
    pub count: u64,
    /// Rows that have any.
    pub rows: u64,
}

impl Problems {
    /// Adds a bad row.
    pub fn add_row(&mut self, problems: Vec<Problem>) {
        self.rows += 1;
        for problem in problems {
            self.count += 1;
            if self.list.len() < PROBLEMS_SHOWN {
                self.list.push(problem);
            }
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.list.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            write!(f, "  {problem}")?;
        }
        let shown = u64::try_from(self.list.len()).unwrap_or(u64::MAX);
        match self.count.saturating_sub(shown) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}
