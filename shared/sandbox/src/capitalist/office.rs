//! Capitalist as it runs: its ledger, its timers, and what stands before every call.
//!
//! ```text
//! import ─▶ Book (written) ─▶ answer
//!             │ waits: process_batch ─▶ Book (written)
//!             └▶ Timers ─▶ settle (written) ─▶ seen by get_batch_info, documents_search, history
//! ```

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::Mutex;

use hyper::StatusCode;
use rsa::RsaPublicKey;

use super::access::Access;
use super::answer::{No, Refusal};
use super::book::Book;
use super::code::Code;
use super::config::CapitalistConfig;
use super::keys::Keys;
use super::operation::Operation;
use super::script::Script;
use super::verify::public_key;
use crate::clock::lock;
use crate::counters::{Counters, CountersSnapshot};
use crate::dial::{Dial, Fault};
use crate::server::{Call, Reply};
use crate::timers::Timers;
use crate::window::Window;

/// A fault, and what the client sees of it.
type Blow = (Fault, fn() -> Reply);

pub(super) struct Office {
    pub(super) config: CapitalistConfig,
    pub(super) dial: Dial,
    pub(super) counters: Counters,
    /// Calls by operation.
    calls: Mutex<BTreeMap<&'static str, u64>>,
    /// The largest page that was asked for.
    max_page: Mutex<u64>,
    pub(super) keys: Keys,
    /// The certificate's public key.
    pub(super) registered: Option<RsaPublicKey>,
    pub(super) access: Access,
    pub(super) script: Script,
    pub(super) book: Mutex<Book>,
    /// Which entry settles when.
    pub(super) timers: Timers<usize>,
    /// Every import that arrived.
    arrivals: Mutex<Window>,
    /// Imports and look-ups that a limit let through.
    admitted_imports: Mutex<Window>,
    admitted_look_ups: Mutex<Window>,
    /// Numbers whose batch was told "busy" once.
    pub(super) busy: Mutex<HashSet<Box<str>>>,
}

/// Why Capitalist does not start.
#[derive(Debug, thiserror::Error)]
pub enum CapitalistError {
    /// The ledger's file.
    #[error("capitalist ledger: {0}")]
    Ledger(#[from] io::Error),
    /// The configuration.
    #[error("public_key_pem: not an RSA public key in PEM, PKCS#1 or SubjectPublicKeyInfo")]
    PublicKey,
    /// The configuration.
    #[error("key_bits {0}: must be 1024 to 2048")]
    KeyBits(usize),
}

impl Office {
    pub(super) fn open(config: CapitalistConfig, dir: &Path) -> Result<Self, CapitalistError> {
        if !(1024..=2048).contains(&config.key_bits) {
            return Err(CapitalistError::KeyBits(config.key_bits));
        }
        let parse = |pem: &str| public_key(pem).ok_or(CapitalistError::PublicKey);
        let registered = config.public_key_pem.as_deref().map(parse).transpose()?;
        let book = Book::open(&dir.join("capitalist.ndjson"), config.balance)?;
        let office = Self {
            dial: Dial::new(),
            counters: Counters::default(),
            calls: Mutex::default(),
            max_page: Mutex::default(),
            keys: Keys::new(dir, config.key_bits),
            registered,
            access: Access::default(),
            script: Script::default(),
            book: Mutex::new(book),
            timers: Timers::new(),
            arrivals: Mutex::default(),
            admitted_imports: Mutex::default(),
            admitted_look_ups: Mutex::default(),
            busy: Mutex::default(),
            config,
        };
        office.take_up_promises();
        Ok(office)
    }

    /// Counts a call, whatever it will be answered.
    pub(super) fn count(&self, operation: Operation, call: &Call) {
        *lock(&self.calls).entry(operation.word()).or_default() += 1;
        if operation == Operation::ImportBatchAdvanced {
            self.counters.create.add();
            lock(&self.arrivals).add(call.arrived_ns);
        }
        if operation.is_look_up() {
            self.counters.status.add();
        }
        if operation == Operation::GetAccounts {
            self.counters.account.add();
        }
    }

    pub(super) fn count_page(&self, size: usize) {
        let mut most = lock(&self.max_page);
        *most = (*most).max(u64::try_from(size).unwrap_or(u64::MAX));
    }

    /// What stands before any call: closed account, limits.
    pub(super) fn admit(&self, operation: Operation, call: &Call) -> Result<(), No> {
        if self.dial.strikes(Fault::AccountClosed) {
            return Err(Refusal::of(Code::CLOSED));
        }
        let (limit, window) = if operation == Operation::ImportBatchAdvanced {
            (self.dial.create_limit(), &self.admitted_imports)
        } else if operation.is_look_up() {
            (self.dial.lookup_limit(), &self.admitted_look_ups)
        } else {
            (None, &self.admitted_look_ups)
        };
        let is_over = limit.is_some_and(|limit| !lock(window).admit(call.arrived_ns, limit));
        if is_over || self.dial.strikes(Fault::TooManyRequests) {
            self.counters.too_many_requests.add();
            let reply = Reply::empty(StatusCode::TOO_MANY_REQUESTS);
            return Err(No::Struck(reply.retry_after(self.dial.retry_after_s())));
        }
        Ok(())
    }

    /// The faults that strike instead of the deed.
    pub(super) fn fault_before(&self, operation: Operation) -> Result<(), No> {
        let faults: [Blow; 3] = if operation.moves_money() {
            [
                (Fault::ErrorBefore, broken),
                (Fault::HangBefore, || Reply::Hang),
                (Fault::ResetBefore, || Reply::Reset),
            ]
        } else if operation.is_look_up() {
            [
                (Fault::StatusError, broken),
                (Fault::StatusHang, || Reply::Hang),
                (Fault::StatusBare404, || Reply::empty(StatusCode::NOT_FOUND)),
            ]
        } else {
            return Ok(());
        };
        self.first_that_strikes(&faults)?;
        if operation.is_look_up() && self.dial.strikes(Fault::StatusEmpty) {
            return Err(No::Struck(Reply::empty(StatusCode::OK)));
        }
        Ok(())
    }

    /// The faults that strike after the deed was done.
    pub(super) fn fault_after(&self) -> Result<(), No> {
        self.first_that_strikes(&[
            (Fault::ErrorAfter, broken),
            (Fault::HangAfter, || Reply::Hang),
            (Fault::ResetAfter, || Reply::Reset),
        ])
    }

    fn first_that_strikes(&self, faults: &[Blow]) -> Result<(), No> {
        let hit = faults.iter().find(|(fault, _)| self.dial.strikes(*fault));
        hit.map_or(Ok(()), |(_, reply)| Err(No::Struck(reply())))
    }

    /// The sandbox's own trouble: a file that cannot be read or written.
    pub(super) fn own_fault(&self, error: &dyn std::error::Error) -> No {
        tracing::error!(%error, "a call to capitalist was not served");
        Refusal::of(Code::SYSTEM)
    }

    pub(super) fn snapshot(&self) -> CountersSnapshot {
        let totals = lock(&self.book).picture().totals;
        let calls = lock(&self.calls);
        let calls = calls.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect();
        CountersSnapshot {
            max_per_second: lock(&self.arrivals).most(),
            accepted: totals.accepted,
            paid: totals.paid,
            pending: totals.pending,
            duplicates: totals.duplicates,
            calls,
            max_page: *lock(&self.max_page),
            ..self.counters.snapshot()
        }
    }
}

/// The same 500 whatever was done.
fn broken() -> Reply {
    Reply::text(StatusCode::INTERNAL_SERVER_ERROR, "text/html", "<h1>Internal Server Error</h1>")
}
