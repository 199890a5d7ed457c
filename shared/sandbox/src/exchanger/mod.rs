//! The exchange site ("Premium Exchanger"): an order is created, funded, and then paid out.
//! **Creating an order moves no money; one that is funded twice is two entries in the ledger.**
//!
//! | file | idea |
//! |---|---|
//! | `config` | behaviour that is chosen at the start |
//! | `method`, `form`, `envelope` | the API's names, PHP's way of reading and of answering |
//! | `direction`, `bid`, `render` | what can be exchanged; an order; how it is told |
//! | `check`, `magic` | is this order possible, and what does it ask for |
//! | `book`, `picture` | the ledger: file, memory |
//! | `site` | what runs; `catalog`, `create`, `act`, `list`, `partner`: its methods |
//! | `settle`, `callback` | what happens to an order after its answer |

mod act;
mod bid;
mod book;
mod callback;
mod catalog;
mod check;
mod config;
mod create;
mod direction;
mod envelope;
mod form;
mod list;
mod magic;
mod method;
mod partner;
mod picture;
mod render;
mod settle;
mod site;

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;

pub use config::{
    EXCHANGER_API_KEY, EXCHANGER_LOGIN, EXCHANGER_PARTNER_ID, EXCHANGER_USER_ID, ExchangerConfig,
    WindowBy,
};

use crate::clock::lock;
use crate::counters::CountersSnapshot;
use crate::dial::Dial;
use crate::server::{Call, Reply};
use crate::venue::{LedgerEntry, Venue};
use bid::Bid;
use site::Site;

/// Its name in paths, in the ledger, and of its file.
pub(crate) const NAME: &str = "exchanger";
/// What became of callbacks reaches the file at the latest after this.
const FLUSH: Duration = Duration::from_millis(50);

/// The exchange site as a provider of the sandbox.
pub(crate) struct Exchanger(Arc<Site>);

impl Exchanger {
    /// Reads the ledger back and takes up its promises; `url` is the sandbox's.
    pub(crate) fn open(
        config: ExchangerConfig,
        url: &str,
        sandbox_id: &str,
        dir: &Path,
    ) -> io::Result<Self> {
        let base = format!("{url}/{NAME}");
        Ok(Self(Arc::new(Site::open(config, base, sandbox_id, dir)?)))
    }

    /// `POST /sandbox/exchanger/fund` with `{"id": …}`: money arrives for an order.
    fn fund(&self, body: &[u8]) -> Reply {
        let id = serde_json::from_slice::<Value>(body).ok().and_then(|body| match &body["id"] {
            Value::String(id) => id.parse().ok(),
            id => id.as_u64(),
        });
        let Some(id) = id else {
            return problem(StatusCode::BAD_REQUEST, "must be {\"id\": <the id of an order>}");
        };
        match self.0.fund(id) {
            Ok(Some(status)) => {
                Reply::json(StatusCode::OK, &json!({ "id": id, "status": status.word() }))
            }
            Ok(None) => problem(StatusCode::NOT_FOUND, "no such order"),
            Err(error) => Site::not_written(&error),
        }
    }
}

fn problem(status: StatusCode, error: &str) -> Reply {
    Reply::json(status, &json!({ "error": error }))
}

impl Venue for Exchanger {
    fn name(&self) -> &'static str {
        NAME
    }

    fn dial(&self) -> &Dial {
        &self.0.dial
    }

    fn answer(
        self: Arc<Self>,
        path: String,
        call: Call,
    ) -> Pin<Box<dyn Future<Output = Reply> + Send>> {
        Box::pin(async move { self.0.answer(&path, call).await })
    }

    fn control(&self, what: &str, body: &[u8]) -> Option<Reply> {
        (what == "fund").then(|| self.fund(body))
    }

    fn ledger(&self, from: usize, most: usize) -> Vec<LedgerEntry> {
        let page: Vec<Bid> = lock(&self.0.book).entries(from).take(most).cloned().collect();
        page.iter().map(|bid| self.0.entry(bid)).collect()
    }

    fn counters(&self) -> CountersSnapshot {
        self.0.snapshot()
    }

    fn settle_now(&self) -> usize {
        self.0.settle_now()
    }

    fn spawn(self: Arc<Self>, tasks: &mut JoinSet<()>) {
        for _ in 0..self.0.config.callback_connections {
            let site = Arc::clone(&self.0);
            tasks.spawn(async move { site.run_sender().await });
        }
        let site = Arc::clone(&self.0);
        tasks.spawn(async move { site.run_timers().await });
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(FLUSH).await;
                self.flush();
            }
        });
    }

    fn flush(&self) {
        if let Err(error) = lock(&self.0.book).flush() {
            tracing::error!(%error, "some callbacks are sent again after a restart");
        }
    }
}
