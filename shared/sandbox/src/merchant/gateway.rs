//! The gateway as it runs: its ledger, its timers, its callbacks, and what stands before every call.
//!
//! ```text
//! create ─▶ Book (written) ─▶ answer
//!             └▶ Timers ─▶ settle (written) ─▶ Queue ─▶ callback ─▶ 2xx (noted)
//!                   ▲                                      └ not 2xx ┐
//!                   └────────────── later ──────────────────────────┘
//! ```

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::HeaderName;

use super::book::Book;
use super::callback::Delivery;
use super::config::MerchantConfig;
use super::reasons::Reasons;
use super::settle::Due;
use super::sign::{Template, TemplateError};
use super::wire::Refusal;
use crate::arrivals::{Arrivals, PaceSnapshot};
use crate::clock::{lock, mono_ns};
use crate::counters::{Counters, CountersSnapshot};
use crate::dial::{Dial, Fault};
use crate::outbound::Outbound;
use crate::queue::Queue;
use crate::server::{Call, Reply};
use crate::timers::Timers;
use crate::window::Window;

const API_KEY_HEADER: HeaderName = HeaderName::from_static("x-api-key");

pub(super) struct Gateway {
    pub(super) config: MerchantConfig,
    /// `http://host:port/merchant`
    pub(super) base: String,
    pub(super) reject_url: String,
    /// What internal ids begin with: other sandboxes make other ids.
    id_prefix: String,
    pub(super) callback_sign: Option<Template>,
    pub(super) dial: Arc<Dial>,
    pub(super) counters: Counters,
    pub(super) book: Mutex<Book>,
    pub(super) timers: Timers<Due>,
    pub(super) deliveries: Queue<Delivery>,
    pub(super) outbound: Outbound,
    /// Every create that arrived.
    pub(super) arrivals: Mutex<Arrivals>,
    /// Creates and look-ups that a limit let through.
    admitted_creates: Mutex<Window>,
    admitted_lookups: Mutex<Window>,
    /// Order ids that were told "overloading requisite" once.
    pub(super) overloaded: Mutex<HashSet<Box<str>>>,
    /// Of look-ups, since the start of the process.
    pub(super) reasons: Mutex<Reasons>,
}

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The ledger's file.
    #[error("merchant ledger: {0}")]
    Ledger(#[from] io::Error),
    /// The configuration.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Not an HTTP status that refuses.
    #[error("refusal_status {0}: must be 200 or 400 to 499")]
    RefusalStatus(u16),
}

/// Where a create answer says that its payout can be cancelled: the documented call.
pub(super) fn reject_url(base: &str, config: &MerchantConfig) -> String {
    format!("{base}/api/merchant/{}/rejected_pay_out/", config.name)
}

impl Gateway {
    pub(super) fn open(
        config: MerchantConfig,
        base: String,
        sandbox_id: &str,
        dir: &Path,
        dial: Arc<Dial>,
    ) -> Result<Self, OpenError> {
        if config.refusal_status != 200 && !(400..500).contains(&config.refusal_status) {
            return Err(OpenError::RefusalStatus(config.refusal_status));
        }
        let callback_sign = config.callback_sign.as_deref().map(Template::parse).transpose()?;
        let book = Book::open(&dir.join("merchant.ndjson"), config.balance)?;
        let timeout = Duration::from_millis(config.callback_timeout_ms);
        let gateway = Self {
            reject_url: reject_url(&base, &config),
            base,
            id_prefix: format!("sbx-{}-", sandbox_id.get(..8).unwrap_or(sandbox_id)),
            callback_sign,
            dial,
            counters: Counters::default(),
            book: Mutex::new(book),
            timers: Timers::new(),
            deliveries: Queue::new(),
            outbound: Outbound::new(timeout),
            arrivals: Mutex::default(),
            admitted_creates: Mutex::default(),
            admitted_lookups: Mutex::default(),
            overloaded: Mutex::default(),
            reasons: Mutex::default(),
            config,
        };
        gateway.take_up_promises();
        Ok(gateway)
    }

    /// The gateway's id of a payout: unique for ever, and an index.
    pub(super) fn internal_id(&self, seq: usize) -> String {
        format!("{}{seq:09}", self.id_prefix)
    }

    /// The payout that an internal id names.
    pub(super) fn seq_of(&self, internal_id: &str) -> Option<usize> {
        internal_id.strip_prefix(&self.id_prefix)?.parse().ok()
    }

    /// What stands before a create: closed account, limits.
    pub(super) fn admit_create(&self, call: &Call) -> Result<(), Reply> {
        let is_over = self
            .dial
            .create_limit()
            .is_some_and(|limit| !lock(&self.admitted_creates).admit(call.arrived_ns, limit));
        if is_over {
            lock(&self.arrivals).refused(call.arrived_ns);
        }
        self.admit(is_over)
    }

    /// What stands before a look-up: closed account, key, limits.
    pub(super) fn admit_lookup(&self, call: &Call) -> Result<(), Reply> {
        self.check_key(call)?;
        let is_over = self
            .dial
            .lookup_limit()
            .is_some_and(|limit| !lock(&self.admitted_lookups).admit(call.arrived_ns, limit));
        self.admit(is_over)
    }

    /// What stands before any call.
    pub(super) fn admit(&self, is_over_limit: bool) -> Result<(), Reply> {
        if self.dial.strikes(Fault::AccountClosed) {
            return Err(self.error(StatusCode::FORBIDDEN, "merchant account is closed"));
        }
        if is_over_limit || self.dial.strikes(Fault::TooManyRequests) {
            self.counters.too_many_requests.add();
            let answer = self.error(StatusCode::TOO_MANY_REQUESTS, "too many requests");
            return Err(answer.retry_after(self.dial.retry_after_s()));
        }
        Ok(())
    }

    pub(super) fn check_key(&self, call: &Call) -> Result<(), Reply> {
        let key = call.headers().get(API_KEY_HEADER);
        if key.is_some_and(|key| key.as_bytes() == self.config.api_key.as_bytes()) {
            return Ok(());
        }
        self.counters.bad_api_keys.add();
        Err(self.error(StatusCode::UNAUTHORIZED, "invalid api key"))
    }

    /// `ok: false` with the configured status.
    pub(super) fn refuse(&self, error: &str) -> Reply {
        let status = StatusCode::from_u16(self.config.refusal_status);
        self.error(status.unwrap_or(StatusCode::BAD_REQUEST), error)
    }

    /// `ok: false` with a status of its own.
    pub(super) fn error(&self, status: StatusCode, error: &str) -> Reply {
        Reply::json(status, &Refusal { ok: false, error })
    }

    /// The pace of creates up to now.
    pub(super) fn pace(&self) -> PaceSnapshot {
        lock(&self.arrivals).pace(mono_ns())
    }

    pub(super) fn snapshot(&self) -> CountersSnapshot {
        let totals = lock(&self.book).totals();
        CountersSnapshot {
            max_per_second: lock(&self.arrivals).most(),
            accepted: totals.accepted,
            paid: totals.paid,
            pending: totals.pending,
            duplicates: totals.duplicates,
            ..self.counters.snapshot()
        }
    }
}
