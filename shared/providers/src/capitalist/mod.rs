//! Capitalist: a whole batch goes up in one call, afterwards its records are read back by pages.
//!
//! What must hold: a number that may have been taken is never sent again unless a search has shown
//! it absent; after an answer to an import that is neither success nor one of the nine codes that
//! are given before a batch is read, every row of it is unknown; a row is paid or failed only by
//! an answer under its own number in which amount, currency and destination agree.
//! `README.md` says where each fact comes from.
//!
//! | file | idea |
//! |---|---|
//! | `written`, `settings`, `formats`, `record` | the lane's own settings; record types; a row as one line |
//! | `wire`, `csv`, `data` | answers from JSON or CSV; what each operation tells |
//! | `auth`, `key_file` | token, password, signature, PIN |
//! | `errors`, `states` | every documented code and state → what it means |
//! | `line`, `rest`, `words` | one operation, with a token that is renewed; when nothing is to be sent; what is shown of refusals |
//! | `import`, `imported`, `named`, `hold` | a shipment as a batch; what its answer means; which record an error names; how many rows go together |
//! | `agree` | is what they tell ours? |
//! | `look_up`, `inquiry`, `batch_info`, `search` | where payouts stand |
//! | `confirm` | the code from the SMS |
//! | `statement` | the history as a list to be held against the ledger |
//! | `desk`, `questions`, `sheet` | what people may ask, and the answer as a table |

mod agree;
mod auth;
mod batch_info;
mod confirm;
mod csv;
mod data;
mod desk;
mod errors;
mod formats;
mod hold;
mod import;
mod imported;
mod inquiry;
mod key_file;
mod line;
mod look_up;
mod named;
mod questions;
mod record;
mod rest;
mod search;
mod settings;
mod sheet;
mod statement;
mod states;
#[cfg(test)]
mod tests;
mod wire;
mod words;
mod written;

use crate::api::{Confirm, Desk, LookUp, LookedUp, Provider, RowProblem, Shipment, Shipped};
use crate::limits::{Absence, Calls, Deduplication, Idempotency, Limits, Polling, SecondStep};
use crate::registry::{BuildContext, BuildError, Purpose, SandboxAddress};
use crate::statement::Statement;
use domain::{LaneName, Policy, ReferenceFormat, Row};
use futures::future::BoxFuture;
use hold::Hold;
use line::Line;
use record::Records;
use settings::Settings;
use states::States;
use std::fmt;
use std::sync::Arc;
use written::Kind;

/// The longest number that we give a payment. The provider publishes no limit.
const NUMBER_BYTES_MAX: u8 = 50;

/// What the platform allows. Rates and sizes but for the page are assumed; the document names
/// none.
pub static LIMITS: Limits = Limits {
    provider: "capitalist",
    rows_per_call: 1_000,
    creates_per_second: 1,
    in_flight: 1,
    look_ups_per_second: 1,
    rows_per_look_up: 1_000,
    looks_up_by_id: true,
    polling: Polling::Paged { interval_ms_min: 60_000 },
    page_size: Some(1_000),
    idempotency: Idempotency {
        deduplication: Deduplication::None,
        repeats_errors: false,
        found_by_reference: true,
        absence: Absence {
            form: "documents_search, code 0, a list without our number over whole days around it",
            proves: true,
        },
    },
    reference: ReferenceFormat::Text { max_bytes: NUMBER_BYTES_MAX },
    methods: formats::METHODS,
    callbacks: Calls::None,
    cancel: false,
    second_step: SecondStep::Code,
    rules: false,
    policy: Policy {
        // A control is old and processed: that it is found says nothing of how soon a batch is that
        // was taken a minute ago. So a new one gets its time.
        settling_ms: 300_000,
        overdue_ms: 60_000,
        look_up_max_ms: 600_000,
        ..Policy::DEFAULT
    },
};

