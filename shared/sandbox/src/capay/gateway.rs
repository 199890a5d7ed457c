//! Capay as it runs: its ledger, its tokens, its timers, its webhooks, and what stands before every
//! call.
//!
//! ```text
//! create ─▶ Book (written) ─▶ answer
//!             └▶ Timers ─▶ move (written) ─▶ Queue ─▶ webhook ─▶ 2xx (noted)
//!                 ▲ ▲          │                        └ not 2xx ┐
//!                 │ └──────────┘ until it is final               │
//!                 └────────────── later ─────────────────────────┘
//! ```

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::AUTHORIZATION;

use super::book::Book;
use super::certificates::Certificates;
use super::check::Wrong;
use super::config::CapayConfig;
use super::operation::{Calls, Operation};
use super::settle::Due;
use super::token::Tokens;
use super::webhook::Delivery;
use super::wire::{Cause, Problem};
use crate::clock::lock;
use crate::counters::{Counters, CountersSnapshot};
use crate::dial::{Dial, Fault};
use crate::outbound::Outbound;
use crate::queue::Queue;
use crate::server::{Call, Reply, TlsFiles};
use crate::timers::Timers;
use crate::window::Window;

pub(crate) struct Gateway {
    pub(super) config: CapayConfig,
    /// What ids begin with: other sandboxes make other ids.
    id_prefix: String,
    certificates: Certificates,
    pub(super) dial: Dial,
    pub(super) counters: Counters,
    pub(super) calls: Calls,
    pub(super) tokens: Tokens,
    pub(super) book: Mutex<Book>,
    pub(super) timers: Timers<Due>,
    /// One queue a sender. A payout's webhooks all go through one, so that calm ones are in order.
    pub(super) deliveries: Vec<Queue<Delivery>>,
    pub(super) outbound: Outbound,
    /// Every create that arrived.
    arrivals: Mutex<Window>,
    /// Creates and look-ups that a limit let through.
    admitted_creates: Mutex<Window>,
    admitted_lookups: Mutex<Window>,
    /// References that were told "try later" once.
    pub(super) busy: Mutex<HashSet<Box<str>>>,
}

impl Gateway {
    /// Reads the ledger back and takes up its promises; makes certificates at the first start.
    pub(crate) fn open(config: CapayConfig, sandbox_id: &str, dir: &Path) -> io::Result<Self> {
        // The ledger first: its lock keeps another sandbox from making certificates, too.
        let book = Book::open(&dir.join("capay.ndjson"))?;
        let certificates = Certificates::load_or_create(&dir.join("capay"))?;
        let expires_in = Duration::from_secs(config.token_expires_in_s);
        let life = config.token_life_ms.map(Duration::from_millis);
        let gateway = Self {
            id_prefix: format!("{}-", sandbox_id.get(..8).unwrap_or(sandbox_id)),
            certificates,
            dial: Dial::new(),
            counters: Counters::default(),
            calls: Calls::default(),
            tokens: Tokens::new(expires_in, life),
            book: Mutex::new(book),
            timers: Timers::new(),
            deliveries: (0..config.callback_connections.max(1)).map(|_| Queue::new()).collect(),
            outbound: Outbound::new(Duration::from_millis(config.callback_timeout_ms)),
            arrivals: Mutex::default(),
            admitted_creates: Mutex::default(),
            admitted_lookups: Mutex::default(),
            busy: Mutex::default(),
            config,
        };
        gateway.take_up_promises();
        Ok(gateway)
    }

    /// What its listener proves itself with.
    pub(crate) fn server_files(&self) -> TlsFiles {
        self.certificates.of_server()
    }

    /// What a client is let in with.
    pub(crate) fn client_files(&self) -> TlsFiles {
        self.certificates.of_client()
    }

