//! The record formats: one line of a batch, field by field, as a table that config can add to.
//!
//! A record cannot be read in two ways: no field holds a semicolon, a quote or a line break, and
//! what does is refused at intake. So is a row that lacks a field of its format.

use domain::{Method, Row};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The methods that formats may be for.
pub(super) const METHODS: &[Method] = &[Method::Card, Method::Sbp, Method::Wallet];

/// The row's column that chooses a record type, where the default of method and currency is not
/// meant.
pub(super) const TYPE_COLUMN: &str = "record_type";

/// What a record's field may be filled from: ours first, then columns of the row.
const COLUMNS: &[&str] = &[
    DESTINATION,
    AMOUNT,
    CURRENCY,
    NUMBER,
    "description",
    "first_name",
    "last_name",
    "middle_name",
    "full_name",
    "bank_name",
    "bank_code",
    "email",
    "phone",
    "birth_date",
    "address",
    "country",
    "city",
    "postal_code",
    "expiry_month",
    "expiry_year",
    "protection_code",
    "protection_days",
    "customer",
    "extra1",
    "extra2",
    "extra3",
    "extra4",
];
pub(super) const DESTINATION: &str = "destination";
pub(super) const AMOUNT: &str = "amount";
pub(super) const CURRENCY: &str = "currency";
pub(super) const NUMBER: &str = "number";

/// One field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) column: &'static str,
    /// Left empty where the row has none; left out at the end of a record.
    pub(super) is_optional: bool,
}

/// A record type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) name: String,
    pub(super) method: Method,
    /// Our codes, such as RUB.
    pub(super) currencies: Vec<String>,
    /// Taken for its method and currencies unless the row names another.
    pub(super) is_default: bool,
    pub(super) fields: Vec<Field>,
    /// Least and greatest amounts by currency.
    pub(super) min: BTreeMap<String, Decimal>,
    pub(super) max: BTreeMap<String, Decimal>,
    /// The only values that a column may have.
    pub(super) one_of: BTreeMap<String, Vec<String>>,
}

/// `[lanes.<name>.settings.formats.<TYPE>]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    method: Method,
    currencies: Vec<String>,
    fields: Vec<String>,
    #[serde(default)]
    default: bool,
    #[serde(default)]
    min: BTreeMap<String, String>,
    #[serde(default)]
    max: BTreeMap<String, String>,
    #[serde(default)]
    one_of: BTreeMap<String, Vec<String>>,
}

/// A built-in format: name, method, currencies, default, fields, RUB limits.
type BuiltIn = (&'static str, Method, &'static str, bool, &'static str, Option<(i64, i64)>);

/// The formats that public code is seen to write.
const BUILT_IN: &[BuiltIn] = &[
    (
        "CAPITALIST",
        Method::Wallet,
        "RUB USD EUR BTC",
        true,
        "destination amount currency number description",
        None,
    ),
    (
        "WM",
        Method::Wallet,
        "RUB USD EUR",
        false,
        "destination amount currency number description protection_code? protection_days?",
        None,
    ),
    (
        "RUCARD",
        Method::Card,
        "RUB",
        true,
        "destination amount currency number description first_name last_name",
        Some((100, 50_000)),
    ),
    (
        "RUCARDP2P_DYN",
        Method::Card,
        "RUB",
        false,
        "destination amount currency number description",
        None,
    ),
    (
        "SBP",
        Method::Sbp,
        "RUB",
        true,
        "destination amount currency bank_name first_name last_name email number description",
        Some((500, 150_000)),
    ),
    ("UKRCARD", Method::Card, "USD", false, "destination amount currency number description", None),
    (
        "WORLDCARD",
        Method::Card,
        "USD EUR",
        true,
        "destination amount currency number description first_name last_name birth_date address \
         country city expiry_month expiry_year",
        None,
    ),
];

/// The banks of `SBP`.
const SBP_BANKS: &str = "Sberbank VTB AlfaBank Tinkoff Raiffeisen SKB RSHB RB PSB OTK GPB";

/// All formats of a lane, those of the config first.
#[derive(Clone, Debug)]
pub(super) struct Formats(Vec<Format>);

impl Formats {
    /// The built-in ones, and what the config adds or replaces.
    pub(super) fn new(written: BTreeMap<String, Written>) -> Result<Formats, String> {
        let mut formats = Vec::with_capacity(written.len() + BUILT_IN.len());
        for (name, written) in written {
            formats.push(check(&name, written).map_err(|e| format!("formats.{name}: {e}"))?);
        }
        for built_in in BUILT_IN.iter().map(built_in) {
            if !formats.iter().any(|format| format.name == built_in.name) {
                formats.push(built_in);
            }
        }
        Ok(Formats(formats))
    }

    /// The format of a row, or which column is wrong and why.
    pub(super) fn of(&self, row: &Row) -> Result<&Format, (&'static str, String)> {
        let currency = row.money.currency().code();
        let fits =
            |f: &&Format| f.method == row.method && f.currencies.iter().any(|c| c == currency);
        if let Some(name) = row.field(TYPE_COLUMN) {
            let name = name.trim();
            let named = self.0.iter().find(|f| f.name.eq_ignore_ascii_case(name));
            return named.filter(fits).ok_or_else(|| {
                let names: Vec<_> = self.0.iter().filter(fits).map(|f| f.name.as_str()).collect();
                let text = format!("not paid by this method and currency; use {}", list(&names));
                (TYPE_COLUMN, text)
            });
        }
        let default = self.0.iter().find(|f| f.is_default && fits(f));
        default.ok_or_else(|| {
            if !self.0.iter().any(|f| f.method == row.method) {
                let names: Vec<_> = METHODS.iter().map(|method| method.name()).collect();
                return ("method", format!("not offered; use {}", list(&names)));
            }
            let of_method = self.0.iter().filter(|f| f.method == row.method && f.is_default);
            let mut codes: Vec<_> =
                of_method.flat_map(|f| &f.currencies).map(String::as_str).collect();
            codes.dedup();
            ("currency", format!("not paid by {}; use {}", row.method.name(), list(&codes)))
        })
    }
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "another lane".to_owned() } else { names.join(", ") }
}

