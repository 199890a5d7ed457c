//! The lane's own settings, and how they become what the adapter works with.
//!
//! Nothing is guessed: an unknown key, a value out of range or a missing key is an error that
//! names it. The sandbox's keys are the only ones with defaults.

use super::auth::Template;
use super::errors::{ErrorTable, ErrorTexts};
use crate::http::ProviderUrl;
use crate::registry::BuildError;
use crate::secret::Secret;
use crate::settings::{self, Base, KeySource, SANDBOX, WORD_BYTES_MAX, is_word, within};
use domain::LaneName;
use secrecy::SecretString;
use serde::Deserialize;
use std::ops::RangeInclusive;

/// What the built-in sandbox is set to; no secrets.
const SANDBOX_SIGN_KEY: &str = "sandbox-sign-key";
const SANDBOX_API_KEY: &str = "sandbox-api-key";
/// The `callback_sign` that means "we do not know how it is made".
const OFF: &str = "off";

const TIMEOUT_MINUTES: RangeInclusive<u32> = 1..=10_080;
const LOW_BALANCE_RETRY_MS: RangeInclusive<u64> = 1_000..=86_400_000;

/// `[lanes.<name>.settings]` as written; `config/examples/merchant.toml` explains each key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    base_url: String,
    merchant: Option<String>,
    sign_key: Option<Secret>,
    api_key: Option<Secret>,
    #[serde(default = "timeout_minutes")]
    timeout_minutes: u32,
    #[serde(default)]
    status_id: StatusId,
    #[serde(default = "callback_sign")]
    callback_sign: String,
    #[serde(default = "absent_texts")]
    absent_texts: Vec<String>,
    #[serde(default)]
    currencies: Vec<String>,
    #[serde(default = "low_balance_retry_ms")]
    low_balance_retry_ms: u64,
    #[serde(default = "settings::connect_timeout_ms")]
    connect_timeout_ms: u64,
    proxy: Option<String>,
    #[serde(default)]
    errors: ErrorTexts,
}

fn timeout_minutes() -> u32 {
    30
}

fn callback_sign() -> String {
    "{order_id}:{sign_key}".to_owned()
}

fn absent_texts() -> Vec<String> {
    ["not found", "pay out not found", "pay_out not found", "payout not found", "order not found"]
        .map(str::to_owned)
        .to_vec()
}

fn low_balance_retry_ms() -> u64 {
    300_000
}

/// What the platform takes as `pay_out_id` in a look-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StatusId {
    /// Our reference.
    #[default]
    OrderId,
    /// The platform's own id; a lost create cannot be looked up by it.
    InternalTransactionId,
}

/// The settings, checked.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) base: Base,
    pub(super) merchant: String,
    pub(super) timeout_minutes: u32,
    pub(super) status_id: StatusId,
    /// `None` is off.
    pub(super) callback_sign: Option<Template>,
    /// Trimmed and in lower case.
    pub(super) absent_texts: Vec<String>,
    /// In upper case; empty for any.
    pub(super) currencies: Vec<String>,
    pub(super) low_balance_retry_ms: u64,
    pub(super) connect_timeout_ms: u64,
    pub(super) proxy: Option<ProviderUrl>,
    pub(super) errors: ErrorTable,
    sign_key: Option<Secret>,
    api_key: Option<Secret>,
}

/// The keys of an account. Prints none of them.
#[derive(Debug)]
pub(super) struct Keys {
    /// Signs creates, cancellations and the platform's callbacks.
    pub(super) sign: SecretString,
    /// The value of `X-Api-Key`.
    pub(super) api: SecretString,
}

impl Settings {
    /// Reads and checks the settings of `lane`; no key is read yet.
    pub(super) fn read(table: toml::Table, lane: &LaneName) -> Result<Settings, BuildError> {
        settings::read(table, lane, Written::check)
    }

    /// Reads the keys from where the settings say.
    pub(super) fn keys(&self, lane: &LaneName) -> Result<Keys, BuildError> {
        let source = KeySource { lane, is_sandbox: self.base == Base::Sandbox };
        Ok(Keys {
            sign: source.needed("sign_key", &self.sign_key, Some(SANDBOX_SIGN_KEY))?,
            api: source.needed("api_key", &self.api_key, Some(SANDBOX_API_KEY))?,
        })
    }
}

