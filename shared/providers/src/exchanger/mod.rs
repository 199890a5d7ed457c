//! An exchange site that runs Premium Exchanger: a payout is an order in an exchange direction.
//!
//! What must hold: **creating an order moves no money, and `pay_bid` is a statement that it was
//! funded**, so that step is taken only where the lane is set to it, only while the order still
//! waits for it, and always through the gate. An order counts as ours only if amount and currency
//! are; it counts as absent only where a well-formed list does not have it; it counts as failed
//! only if we never said that it was funded. `README.md` says where each fact comes from.
//!
//! | file | idea |
//! |---|---|
//! | `settings`, `direction` | the lane's own settings; which direction pays which rows |
//! | `wire`, `php`, `html` | requests and answers as types; how a PHP site writes JSON and texts |
//! | `line` | URL and headers of every call |
//! | `errors`, `status` | every documented error → class; every status → where an order stands |
//! | `rules`, `prepare` | what a row must be like; what the site says of its directions |
//! | `agree` | is this order ours, and what does it tell? |
//! | `checked` | which rows the site has just agreed to take |
//! | `create`, `pay`, `cancel`, `callback` | one call each, and what its answer means |
//! | `lookup`, `list`, `which` | where payouts stand: by id, by our reference, by pages |
//! | `statement` | all orders of a time, to be held against the ledger |
//! | `desk`, `partner` | what a person may ask and do |

mod agree;
mod ask;
mod callback;
mod cancel;
mod checked;
mod create;
mod desk;
mod direction;
mod errors;
mod html;
mod line;
mod list;
mod lookup;
mod partner;
mod pay;
mod php;
mod prepare;
mod questions;
mod rules;
mod settings;
mod statement;
mod status;
#[cfg(test)]
mod tests;
mod which;
mod wire;

use crate::api::{
    Callbacks, Cancel, Confirm, Desk, LookUp, LookedUp, Prepare, Provider, RowProblem, Shipment,
    Shipped,
};
use crate::limits::{Absence, Calls, Deduplication, Idempotency, Limits, Polling, SecondStep};
use crate::quote::quote;
use crate::registry::{BuildContext, BuildError, Purpose};
use crate::statement::Statement;
use checked::Checked;
use domain::{LaneName, Method, Policy, ReferenceFormat, Row};
use futures::future::BoxFuture;
use line::Line;
use rules::Rules;
use secrecy::ExposeSecret;
use settings::Settings;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// What such a site allows. Rates are assumed; the document names none.
pub static LIMITS: Limits = Limits {
    provider: "exchanger",
    rows_per_call: 1,
    creates_per_second: 5,
    in_flight: 4,
    look_ups_per_second: 2,
    rows_per_look_up: 500,
    looks_up_by_id: true,
    polling: Polling::Paged { interval_ms_min: 60_000 },
    page_size: Some(500),
    idempotency: Idempotency {
        // One seen version refuses a numeric `api_id` that it knows. Nobody documents it, and
        // sites run different versions: the engine must not count on it.
        deduplication: Deduplication::None,
        repeats_errors: false,
        found_by_reference: true,
        absence: Absence {
            form: "a well-formed list of get_exchanges, from before the intent until now, without \
                   our api_id",
            proves: true,
        },
    },
    reference: ReferenceFormat::Number,
    methods: &[Method::Card, Method::Sbp, Method::Score, Method::Iban, Method::Wallet],
    callbacks: Calls::OurUrls,
    cancel: true,
    second_step: SecondStep::Funding,
    rules: true,
    policy: Policy { overdue_ms: 60_000, look_up_max_ms: 600_000, ..Policy::DEFAULT },
};

/// Bytes of the key's hash in the fingerprint: enough to notice another key, too few to find it.
const KEY_HASH_BYTES: usize = 4;

/// The adapter of one lane.
struct Exchanger {
    lane: LaneName,
    fingerprint: String,
    settings: Settings,
    /// What the site said of the directions, once it is installed.
    rules: RwLock<Option<Arc<Rules>>>,
    /// Set once the site has said that the key is a user's own.
    own_key: AtomicBool,
    /// Rows whose amount the site has just agreed to take.
    checked: Checked,
    /// Hashes of orders of which a look-up has just said that they wait for `pay_bid`.
    steps_due: Mutex<BTreeSet<String>>,
    /// What became of the last withdrawal of the partner's balance is not known.
    withdrawal_unknown: futures::lock::Mutex<bool>,
    /// Directions about whose refusal the log was told.
    warned: Mutex<BTreeSet<u64>>,
    /// `None` at intake, and where the lane's sandbox does not run.
    line: Option<Line>,
}

