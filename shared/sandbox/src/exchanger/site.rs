//! The site as it runs: its ledger, its timers, its callbacks, and what stands before every call.
//!
//! ```text
//! create_bid ─▶ Book (written) ─▶ new ─ pay_bid, fund ─▶ payed ─▶ Timers ─▶ success
//!                                        each change ─▶ Queue ─▶ callback ─▶ 2xx (noted)
//! ```

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::header::HeaderName;
use hyper::{Method as Verb, StatusCode};
use sha2::{Digest, Sha256};

use super::book::Book;
use super::callback::Delivery;
use super::config::ExchangerConfig;
use super::direction::{self, Direction};
use super::envelope::{Envelope, broken, disabled};
use super::form::Form;
use super::method::Method;
use super::settle::Due;
use crate::clock::lock;
use crate::counters::{Count, Counters, CountersSnapshot};
use crate::dial::{Dial, Fault};
use crate::outbound::Outbound;
use crate::queue::Queue;
use crate::server::{Call, Reply};
use crate::timers::Timers;
use crate::window::Window;

const LOGIN_HEADER: HeaderName = HeaderName::from_static("api-login");
const KEY_HEADER: HeaderName = HeaderName::from_static("api-key");
const API: &str = "/api/userapi/v1/";
/// The id of the first order: ids of sites in use have several digits.
const FIRST_ID: usize = 100_001;
/// Hex digits of an order's hash before those of its place.
const HASH_DIGITS: usize = 24;
/// Where every caller seems to come from: the sandbox listens on loopback.
pub(super) const CLIENT_IP: &str = "127.0.0.1";

pub(super) struct Site {
    pub(super) config: ExchangerConfig,
    /// `http://host:port/exchanger`
    pub(super) base: String,
    /// Hashes of other sandboxes are others.
    sandbox_id: String,
    pub(super) directions: [Direction; 4],
    pub(super) dial: Dial,
    pub(super) counters: Counters,
    calls: [Count; Method::ALL.len()],
    /// The largest `limit` that was asked for.
    pub(super) max_page: AtomicU64,
    pub(super) book: Mutex<Book>,
    pub(super) timers: Timers<Due>,
    pub(super) deliveries: Queue<Delivery>,
    pub(super) outbound: Outbound,
    /// Every create that arrived.
    arrivals: Mutex<Window>,
    /// Creates and look-ups that a limit let through.
    admitted_creates: Mutex<Window>,
    admitted_lookups: Mutex<Window>,
    /// Orders that were told of maintenance once.
    pub(super) put_off: Mutex<HashSet<String>>,
}

impl Site {
    pub(super) fn open(
        config: ExchangerConfig,
        base: String,
        sandbox_id: &str,
        dir: &Path,
    ) -> io::Result<Self> {
        let book = Book::open(&dir.join("exchanger.ndjson"))?;
        let timeout = Duration::from_millis(config.callback_timeout_ms);
        let site = Self {
            base,
            sandbox_id: sandbox_id.to_owned(),
            directions: direction::all(),
            dial: Dial::new(),
            counters: Counters::default(),
            calls: Default::default(),
            max_page: AtomicU64::new(0),
            book: Mutex::new(book),
            timers: Timers::new(),
            deliveries: Queue::new(),
            outbound: Outbound::new(timeout),
            arrivals: Mutex::default(),
            admitted_creates: Mutex::default(),
            admitted_lookups: Mutex::default(),
            put_off: Mutex::default(),
            config,
        };
        site.take_up_promises();
        Ok(site)
    }

