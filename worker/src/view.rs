//! What `worker up` shows while it works: a bar for each batch under way where a terminal
//! watches, otherwise a line when a batch comes and when it is over.

use domain::{Batch, BatchId, BatchState};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use ledger::Ledger;
use producer::progress::{counts, is_over};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

/// How often the ledger is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Batches that are looked at; older ones show in `producer status`.
const BATCHES: u32 = 20;

/// The bars, and the place above them where everything else is written.
#[derive(Clone)]
pub struct View {
    bars: MultiProgress,
    watched: bool,
}

impl View {
    /// Bars on stderr if it is a terminal.
    pub fn new() -> View {
        let watched = std::io::stderr().is_terminal();
        let target =
            if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        View { bars: MultiProgress::with_draw_target(target), watched }
    }

    /// Whether bars are drawn.
    pub fn is_watched(&self) -> bool {
        self.watched
    }

    /// Writes to stderr, above the bars.
    pub fn say(&self, text: &str) {
        self.bars.suspend(|| eprintln!("{text}"));
    }

    /// Shows what becomes of all batches, for ever.
    pub async fn follow(&self, ledger: Arc<dyn Ledger>) -> std::convert::Infallible {
        // What was over before is no news.
        let mut shown: BTreeMap<BatchId, Shown> = BTreeMap::new();
        let mut is_first = true;
        loop {
            // A ledger that is away is told by those who need it.
            for batch in ledger.batches(None, BATCHES).await.unwrap_or_default().iter().rev() {
                match shown.get(&batch.id) {
                    Some(Shown::Over) => {}
                    None if is_first && is_over(batch) => {
                        shown.insert(batch.id, Shown::Over);
                    }
                    _ => self.show(batch, &mut shown),
                }
            }
            is_first = false;
            tokio::time::sleep(LOOK).await;
        }
    }

    fn show(&self, batch: &Batch, shown: &mut BTreeMap<BatchId, Shown>) {
        if batch.state == BatchState::Receiving {
            return;
        }
        if is_over(batch) {
            if let Some(Shown::Bar(bar)) = shown.insert(batch.id, Shown::Over) {
                bar.finish_and_clear();
            }
            let what = if batch.reason.is_empty() { counts(batch) } else { batch.reason.clone() };
            self.say(&format!("{}: {}: {what}", batch.name, batch.state));
            return;
        }
        let Shown::Bar(bar) = shown.entry(batch.id).or_insert_with(|| {
            if !self.watched {
                self.say(&format!("{}: taken, {} rows", batch.name, batch.totals.rows()));
            }
            Shown::Bar(self.bars.add(bar(batch.totals.rows())))
        }) else {
            return;
        };
        bar.set_position(batch.totals.rows().saturating_sub(batch.counts.open()));
        let held = if batch.state == BatchState::Paused { "paused: " } else { "" };
        bar.set_message(format!("{}: {held}{}", batch.name, counts(batch)));
    }
}

impl Default for View {
    fn default() -> View {
        View::new()
    }
}

enum Shown {
    Bar(ProgressBar),
    Over,
}

fn bar(rows: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}  {elapsed}");
    ProgressBar::new(rows).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Lines of the log, written above the bars.
impl std::io::Write for View {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bars.suspend(|| std::io::stderr().write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.bars.suspend(|| std::io::stderr().flush())
    }
}
