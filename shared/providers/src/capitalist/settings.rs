//! The lane's own settings, and how they become what the adapter works with.
//!
//! Nothing is guessed: an unknown key, a value out of range or a missing key is an error that
//! names it. The sandbox's credentials are the only ones with defaults.

use super::auth::Verification;
use super::formats::{self, Formats, rub};
use super::record::Records;
use super::states::States;
use super::written::{
    Access, FIELD_CHARS_MAX, Kind, NUMBER_BYTES_MAX, NUMBERS_PER_LOOK_UP, PAGE_SIZE, RETRY_MS,
    ROWS_PER_CALL, ResponseFormat, SEARCH_DAYS, UTC_OFFSET_MINUTES, Written,
};
use crate::http::ProviderUrl;
use crate::registry::BuildError;
use crate::secret::Secret;
use crate::settings::{self, Base, KeySource, SANDBOX, is_word, within};
use domain::LaneName;
use secrecy::SecretString;
use std::collections::BTreeMap;

/// What the built-in sandbox is set to; no secrets.
const SANDBOX_PASSWORD: &str = "sandbox-password";
const SANDBOX_PIN: &str = "sandbox-pin";
const SANDBOX_ACCOUNTS: [(&str, &str); 4] =
    [("RUR", "R0000001"), ("EUR", "E0000001"), ("USD", "U0000001"), ("BTC", "B0000001")];
/// So that a newcomer's file need not have the column.
const SANDBOX_DESCRIPTION: &str = "Payout";

/// The currencies that a source account may be in, in the order of the import's fields.
const CURRENCIES: [&str; 4] = ["RUR", "EUR", "USD", "BTC"];

/// The settings, checked.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) base: Base,
    pub(super) login: String,
    pub(super) access: Access,
    /// The provider's currency and our account in it, in the order of the import's fields.
    pub(super) accounts: Vec<(&'static str, String)>,
    pub(super) records: Records,
    pub(super) response_format: ResponseFormat,
    pub(super) rows_per_call: u16,
    pub(super) page_size: u16,
    pub(super) utc_offset_minutes: i32,
    pub(super) search_days: u8,
    pub(super) numbers_per_look_up: usize,
    /// What a search does not find is not there.
    pub(super) absence_proves: bool,
    pub(super) number_bytes_max: u8,
    pub(super) lockout_retry_ms: u64,
    pub(super) low_balance_retry_ms: u64,
    pub(super) states: States,
    pub(super) connect_timeout_ms: u64,
    pub(super) proxy: Option<ProviderUrl>,
    pub(super) verification: Kind,
    password: Option<Secret>,
    pin: Option<Secret>,
    key: Option<Secret>,
    key_password: Option<Secret>,
}

/// The keys of an account. Prints none of them.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) password: SecretString,
    pub(super) verification: Verification,
}

impl Settings {
    /// Reads and checks the settings of `lane`; no key is read yet.
    pub(super) fn read(table: toml::Table, lane: &LaneName) -> Result<Settings, BuildError> {
        settings::read(table, lane, Written::check)
    }

    /// Reads the keys from where the settings say.
    pub(super) fn keys(&self, lane: &LaneName) -> Result<Keys, BuildError> {
        let wrong = |text: String| BuildError::Settings { lane: lane.clone(), text };
        let source = KeySource { lane, is_sandbox: self.base == Base::Sandbox };
        let verification = match self.verification {
            Kind::Mobile => Verification::Mobile,
            Kind::Pin => {
                Verification::by_pin(&source.needed("pin", &self.pin, Some(SANDBOX_PIN))?)
            }
            Kind::Signature => {
                let file = source.needed("key", &self.key, None)?;
                let password = source.optional("key_password", &self.key_password, None)?;
                Verification::by_key(&file, &self.login, password.as_ref())
                    .map_err(|error| wrong(format!("key: {error}")))?
            }
        };
        let password = source.needed("password", &self.password, Some(SANDBOX_PASSWORD))?;
        Ok(Keys { password, verification })
    }
}

