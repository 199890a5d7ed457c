//! The lane's own settings, and how they become what the adapter works with.
//!
//! Nothing is guessed: an unknown key, a value out of range or a missing key is an error that
//! names it. The sandbox's keys are the only ones with defaults.

use super::direction::{Direction, WrittenDirection, check_all, sandbox};
use super::errors::ErrorTexts;
use super::status::{Meaning, Statuses};
use crate::http::ProviderUrl;
use crate::registry::BuildError;
use crate::secret::Secret;
use crate::settings::{self, Base, KeySource, WORD_BYTES_MAX, is_word, within};
use domain::LaneName;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// What the built-in sandbox is set to; no secrets.
const SANDBOX_LOGIN: &str = "sandbox-login";
const SANDBOX_KEY: &str = "sandbox-api-key";

const CALC_ACTION: RangeInclusive<u8> = 1..=4;
/// No look-up pages above 1,000, whatever the site would give.
const PAGE_SIZE: RangeInclusive<usize> = 10..=1000;
const MARGIN_MINUTES: RangeInclusive<u64> = 1..=10_080;
const MAINTENANCE_MS: RangeInclusive<u64> = 1_000..=3_600_000;

/// `[lanes.<name>.settings]` as written; `config/examples/exchanger.toml` explains each key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    base_url: String,
    login: Option<Secret>,
    key: Option<Secret>,
    #[serde(default = "lang")]
    lang: String,
    partner_id: Option<u64>,
    funding: Option<Funding>,
    #[serde(default = "calc_action")]
    calc_action: u8,
    #[serde(default)]
    quote_before_create: bool,
    #[serde(default)]
    directions: Vec<WrittenDirection>,
    #[serde(default)]
    statuses: BTreeMap<String, Meaning>,
    #[serde(default)]
    errors: ErrorTexts,
    #[serde(default = "expiry_field")]
    expiry_field: String,
    #[serde(default = "page_size")]
    page_size: usize,
    #[serde(default = "window_margin_minutes")]
    window_margin_minutes: u64,
    #[serde(default = "maintenance_retry_ms")]
    maintenance_retry_ms: u64,
    #[serde(default = "settings::connect_timeout_ms")]
    connect_timeout_ms: u64,
    proxy: Option<String>,
}

fn lang() -> String {
    "en_US".to_owned()
}

fn calc_action() -> u8 {
    2
}

fn expiry_field() -> String {
    "expiry".to_owned()
}

fn page_size() -> usize {
    500
}

/// Fifteen hours: a site that takes Unix times in its own zone is off by fourteen at most.
fn window_margin_minutes() -> u64 {
    900
}

fn maintenance_retry_ms() -> u64 {
    5_000
}

/// How orders are funded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Funding {
    /// A person funds each order.
    Person,
    /// Agreed with the site: it draws on a deposit, once it is told.
    Prepaid,
}

/// The settings, checked.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) base: Base,
    pub(super) lang: String,
    pub(super) partner_id: Option<u64>,
    pub(super) funding: Funding,
    pub(super) calc_action: u8,
    pub(super) quote_before_create: bool,
    pub(super) directions: Vec<Direction>,
    pub(super) statuses: Statuses,
    pub(super) errors: ErrorTexts,
    pub(super) expiry_field: String,
    pub(super) page_size: usize,
    pub(super) window_margin_s: u64,
    pub(super) maintenance_retry_ms: u64,
    pub(super) connect_timeout_ms: u64,
    pub(super) proxy: Option<ProviderUrl>,
    login: Option<Secret>,
    key: Option<Secret>,
}

/// Login and key of an account. Prints no key.
#[derive(Debug)]
pub(super) struct Keys {
    /// Names the account; it stands in the fingerprint.
    pub(super) login: String,
    pub(super) key: SecretString,
}

impl Settings {
    /// Reads and checks the settings of `lane`; no key is read yet.
    pub(super) fn read(table: toml::Table, lane: &LaneName) -> Result<Settings, BuildError> {
        settings::read(table, lane, Written::check)
    }

    /// Reads login and key from where the settings say.
    pub(super) fn keys(&self, lane: &LaneName) -> Result<Keys, BuildError> {
        let source = KeySource { lane, is_sandbox: self.base == Base::Sandbox };
        let login = source.needed("login", &self.login, Some(SANDBOX_LOGIN))?;
        let login = login.expose_secret().to_owned();
        if !is_word(&login, WORD_BYTES_MAX, b":") {
            let text = "login: expected up to 128 letters, digits and signs without :".to_owned();
            return Err(BuildError::Settings { lane: lane.clone(), text });
        }
        Ok(Keys { login, key: source.needed("key", &self.key, Some(SANDBOX_KEY))? })
    }

    /// Whether the amount that is ordered is the one that we give; else the one received.
    pub(super) fn orders_give(&self) -> bool {
        matches!(self.calc_action, 1 | 3)
    }
}