    /// One call; `path` is what follows `/capay`.
    pub(super) async fn call(&self, path: &str, call: Call) -> Reply {
        let Some(operation) = Operation::of(call.method(), path) else {
            return Reply::empty(StatusCode::NOT_FOUND);
        };
        self.count(operation, call.arrived_ns);
        if operation != Operation::Token
            && let Err(refusal) = self.check_token(&call)
        {
            return refusal;
        }
        let answer = match operation {
            Operation::Token => self.token(call).await,
            Operation::Beneficiaries(kind) => self.beneficiaries(&call, kind),
            Operation::Create => self.create(call).await,
            Operation::List => self.list(&call),
            Operation::Status(id) => self.status(&call, id),
            Operation::Cancel(id) => self.cancel(id),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    fn count(&self, operation: Operation<'_>, arrived_ns: u64) {
        self.calls.add(operation);
        match operation {
            Operation::Create => {
                self.counters.create.add();
                lock(&self.arrivals).add(arrived_ns);
            }
            Operation::List | Operation::Status(_) => self.counters.status.add(),
            Operation::Cancel(_) => self.counters.cancel.add(),
            Operation::Token | Operation::Beneficiaries(_) => {}
        }
    }

    /// Capay's id of a payout: unique for ever, and an index.
    pub(super) fn id(&self, seq: usize) -> String {
        format!("po-{}{seq:09}", self.id_prefix)
    }

    /// What webhooks call it by.
    pub(super) fn ticket_id(&self, seq: usize) -> String {
        format!("tk-{}{seq:09}", self.id_prefix)
    }

    /// The payout that an id names.
    pub(super) fn seq_of(&self, id: &str) -> Option<usize> {
        id.strip_prefix("po-")?.strip_prefix(&self.id_prefix)?.parse().ok()
    }

    /// What stands before a create: closed account, limits.
    pub(super) fn admit_create(&self, call: &Call) -> Result<(), Reply> {
        let limit = self.dial.create_limit();
        let is_free = |limit| lock(&self.admitted_creates).admit(call.arrived_ns, limit);
        self.admit(limit.is_some_and(|limit| !is_free(limit)))
    }

    /// What stands before a look-up: closed account, limits.
    pub(super) fn admit_lookup(&self, call: &Call) -> Result<(), Reply> {
        let limit = self.dial.lookup_limit();
        let is_free = |limit| lock(&self.admitted_lookups).admit(call.arrived_ns, limit);
        self.admit(limit.is_some_and(|limit| !is_free(limit)))
    }

    /// What stands before any call but the token's.
    pub(super) fn admit(&self, is_over_limit: bool) -> Result<(), Reply> {
        if self.dial.strikes(Fault::AccountClosed) {
            return Err(self.error(StatusCode::FORBIDDEN, "the account is closed"));
        }
        if is_over_limit || self.dial.strikes(Fault::TooManyRequests) {
            return Err(self.too_many_requests());
        }
        Ok(())
    }

    pub(super) fn too_many_requests(&self) -> Reply {
        self.counters.too_many_requests.add();
        let answer = self.error(StatusCode::TOO_MANY_REQUESTS, "too many requests");
        answer.retry_after(self.dial.retry_after_s())
    }

    fn check_token(&self, call: &Call) -> Result<(), Reply> {
        let header = call.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|text| text.strip_prefix("Bearer "));
        if token.is_some_and(|token| self.tokens.is_good(token)) {
            return Ok(());
        }
        Err(self.unauthorized())
    }

    pub(super) fn unauthorized(&self) -> Reply {
        self.counters.bad_api_keys.add();
        self.error(StatusCode::UNAUTHORIZED, "unauthorized")
    }

    /// 400 that names what is wrong.
    pub(super) fn refuse(&self, wrong: &Wrong) -> Reply {
        let error = Cause { property: Some(&wrong.property), message: &wrong.message };
        Reply::json(StatusCode::BAD_REQUEST, &Problem { error })
    }

    /// An error that no property explains.
    pub(super) fn error(&self, status: StatusCode, message: &str) -> Reply {
        Reply::json(status, &Problem { error: Cause { property: None, message } })
    }

    /// The same before and after paying.
    pub(super) fn internal_error(&self) -> Reply {
        self.error(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
    }

    pub(super) fn snapshot(&self) -> CountersSnapshot {
        let totals = lock(&self.book).totals();
        CountersSnapshot {
            max_per_second: lock(&self.arrivals).most(),
            accepted: totals.accepted,
            paid: totals.paid,
            pending: totals.pending,
            duplicates: totals.duplicates,
            calls: self.calls.snapshot(),
            max_page: self.calls.max_page(),
            ..self.counters.snapshot()
        }
    }
}
