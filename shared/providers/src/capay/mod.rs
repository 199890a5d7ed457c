//! Capay OpenAPI: mutual TLS, a token, one call a payout, notices to one URL.
//!
//! What must hold: a payout is never sent with an amount, a beneficiary, a currency or a client
//! other than the row's; nothing but a request that was answered with 401 is ever sent a second
//! time; without a token nothing is sent at all. The payout calls are not public: they are a
//! profile in config. `README.md` says where each fact comes from.
//!
//! | file | idea |
//! |---|---|
//! | `settings`, `base`, `rules` | the lane's own settings; where Capay is; what a row must be like |
//! | `profile`, `defaults`, `check` | the calls that customers alone know, what is assumed of them, what cannot be |
//! | `pointer`, `path`, `wire` | where fields stand; requests and answers through the profile |
//! | `tls`, `token`, `line` | the certificate, the access token, the rule about 401 |
//! | `agree`, `refusal`, `words` | is what they tell ours? what is a refusal about? what of it may be repeated? |
//! | `statement` | the list, to be held against the ledger |
//! | `create`, `lookup`, `webhook`, `cancel`, `desk` | one call each, and what its answer means |

mod agree;
mod base;
mod cancel;
mod check;
mod create;
mod defaults;
mod desk;
mod line;
mod lookup;
mod path;
mod pointer;
mod profile;
mod refusal;
mod rules;
mod settings;
mod statement;
#[cfg(test)]
mod tests;
mod tls;
mod token;
mod webhook;
mod wire;
mod words;

use crate::api::{
    Callbacks, Cancel, Desk, LookUp, LookedUp, Notices, Payment, Provider, RowProblem, Shipment,
    Shipped,
};
use crate::limits::{Absence, Calls, Deduplication, Idempotency, Limits, Polling, SecondStep};
use crate::registry::{BuildContext, BuildError, Purpose, SandboxAddress};
use crate::settings::sandbox_fingerprint;
use crate::statement::Statement;
use agree::Expected;
use base::Base;
use domain::{LaneName, Policy, ReferenceFormat, Row};
use futures::future::BoxFuture;
use line::Line;
use settings::Settings;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};
use token::{Clock, MachineClock};

/// What Capay allows. No number is published but the page's: all others are assumed.
pub static LIMITS: Limits = Limits {
    provider: "capay",
    rows_per_call: 1,
    creates_per_second: 10,
    in_flight: 8,
    look_ups_per_second: 1,
    rows_per_look_up: 1,
    looks_up_by_id: true,
    // Overdue payouts only, each at most once in five minutes: the policy below.
    polling: Polling::Never,
    page_size: Some(1_000),
    idempotency: Idempotency {
        deduplication: Deduplication::None,
        repeats_errors: false,
        found_by_reference: true,
        absence: Absence { form: "an empty list by reference", proves: true },
    },
    reference: ReferenceFormat::Text { max_bytes: 64 },
    methods: rules::METHODS,
    callbacks: Calls::OneUrl,
    cancel: true,
    second_step: SecondStep::None,
    rules: false,
    policy: Policy {
        // The pause between two look-ups of one payout starts with the settling time.
        settling_ms: LOOK_UP_PAUSE_MS,
        overdue_ms: LOOK_UP_PAUSE_MS,
        look_up_max_ms: 3_600_000,
        ..Policy::DEFAULT
    },
};

/// One payout is asked for at most once in so long.
const LOOK_UP_PAUSE_MS: u64 = 300_000;
/// Different warnings that the log is given at most, each once: Capay chooses part of the words.
const WARNINGS_MAX: usize = 32;

/// The adapter of one lane.
struct Capay {
    lane: LaneName,
    limits: Limits,
    fingerprint: String,
    settings: Settings,
    /// Where notices are to go; a person registers it at Capay.
    webhook_url: Option<String>,
    /// What the log was told.
    warned: Mutex<BTreeSet<String>>,
    /// `None` at intake, and where the lane's sandbox does not run.
    line: Option<Line>,
}

/// Builds the adapter.
pub(crate) fn build(table: toml::Table, purpose: Purpose) -> Result<Arc<dyn Provider>, BuildError> {
    Ok(Arc::new(match purpose {
        Purpose::Intake(lane) => Capay::new(Settings::read(table, &lane)?, lane, "-", None, None),
        Purpose::Pay(context) => Capay::to_pay(table, *context, Arc::new(MachineClock::new()))?,
    }))
}

