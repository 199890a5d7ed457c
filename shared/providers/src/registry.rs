//! The one table of providers. A new provider is one line in `PROVIDERS`.
//!
//! An adapter is built in one of two ways: to pay, with all its keys, or for intake, where rows
//! are validated and routed on machines that need no keys and get none.

use crate::api::Provider;
use crate::callback_url::CallbackUrls;
use crate::capay;
use crate::capitalist;
use crate::exchanger;
use crate::http::ProviderUrl;
use crate::limits::Limits;
use crate::merchant;
use crate::secret::SecretError;
use domain::LaneName;
use std::path::PathBuf;
use std::sync::Arc;

/// One provider.
struct Entry {
    limits: &'static Limits,
    build: fn(toml::Table, Purpose) -> Result<Arc<dyn Provider>, BuildError>,
}

/// All providers, in the order in which commands name them.
const PROVIDERS: &[Entry] = &[
    Entry { limits: &merchant::LIMITS, build: merchant::build },
    Entry { limits: &capitalist::LIMITS, build: capitalist::build },
    Entry { limits: &exchanger::LIMITS, build: exchanger::build },
    Entry { limits: &capay::LIMITS, build: capay::build },
];

/// What an adapter is built for.
pub(crate) enum Purpose {
    /// Everything: keys are read, callbacks must be possible.
    Pay(Box<BuildContext>),
    /// [`Provider::validate`] and [`Provider::limits`] alone, for this lane.
    Intake(LaneName),
}

/// What an adapter gets beside its own settings.
#[derive(Clone, Debug)]
pub struct BuildContext {
    /// The lane that it serves.
    pub lane: LaneName,
    /// Makes callback URLs; `None` where nothing can be called back.
    pub callbacks: Option<CallbackUrls>,
    /// Where the built-in sandbox listens; `None` where none runs.
    pub sandbox: Option<SandboxAddress>,
    /// The whole time of one request, from the lane's policy.
    pub request_timeout_ms: u64,
}

/// Where the built-in sandbox listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxAddress {
    /// Its URL, without a slash at the end; each provider lies below, by its name.
    pub url: String,
    /// Its persistent id: the account's identity, whatever the port (S4).
    pub id: String,
    /// Its second listener, for providers that want mutual TLS.
    pub tls: Option<SandboxTls>,
}

/// The sandbox's listener with mutual TLS, and what it takes to be let in. Made at run time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxTls {
    /// Its URL, without a slash at the end.
    pub url: String,
    /// PEM: the authority behind the server's certificate.
    pub ca_file: PathBuf,
    /// PEM: the client's certificate.
    pub certificate_file: PathBuf,
    /// PEM: the client's key.
    pub key_file: PathBuf,
}

impl SandboxAddress {
    /// Where one of its providers lies.
    pub(crate) fn below(&self, provider: &str) -> Result<ProviderUrl, String> {
        ProviderUrl::parse(&format!("{}/{provider}", self.url))
            .map_err(|error| format!("the sandbox's address: {error}"))
    }
}

/// An adapter that cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// No such provider.
    #[error("lane {lane}: there is no provider \"{found}\"; there are: {known}")]
    UnknownProvider {
        /// The lane.
        lane: LaneName,
        /// What was asked for.
        found: String,
        /// What there is.
        known: String,
    },
    /// A setting is missing, unknown or wrong.
    #[error("[lanes.{lane}.settings] {text}")]
    Settings {
        /// The lane.
        lane: LaneName,
        /// Which one, what was found, what would be accepted.
        text: String,
    },
    /// A key cannot be read.
    #[error("[lanes.{lane}.settings] {key}: {source}")]
    Secret {
        /// The lane.
        lane: LaneName,
        /// The setting.
        key: &'static str,
        /// Why.
        source: SecretError,
    },
    /// The provider needs callbacks, and there is no public URL to call.
    #[error(
        "lane {lane}: {provider} pays only with callback URLs; set [http] listen and public_url"
    )]
    NoCallbacks {
        /// The lane.
        lane: LaneName,
        /// The provider.
        provider: &'static str,
    },
}

/// The names of all providers.
pub fn names() -> impl Iterator<Item = &'static str> {
    PROVIDERS.iter().map(|entry| entry.limits.provider)
}

/// What a provider allows, as long as no setting changes it.
pub fn limits(provider: &str) -> Option<&'static Limits> {
    entry(provider).map(|entry| entry.limits)
}

/// Builds the adapter of a lane that pays.
pub fn build(
    provider: &str,
    settings: toml::Table,
    context: BuildContext,
) -> Result<Arc<dyn Provider>, BuildError> {
    let entry = entry(provider).ok_or_else(|| unknown(&context.lane, provider))?;
    (entry.build)(settings, Purpose::Pay(Box::new(context)))
}

/// Builds an adapter that validates rows and reads no key. What it is asked to send, it refuses.
pub fn build_for_intake(
    provider: &str,
    settings: toml::Table,
    lane: LaneName,
) -> Result<Arc<dyn Provider>, BuildError> {
    let entry = entry(provider).ok_or_else(|| unknown(&lane, provider))?;
    (entry.build)(settings, Purpose::Intake(lane))
}

fn entry(provider: &str) -> Option<&'static Entry> {
    PROVIDERS.iter().find(|entry| entry.limits.provider == provider)
}

fn unknown(lane: &LaneName, provider: &str) -> BuildError {
    let known: Vec<_> = names().collect();
    BuildError::UnknownProvider {
        lane: lane.clone(),
        found: provider.chars().take(64).collect(),
        known: known.join(", "),
    }
}

#[cfg(test)]
mod walk;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{Calls, SecondStep};
    use crate::testing;

    #[test]
    fn what_the_limits_declare_is_what_each_adapter_offers() {
        assert!(names().count() > 0);
        let settings = || "base_url = \"sandbox\"".parse::<toml::Table>().unwrap();
        for name in names() {
            let declared = limits(name).unwrap();
            let adapter = build(name, settings(), testing::context()).unwrap();
            assert_eq!(adapter.limits().provider, name);
            assert_eq!(adapter.limits(), declared, "{name}: default settings change no limit");
            let calls = declared.callbacks;
            assert_eq!(adapter.callbacks().is_some(), calls != Calls::None, "{name}: callbacks");
            assert_eq!(adapter.notices().is_some(), calls == Calls::OneUrl, "{name}: notices");
            assert_eq!(adapter.cancel().is_some(), declared.cancel, "{name}: cancel");
            let steps = declared.second_step != SecondStep::None;
            assert_eq!(adapter.confirm().is_some(), steps, "{name}: second step");
            assert_eq!(adapter.prepare().is_some(), declared.rules, "{name}: rules");
            assert!(adapter.desk().is_some_and(|d| !d.questions().is_empty()), "{name}: desk");
            let page = declared.page_size.unwrap_or(1);
            assert!((1..=1000).contains(&page) && declared.rows_per_call <= 1000, "{name}: sizes");
            assert!(adapter.fingerprint().starts_with(name), "{name}: fingerprint");
            assert!(declared.rows_per_call > 0 && declared.in_flight > 0, "{name}: no limit is 0");
            let intake = build_for_intake(name, settings(), testing::context().lane).unwrap();
            assert_eq!(intake.limits(), declared, "{name}: intake");
        }
    }

    #[test]
    fn an_unknown_provider_is_told_which_there_are() {
        let error = build("paypal", toml::Table::new(), testing::context()).err().unwrap();
        assert!(error.to_string().contains("there are: merchant"), "{error}");
        assert!(limits("paypal").is_none());
    }
}
