//! The inbox of `worker up`: takes files in and writes their results, through the producer
//! library.

use config::Config;
use ledger::Ledger;
use producer::inbox::{self, WatchOptions, folders};
use producer::report;
use producer::rules::{Rules, RulesError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Why files cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The folder.
    #[error("cannot make the inbox {path}: {source}")]
    Folder {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The config.
    #[error(transparent)]
    Rules(#[from] RulesError),
}

/// A watched inbox. Dropping it stops it too, without waiting.
pub struct Inbox {
    stop: watch::Sender<bool>,
    tasks: [JoinHandle<()>; 2],
    done: PathBuf,
}

impl Inbox {
    /// Watches from now on.
    pub fn start(config: &Config, ledger: Arc<dyn Ledger>) -> Result<Inbox, InboxError> {
        let folder = |source| {
            let path = config.inbox.dir.display().to_string();
            InboxError::Folder { path, source }
        };
        let rules = Arc::new(Rules::from_config(config)?);
        let done = folders::Inbox::open(&config.inbox.dir).map_err(folder)?.done();
        let (stop, stopped) = watch::channel(false);
        let keeper = Arc::clone(&rules);
        let files = tokio::spawn(files(config.clone(), rules, ledger.clone(), stopped.clone()));
        let folder = done.clone();
        let results = tokio::spawn(async move {
            report::keep_up(ledger, keeper, &folder, stopped).await;
        });
        Ok(Inbox { stop, tasks: [files, results], done })
    }

    /// Where results appear.
    pub fn done(&self) -> &Path {
        &self.done
    }

    /// Takes no further file; one that is being taken is finished.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            // A task that panicked has ended, which is all that is wanted here.
            let _ = task.await;
        }
    }
}

async fn files(
    config: Config,
    rules: Arc<Rules>,
    ledger: Arc<dyn Ledger>,
    stop: watch::Receiver<bool>,
) {
    let options = WatchOptions::default();
    if let Err(error) = inbox::watch(ledger, rules, &config.inbox, options, stop).await {
        tracing::error!(%error, "files are not taken any more; start again");
    }
}
