//! One comparison from end to end.
//!
//! First the ledger: what was sent in the period gets a slot. Then the list, page by page; each
//! entry finds its payout by its slot or by its reference, and is judged against the payout as it
//! stands *after* the page was read. Last the slots: what is paid here and was not seen as paid.
//!
//! The list is read a day wider than the period at both ends, because its days may be of another
//! zone and its times those of another step; only what was sent inside the period must be found.
//!
//! The list is that of one account, and so is what is expected of it: a lane may have changed its
//! account within the period (S4). If it changes while the list is read, nothing was compared.

use crate::DAY_MS;
use crate::found::Outcome;
use crate::index::Index;
use crate::run::Run;
use domain::{Account, LaneName, ReferenceFormat};
use ledger::{LaneRecord, Ledger, LedgerError};
use providers::{Period, Statement, Turns};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// The list may be so much wider than the period: a zone, and a step that takes its time.
pub(crate) const MARGIN_MS: u64 = DAY_MS;
/// Twenty million entries, at a thousand a page. A longer list is read in shorter periods.
const PAGES_MAX: u32 = 20_000;

/// What to compare.
pub struct Job<'a> {
    /// The ledger.
    pub ledger: &'a dyn Ledger,
    /// The lane.
    pub lane: &'a LaneName,
    /// The account whose list it is.
    pub account: Account,
    /// Its provider's list.
    pub statement: &'a dyn Statement,
    /// How its provider takes references.
    pub format: ReferenceFormat,
    /// The period.
    pub period: Period,
    /// The pace of requests.
    pub turns: &'a dyn Turns,
}

/// Why nothing was compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The list.
    #[error("the provider's list cannot be read: {0}")]
    List(String),
    /// The pool has the lane on an account whose list this is not (S4).
    #[error("the lane is on another account in the pool, so this list says nothing about it")]
    Account,
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// How far a comparison is, for whoever watches.
#[derive(Debug, Default)]
pub struct Progress {
    /// Payouts of the ledger.
    pub indexed: AtomicU64,
    /// Entries of the list.
    pub entries: AtomicU64,
    /// Entries that the list says to have; 0 as long as that is not told.
    pub total: AtomicU64,
}

/// Compares.
pub async fn compare(job: &Job<'_>, progress: &Progress) -> Result<Outcome, CompareError> {
    let about = job.ledger.about().await?;
    let adopted = record(job).await?.adopted;
    let mut run = Run {
        job,
        id: about.id,
        now: about.now,
        adopted,
        index: Index::default(),
        unplaced: HashSet::new(),
        destroyed: HashSet::new(),
        outcome: Outcome::default(),
    };
    run.read_ledger(progress).await?;
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let period = job.period.wider(MARGIN_MS);
        let page = job.statement.page(period, cursor.as_deref(), job.turns).await;
        let page = page.map_err(CompareError::List)?;
        let count = u64::try_from(page.entries.len()).unwrap_or(u64::MAX);
        progress.entries.fetch_add(count, Ordering::Relaxed);
        progress.total.store(page.total.unwrap_or(0), Ordering::Relaxed);
        run.outcome.entries += count;
        run.take(page.entries).await?;
        match page.next {
            None => {
                let outcome = run.end().await?;
                record(job).await?;
                return Ok(outcome);
            }
            next if next == cursor => {
                return Err(CompareError::List("it leads from a page to itself".to_owned()));
            }
            next => cursor = next,
        }
    }
    Err(CompareError::List(format!("more than {PAGES_MAX} pages; choose a shorter period")))
}

/// The lane's record, as long as the lane is on the account whose list is read, or on none yet.
async fn record(job: &Job<'_>) -> Result<LaneRecord, CompareError> {
    let record = job.ledger.lane(job.lane.clone()).await?;
    if is_on(&record, job.account) { Ok(record) } else { Err(CompareError::Account) }
}

/// Whether the pool has the lane on no other account.
pub(crate) fn is_on(record: &LaneRecord, account: Account) -> bool {
    record.fingerprint.is_empty() || Account::of(&record.fingerprint) == account
}