/// The adapter of one lane.
struct Capitalist {
    lane: LaneName,
    limits: Limits,
    fingerprint: String,
    accounts: Vec<(&'static str, String)>,
    records: Records,
    states: States,
    page_size: u16,
    utc_offset_minutes: i32,
    search_days: u8,
    numbers_per_look_up: usize,
    lockout_retry_ms: u64,
    low_balance_retry_ms: u64,
    hold: Hold,
    /// `None` at intake, and where the lane's sandbox does not run.
    line: Option<Line>,
}

/// Builds the adapter.
pub(crate) fn build(table: toml::Table, purpose: Purpose) -> Result<Arc<dyn Provider>, BuildError> {
    Ok(Arc::new(match purpose {
        Purpose::Intake(lane) => Capitalist::new(Settings::read(table, &lane)?, lane, None, None),
        Purpose::Pay(context) => Capitalist::to_pay(table, *context)?,
    }))
}

impl Capitalist {
    fn new(
        settings: Settings,
        lane: LaneName,
        sandbox: Option<&SandboxAddress>,
        line: Option<Line>,
    ) -> Capitalist {
        let at = settings.base.fingerprint(sandbox);
        let accounts: Vec<&str> = settings.accounts.iter().map(|(_, a)| a.as_str()).collect();
        let mut limits = LIMITS.clone();
        limits.rows_per_call = settings.rows_per_call;
        limits.page_size = Some(settings.page_size);
        limits.reference = ReferenceFormat::Text { max_bytes: settings.number_bytes_max };
        limits.idempotency.absence.proves = settings.absence_proves;
        let login = &settings.login;
        let mut fingerprint = format!("{}:{at}:{login}:{}", limits.provider, accounts.join(":"));
        // A batch that waits for its code may be there without being found: whoever sent it so
        // must not be followed by one to whom "not found" is a proof. No account has a semicolon.
        if settings.verification == Kind::Mobile {
            fingerprint.push_str(";mobile");
        }
        Capitalist {
            fingerprint,
            lane,
            limits,
            accounts: settings.accounts,
            records: settings.records,
            states: settings.states,
            page_size: settings.page_size,
            utc_offset_minutes: settings.utc_offset_minutes,
            search_days: settings.search_days,
            numbers_per_look_up: settings.numbers_per_look_up,
            lockout_retry_ms: settings.lockout_retry_ms,
            low_balance_retry_ms: settings.low_balance_retry_ms,
            hold: Hold::default(),
            line,
        }
    }

    fn to_pay(table: toml::Table, context: BuildContext) -> Result<Capitalist, BuildError> {
        let BuildContext { lane, sandbox, request_timeout_ms, .. } = context;
        let settings = Settings::read(table, &lane)?;
        let keys = settings.keys(&lane)?;
        let wrong = |text: String| BuildError::Settings { lane: lane.clone(), text };
        let base = settings.base.open(LIMITS.provider, sandbox.as_ref()).map_err(wrong)?;
        let line = base.map(|base| Line::new(&base, &settings, keys, request_timeout_ms));
        let line = line.transpose().map_err(wrong)?;
        Ok(Capitalist::new(settings, lane.clone(), sandbox.as_ref(), line))
    }
}

impl Provider for Capitalist {
    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn validate(&self, row: &Row) -> Vec<RowProblem> {
        // The number is made later, of letters that a record takes.
        self.records.line(row, "number").err().unwrap_or_default()
    }

    fn submit(&self, shipment: Shipment) -> BoxFuture<'_, Shipped> {
        Box::pin(async move { self.import(&shipment).await })
    }

    fn look_up(&self, question: LookUp) -> BoxFuture<'_, LookedUp> {
        Box::pin(async move { self.look_up_all(&question).await })
    }

    fn confirm(&self) -> Option<&dyn Confirm> {
        Some(self)
    }

    fn desk(&self) -> Option<&dyn Desk> {
        Some(self)
    }

    fn statement(&self) -> Option<&dyn Statement> {
        Some(self)
    }
}

impl fmt::Debug for Capitalist {
    /// The account, without keys and URLs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capitalist")
            .field("lane", &self.lane)
            .field("fingerprint", &self.fingerprint)
            .field("is_online", &self.line.is_some())
            .finish()
    }
}
