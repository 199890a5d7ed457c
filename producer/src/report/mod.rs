//! What became of a batch: one line per row, in the order of the file, and totals that add up to
//! the file's to the cent, or no report at all. Signed, so that somebody who has neither ledger nor
//! config can check it.
//!
//! - [`rows`]: the rows with their payouts, merged from the lanes' chunks; memory stays flat
//! - [`cells`]: a row as the result file shows it
//! - [`summary`]: the totals, and the check that they add up; [`late`]: news after the end
//! - [`seal`]: the signature; [`proof`](mod@proof): the check by a third party; [`hashed`]
//! - [`keep_up`](mod@keep_up): the loop that writes the results of complete batches

pub mod cells;
pub mod hashed;
pub mod keep_up;
pub mod late;
pub mod proof;
pub mod rows;
pub mod seal;
pub mod summary;

pub use keep_up::keep_up;
pub use summary::Summary;

use crate::audit::{AuditError, Clerk, settle};
use crate::folders::{base_name, create_private, part_of, replace, write_whole};
use crate::rules::Rules;
use config::key_file::KeyError;
use domain::{Batch, BatchId, BatchState};
use hashed::Hashed;
use ledger::{Ledger, LedgerError};
use rows::ReportRows;
use seal::Seal;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// No such batch, or nothing of it was taken.
    #[error("there is nothing to report of batch {batch}: {why}")]
    Nothing {
        /// The batch.
        batch: BatchId,
        /// Why.
        why: String,
    },
    /// The rows do not add up to the file.
    #[error(
        "the rows of batch {batch} do not add up to its file, so no result is written: {difference}; \
         the ledger is damaged, keep a copy of it"
    )]
    DoesNotAddUp {
        /// The batch.
        batch: BatchId,
        /// Where.
        difference: String,
    },
    /// The disk.
    #[error("cannot write {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The key that signs.
    #[error("no result is written that nobody can sign: {0}")]
    Key(KeyError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<AuditError> for ReportError {
    fn from(error: AuditError) -> ReportError {
        match error {
            AuditError::Key(error) => ReportError::Key(error),
            AuditError::Ledger(error) => ReportError::Ledger(error),
        }
    }
}

/// Where a report lies.
#[derive(Clone, Debug)]
pub struct Written {
    /// `<name>.result.csv`.
    pub result: PathBuf,
    /// `<name>.summary.json`.
    pub file: PathBuf,
    /// `<name>.summary.sig`.
    pub signature: PathBuf,
    /// What the latter says.
    pub summary: Summary,
}

/// Reads a batch's rows and adds them up, writing nothing.
pub async fn summarize(ledger: &dyn Ledger, batch: &Batch) -> Result<Summary, ReportError> {
    stream(ledger, batch, false, &mut std::io::sink()).await
}

/// Writes `<name>.result.csv`, `<name>.summary.json` and its signature into `folder`, each whole
/// or not at all, and tells the audit what they show. With `unmask`, destinations are whole.
///
/// *Crash before the end*: some of the three may be older than the others; whoever checks them
/// finds it, and the next report of the batch writes all of them again.
pub async fn write(
    ledger: &dyn Ledger,
    rules: &Rules,
    batch: &Batch,
    folder: &Path,
    unmask: bool,
) -> Result<Written, ReportError> {
    let base = base_in(folder, batch);
    let path = |ending: &str| folder.join(format!("{base}.{ending}"));
    let (result, file, signature) = (path("result.csv"), path("summary.json"), path("summary.sig"));
    let part = part_of(&result);
    let made = make(ledger, rules, batch, &result, unmask).await;
    let put = made.and_then(|(summary, text, seal)| {
        // The result last: it is what people and programs wait for.
        write_whole(&signature, seal.to_text().as_bytes()).map_err(failed(&signature))?;
        write_whole(&file, &text).map_err(failed(&file))?;
        replace(&part, &result).map_err(failed(&result))?;
        Ok(summary)
    });
    match put {
        Ok(summary) => Ok(Written { result, file, signature, summary }),
        Err(error) => {
            let _ = std::fs::remove_file(&part);
            Err(error)
        }
    }
}

/// Writes the rows beside their place, tells the audit, and makes the summary and its signature.
async fn make(
    ledger: &dyn Ledger,
    rules: &Rules,
    batch: &Batch,
    result: &Path,
    unmask: bool,
) -> Result<(Summary, Vec<u8>, Seal), ReportError> {
    let clerk: &Clerk = &rules.clerk;
    let key = clerk.key()?;
    let part = part_of(result);
    let mut out = Hashed::new(BufWriter::new(create_private(&part).map_err(failed(&part))?));
    let mut summary = stream(ledger, batch, unmask, &mut out).await?;
    let (out, bytes, sha256) = out.finish();
    let out = out.into_inner().map_err(|e| failed(&part)(e.into_error()))?;
    out.sync_all().map_err(failed(&part))?;
    let recorded = settle(ledger, clerk, &rules.all_lanes(), batch).await?;
    summary.leave_out(recorded.left_out);
    summary.audit = recorded.head;
    let file = result.file_name().unwrap_or_default().to_string_lossy().into_owned();
    summary.result = Some(summary::ResultFile { file, bytes, sha256, masked: !unmask });
    let text = serde_json::to_vec_pretty(&summary).map_err(|e| failed(result)(e.into()))?;
    let seal = Seal::new(&text, key);
    Ok((summary, text, seal))
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> ReportError {
    let path = path.display().to_string();
    move |source| ReportError::Io { path: path.clone(), source }
}

async fn stream(
    ledger: &dyn Ledger,
    batch: &Batch,
    unmask: bool,
    out: &mut (dyn Write + Send),
) -> Result<Summary, ReportError> {
    if !batch.state.was_sealed() {
        let why = match batch.state {
            BatchState::Rejected => format!("it was rejected: {}", batch.reason),
            _ => "it is still being taken in".to_owned(),
        };
        return Err(ReportError::Nothing { batch: batch.id, why });
    }
    let failed = |source: csv::Error| ReportError::Io {
        path: "the result file".to_owned(),
        source: source.into(),
    };
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(cells::HEADER).map_err(failed)?;
    let mut summary = Summary::of(batch);
    let mut rows = ReportRows::new(ledger, batch);
    let mut cells = cells::Cells::new(unmask);
    while let Some(row) = rows.next().await? {
        summary.add(&row);
        writer.write_record(cells.of(&row)).map_err(failed)?;
    }
    writer.flush().map_err(|e| failed(e.into()))?;
    summary.check(batch)?;
    Ok(summary)
}

/// What the results of a batch are named after: its file, unless another batch's results or a
/// file of our own say otherwise. Never the name that another batch's results have.
pub fn base_in(folder: &Path, batch: &Batch) -> String {
    let name = Path::new(&batch.name).file_name().unwrap_or_default().to_string_lossy();
    let base = base_name(&name);
    let own = format!("{base}.{}", batch.id);
    let moved_aside = folder.join(format!("{own}{}", &name[base.len()..])).exists();
    let others = std::fs::read(folder.join(format!("{base}.summary.json")))
        .ok()
        .and_then(|text| serde_json::from_slice::<summary::Owner>(&text).ok())
        .is_some_and(|owner| owner.batch != batch.id.to_string());
    if moved_aside || others { own } else { base.to_owned() }
}
