//! What became of a batch: one line per row, in the order of the file, and totals that add up to
//! the file's to the cent, or no report at all.
//!
//! - [`rows`]: the rows with their payouts, merged from the lanes' chunks; memory stays flat
//! - [`cells`]: a row as the result file shows it
//! - [`summary`]: the totals, and the check that they add up
//! - [`keep_up`](mod@keep_up): the loop that writes the results of complete batches

pub mod cells;
pub mod keep_up;
pub mod rows;
pub mod summary;

pub use keep_up::keep_up;
pub use summary::Summary;

use crate::folders::{base_name, create_private, part_of, replace, write_whole};
use domain::{Batch, BatchId, BatchState};
use ledger::{Ledger, LedgerError};
use rows::ReportRows;
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
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Where a report lies.
#[derive(Clone, Debug)]
pub struct Written {
    /// `<name>.result.csv`.
    pub result: PathBuf,
    /// `<name>.summary.json`.
    pub file: PathBuf,
    /// What the latter says.
    pub summary: Summary,
}

/// Reads a batch's rows and adds them up, writing nothing.
pub async fn summarize(ledger: &dyn Ledger, batch: &Batch) -> Result<Summary, ReportError> {
    stream(ledger, batch, &mut std::io::sink()).await
}

/// Writes `<name>.result.csv` and `<name>.summary.json` into `folder`, each whole or not at all.
pub async fn write(
    ledger: &dyn Ledger,
    batch: &Batch,
    folder: &Path,
) -> Result<Written, ReportError> {
    let base = base_in(folder, batch);
    let result = folder.join(format!("{base}.result.csv"));
    let file = folder.join(format!("{base}.summary.json"));
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |source| ReportError::Io { path, source }
    };
    let part = part_of(&result);
    let mut out = BufWriter::new(create_private(&part).map_err(failed(&part))?);
    let summary = match stream(ledger, batch, &mut out).await {
        Ok(summary) => summary,
        Err(error) => {
            let _ = std::fs::remove_file(&part);
            return Err(error);
        }
    };
    let finish = || {
        out.into_inner().map_err(|e| e.into_error())?.sync_all()?;
        replace(&part, &result)
    };
    finish().map_err(failed(&result))?;
    let text = serde_json::to_vec_pretty(&summary)
        .map_err(|e| ReportError::Io { path: file.display().to_string(), source: e.into() })?;
    write_whole(&file, &text).map_err(failed(&file))?;
    Ok(Written { result, file, summary })
}

async fn stream(
    ledger: &dyn Ledger,
    batch: &Batch,
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
    let mut cells = cells::Cells::default();
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