fn built_in((name, method, currencies, is_default, fields, limits): &BuiltIn) -> Format {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let banks = (*name == "SBP").then(|| ("bank_name".to_owned(), words(SBP_BANKS)));
    let limit = |pick: fn((i64, i64)) -> i64| {
        limits.map(|limits| ("RUB".to_owned(), Decimal::from(pick(limits)))).into_iter().collect()
    };
    Format {
        name: (*name).to_owned(),
        method: *method,
        currencies: words(currencies),
        is_default: *is_default,
        fields: fields.split_whitespace().filter_map(|text| field(text).ok()).collect(),
        min: limit(|(min, _)| min),
        max: limit(|(_, max)| max),
        one_of: banks.into_iter().collect(),
    }
}

fn field(text: &str) -> Result<Field, String> {
    let (name, is_optional) = text.strip_suffix('?').map_or((text, false), |name| (name, true));
    let column = COLUMNS.iter().find(|known| **known == name);
    let column = *column
        .ok_or_else(|| format!("there is no field \"{name}\"; there are {}", COLUMNS.join(", ")))?;
    Ok(Field { column, is_optional })
}

fn check(name: &str, written: Written) -> Result<Format, String> {
    let is_name = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err("a record type has capital letters, digits and _".into());
    }
    if !METHODS.contains(&written.method) {
        return Err("method: use card, sbp or wallet".into());
    }
    let fields: Vec<Field> =
        written.fields.iter().map(|text| field(text)).collect::<Result<_, _>>()?;
    for needed in [DESTINATION, AMOUNT, NUMBER] {
        let count = fields.iter().filter(|f| f.column == needed && !f.is_optional).count();
        if count != 1 {
            return Err(format!("fields: \"{needed}\" must stand there once, without ?"));
        }
    }
    if written.currencies.is_empty() {
        return Err("currencies: name at least one, such as RUB".into());
    }
    let limits = |key: &str, texts: BTreeMap<String, String>| {
        let parse = |(code, text): (String, String)| match crate::told::amount(&text) {
            Some(amount) => Ok((rub(&code), amount)),
            None => Err(format!("{key}: \"{text}\" is no amount; write it like \"100.00\"")),
        };
        texts.into_iter().map(parse).collect::<Result<BTreeMap<_, _>, _>>()
    };
    if let Some(column) = written.one_of.keys().find(|column| !COLUMNS.contains(&column.as_str())) {
        return Err(format!("one_of: there is no field \"{column}\""));
    }
    Ok(Format {
        name: name.to_owned(),
        method: written.method,
        currencies: written.currencies.iter().map(|code| rub(code)).collect(),
        is_default: written.default,
        fields,
        min: limits("min", written.min)?,
        max: limits("max", written.max)?,
        one_of: written.one_of,
    })
}

/// Our code of a currency: the rouble is RUB.
pub(super) fn rub(code: &str) -> String {
    let code = code.trim().to_ascii_uppercase();
    if code == "RUR" { "RUB".to_owned() } else { code }
}

/// The provider's code of a currency: the rouble is RUR.
pub(super) fn rur(code: &str) -> &str {
    if code == "RUB" { "RUR" } else { code }
}
