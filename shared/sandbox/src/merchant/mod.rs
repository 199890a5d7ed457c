//! The merchant payout gateway: one signed call a payout, callbacks when it is done.
//!
//! | file | idea |
//! |---|---|
//! | `config` | behaviour that is chosen at the start |
//! | `wire`, `order`, `render` | the document's fields; an accepted order; how it is told |
//! | `check`, `requisite`, `sign`, `magic` | is this create in order, and what does it ask for |
//! | `book`, `picture` | the ledger: file, memory |
//! | `gateway` | what runs; `create`, `lookup`, `cancel`, `account`: its calls |
//! | `reasons` | why somebody may ask where a payout stands |
//! | `settle`, `callback` | what happens to a payout after its answer |
//! | `fast` | the benchmark's stand-in for all of it |

mod account;
mod book;
mod callback;
mod cancel;
mod check;
mod config;
mod create;
mod fast;
mod gateway;
mod lookup;
mod magic;
mod order;
mod picture;
mod reasons;
mod render;
mod requisite;
mod settle;
mod sign;
mod wire;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::{Method as Verb, StatusCode};
use tokio::task::JoinSet;

pub use config::{API_KEY, BadSign, Currency, MERCHANT_NAME, MerchantConfig, SIGN_KEY, StatusId};
pub use gateway::OpenError;
pub use lookup::NOT_FOUND;
pub use order::{Method, Status};
pub use sign::create_sign;

use crate::arrivals::PaceSnapshot;
use crate::clock::lock;
use crate::counters::{CountersSnapshot, UnderWay};
use crate::dial::Dial;
use crate::server::{Call, Reply};
use crate::venue::LedgerEntry;
use fast::Fast;
use gateway::Gateway;
use order::{Notified, Payout};

/// Acknowledgements of callbacks reach the file at the latest after this.
const FLUSH: Duration = Duration::from_millis(50);

/// The gateway, whole or for benchmarks.
pub(crate) struct Merchant {
    /// `/api/merchant/{name}/`
    prefix: String,
    mode: Mode,
}

enum Mode {
    Whole(Arc<Gateway>),
    Fast(Box<Fast>),
}

/// What a provider is opened with.
pub(crate) struct Opening<'a> {
    /// `http://host:port/merchant`
    pub(crate) base: String,
    pub(crate) sandbox_id: &'a str,
    pub(crate) dir: &'a Path,
    pub(crate) dial: Arc<Dial>,
    pub(crate) fast: bool,
}

impl Merchant {
    /// Reads the ledger back and takes up its promises.
    pub(crate) fn open(config: MerchantConfig, opening: Opening<'_>) -> Result<Self, OpenError> {
        let prefix = format!("/api/merchant/{}/", config.name);
        let Opening { base, sandbox_id, dir, dial, fast } = opening;
        let mode = if fast {
            Mode::Fast(Box::new(Fast::new(gateway::reject_url(&base, &config), sandbox_id)))
        } else {
            Mode::Whole(Arc::new(Gateway::open(config, base, sandbox_id, dir, dial)?))
        };
        Ok(Self { prefix, mode })
    }

