//! What was called and what was sent, counted since the start of the process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::dial::Fault;

/// A count that only grows.
#[derive(Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds one and tells how many there were before.
    pub(crate) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The least of what was seen.
pub(crate) struct Least(AtomicU64);

impl Default for Least {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl Least {
    pub(crate) fn see(&self, value: u64) {
        self.0.fetch_min(value, Ordering::Relaxed);
    }

    /// `None` as long as nothing was seen.
    pub(crate) fn get(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|value| *value < u64::MAX)
    }
}

/// What is under way now, and the most that ever was at once.
#[derive(Default)]
pub(crate) struct AtOnce {
    now: AtomicU64,
    most: AtomicU64,
}

/// One of those that are under way, until it is dropped.
pub(crate) struct UnderWay<'a>(&'a AtOnce);

impl AtOnce {
    pub(crate) fn begin(&self) -> UnderWay<'_> {
        let others = self.now.fetch_add(1, Ordering::Relaxed);
        self.most.fetch_max(others + 1, Ordering::Relaxed);
        UnderWay(self)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The counts that no ledger holds.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) create: Count,
    pub(crate) creates_at_once: AtOnce,
    pub(crate) status: Count,
    pub(crate) unlisted: Count,
    pub(crate) youngest_asked_ms: Least,
    pub(crate) cancel: Count,
    pub(crate) account: Count,
    pub(crate) callbacks_sent: Count,
    pub(crate) callbacks_acknowledged: Count,
    pub(crate) callbacks_given_up: Count,
    pub(crate) forged_sent: Count,
    pub(crate) forged_acknowledged: Count,
    pub(crate) too_many_requests: Count,
    pub(crate) bad_signatures: Count,
    pub(crate) bad_api_keys: Count,
}

impl Counters {
    /// These counts; the ledger's and the dial's are filled in by their owners.
    pub(crate) fn snapshot(&self) -> CountersSnapshot {
        CountersSnapshot {
            create: self.create.get(),
            max_at_once: self.creates_at_once.most.load(Ordering::Relaxed),
            status: self.status.get(),
            unlisted: self.unlisted.get(),
            youngest_asked_ms: self.youngest_asked_ms.get(),
            cancel: self.cancel.get(),
            account: self.account.get(),
            callbacks_sent: self.callbacks_sent.get(),
            callbacks_acknowledged: self.callbacks_acknowledged.get(),
            callbacks_given_up: self.callbacks_given_up.get(),
            forged_sent: self.forged_sent.get(),
            forged_acknowledged: self.forged_acknowledged.get(),
            too_many_requests: self.too_many_requests.get(),
            bad_signatures: self.bad_signatures.get(),
            bad_api_keys: self.bad_api_keys.get(),
            ..CountersSnapshot::default()
        }
    }
}

/// All counts at one moment. Those of the ledger live as long as the data directory, the others
/// as long as the process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountersSnapshot {
    /// Create calls, whatever they were answered.
    pub create: u64,
    /// Look-ups.
    pub status: u64,
    /// Those of them that told where a payout stands for which its dossier lists no reason to ask:
    /// polling. **Anything but 0 breaks the platform's rule.** The merchant gateway alone tells it.
    #[serde(default)]
    pub unlisted: u64,
    /// The age of the youngest payout that a look-up asked for, but for those that were rejected:
    /// asking for these is how a negative callback is confirmed. 0 for one that does not exist.
    /// The merchant gateway alone tells it.
    #[serde(default)]
    pub youngest_asked_ms: Option<u64>,
    /// Cancellations asked for.
    pub cancel: u64,
    /// Account look-ups.
    pub account: u64,
    /// Genuine callbacks sent, repeats included.
    pub callbacks_sent: u64,
    /// Genuine callbacks answered 2xx.
    pub callbacks_acknowledged: u64,
    /// Payouts whose callback was never answered 2xx in all its tries.
    pub callbacks_given_up: u64,
    /// Forged callbacks sent.
    pub forged_sent: u64,
    /// Forged callbacks answered 2xx; keeping one is right, believing it is not.
    pub forged_acknowledged: u64,
    /// Calls answered 429.
    pub too_many_requests: u64,
    /// Calls refused for their signature.
    pub bad_signatures: u64,
    /// Calls refused for their `X-Api-Key`.
    pub bad_api_keys: u64,
    /// The most creates in any sliding second, by their first byte, refused ones included.
    pub max_per_second: u64,
    /// The most creates under way at once, from their heads to the end of the latency that the dial
    /// sets; what hangs, or whose client went away, counts no more. The merchant gateway alone tells it.
    #[serde(default)]
    pub max_at_once: u64,
    /// Ledger: creates accepted; each is money promised.
    pub accepted: u64,
    /// Ledger: payouts that ended successful.
    pub paid: u64,
    /// Ledger: payouts not final yet.
    pub pending: u64,
    /// Ledger: order ids accepted more than once. **Anything but 0 is a double pay.**
    pub duplicates: u64,
    /// Calls by the provider's own names of its operations, where it has many.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub calls: BTreeMap<String, u64>,
    /// The most records that a page was asked for.
    #[serde(default)]
    pub max_page: u64,
    /// How often each fault of the dial struck.
    pub faults: BTreeMap<Fault, u64>,
}
