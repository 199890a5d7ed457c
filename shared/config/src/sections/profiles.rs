//! Profiles: which column of a file means what, so that a file is taken as it is exported.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The columns that the program itself reads. Others are kept for the provider by their name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Canonical {
    /// The payer's own id of the payout.
    Reference,
    /// How much.
    Amount,
    /// In which currency.
    Currency,
    /// How.
    Method,
    /// Where to.
    Destination,
    /// By which lane.
    Lane,
    /// Everything else: `Row::fields`.
    Field,
}

/// Names of further columns that every profile may map and whose meaning adapters share.
pub const SHARED_FIELDS: [&str; 21] = [
    "full_name",
    "bank_name",
    "bank_code",
    "description",
    "customer",
    "first_name",
    "last_name",
    "email",
    "birth_date",
    "address",
    "city",
    "country",
    "expiry_month",
    "expiry_year",
    "account_from",
    "beneficiary_id",
    "client_id",
    "purpose",
    "direction",
    "phone",
    "record_type",
];

impl Canonical {
    /// What a canonical name means.
    pub fn of(name: &str) -> Canonical {
        match name {
            "reference" => Canonical::Reference,
            "amount" => Canonical::Amount,
            "currency" => Canonical::Currency,
            "method" => Canonical::Method,
            "destination" => Canonical::Destination,
            "lane" => Canonical::Lane,
            _ => Canonical::Field,
        }
    }
}

/// One way to read files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileConfig {
    /// The profile is chosen for a file whose header has all of these; empty: never by header.
    pub match_header: Vec<String>,
    /// What separates the fields.
    pub delimiter: Delimiter,
    /// Amounts are written `1500,00`.
    pub decimal_comma: bool,
    /// Canonical column = header in the file.
    pub columns: BTreeMap<String, ColumnSource>,
    /// Values for columns that the file lacks.
    pub defaults: BTreeMap<String, String>,
    /// Columns that no one maps are passed over; otherwise they refuse the file.
    pub ignore_unknown_columns: bool,
}

/// What separates the fields of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delimiter {
    /// Comma, semicolon or tab, whichever the header has most of.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// A comma.
    #[serde(rename = ",")]
    Comma,
    /// A semicolon.
    #[serde(rename = ";")]
    Semicolon,
    /// A tab.
    #[serde(rename = "tab")]
    Tab,
}

/// Where a canonical column comes from: one header, or several joined with `-` (reference only).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ColumnSource {
    /// One header.
    One(String),
    /// Several, joined with `-` in this order.
    Joined(Vec<String>),
}

impl ColumnSource {
    /// The headers, in order.
    pub fn headers(&self) -> &[String] {
        match self {
            ColumnSource::One(header) => std::slice::from_ref(header),
            ColumnSource::Joined(headers) => headers,
        }
    }
}

fn columns(pairs: &[(&str, &str)]) -> BTreeMap<String, ColumnSource> {
    pairs
        .iter()
        .map(|(name, header)| ((*name).to_owned(), ColumnSource::One((*header).to_owned())))
        .collect()
}

/// `default`: our own column names; `accounting`: a German accounting export.
pub(crate) fn built_in() -> BTreeMap<String, ProfileConfig> {
    let own = ["reference", "amount", "currency", "method", "destination", "lane"];
    let own: Vec<_> = own.into_iter().chain(SHARED_FIELDS).map(|name| (name, name)).collect();
    let default = ProfileConfig { columns: columns(&own), ..ProfileConfig::default() };
    let accounting = ProfileConfig {
        match_header: ["Belegnummer", "Betrag", "Empfänger"].map(str::to_owned).to_vec(),
        delimiter: Delimiter::Semicolon,
        decimal_comma: true,
        columns: columns(&[
            ("reference", "Belegnummer"),
            ("amount", "Betrag"),
            ("currency", "Währung"),
            ("destination", "IBAN"),
            ("full_name", "Empfänger"),
            ("bank_name", "Bank"),
            ("description", "Verwendungszweck"),
        ]),
        defaults: [("method".to_owned(), "iban".to_owned())].into(),
        ignore_unknown_columns: true,
    };
    [("default".to_owned(), default), ("accounting".to_owned(), accounting)].into()
}
