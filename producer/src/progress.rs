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
    let look = "{bar:30} {percent}%  {msg}  {elapsed}";
    beside(work, DRAW_MS, look, || {
        let (bytes, of_bytes, rows) = progress.get();
        (of_bytes >= BAR_FROM_BYTES).then(|| (bytes, of_bytes, format!("{rows} rows")))
    })
    .await
}

/// Shows how far a comparison is while `work` runs, if somebody watches and it takes its time.
pub async fn of_comparison<T>(progress: &Progress, work: impl Future<Output = T>) -> T {
    let look = "{bar:30} {pos}/{len} entries  {msg}  {elapsed}";
    beside(work, LOOK_MS, look, || {
        let entries = progress.entries.load(Ordering::Relaxed);
        let of_entries = progress.total.load(Ordering::Relaxed).max(entries);
        let indexed = progress.indexed.load(Ordering::Relaxed);
        Some((entries, of_entries, format!("{indexed} payouts")))
    })
    .await
}

/// Draws a bar that looks like `look` while `work` runs, each `every_ms` as far as `stands` says
/// (done, of how much, words), if somebody watches; none as long as it gives nothing.
async fn beside<T>(
    work: impl Future<Output = T>,
    every_ms: u64,
    look: &str,
    stands: impl Fn() -> Option<(u64, u64, String)>,
) -> T {
    if !std::io::stderr().is_terminal() {
        return work.await;
    }
    let bar = ProgressBar::hidden();
    let drawn = async {
        loop {
            tokio::time::sleep(Duration::from_millis(every_ms)).await;
            let Some((done, of, words)) = stands() else { continue };
            if bar.is_hidden() {
                bar.set_style(style(look));
                bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
            }
            bar.set_length(of);
            bar.set_position(done);
            bar.set_message(words);
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