impl Capay {
    fn new(
        settings: Settings,
        lane: LaneName,
        user: &str,
        sandbox: Option<&SandboxAddress>,
        line: Option<Line>,
    ) -> Capay {
        let server = match &settings.base {
            Base::At(url, _) => url.host_and_path(),
            Base::Sandbox => sandbox_fingerprint(sandbox),
        };
        let mut limits = LIMITS.clone();
        if settings.profile.deduplicates {
            limits.idempotency.deduplication =
                Deduplication::Refuses { for_ms: None, scope: "account" };
        }
        if settings.client_varies() {
            // The engine's control is some payout of the lane: under another client it shows
            // nothing about this one (S4, S11).
            limits.idempotency.absence.proves = false;
        }
        let provider = limits.provider;
        let persona = settings.persona.name();
        let client_id = settings.client_id.as_deref().unwrap_or("-");
        Capay {
            fingerprint: format!("{provider}:{server}:{user}:{persona}:{client_id}"),
            lane,
            limits,
            settings,
            webhook_url: None,
            warned: Mutex::new(BTreeSet::new()),
            line,
        }
    }

    fn to_pay(
        table: toml::Table,
        context: BuildContext,
        clock: Arc<dyn Clock>,
    ) -> Result<Capay, BuildError> {
        let BuildContext { lane, sandbox, request_timeout_ms, callbacks } = context;
        let settings = Settings::read(table, &lane)?;
        let keys = settings.keys(&lane)?;
        let user = keys.user.clone();
        let wrong = |text: String| BuildError::Settings { lane: lane.clone(), text };
        let server = settings.base.open(sandbox.as_ref(), &lane).map_err(wrong)?;
        let line = server.map(|(base, shown)| {
            Line::new(base, shown, &settings, keys, request_timeout_ms, clock).map_err(wrong)
        });
        let line = line.transpose()?;
        let webhook_url =
            callbacks.filter(|urls| !urls.is_stand_in()).map(|urls| urls.lane_url(&lane));
        let capay = Capay::new(settings, lane.clone(), &user, sandbox.as_ref(), line);
        Ok(Capay { webhook_url, ..capay })
    }

    /// Why nothing can be sent, where there is no line.
    fn offline(&self) -> &'static str {
        "this adapter only validates rows: it was built for intake, or base_url is \"sandbox\" \
         and no sandbox with mutual TLS runs in this process"
    }

    /// What must be told of a payment. Pure.
    fn expected<'a>(&'a self, payment: &'a Payment) -> Expected<'a> {
        // A row whose client is in doubt is neither sent nor asked for; see `Settings::client`.
        let client_id = self.settings.client(&payment.row).ok().flatten();
        let is_registered = self.settings.profile.request.is_registered(payment.row.method);
        Expected::of(payment, client_id, is_registered)
    }

    /// Tells the log something once, however often it happens.
    fn warn_once(&self, text: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if warned.len() < WARNINGS_MAX && warned.insert(text.to_owned()) {
            tracing::warn!(lane = %self.lane, "{text}");
        }
    }
}

impl Provider for Capay {
    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn validate(&self, row: &Row) -> Vec<RowProblem> {
        rules::problems(row, &self.settings)
    }

    fn submit(&self, shipment: Shipment) -> BoxFuture<'_, Shipped> {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(shipment.payments.len());
            for payment in &shipment.payments {
                answers.push(self.create(payment, Arc::clone(&shipment.gate)).await);
            }
            answers.into()
        })
    }

    fn look_up(&self, question: LookUp) -> BoxFuture<'_, LookedUp> {
        Box::pin(async move {
            let mut found = Vec::with_capacity(question.payments.len());
            for payment in &question.payments {
                found.push(self.look_up_one(payment, &*question.turns).await);
            }
            found.into()
        })
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        Some(self)
    }

    fn notices(&self) -> Option<&dyn Notices> {
        Some(self)
    }

    fn cancel(&self) -> Option<&dyn Cancel> {
        Some(self)
    }

    fn desk(&self) -> Option<&dyn Desk> {
        Some(self)
    }

    fn statement(&self) -> Option<&dyn Statement> {
        // A list shows one client's payouts. Which clients there are stands in the rows alone.
        (!self.settings.client_varies()).then_some(self as &dyn Statement)
    }
}

impl fmt::Debug for Capay {
    /// The account, without keys and URLs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capay")
            .field("lane", &self.lane)
            .field("fingerprint", &self.fingerprint)
            .field("is_online", &self.line.is_some())
            .finish()
    }
}