    /// Starts what goes on between calls.
    pub(crate) fn spawn(&self, tasks: &mut JoinSet<()>) {
        let Mode::Whole(gateway) = &self.mode else { return };
        for _ in 0..gateway.config.callback_connections {
            let gateway = Arc::clone(gateway);
            tasks.spawn(async move { gateway.run_sender().await });
        }
        let timers = Arc::clone(gateway);
        tasks.spawn(async move { timers.run_timers().await });
        let flusher = Arc::clone(gateway);
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(FLUSH).await;
                flusher.flush();
            }
        });
    }

    /// Counts a call as under way, if it is a create, until what this gives is dropped.
    pub(crate) fn begin(&self, path: &str) -> Option<UnderWay<'_>> {
        let Mode::Whole(gateway) = &self.mode else { return None };
        let is_create = path.ends_with("/create_pay_out/");
        is_create.then(|| gateway.counters.creates_at_once.begin())
    }

    /// One call; `path` is what follows the base.
    pub(crate) async fn answer(&self, path: &str, call: Call) -> Reply {
        let Some(rest) = path.strip_prefix(&*self.prefix) else {
            return self.wrong_path(path);
        };
        match (&self.mode, call.method(), rest) {
            (Mode::Fast(fast), &Verb::POST, "create_pay_out/") => fast.create(call).await,
            (Mode::Whole(gateway), &Verb::POST, "create_pay_out/") => gateway.create(call).await,
            (Mode::Whole(gateway), &Verb::POST, "rejected_pay_out/") => gateway.cancel(call).await,
            (Mode::Whole(gateway), &Verb::GET, "status/") => gateway.account(&call),
            (Mode::Whole(gateway), &Verb::GET, rest) => match pay_out_id(rest) {
                Some(id) => gateway.status(&call, id),
                None => Reply::empty(StatusCode::NOT_FOUND),
            },
            _ => Reply::empty(StatusCode::NOT_FOUND),
        }
    }

    /// Another merchant's path is forbidden; anything else does not exist.
    fn wrong_path(&self, path: &str) -> Reply {
        match &self.mode {
            Mode::Whole(gateway) if path.starts_with("/api/merchant/") => {
                gateway.error(StatusCode::FORBIDDEN, "unknown merchant")
            }
            _ => Reply::empty(StatusCode::NOT_FOUND),
        }
    }

    /// Fills in all counts but those of the dial.
    pub(crate) fn counters(&self) -> CountersSnapshot {
        match &self.mode {
            Mode::Whole(gateway) => gateway.snapshot(),
            Mode::Fast(fast) => fast.snapshot(),
        }
    }

    /// How creates came over the last minutes; nothing is kept of it in fast mode.
    pub(crate) fn pace(&self) -> PaceSnapshot {
        match &self.mode {
            Mode::Whole(gateway) => gateway.pace(),
            Mode::Fast(_) => PaceSnapshot::default(),
        }
    }

    /// Up to `most` ledger entries from the `from`-th on.
    pub(crate) fn ledger(&self, from: usize, most: usize) -> Vec<LedgerEntry> {
        let Mode::Whole(gateway) = &self.mode else { return Vec::new() };
        let page: Vec<Payout> = lock(&gateway.book).from(from).iter().take(most).cloned().collect();
        page.iter().map(|payout| gateway.entry(payout)).collect()
    }

    /// Settles what is pending; returns how many payouts became final.
    pub(crate) fn settle_now(&self) -> usize {
        match &self.mode {
            Mode::Whole(gateway) => gateway.settle_now(),
            Mode::Fast(_) => 0,
        }
    }

    /// Writes what may lag behind; called last.
    pub(crate) fn flush(&self) {
        if let Mode::Whole(gateway) = &self.mode {
            gateway.flush();
        }
    }
}

/// The `{pay_out_id}` of a look-up's path.
fn pay_out_id(rest: &str) -> Option<&str> {
    let id = rest.strip_prefix("status_pay_out/")?.strip_suffix('/')?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

impl Gateway {
    fn entry(&self, payout: &Payout) -> LedgerEntry {
        let order = &payout.order;
        LedgerEntry {
            provider: "merchant".to_owned(),
            order_id: order.order_id.to_string(),
            internal_transaction_id: self.internal_id(order.seq),
            amount: render::decimals(order.fiat, 2),
            currency: order.currency.to_string(),
            destination: order.requisite.to_string(),
            status: payout.status.word().to_owned(),
            paid: payout.status == Status::Successful,
            created_ms: order.created_ms,
            updated_ms: payout.updated_ms,
            acknowledged: payout.notified == Notified::Acknowledged,
        }
    }

    fn flush(&self) {
        if let Err(error) = lock(&self.book).flush() {
            tracing::error!(%error, "some callbacks are sent again after a restart");
        }
    }
}
