//! The merchant payout gateway: one signed call a payout, callbacks when it is done, no polling.
//!
//! What must hold: a payout is never sent with an amount, a requisite or a currency other than the
//! row's; an answer counts as "taken" only if it repeats amount and currency; a callback counts as
//! "paid" only if everything in it agrees. `README.md` says where each fact comes from.
//!
//! | file | idea |
//! |---|---|
//! | `settings`, `rules` | the lane's own settings; what a row must be like |
//! | `wire` | requests and answers as types |
//! | `auth` | both signatures |
//! | `errors` | every documented text → class |
//! | `agree` | is what they tell ours? |
//! | `create`, `lookup`, `callback`, `cancel`, `account` | one call each, and what its answer means |

mod account;
mod agree;
mod auth;
mod callback;
mod cancel;
mod create;
mod errors;
mod lookup;
mod rules;
mod settings;
#[cfg(test)]
mod tests;
mod wire;

use crate::api::{
    Callbacks, Cancel, Desk, LookUp, LookedUp, Provider, RowProblem, Shipment, Shipped,
};
use crate::callback_url::CallbackUrls;
use crate::http::{Call, Http, HttpOptions, ProviderUrl};
use crate::limits::{Absence, Calls, Deduplication, Idempotency, Limits, Polling, SecondStep};
use crate::quote::{quote, quote_amount};
use crate::registry::{BuildContext, BuildError, Purpose, SandboxAddress};
use domain::{LaneName, Policy, ReferenceFormat, Row};
use errors::ErrorTable;
use futures::future::BoxFuture;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use settings::{Keys, Settings, StatusId};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;

/// What the platform allows. Rates are assumed; the document names none.
pub static LIMITS: Limits = Limits {
    provider: "merchant",
    rows_per_call: 1,
    creates_per_second: 20,
    in_flight: 10,
    look_ups_per_second: 1,
    rows_per_look_up: 1,
    looks_up_by_id: false,
    // Forbidden without one [doc]; nobody says how often then.
    polling: Polling::ByAgreement { interval_ms_min: 60_000 },
    page_size: None,
    idempotency: Idempotency {
        deduplication: Deduplication::None,
        repeats_errors: false,
        found_by_reference: true,
        absence: Absence { form: "ok: false with a configured \"not found\" text", proves: true },
    },
    reference: ReferenceFormat::Text { max_bytes: 255 },
    methods: rules::METHODS,
    callbacks: Calls::OurUrls,
    cancel: true,
    second_step: SecondStep::None,
    rules: false,
    policy: Policy::DEFAULT,
};

/// The longest callback URL that the platform takes.
const CALLBACK_URL_MAX: usize = 512;
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The adapter of one lane.
struct Merchant {
    lane: LaneName,
    limits: Limits,
    fingerprint: String,
    currencies: Vec<String>,
    errors: ErrorTable,
    absent_texts: Vec<String>,
    status_id: StatusId,
    callback_sign: Option<auth::Template>,
    low_balance_retry_ms: u64,
    /// Methods about whose refusal the log was told, one bit each.
    warned: AtomicU8,
    /// `None` at intake, and where the lane's sandbox does not run.
    line: Option<Line>,
}

/// What it takes to talk to the platform.
struct Line {
    http: Http,
    keys: Keys,
    callbacks: CallbackUrls,
    timeout_minutes: u32,
    create_url: ProviderUrl,
    cancel_url: ProviderUrl,
    account_url: ProviderUrl,
    /// The reference goes below it.
    status_url: ProviderUrl,
    post_headers: [(HeaderName, HeaderValue); 1],
    get_headers: [(HeaderName, HeaderValue); 2],
}

/// Builds the adapter.
pub(crate) fn build(table: toml::Table, purpose: Purpose) -> Result<Arc<dyn Provider>, BuildError> {
    Ok(Arc::new(match purpose {
        Purpose::Intake(lane) => Merchant::new(Settings::read(table, &lane)?, lane, None, None),
        Purpose::Pay(context) => Merchant::to_pay(table, *context)?,
    }))
}

impl Merchant {
    fn new(
        settings: Settings,
        lane: LaneName,
        sandbox: Option<&SandboxAddress>,
        line: Option<Line>,
    ) -> Merchant {
        let account = settings.base.fingerprint(sandbox);
        let mut limits = LIMITS.clone();
        if settings.status_id == StatusId::InternalTransactionId {
            // Without a look-up by our reference, nothing is ever proved absent.
            limits.idempotency.found_by_reference = false;
            limits.idempotency.absence.proves = false;
            limits.looks_up_by_id = true;
        }
        Merchant {
            fingerprint: format!("{}:{account}:{}", limits.provider, settings.merchant),
            lane,
            limits,
            currencies: settings.currencies,
            errors: settings.errors,
            absent_texts: settings.absent_texts,
            status_id: settings.status_id,
            callback_sign: settings.callback_sign,
            low_balance_retry_ms: settings.low_balance_retry_ms,
            warned: AtomicU8::new(0),
            line,
        }
    }