    pub(super) async fn answer(&self, path: &str, mut call: Call) -> Reply {
        let Some(rest) = path.strip_prefix(API) else {
            return Reply::empty(StatusCode::NOT_FOUND);
        };
        let Some(name) = rest.strip_suffix('/') else {
            // A client that follows it turns its POST into a GET, which is no call.
            return Reply::redirect(format!("{}{path}/", self.base));
        };
        if *call.method() != Verb::POST {
            return Reply::empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        let method = Method::of(name);
        self.count(method, &call);
        if let Err(reply) = self.admit(method, &call) {
            call.discard().await;
            return reply;
        }
        let form = match Form::read(&mut call).await {
            Ok(form) => form,
            Err(reply) => return reply,
        };
        match method {
            Some(method) if !self.config.disabled_methods.iter().any(|off| off == name) => {
                self.run(method, &form, &call).await
            }
            _ => Envelope::refused(3, "Method not supported").reply(),
        }
    }

    async fn run(&self, method: Method, form: &Form, call: &Call) -> Reply {
        match method {
            Method::Test => self.test(call).reply(),
            Method::DirectionCurrencies => self.direction_currencies(form).reply(),
            Method::Directions => self.directions(form).reply(),
            Method::Direction => self.direction_info(form).reply(),
            Method::Calc => self.calc(form).reply(),
            Method::Exchanges => self.exchanges(form),
            Method::CreateBid => self.create(form),
            Method::CancelBid => self.cancel(form).reply(),
            Method::PayBid => self.pay(form),
            Method::SuccessBid => self.succeed(form).reply(),
            Method::BidInfo => self.bid_info(form),
            Method::PartnerInfo => self.partner_info().reply(),
            Method::PartnerLinks => self.partner_links(form).reply(),
            Method::PartnerExchanges => self.partner_exchanges(form).reply(),
            Method::PartnerPayouts => self.partner_payouts(form).reply(),
            Method::AddPartnerPayout => self.add_partner_payout(form).reply(),
        }
    }

    fn count(&self, method: Option<Method>, call: &Call) {
        if let Some(count) = method.and_then(|method| self.calls.get(method.index())) {
            count.add();
        }
        match method {
            Some(Method::CreateBid) => {
                self.counters.create.add();
                lock(&self.arrivals).add(call.arrived_ns);
            }
            Some(Method::Exchanges | Method::BidInfo) => self.counters.status.add(),
            Some(Method::CancelBid) => self.counters.cancel.add(),
            Some(Method::Test) => self.counters.account.add(),
            _ => {}
        }
    }

    /// What stands before any call: the address, the key, limits.
    fn admit(&self, method: Option<Method>, call: &Call) -> Result<(), Reply> {
        if self.config.is_address_blocked {
            return Err(Envelope::refused(2, "IP blocked").reply());
        }
        let says = |name: &HeaderName, right: &str| {
            call.headers().get(name).is_some_and(|value| value.as_bytes() == right.as_bytes())
        };
        if !says(&LOGIN_HEADER, &self.config.login) || !says(&KEY_HEADER, &self.config.api_key) {
            self.counters.bad_api_keys.add();
            return Err(disabled());
        }
        if self.dial.strikes(Fault::AccountClosed) {
            return Err(disabled());
        }
        let admitted = |window: &Mutex<Window>, limit: Option<u64>| {
            limit.is_none_or(|limit| lock(window).admit(call.arrived_ns, limit))
        };
        let is_within_limit = match method {
            Some(Method::CreateBid) => admitted(&self.admitted_creates, self.dial.create_limit()),
            Some(Method::Exchanges | Method::BidInfo) => {
                admitted(&self.admitted_lookups, self.dial.lookup_limit())
            }
            _ => true,
        };
        if !is_within_limit || self.dial.strikes(Fault::TooManyRequests) {
            self.counters.too_many_requests.add();
            let answer = Reply::empty(StatusCode::TOO_MANY_REQUESTS);
            return Err(answer.retry_after(self.dial.retry_after_s()));
        }
        Ok(())
    }

    pub(super) fn open_direction(&self, id: u64) -> Option<&Direction> {
        let is_it = |direction: &&Direction| u64::from(direction.id) == id && direction.is_open;
        self.directions.iter().find(is_it)
    }

    /// The site's id of an order.
    pub(super) fn id_of(seq: usize) -> usize {
        FIRST_ID + seq
    }

    pub(super) fn seq_of_id(id: u64) -> Option<usize> {
        usize::try_from(id).ok()?.checked_sub(FIRST_ID)
    }

    /// An order's hash: not to be guessed from outside, and its place can be read from it.
    pub(super) fn hash_of(&self, seq: usize) -> String {
        let mut hash = hex::encode(Sha256::digest(format!("{}:{seq}", self.sandbox_id)));
        hash.truncate(HASH_DIGITS);
        format!("{hash}{seq:08x}")
    }

    pub(super) fn seq_of_hash(&self, hash: &str) -> Option<usize> {
        let seq = usize::from_str_radix(hash.get(HASH_DIGITS..)?, 16).ok()?;
        (self.hash_of(seq) == hash).then_some(seq)
    }

    /// The ledger could not be written: nothing was done.
    pub(super) fn not_written(error: &io::Error) -> Reply {
        tracing::error!(%error, "a call was refused");
        broken()
    }

    pub(super) fn snapshot(&self) -> CountersSnapshot {
        let totals = lock(&self.book).picture().totals();
        let calls = Method::ALL.iter().zip(&self.calls).filter(|(_, count)| count.get() > 0);
        let calls: BTreeMap<String, u64> =
            calls.map(|((_, name), count)| ((*name).to_owned(), count.get())).collect();
        CountersSnapshot {
            max_per_second: lock(&self.arrivals).most(),
            accepted: totals.accepted,
            paid: totals.paid,
            pending: totals.pending,
            duplicates: totals.duplicates,
            calls,
            max_page: self.max_page.load(Ordering::Relaxed),
            ..self.counters.snapshot()
        }
    }
}
