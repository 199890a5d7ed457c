//! `[lanes.<name>.settings]` as it is written: the keys, their defaults, and what is possible.

use super::{formats, states};
use crate::secret::Secret;
use crate::settings;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

pub(super) const RETRY_MS: RangeInclusive<u64> = 1_000..=86_400_000;
pub(super) const ROWS_PER_CALL: RangeInclusive<u16> = 1..=1_000;
/// Beyond a thousand the provider answers code 25; few in a page only make for more requests.
pub(super) const PAGE_SIZE: RangeInclusive<u16> = 10..=1_000;
pub(super) const UTC_OFFSET_MINUTES: RangeInclusive<i32> = -840..=840;
pub(super) const SEARCH_DAYS: RangeInclusive<u8> = 1..=30;
pub(super) const NUMBERS_PER_LOOK_UP: RangeInclusive<u16> = 1..=200;
/// At least as long as a reference that can be traced back.
pub(super) const NUMBER_BYTES_MAX: RangeInclusive<u8> = 41..=128;
pub(super) const FIELD_CHARS_MAX: RangeInclusive<usize> = 10..=4_000;

/// `[lanes.<name>.settings]` as written; `config/examples/capitalist.toml` explains each key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) base_url: String,
    pub(super) login: Option<String>,
    pub(super) password: Option<Secret>,
    #[serde(default)]
    pub(super) access: Access,
    #[serde(default)]
    pub(super) accounts: BTreeMap<String, String>,
    pub(super) verification: Option<Kind>,
    pub(super) pin: Option<Secret>,
    pub(super) key: Option<Secret>,
    pub(super) key_password: Option<Secret>,
    #[serde(default)]
    pub(super) response_format: ResponseFormat,
    #[serde(default = "thousand")]
    pub(super) rows_per_call: u16,
    #[serde(default = "thousand")]
    pub(super) page_size: u16,
    #[serde(default = "utc_offset_minutes")]
    pub(super) utc_offset_minutes: i32,
    #[serde(default = "search_days")]
    pub(super) search_days: u8,
    #[serde(default = "numbers_per_look_up")]
    pub(super) numbers_per_look_up: u16,
    pub(super) search_shows_unconfirmed: Option<bool>,
    #[serde(default = "number_bytes_max")]
    pub(super) number_bytes_max: u8,
    #[serde(default = "field_chars_max")]
    pub(super) field_chars_max: usize,
    pub(super) default_description: Option<String>,
    #[serde(default = "lockout_retry_ms")]
    pub(super) lockout_retry_ms: u64,
    #[serde(default = "low_balance_retry_ms")]
    pub(super) low_balance_retry_ms: u64,
    #[serde(default)]
    pub(super) states: states::Written,
    #[serde(default)]
    pub(super) formats: BTreeMap<String, formats::Written>,
    #[serde(default = "settings::connect_timeout_ms")]
    pub(super) connect_timeout_ms: u64,
    pub(super) proxy: Option<String>,
}

fn thousand() -> u16 {
    1_000
}

fn utc_offset_minutes() -> i32 {
    180
}

fn search_days() -> u8 {
    1
}

fn numbers_per_look_up() -> u16 {
    20
}

fn number_bytes_max() -> u8 {
    super::NUMBER_BYTES_MAX
}

fn field_chars_max() -> usize {
    255
}

fn lockout_retry_ms() -> u64 {
    1_800_000
}

fn low_balance_retry_ms() -> u64 {
    300_000
}

/// What goes with each call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Access {
    /// A token, and the password under the key that came with it.
    #[default]
    Token,
    /// The password as it is. Every URL is https or this machine, so it never crosses a network
    /// in the open.
    PlainPassword,
}

/// How batches are shown to be ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Signature,
    Pin,
    Mobile,
}

/// Which form answers are asked for in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ResponseFormat {
    #[default]
    Json,
    Csv,
}
