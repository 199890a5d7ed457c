//! Capay: a token, one call a payout, a webhook at each change; all of it behind mutual TLS 1.3.
//!
//! The document covers connection, authentication, errors and webhooks. The payout calls are the
//! profile that the adapter's defaults assume, not Capay's own reference.
//!
//! | file | idea |
//! |---|---|
//! | `config` | behaviour that is chosen at the start; the fixed credentials |
//! | `certificates` | made at the first start, kept over restarts |
//! | `operation`, `wire` | the profile's calls; its bodies |
//! | `order` | a state, an accepted order, its changes |
//! | `check`, `page`, `magic` | is this call in order, and what does it ask for |
//! | `book`, `picture` | the ledger: file, memory |
//! | `gateway` | what runs; `authorize`, `beneficiaries`, `create`, `lookup`, `cancel`: its calls |
//! | `token` | what stands before every call but one |
//! | `settle`, `webhook` | what happens to a payout after its answer |
//! | `control` | what tests and people may change while it runs |

mod authorize;
mod beneficiaries;
mod book;
mod cancel;
mod certificates;
mod check;
mod config;
mod control;
mod create;
mod gateway;
mod lookup;
mod magic;
mod operation;
mod order;
mod page;
mod picture;
mod settle;
mod token;
mod webhook;
mod wire;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

pub use config::{
    CAPAY_API_KEY, CAPAY_API_USER, CAPAY_CLIENT_ID, CAPAY_SIGNATURE_HEADER, CAPAY_WEBHOOK_SECRET,
    CapayConfig, CapayRepeat,
};
pub(crate) use gateway::Gateway as Capay;

use crate::clock::lock;
use crate::counters::CountersSnapshot;
use crate::dial::Dial;
use crate::server::{Call, Reply};
use crate::venue::{LedgerEntry, Venue};
use order::{Payout, State};

/// The first part of its paths, and its name in the ledger.
pub(crate) const NAME: &str = "capay";
/// Acknowledgements of webhooks reach the file at the latest after this.
const FLUSH: Duration = Duration::from_millis(50);

impl Venue for Capay {
    fn name(&self) -> &'static str {
        NAME
    }

    fn is_behind_tls(&self) -> bool {
        true
    }

    fn dial(&self) -> &Dial {
        &self.dial
    }

    fn answer(
        self: Arc<Self>,
        path: String,
        call: Call,
    ) -> Pin<Box<dyn Future<Output = Reply> + Send>> {
        Box::pin(async move { self.call(&path, call).await })
    }

    fn control(&self, what: &str, body: &[u8]) -> Option<Reply> {
        self.controlled(what, body)
    }

    fn ledger(&self, from: usize, most: usize) -> Vec<LedgerEntry> {
        let page: Vec<Payout> = lock(&self.book).from(from).iter().take(most).cloned().collect();
        page.iter().map(|payout| self.entry(payout)).collect()
    }

    fn counters(&self) -> CountersSnapshot {
        self.snapshot()
    }

    fn settle_now(&self) -> usize {
        Self::settle_now(self)
    }

    fn spawn(self: Arc<Self>, tasks: &mut JoinSet<()>) {
        for place in 0..self.deliveries.len() {
            let sender = Arc::clone(&self);
            tasks.spawn(async move { sender.run_sender(place).await });
        }
        let timers = Arc::clone(&self);
        tasks.spawn(async move { timers.run_timers().await });
        tasks.spawn(async move {
            loop {
                tokio::time::sleep(FLUSH).await;
                self.flush();
            }
        });
    }

    fn flush(&self) {
        if let Err(error) = lock(&self.book).flush() {
            tracing::error!(%error, "some webhooks are sent again after a restart");
        }
    }
}

impl Capay {
    fn entry(&self, payout: &Payout) -> LedgerEntry {
        let order = &payout.order;
        LedgerEntry {
            provider: NAME.to_owned(),
            order_id: order.reference.to_string(),
            internal_transaction_id: self.id(order.seq),
            amount: order.amount.to_string(),
            currency: order.currency.to_ascii_lowercase(),
            destination: order.payee.destination().to_owned(),
            status: payout.state().word().to_owned(),
            paid: payout.state() == State::Completed,
            created_ms: order.created_ms,
            updated_ms: payout.updated_ms(),
            acknowledged: payout.is_acknowledged(),
        }
    }
}