impl Written {
    fn check(self) -> Result<Settings, String> {
        let base = Base::read(&self.base_url)?;
        let is_sandbox = base == Base::Sandbox;
        let directions = match self.directions {
            none if none.is_empty() && is_sandbox => sandbox(),
            none if none.is_empty() => {
                return Err("directions: missing; expected at least one [[…settings.directions]] \
                            with id, currency and method"
                    .to_owned());
            }
            written => check_all(written)?,
        };
        let funding = match self.funding {
            Some(funding) => funding,
            None if is_sandbox => Funding::Prepaid,
            None => Funding::Person,
        };
        for (key, word) in [("lang", &self.lang), ("expiry_field", &self.expiry_field)] {
            if !is_word(word, WORD_BYTES_MAX, b"") {
                return Err(format!("{key}: expected 1 to 128 letters, digits and signs"));
            }
        }
        let margin = within("window_margin_minutes", self.window_margin_minutes, MARGIN_MINUTES)?;
        Ok(Settings {
            base,
            lang: self.lang,
            partner_id: self.partner_id,
            funding,
            calc_action: within("calc_action", self.calc_action, CALC_ACTION)?,
            quote_before_create: self.quote_before_create,
            directions,
            statuses: Statuses::new(&self.statuses),
            errors: self.errors.folded()?,
            expiry_field: self.expiry_field,
            page_size: within("page_size", self.page_size, PAGE_SIZE)?,
            window_margin_s: margin * 60,
            maintenance_retry_ms: within(
                "maintenance_retry_ms",
                self.maintenance_retry_ms,
                MAINTENANCE_MS,
            )?,
            connect_timeout_ms: settings::connect_timeout(self.connect_timeout_ms)?,
            proxy: settings::proxy(self.proxy.as_deref())?,
            login: self.login,
            key: self.key,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, String> {
        let lane = LaneName::new("main").unwrap();
        Settings::read(text.parse().unwrap(), &lane).map_err(|error| error.to_string())
    }

    #[test]
    fn the_sandbox_needs_nothing_but_its_name() {
        let settings = read("base_url = \"sandbox\"").unwrap();
        let keys = settings.keys(&LaneName::new("main").unwrap()).unwrap();
        assert_eq!((keys.login.as_str(), keys.key.expose_secret()), (SANDBOX_LOGIN, SANDBOX_KEY));
        assert_eq!(settings.funding, Funding::Prepaid);
        let ids: Vec<_> = settings.directions.iter().map(|direction| direction.id).collect();
        assert_eq!(ids, [1, 2, 3]);
        assert!(!format!("{keys:?}").contains(SANDBOX_KEY));
    }

    #[test]
    fn a_real_site_needs_directions_login_and_key_and_a_person_funds() {
        let base = "base_url = \"https://example.com\"";
        assert!(read(base).unwrap_err().contains("directions: missing"));
        let one = "directions = [{ id = 1, currency = \"RUB\", method = \"card\" }]";
        let settings = read(&format!("{base}\n{one}")).unwrap();
        assert_eq!(settings.funding, Funding::Person);
        let error = settings.keys(&LaneName::new("main").unwrap()).unwrap_err();
        assert!(error.to_string().contains("login: missing"), "{error}");
    }

    #[test]
    fn every_wrong_setting_is_named_with_what_would_be_accepted() {
        for (setting, words) in [
            ("calc_action = 5", "calc_action: 5 is not possible; expected 1 to 4"),
            ("page_size = 1001", "page_size: 1001 is not possible; expected 10 to 1000"),
            ("window_margin_minutes = 0", "window_margin_minutes"),
            ("maintenance_retry_ms = 1", "maintenance_retry_ms"),
            ("connect_timeout_ms = 1", "connect_timeout_ms"),
            ("lang = \"\"", "lang: expected"),
            ("expiry_field = \"a b\"", "expiry_field: expected"),
            ("funding = \"magic\"", "`person` or `prepaid`"),
            ("statuses = { x = \"done\" }", "unknown variant `done`"),
            ("kye = 1", "unknown field `kye`, expected one of `base_url`"),
            ("proxy = \"http://proxy.example.com\"", "proxy: only https"),
            ("key = \"hunter2\"", "a secret never stands in the config itself"),
            ("errors = { exists = [\"\"] }", "errors: an empty text"),
        ] {
            let error = read(&format!("base_url = \"sandbox\"\n{setting}")).unwrap_err();
            assert!(error.contains(words), "{setting}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(
            read("base_url = \"http://example.com\"").unwrap_err().contains("base_url: only https")
        );
    }

    #[test]
    fn a_login_that_would_blur_the_fingerprint_is_refused() {
        let settings = read("base_url = \"sandbox\"\nlogin = { env = \"PATH\" }").unwrap();
        let error = settings.keys(&LaneName::new("main").unwrap()).unwrap_err();
        assert!(error.to_string().contains("login: expected"), "{error}");
    }
}