    fn to_pay(table: toml::Table, context: BuildContext) -> Result<Merchant, BuildError> {
        let BuildContext { lane, callbacks, sandbox, request_timeout_ms } = context;
        let settings = Settings::read(table, &lane)?;
        let keys = settings.keys(&lane)?;
        let callbacks = callbacks.ok_or_else(|| BuildError::NoCallbacks {
            lane: lane.clone(),
            provider: LIMITS.provider,
        })?;
        let wrong = |text: String| BuildError::Settings { lane: lane.clone(), text };
        if callbacks.longest() > CALLBACK_URL_MAX {
            return Err(wrong(format!(
                "[http] public_url is too long: callback URLs would have {} characters, the \
                 provider takes {CALLBACK_URL_MAX}",
                callbacks.longest()
            )));
        }
        let base = settings.base.open(LIMITS.provider, sandbox.as_ref()).map_err(wrong)?;
        let line =
            base.map(|base| Line::new(&base, &settings, keys, callbacks, request_timeout_ms));
        let line = line.transpose().map_err(wrong)?;
        Ok(Merchant::new(settings, lane.clone(), sandbox.as_ref(), line))
    }

    /// The platform's own words, without requisite and keys.
    fn quote(&self, words: &str, requisite: &str) -> String {
        quote(words, self.secrets().chain([requisite]))
    }

    /// An amount as the platform wrote it.
    fn quote_amount(&self, amount: &str) -> String {
        quote_amount(amount, self.secrets())
    }

    fn secrets(&self) -> impl Iterator<Item = &str> {
        let keys = self.line.iter().flat_map(|line| [&line.keys.sign, &line.keys.api]);
        keys.map(ExposeSecret::expose_secret)
    }
}

impl Line {
    fn new(
        base: &ProviderUrl,
        settings: &Settings,
        keys: Keys,
        callbacks: CallbackUrls,
        request_timeout_ms: u64,
    ) -> Result<Line, String> {
        let options = HttpOptions {
            connect_timeout_ms: settings.connect_timeout_ms.min(request_timeout_ms),
            total_timeout_ms: request_timeout_ms,
            proxy: settings.proxy.clone(),
        };
        let http = Http::new(&options, base).map_err(|error| error.to_string())?;
        let key = HeaderValue::from_str(keys.api.expose_secret());
        let mut key = key.map_err(|_| "api_key: cannot stand in an HTTP header".to_owned())?;
        key.set_sensitive(true);
        let account = base.below(&["api", "merchant", &settings.merchant]);
        Ok(Line {
            http,
            keys,
            callbacks,
            timeout_minutes: settings.timeout_minutes,
            create_url: account.below(&["create_pay_out"]),
            cancel_url: account.below(&["rejected_pay_out"]),
            account_url: account.below(&["status"]),
            status_url: account.below(&["status_pay_out"]),
            post_headers: [(CONTENT_TYPE, JSON)],
            get_headers: [(CONTENT_TYPE, JSON), (API_KEY, key)],
        })
    }

    fn post<'a>(&'a self, url: &'a ProviderUrl) -> Call<'a> {
        Call { method: &Method::POST, url, headers: &self.post_headers }
    }

    fn get<'a>(&'a self, url: &'a ProviderUrl) -> Call<'a> {
        Call { method: &Method::GET, url, headers: &self.get_headers }
    }
}

impl Provider for Merchant {
    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn validate(&self, row: &Row) -> Vec<RowProblem> {
        rules::problems(row, &self.currencies)
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
        Box::pin(async move {
            let mut found = Vec::with_capacity(question.payments.len());
            for payment in &question.payments {
                question.turns.next().await;
                found.push(self.look_up_one(payment).await);
            }
            found.into()
        })
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        Some(self)
    }

    fn cancel(&self) -> Option<&dyn Cancel> {
        Some(self)
    }

    fn desk(&self) -> Option<&dyn Desk> {
        Some(self)
    }
}

impl fmt::Debug for Merchant {
    /// The account, without keys and URLs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merchant")
            .field("lane", &self.lane)
            .field("fingerprint", &self.fingerprint)
            .field("is_online", &self.line.is_some())
            .finish()
    }
}