/// Builds the adapter.
pub(crate) fn build(table: toml::Table, purpose: Purpose) -> Result<Arc<dyn Provider>, BuildError> {
    Ok(Arc::new(match purpose {
        Purpose::Intake(lane) => Exchanger::for_intake(table, lane)?,
        Purpose::Pay(context) => Exchanger::to_pay(table, *context)?,
    }))
}

impl Exchanger {
    fn for_intake(table: toml::Table, lane: LaneName) -> Result<Exchanger, BuildError> {
        let settings = Settings::read(table, &lane)?;
        let fingerprint = format!("{}:intake", LIMITS.provider);
        Ok(Exchanger::new(settings, lane, fingerprint, None))
    }

    fn to_pay(table: toml::Table, context: BuildContext) -> Result<Exchanger, BuildError> {
        let BuildContext { lane, callbacks, sandbox, request_timeout_ms } = context;
        let settings = Settings::read(table, &lane)?;
        let keys = settings.keys(&lane)?;
        let wrong = |text: String| BuildError::Settings { lane: lane.clone(), text };
        let account = settings.base.fingerprint(sandbox.as_ref());
        let base = settings.base.open(LIMITS.provider, sandbox.as_ref()).map_err(wrong)?;
        let digest = Sha256::digest(keys.key.expose_secret());
        let hash = hex::encode(&digest[..KEY_HASH_BYTES]);
        let fingerprint = format!("{}:{account}:{}:{hash}", LIMITS.provider, keys.login);
        let line =
            base.map(|base| Line::new(&base, &settings, keys, callbacks, request_timeout_ms));
        let line = line.transpose().map_err(wrong)?;
        Ok(Exchanger::new(settings, lane.clone(), fingerprint, line))
    }

    fn new(
        settings: Settings,
        lane: LaneName,
        fingerprint: String,
        line: Option<Line>,
    ) -> Exchanger {
        Exchanger {
            lane,
            fingerprint,
            settings,
            rules: RwLock::new(None),
            own_key: AtomicBool::new(false),
            checked: Checked::default(),
            steps_due: Mutex::new(BTreeSet::new()),
            withdrawal_unknown: futures::lock::Mutex::new(false),
            warned: Mutex::new(BTreeSet::new()),
            line,
        }
    }

    /// The site's own words, without the account and the key.
    fn quote(&self, words: &str, account: &str) -> String {
        self.quote_about(words, &[account])
    }

    /// The same, where the site was asked about several.
    fn quote_about(&self, words: &str, accounts: &[&str]) -> String {
        let key = self.line.iter().map(|line| line.key.expose_secret());
        quote(words, key.chain(accounts.iter().copied()))
    }

    fn rules(&self) -> Option<Arc<Rules>> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Provider for Exchanger {
    fn limits(&self) -> &Limits {
        &LIMITS
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn validate(&self, row: &Row) -> Vec<RowProblem> {
        rules::problems(row, &self.lane, &self.settings, self.rules().as_deref())
    }

    fn submit(&self, shipment: Shipment) -> BoxFuture<'_, Shipped> {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(shipment.payments.len());
            for payment in &shipment.payments {
                let gate = Arc::clone(&shipment.gate);
                answers.push(self.create(&shipment.lane, payment, gate).await);
            }
            answers.into()
        })
    }

    fn look_up(&self, question: LookUp) -> BoxFuture<'_, LookedUp> {
        Box::pin(self.look_up_all(question))
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        Some(self)
    }

    fn cancel(&self) -> Option<&dyn Cancel> {
        Some(self)
    }

    fn confirm(&self) -> Option<&dyn Confirm> {
        Some(self)
    }

    fn prepare(&self) -> Option<&dyn Prepare> {
        Some(self)
    }

    fn desk(&self) -> Option<&dyn Desk> {
        Some(self)
    }

    fn statement(&self) -> Option<&dyn Statement> {
        Some(self)
    }
}

impl fmt::Debug for Exchanger {
    /// The account, without key and URLs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchanger")
            .field("lane", &self.lane)
            .field("fingerprint", &self.fingerprint)
            .field("is_online", &self.line.is_some())
            .finish()
    }
}