impl Written {
    fn check(self) -> Result<Settings, String> {
        let base = Base::read(&self.base_url)?;
        let merchant = match self.merchant {
            None if base == Base::Sandbox => SANDBOX.to_owned(),
            None => return Err("merchant: missing; expected the name in the API's paths".into()),
            Some(name) => merchant_name(name)?,
        };
        let callback_sign = match self.callback_sign.as_str() {
            OFF => None,
            text => {
                let template = Template::parse(text);
                Some(template.map_err(|error| format!("callback_sign: {error}, or \"{OFF}\""))?)
            }
        };
        let fold = |text: &String| super::errors::fold(text);
        Ok(Settings {
            base,
            merchant,
            timeout_minutes: within("timeout_minutes", self.timeout_minutes, TIMEOUT_MINUTES)?,
            status_id: self.status_id,
            callback_sign,
            absent_texts: self.absent_texts.iter().map(fold).filter(|t| !t.is_empty()).collect(),
            currencies: self.currencies.iter().map(|code| code.to_ascii_uppercase()).collect(),
            low_balance_retry_ms: within(
                "low_balance_retry_ms",
                self.low_balance_retry_ms,
                LOW_BALANCE_RETRY_MS,
            )?,
            connect_timeout_ms: settings::connect_timeout(self.connect_timeout_ms)?,
            proxy: settings::proxy(self.proxy.as_deref())?,
            errors: ErrorTable::new(&self.errors)?,
            sign_key: self.sign_key,
            api_key: self.api_key,
        })
    }
}

/// One segment of a path, and one part of the fingerprint.
fn merchant_name(name: String) -> Result<String, String> {
    if is_word(&name, WORD_BYTES_MAX, b"/:") && !name.starts_with('.') {
        Ok(name)
    } else {
        Err("merchant: expected 1 to 128 letters, digits and signs without / and :".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn read(text: &str) -> Result<Settings, String> {
        let lane = LaneName::new("main").unwrap();
        Settings::read(text.parse().unwrap(), &lane).map_err(|error| error.to_string())
    }

    #[test]
    fn the_sandbox_needs_nothing_but_its_name() {
        let settings = read("base_url = \"sandbox\"").unwrap();
        let keys = settings.keys(&LaneName::new("main").unwrap()).unwrap();
        assert_eq!(settings.merchant, sandbox::MERCHANT_NAME);
        assert_eq!(keys.sign.expose_secret(), sandbox::SIGN_KEY);
        assert_eq!(keys.api.expose_secret(), sandbox::API_KEY);
        assert!(settings.absent_texts.contains(&sandbox::NOT_FOUND.to_owned()));
        assert!(!format!("{keys:?}").contains("sandbox-"));
    }

    #[test]
    fn a_real_account_needs_its_name_and_its_keys() {
        let error = read("base_url = \"https://example.com\"").unwrap_err();
        assert!(error.contains("[lanes.main.settings] merchant: missing"), "{error}");
        let settings = read("base_url = \"https://example.com\"\nmerchant = \"m\"").unwrap();
        let error = settings.keys(&LaneName::new("main").unwrap()).unwrap_err();
        assert!(error.to_string().contains("sign_key: missing"), "{error}");
    }

    #[test]
    fn every_wrong_setting_is_named_with_what_would_be_accepted() {
        for (setting, words) in [
            ("timeout_minutes = 0", "timeout_minutes: 0 is not possible; expected 1 to 10080"),
            ("connect_timeout_ms = 1", "connect_timeout_ms"),
            ("low_balance_retry_ms = 1", "low_balance_retry_ms"),
            ("sign_kye = 1", "unknown field `sign_kye`, expected one of `base_url`"),
            ("callback_sign = \"{order}\"", "callback_sign: there is no field {order}"),
            ("status_id = \"id\"", "`order_id` or `internal_transaction_id`"),
            ("proxy = \"http://proxy.example.com\"", "proxy: only https"),
            ("merchant = \"a/b\"", "merchant: expected"),
            ("sign_key = \"hunter2\"", "a secret never stands in the config itself"),
            ("errors = { later = [\"low balance\"] }", "errors: \"low balance\""),
        ] {
            let error = read(&format!("base_url = \"sandbox\"\n{setting}")).unwrap_err();
            assert!(error.contains(words), "{setting}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(
            read("base_url = \"http://example.com\"").unwrap_err().contains("base_url: only https")
        );
        assert!(read("").unwrap_err().contains("base_url"));
    }
}
