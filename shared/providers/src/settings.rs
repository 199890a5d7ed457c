//! How the settings of a lane become what its adapter works with.
//!
//! Nothing is guessed: an unknown key, a value out of range or a missing key is an error that
//! names it and says what would be accepted. Only the built-in sandbox stands in for what is
//! missing.

use crate::http::ProviderUrl;
use crate::registry::{BuildError, SandboxAddress};
use crate::secret::Secret;
use domain::LaneName;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::ops::RangeInclusive;

/// The `base_url` that stands for the sandbox built into the worker.
pub(crate) const SANDBOX: &str = "sandbox";
/// Why nothing can be sent, where an adapter has no line.
pub(crate) const OFFLINE: &str = "this adapter only validates rows: it was built for intake, or \
                                  base_url is \"sandbox\" and no sandbox runs in this process";
/// The longest word, where the provider names no length of its own.
pub(crate) const WORD_BYTES_MAX: usize = 128;
/// Less is too short for a handshake from afar; more lets a dead server hold up the lane.
const CONNECT_TIMEOUT_MS: RangeInclusive<u64> = 100..=60_000;

/// Reads the settings of `lane` as they are written, and checks them. No key is read yet.
pub(crate) fn read<Written: DeserializeOwned, Settings>(
    table: toml::Table,
    lane: &LaneName,
    check: impl FnOnce(Written) -> Result<Settings, String>,
) -> Result<Settings, BuildError> {
    let one_line =
        |e: toml::de::Error| e.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    let settings = table.try_into().map_err(one_line).and_then(check);
    settings.map_err(|text| BuildError::Settings { lane: lane.clone(), text })
}

/// Where a provider is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// The sandbox built into the worker, wherever it listens.
    Sandbox,
    /// Here.
    At(ProviderUrl),
}

impl Base {
    /// Reads a `base_url`.
    pub(crate) fn read(base_url: &str) -> Result<Base, String> {
        if base_url == SANDBOX {
            return Ok(Base::Sandbox);
        }
        let url = ProviderUrl::parse(base_url);
        Ok(Base::At(url.map_err(|error| format!("base_url: {error}, or \"{SANDBOX}\""))?))
    }

    /// The URL; `None` where the sandbox does not run.
    pub(crate) fn open(
        &self,
        provider: &str,
        sandbox: Option<&SandboxAddress>,
    ) -> Result<Option<ProviderUrl>, String> {
        match self {
            Base::At(url) => Ok(Some(url.clone())),
            Base::Sandbox => sandbox.map(|sandbox| sandbox.below(provider)).transpose(),
        }
    }

    /// Its part of the fingerprint.
    pub(crate) fn fingerprint(&self, sandbox: Option<&SandboxAddress>) -> String {
        match self {
            Base::At(url) => url.host_and_path(),
            Base::Sandbox => sandbox_fingerprint(sandbox),
        }
    }
}

/// The sandbox's part of a fingerprint, whatever port it listens at (S4).
pub(crate) fn sandbox_fingerprint(sandbox: Option<&SandboxAddress>) -> String {
    format!("{SANDBOX}:{}", sandbox.map_or("-", |sandbox| &sandbox.id))
}

/// Where the keys of an account come from.
pub(crate) struct KeySource<'a> {
    pub(crate) lane: &'a LaneName,
    /// The sandbox's own keys stand in for those that the settings do not name.
    pub(crate) is_sandbox: bool,
}

impl KeySource<'_> {
    /// The key that is named `key` in the settings; the sandbox's own is no secret.
    pub(crate) fn needed(
        &self,
        key: &'static str,
        named: &Option<Secret>,
        sandbox: Option<&str>,
    ) -> Result<SecretString, BuildError> {
        self.optional(key, named, sandbox)?.ok_or_else(|| BuildError::Settings {
            lane: self.lane.clone(),
            text: format!("{key}: missing; expected {{ env = \"NAME\" }} or {{ file = \"path\" }}"),
        })
    }

    /// The same, of a key that an account can do without.
    pub(crate) fn optional(
        &self,
        key: &'static str,
        named: &Option<Secret>,
        sandbox: Option<&str>,
    ) -> Result<Option<SecretString>, BuildError> {
        let Some(secret) = named else {
            return Ok(sandbox.filter(|_| self.is_sandbox).map(SecretString::from));
        };
        let wrong = |source| BuildError::Secret { lane: self.lane.clone(), key, source };
        secret.resolve().map(Some).map_err(wrong)
    }
}

/// `value`, if it is possible.
pub(crate) fn within<T: PartialOrd + Display + Copy>(
    key: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<T, String> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(format!("{key}: {value} is not possible; expected {} to {}", range.start(), range.end()))
}

/// The `connect_timeout_ms` of a lane that names none.
pub(crate) fn connect_timeout_ms() -> u64 {
    5_000
}

/// A `connect_timeout_ms`, if it is possible.
pub(crate) fn connect_timeout(value: u64) -> Result<u64, String> {
    within("connect_timeout_ms", value, CONNECT_TIMEOUT_MS)
}

/// Reads a `proxy`.
pub(crate) fn proxy(written: Option<&str>) -> Result<Option<ProviderUrl>, String> {
    written.map(ProviderUrl::parse).transpose().map_err(|error| format!("proxy: {error}"))
}

/// Whether `text` can be one part of a fingerprint, a path or a header: letters, digits and signs,
/// but none of those in `without`.
pub(crate) fn is_word(text: &str, bytes_max: usize, without: &[u8]) -> bool {
    let good = |b: u8| b.is_ascii_graphic() && !without.contains(&b);
    (1..=bytes_max).contains(&text.len()) && text.bytes().all(good)
}
