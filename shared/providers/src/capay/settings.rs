//! The lane's own settings, and how they become what the adapter works with.
//!
//! Nothing is guessed: an unknown key, a value out of range or a missing key is an error that
//! names it. The sandbox's credentials are the only ones with defaults.

use super::base::{Base, Environment, PemFiles};
use super::profile::Profile;
use crate::http::ProviderUrl;
use crate::registry::BuildError;
use crate::secret::Secret;
use crate::settings::{self, KeySource, WORD_BYTES_MAX, is_word};
use domain::{LaneName, Row};
use reqwest::header::HeaderName;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::path::PathBuf;

/// What the built-in sandbox is set to; no secrets.
const SANDBOX_API_USER: &str = "sandbox-user";
const SANDBOX_API_KEY: &str = "sandbox-api-key-sandbox-api-key-sandbox-api-key-sandbox-api-key-";
const SANDBOX_CLIENT_ID: &str = "client-1";
const SANDBOX_WEBHOOK_SECRET: &str = "sandbox-webhook-secret";

/// `[lanes.<name>.settings]` as written; `config/examples/capay.toml` explains each key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    base_url: String,
    environment: Option<Environment>,
    api_user: Option<Secret>,
    api_key: Option<Secret>,
    certificate_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    persona: Option<Persona>,
    client_id: Option<String>,
    webhook_secret: Option<Secret>,
    #[serde(default = "webhook_header")]
    webhook_header: String,
    #[serde(default)]
    currencies: Vec<String>,
    #[serde(default = "settings::connect_timeout_ms")]
    connect_timeout_ms: u64,
    proxy: Option<String>,
    #[serde(default)]
    profile: Profile,
}

fn webhook_header() -> String {
    "x-capay-signature".to_owned()
}

/// Who asks for a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Persona {
    /// A program manager, who names the client.
    Pm,
    /// A client, who pays for itself.
    Client,
}

impl Persona {
    pub(super) fn name(self) -> &'static str {
        match self {
            Persona::Pm => "pm",
            Persona::Client => "client",
        }
    }
}

/// The settings, checked.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) base: Base,
    pub(super) persona: Persona,
    /// The client of every row of the lane.
    pub(super) client_id: Option<String>,
    /// The header of a webhook's signature.
    pub(super) webhook_header: HeaderName,
    /// In upper case; empty for any.
    pub(super) currencies: Vec<String>,
    pub(super) connect_timeout_ms: u64,
    pub(super) proxy: Option<ProviderUrl>,
    pub(super) profile: Profile,
    api_user: Option<Secret>,
    api_key: Option<Secret>,
    webhook_secret: Option<Secret>,
}

/// The keys of an account. Prints none of them.
#[derive(Debug)]
pub(super) struct Keys {
    /// Names the account; part of the fingerprint.
    pub(super) user: String,
    pub(super) api: SecretString,
    /// Signs webhooks; `None` believes none of them.
    pub(super) webhook: Option<SecretString>,
}

impl Settings {
    /// Reads and checks the settings of `lane`; no key and no file is read yet.
    pub(super) fn read(table: toml::Table, lane: &LaneName) -> Result<Settings, BuildError> {
        settings::read(table, lane, Written::check)
    }

    /// Reads the keys from where the settings say.
    pub(super) fn keys(&self, lane: &LaneName) -> Result<Keys, BuildError> {
        let source = KeySource { lane, is_sandbox: self.base == Base::Sandbox };
        let user = source.needed("api_user", &self.api_user, Some(SANDBOX_API_USER))?;
        let user = user.expose_secret().to_owned();
        if !is_name(&user) {
            let text = format!("api_user: {NAME_EXPECTED}");
            return Err(BuildError::Settings { lane: lane.clone(), text });
        }
        let (webhook, of_sandbox) = (&self.webhook_secret, Some(SANDBOX_WEBHOOK_SECRET));
        Ok(Keys {
            user,
            api: source.needed("api_key", &self.api_key, Some(SANDBOX_API_KEY))?,
            webhook: source.optional("webhook_secret", webhook, of_sandbox)?,
        })
    }

    /// The client that a row is paid for; `None` where the account itself pays.
    pub(super) fn client<'a>(&'a self, row: &'a Row) -> Result<Option<&'a str>, &'static str> {
        match (self.client_id.as_deref(), row.field("client_id"), self.persona) {
            (Some(ours), Some(told), _) if ours != told => {
                Err("not the lane's client; leave the column out, or use that client's lane")
            }
            (Some(ours), _, _) => Ok(Some(ours)),
            (None, Some(told), Persona::Pm) if is_name(told) => Ok(Some(told)),
            (None, Some(_), Persona::Pm) => Err(NAME_EXPECTED),
            (None, Some(_), Persona::Client) => {
                Err("of a program manager's lane only; set client_id on this lane instead")
            }
            (None, None, Persona::Pm) => {
                Err("required: a program manager names the client, here or on the lane")
            }
            (None, None, Persona::Client) => Ok(None),
        }
    }

    /// Whether the rows of this lane may be of several clients.
    pub(super) fn client_varies(&self) -> bool {
        self.persona == Persona::Pm && self.client_id.is_none()
    }
}

impl Written {
    fn check(self) -> Result<Settings, String> {
        let pem = PemFiles {
            certificate: self.certificate_file,
            key: self.key_file,
            authority: self.ca_file,
        };
        let base = Base::read(&self.base_url, self.environment, pem)?;
        let is_sandbox = base == Base::Sandbox;
        let persona = match self.persona {
            Some(persona) => persona,
            None if is_sandbox => Persona::Pm,
            None => return Err("persona: missing; expected \"pm\" or \"client\"".into()),
        };
        let client_id = match self.client_id {
            None if is_sandbox && persona == Persona::Pm => Some(SANDBOX_CLIENT_ID.to_owned()),
            Some(id) if !is_name(&id) => return Err(format!("client_id: {NAME_EXPECTED}")),
            told => told,
        };
        let header = HeaderName::from_bytes(self.webhook_header.as_bytes());
        let connect_timeout_ms = settings::connect_timeout(self.connect_timeout_ms)?;
        self.profile.check().map_err(|error| format!("profile.{error}"))?;
        let must_name = persona == Persona::Pm || client_id.is_some();
        if must_name && self.profile.request.client_id.pointer().is_none() {
            return Err("profile.request.client_id: \"\" is not possible; the client of a payout \
                        must be named"
                .into());
        }
        Ok(Settings {
            base,
            persona,
            client_id,
            webhook_header: header
                .map_err(|_| "webhook_header: not the name of a header".to_owned())?,
            currencies: self.currencies.iter().map(|code| code.to_ascii_uppercase()).collect(),
            connect_timeout_ms,
            proxy: settings::proxy(self.proxy.as_deref())?,
            profile: self.profile,
            api_user: self.api_user,
            api_key: self.api_key,
            webhook_secret: self.webhook_secret,
        })
    }
}

const NAME_EXPECTED: &str = "expected 1 to 128 letters, digits and signs without spaces and colons";

/// One part of the fingerprint.
fn is_name(text: &str) -> bool {
    is_word(text, WORD_BYTES_MAX, b":")
}
