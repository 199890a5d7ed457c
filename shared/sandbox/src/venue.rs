//! What every provider of the sandbox is to the sandbox, and how its payouts are told.
//!
//! A provider answers below `/<name>/`, has a dial and counts of its own below
//! `/sandbox/<name>/`, and keeps a ledger of what it was asked to pay. It pays twice what it is
//! asked twice: that is what the tests must see.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::counters::CountersSnapshot;
use crate::dial::Dial;
use crate::server::{Call, Reply};

/// A provider of the sandbox.
pub(crate) trait Venue: Send + Sync + 'static {
    /// Its name: the first part of its paths.
    fn name(&self) -> &'static str;

    /// Is it served on the listener with mutual TLS, and there alone?
    fn is_behind_tls(&self) -> bool {
        false
    }

    /// Its own fault dial.
    fn dial(&self) -> &Dial;

    /// One call; `path` is what follows `/<name>`, with its slash.
    fn answer(
        self: Arc<Self>,
        path: String,
        call: Call,
    ) -> Pin<Box<dyn Future<Output = Reply> + Send>>;

    /// A control call of its own below `/sandbox/<name>/`, a POST, PUT or DELETE; `None` if there is
    /// none of this name.
    fn control(&self, _what: &str, _body: &[u8]) -> Option<Reply> {
        None
    }

    /// Up to `most` ledger entries from the `from`-th on, oldest first.
    fn ledger(&self, from: usize, most: usize) -> Vec<LedgerEntry>;

    /// All counts but those of the dial.
    fn counters(&self) -> CountersSnapshot;

    /// Settles what is pending, but for what never settles; returns how many became final.
    fn settle_now(&self) -> usize;

    /// Starts what goes on between calls.
    fn spawn(self: Arc<Self>, tasks: &mut JoinSet<()>);

    /// Writes what may lag behind; called last.
    fn flush(&self);
}

/// One payout that a provider accepted, as tests and people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The provider.
    pub provider: String,
    /// The client's own id; a double pay is two entries with one.
    pub order_id: String,
    /// The provider's id.
    pub internal_transaction_id: String,
    /// As the currency has it.
    pub amount: String,
    /// Lower case.
    pub currency: String,
    /// Where the money goes.
    pub destination: String,
    /// The provider's word for where it stands.
    pub status: String,
    /// Did money move?
    pub paid: bool,
    /// When it was accepted, in milliseconds since 1970.
    pub created_ms: u64,
    /// When the status last changed.
    pub updated_ms: u64,
    /// Was the callback of its final state answered 2xx? False where there are none.
    pub acknowledged: bool,
}
