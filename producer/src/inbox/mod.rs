//! The inbox: a file is taken by an atomic rename, and whatever happens it lies in exactly one
//! of `inbox/`, `processing/`, `done/` and `failed/`.
//!
//! ```text
//! inbox/ ──at rest──▶ processing/ (locked) ──sealed──▶ done/
//!                          │  ▲ └──refused──▶ failed/ with <name>.reason.txt
//!                          └──┘ nobody holds the lock: a crash; taken again
//! ```
//!
//! A crash before the seal leaves a batch that nobody pays and a file that is taken again once
//! the intake lease has ended. A crash after it leaves a file whose hash its own batch holds:
//! it is moved on to `done/`.
//!
//! - [`folders`]: the four folders, names that never meet, moving
//! - [`rest`]: which files are whole

pub mod folders;
pub mod rest;

use crate::intake::{self, IntakeError, Progress, TakeOptions, Taken};
use crate::rules::Rules;
use config::InboxConfig;
use domain::{LaneName, Millis, Priority};
use folders::{Claimed, Inbox};
use ledger::Ledger;
use rest::Rest;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often the folder is looked at.
const SCAN_MS: u64 = 100;
/// How often `processing/` is searched for files that a crash has left.
const RECOVER_MS: u64 = 2_000;

/// How files of an inbox are taken.
#[derive(Clone, Debug, Default)]
pub struct WatchOptions {
    /// The lane of rows that name none.
    pub lane: Option<LaneName>,
    /// The profile, if it is not to be chosen by the header.
    pub profile: Option<String>,
    /// Take the good rows of a file and leave the bad ones out.
    pub skip_invalid: bool,
    /// Send nothing of what is taken before this moment.
    pub not_before: Option<Millis>,
    /// Which of two batches goes first on a lane.
    pub priority: Priority,
}

/// What became of a file.
#[derive(Debug)]
pub enum Handled {
    /// It lies in `done/`.
    Done(Box<Taken>),
    /// It lies in `failed/`.
    Failed(IntakeError),
    /// It stays in `processing/` and is tried again.
    Later(IntakeError),
}

/// Takes files until `stop` becomes true; a file that is being taken is finished first.
pub async fn watch(
    ledger: Arc<dyn Ledger>,
    rules: Arc<Rules>,
    config: &InboxConfig,
    options: WatchOptions,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let inbox = Inbox::open(&config.dir)?;
    let mut rest = Rest::new(Duration::from_millis(config.rest_ms));
    let mut recover_at = Instant::now();
    while !*stop.borrow() {
        if recover_at <= Instant::now() {
            for claimed in told(inbox.left_behind(), "processing/").unwrap_or_default() {
                handle(&ledger, &rules, &inbox, &options, claimed).await;
            }
            recover_at = Instant::now() + Duration::from_millis(RECOVER_MS);
        }
        let names = told(inbox.waiting(), "the inbox").unwrap_or_default();
        for name in rest.at_rest(names) {
            if *stop.borrow() {
                break;
            }
            if let Some(claimed) = told(inbox.take(&name), "the inbox").flatten() {
                handle(&ledger, &rules, &inbox, &options, claimed).await;
            }
        }
        tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => break,
            () = tokio::time::sleep(Duration::from_millis(SCAN_MS)) => {}
        }
    }
    Ok(())
}

/// A folder that cannot be read now is told and tried again.
fn told<T>(result: std::io::Result<T>, what: &str) -> Option<T> {
    result.map_err(|error| tracing::warn!(%error, "cannot work on {what}; trying again")).ok()
}

/// Takes one file in and moves it on.
pub async fn handle(
    ledger: &Arc<dyn Ledger>,
    rules: &Arc<Rules>,
    inbox: &Inbox,
    options: &WatchOptions,
    claimed: Claimed,
) -> Handled {
    let file = claimed.name().to_owned();
    let take = TakeOptions {
        file: claimed.path().to_owned(),
        name: Some(file.clone()),
        lane: options.lane.clone(),
        profile: options.profile.clone(),
        skip_invalid: options.skip_invalid,
        rejected: Some(inbox.rejected_path(&file, options.skip_invalid)),
        not_before: options.not_before,
        priority: options.priority,
        recovered: claimed.is_left_behind(),
        ..TakeOptions::default()
    };
    let progress = Arc::new(Progress::default());
    match intake::take(ledger.clone(), rules.clone(), take, progress).await {
        Ok(taken) => {
            let batch = taken.batch.map(|id| id.to_string()).unwrap_or_default();
            match inbox.to_done(claimed, &batch) {
                Ok(_) => {
                    tracing::info!(%file, %batch, rows = taken.rows, rejected = taken.rejected, "taken")
                }
                Err(error) => {
                    tracing::warn!(%file, %batch, %error, "taken, but not moved to done/ yet");
                }
            }
            Handled::Done(Box::new(taken))
        }
        Err(error) if error.is_final() => {
            let list = match &error {
                IntakeError::BadRows { rejected_file, .. } => rejected_file.as_deref(),
                _ => None,
            };
            match inbox.to_failed(claimed, &error.to_string(), list) {
                Ok(_) => tracing::warn!(%file, reason = %error.brief(), "refused"),
                Err(problem) => {
                    tracing::warn!(%file, %problem, "refused, but not moved to failed/ yet");
                }
            }
            Handled::Failed(error)
        }
        Err(error) => {
            tracing::warn!(%file, reason = %error.brief(), "not taken yet; trying again");
            Handled::Later(error)
        }
    }
}
