//! Progress on a terminal: of an intake, and of a batch until it is over.

use crate::intake;
use domain::{Batch, BatchId, BatchState, State};
use indicatif::{ProgressBar, ProgressStyle};
use ledger::{Ledger, LedgerError};
use reconcile::Progress;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often a batch is looked at.
const LOOK_MS: u64 = 300;
/// How often an intake's bar is drawn.
const DRAW_MS: u64 = 100;
/// A smaller file is taken before a bar could be read.
const BAR_FROM_BYTES: u64 = 4 << 20;

/// Shows how far an intake is while `work` runs, if somebody watches and the file is large.
pub async fn of_intake<T>(progress: Arc<intake::Progress>, work: impl Future<Output = T>) -> T {
    if !std::io::stderr().is_terminal() {
        return work.await;
    }
    let bar = ProgressBar::hidden();
    let drawn = async {
        loop {
            tokio::time::sleep(Duration::from_millis(DRAW_MS)).await;
            let (bytes, of_bytes, rows) = progress.get();
            if of_bytes < BAR_FROM_BYTES {
                continue;
            }
            if bar.is_hidden() {
                bar.set_style(style("{bar:30} {percent}%  {msg}  {elapsed}"));
                bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
            }
            bar.set_length(of_bytes);
            bar.set_position(bytes);
            bar.set_message(format!("{rows} rows"));
        }
    };
    let result = tokio::select! {
        biased;
        result = work => result,
        () = drawn => unreachable!("the drawing never ends by itself"),
    };
    bar.finish_and_clear();
    result
}

/// Shows how far a comparison is while `work` runs, if somebody watches and it takes its time.
pub async fn of_comparison<T>(progress: &Progress, work: impl Future<Output = T>) -> T {
    if !std::io::stderr().is_terminal() {
        return work.await;
    }
    let bar = ProgressBar::hidden();
    let drawn = async {
        loop {
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
            if bar.is_hidden() {
                bar.set_style(style("{bar:30} {pos}/{len} entries  {msg}  {elapsed}"));
                bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
            }
            let entries = progress.entries.load(Ordering::Relaxed);
            bar.set_length(progress.total.load(Ordering::Relaxed).max(entries));
            bar.set_position(entries);
            bar.set_message(format!("{} payouts", progress.indexed.load(Ordering::Relaxed)));
        }
    };
    let result = tokio::select! {
        biased;
        result = work => result,
        () = drawn => unreachable!("the drawing never ends by itself"),
    };
    bar.finish_and_clear();
    result
}

/// Follows a batch until nothing of it is open; gives it as it stands then, or `None` if there
/// is no such batch.
pub async fn follow(ledger: &dyn Ledger, id: BatchId) -> Result<Option<Batch>, LedgerError> {
    let bar = ProgressBar::new(0);
    bar.set_style(style("{bar:30} {pos}/{len}  {msg}  {elapsed}"));
    loop {
        let Some(batch) = ledger.batch(id).await? else { return Ok(None) };
        bar.set_length(batch.totals.rows());
        bar.set_position(batch.totals.rows().saturating_sub(batch.counts.open()));
        bar.set_message(format!("{}: {}", batch.state, counts(&batch)));
        if is_over(&batch) {
            bar.finish_and_clear();
            return Ok(Some(batch));
        }
        tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
    }
}

/// Nothing of the batch will change by itself.
pub fn is_over(batch: &Batch) -> bool {
    match batch.state {
        BatchState::Complete | BatchState::Rejected => true,
        BatchState::Cancelled => batch.counts.open() == 0,
        BatchState::Receiving | BatchState::Awaiting | BatchState::Active | BatchState::Paused => {
            false
        }
    }
}

/// `12 paid, 1 failed`: the states that have any.
pub fn counts(batch: &Batch) -> String {
    let some = |state: &State| batch.counts.get(*state) > 0;
    let shown = |state: State| format!("{} {state}", batch.counts.get(state));
    State::ALL.into_iter().filter(some).map(shown).collect::<Vec<_>>().join(", ")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// A line that counts, on a terminal; nothing elsewhere.
pub struct Counting(ProgressBar);

impl Counting {
    /// Shows the line.
    pub fn start() -> Counting {
        let bar = ProgressBar::new_spinner();
        bar.set_style(style("{spinner}  {msg}  {elapsed}"));
        Counting(bar)
    }

    /// Shows how far it is.
    pub fn show(&self, text: &str) {
        self.0.set_message(text.to_owned());
        self.0.tick();
    }

    /// Takes the line away.
    pub fn end(&self) {
        self.0.finish_and_clear();
    }
}