impl Written {
    fn check(self) -> Result<Settings, String> {
        let base = Base::read(&self.base_url)?;
        let is_sandbox = base == Base::Sandbox;
        let login = match self.login {
            None if is_sandbox => SANDBOX.to_owned(),
            None => return Err("login: missing; expected the user name, not the address".into()),
            Some(login) => word("login", login)?,
        };
        let verification = match self.verification {
            None if is_sandbox => Kind::Pin,
            None => return Err("verification: missing; use signature, pin or mobile".into()),
            Some(kind) => kind,
        };
        let accounts = accounts(self.accounts, is_sandbox)?;
        let sandbox = is_sandbox.then(|| SANDBOX_DESCRIPTION.to_owned());
        let records = Records {
            formats: Formats::new(self.formats)?,
            currencies: accounts.iter().map(|(code, _)| rub(code)).collect(),
            default_description: self.default_description.or(sandbox),
            field_chars_max: within("field_chars_max", self.field_chars_max, FIELD_CHARS_MAX)?,
        };
        if let Some(text) = &records.default_description {
            records.text(text).map_err(|error| format!("default_description: {error}"))?;
        }
        let offset = self.utc_offset_minutes;
        let numbers = self.numbers_per_look_up;
        let numbers = within("numbers_per_look_up", numbers, NUMBERS_PER_LOOK_UP)?;
        Ok(Settings {
            base,
            login,
            access: self.access,
            accounts,
            records,
            response_format: self.response_format,
            rows_per_call: within("rows_per_call", self.rows_per_call, ROWS_PER_CALL)?,
            page_size: within("page_size", self.page_size, PAGE_SIZE)?,
            utc_offset_minutes: within("utc_offset_minutes", offset, UTC_OFFSET_MINUTES)?,
            search_days: within("search_days", self.search_days, SEARCH_DAYS)?,
            numbers_per_look_up: usize::from(numbers),
            // A batch that waits for its code may be there without being found, and CSV has no
            // form for "nothing found".
            absence_proves: self.response_format == ResponseFormat::Json
                && (verification != Kind::Mobile
                    || self.search_shows_unconfirmed.unwrap_or(is_sandbox)),
            number_bytes_max: within("number_bytes_max", self.number_bytes_max, NUMBER_BYTES_MAX)?,
            lockout_retry_ms: within("lockout_retry_ms", self.lockout_retry_ms, RETRY_MS)?,
            low_balance_retry_ms: within(
                "low_balance_retry_ms",
                self.low_balance_retry_ms,
                RETRY_MS,
            )?,
            states: States::new(self.states)?,
            connect_timeout_ms: settings::connect_timeout(self.connect_timeout_ms)?,
            proxy: settings::proxy(self.proxy.as_deref())?,
            verification,
            password: self.password,
            pin: self.pin,
            key: self.key,
            key_password: self.key_password,
        })
    }
}

fn accounts(
    written: BTreeMap<String, String>,
    is_sandbox: bool,
) -> Result<Vec<(&'static str, String)>, String> {
    if written.is_empty() && is_sandbox {
        return Ok(SANDBOX_ACCOUNTS.map(|(code, account)| (code, account.to_owned())).into());
    }
    let mut accounts = Vec::with_capacity(written.len());
    for (code, account) in written {
        let code = code.trim().to_ascii_uppercase();
        let known = CURRENCIES.into_iter().find(|known| *known == formats::rur(&code));
        let known = known.ok_or("accounts: currencies are RUR, EUR, USD and BTC")?;
        if accounts.iter().any(|(other, _)| *other == known) {
            return Err(format!("accounts: {known} stands there twice"));
        }
        accounts.push((known, word("accounts", account)?));
    }
    if accounts.is_empty() {
        return Err("accounts: missing; expected a source account, such as RUR = \"R0…\"".into());
    }
    accounts.sort_by_key(|(code, _)| CURRENCIES.iter().position(|known| known == code));
    Ok(accounts)
}

/// A part of the fingerprint.
fn word(key: &str, text: String) -> Result<String, String> {
    if is_word(&text, 64, b":;") {
        Ok(text)
    } else {
        Err(format!("{key}: expected 1 to 64 letters, digits and signs without : and ;"))
    }
}
