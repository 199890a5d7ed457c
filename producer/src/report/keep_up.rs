//! Writes the results of every batch that is over, and again when something of it changes later.
//! The report lease sees to it that one process of a pool does it. Rows at the end of their retention
//! are destroyed here too, as it is the results that need them last.

use super::{ReportError, write};
use crate::rules::Rules;
use domain::{Batch, BatchId, BatchState};
use ledger::sealed::retain;
use ledger::{Ledger, LedgerError};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often the newest batches are looked at, and how often all of them.
const LOOK_MS: u64 = 500;
const LOOK_AT_ALL_MS: u64 = 60_000;
/// Batches read at once, and looked at every time.
const PAGE: u32 = 100;
/// How long a report may take until another process tries.
const REPORT_LEASE_MS: u64 = 120_000;

/// Keeps the results in `folder` current until `stop` becomes true.
pub async fn keep_up(
    ledger: Arc<dyn Ledger>,
    rules: Arc<Rules>,
    folder: &Path,
    mut stop: watch::Receiver<bool>,
) {
    let mut all_at = Instant::now();
    while !*stop.borrow() {
        let look_at_all = all_at <= Instant::now();
        if look_at_all {
            all_at = Instant::now() + Duration::from_millis(LOOK_AT_ALL_MS);
        }
        if let Err(error) = once(&*ledger, &rules, folder, look_at_all).await {
            tracing::warn!(%error, "results are not current; trying again");
        } else if look_at_all && let Err(error) = retain(&*ledger, rules.keep_rows_days).await {
            tracing::warn!(%error, "rows at the end of their retention are still there; trying again");
        }
        tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => break,
            () = tokio::time::sleep(Duration::from_millis(LOOK_MS)) => {}
        }
    }
}

/// Writes what is due among the newest batches, or among all. Gives how many were written.
pub async fn once(
    ledger: &dyn Ledger,
    rules: &Rules,
    folder: &Path,
    all: bool,
) -> Result<u64, LedgerError> {
    let mut written = 0;
    let mut before: Option<BatchId> = None;
    loop {
        let page = ledger.batches(before, PAGE).await?;
        before = page.last().map(|batch| batch.id);
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        for batch in page.iter().filter(|batch| is_due(batch)) {
            match one(ledger, rules, folder, batch.id).await {
                Ok(is_written) => written += u64::from(is_written),
                Err(error @ LedgerError::Unavailable(_)) => return Err(error),
                // What is damaged in one batch must not keep the others from their results.
                Err(error) => tracing::error!(batch = %batch.id, %error, "no result"),
            }
        }
        if is_last || !all {
            return Ok(written);
        }
    }
}

fn is_due(batch: &Batch) -> bool {
    let is_over = match batch.state {
        BatchState::Complete => true,
        BatchState::Cancelled => batch.counts.open() == 0,
        _ => false,
    };
    is_over && batch.reported != Some(batch.changes)
}

async fn one(
    ledger: &dyn Ledger,
    rules: &Rules,
    folder: &Path,
    id: BatchId,
) -> Result<bool, LedgerError> {
    let Some(batch) = ledger.claim_report(id, REPORT_LEASE_MS).await? else { return Ok(false) };
    match write(ledger, rules, &batch, folder, rules.unmask).await {
        Ok(written) => {
            ledger.reported(id, batch.changes).await?;
            tracing::info!(batch = %id, file = %written.result.display(), "result written");
            Ok(true)
        }
        // Late news of a batch whose rows are gone must not keep the others from their results.
        Err(ReportError::Ledger(error @ LedgerError::Destroyed { .. })) => {
            tracing::error!(batch = %id, %error, "its result cannot be written anew");
            Ok(false)
        }
        Err(ReportError::Ledger(error)) => Err(error),
        Err(error) => {
            tracing::error!(batch = %id, %error, "no result");
            Ok(false)
        }
    }
}
