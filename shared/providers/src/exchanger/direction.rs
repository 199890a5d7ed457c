//! Which exchange direction pays which rows, and which column goes into which field of its form.
//!
//! A row has exactly one direction: no two of a lane share method and currency.

use domain::{Method, Row};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

const NAME_BYTES_MAX: usize = 64;
/// No currency has more decimals.
const DECIMALS_MAX: u32 = 12;

/// `[[lanes.<name>.settings.directions]]` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenDirection {
    id: u64,
    currency: String,
    method: Method,
    code: Option<String>,
    decimals: Option<u32>,
    account1: Option<String>,
    #[serde(default)]
    fields: BTreeMap<String, String>,
}

/// A direction, checked.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Direction {
    /// The site's id of it.
    pub(super) id: u64,
    /// The row's currency, in upper case: what is ordered is an amount of it.
    pub(super) currency: String,
    pub(super) method: Method,
    /// The site's word for that currency.
    pub(super) code: String,
    /// The most decimals that the site takes, where fewer than the currency has.
    pub(super) decimals: Option<u32>,
    /// The account that we give from, where the direction asks for it.
    pub(super) account1: Option<String>,
    /// Field of the form → column of the row, by field.
    pub(super) fields: Vec<(String, &'static str)>,
}

impl std::fmt::Debug for Direction {
    /// Without our own account.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Direction")
            .field("id", &self.id)
            .field("currency", &self.currency)
            .field("method", &self.method)
            .field("code", &self.code)
            .field("decimals", &self.decimals)
            .field("has_account1", &self.account1.is_some())
            .field("fields", &self.fields)
            .finish()
    }
}

impl Direction {
    /// What the row has for a field of the form.
    pub(super) fn value<'a>(&'a self, field: &str, row: &'a Row) -> Option<&'a str> {
        match field {
            "account1" if self.account1.is_some() => self.account1.as_deref(),
            "account2" => Some(row.destination.reveal()),
            field => row.field(self.column(field)?),
        }
    }

    /// The column that a field of the form is filled from.
    pub(super) fn column(&self, field: &str) -> Option<&'static str> {
        match field {
            "account2" => Some("destination"),
            field => {
                self.fields.iter().find(|(known, _)| known == field).map(|(_, column)| *column)
            }
        }
    }

    fn pays(&self, row: &Row) -> bool {
        self.method == row.method && self.currency == row.money.currency().code()
    }
}

/// The direction of a row.
pub(super) fn of<'a>(directions: &'a [Direction], row: &Row) -> Option<&'a Direction> {
    directions.iter().find(|direction| direction.pays(row))
}

/// What the built-in sandbox offers.
pub(super) fn sandbox() -> Vec<Direction> {
    let direction = |id, currency: &str, method, fields: &[(&str, &'static str)]| Direction {
        id,
        currency: currency.to_owned(),
        method,
        code: currency.to_owned(),
        decimals: None,
        account1: None,
        fields: fields.iter().map(|(field, column)| ((*field).to_owned(), *column)).collect(),
    };
    vec![
        direction(1, "RUB", Method::Card, &[("cf1", "full_name"), ("cf6", "email")]),
        direction(2, "EUR", Method::Iban, &[("cf1", "full_name")]),
        direction(3, "USDT", Method::Wallet, &[]),
    ]
}

/// Checks the directions of a lane.
pub(super) fn check_all(written: Vec<WrittenDirection>) -> Result<Vec<Direction>, String> {
    let mut directions: Vec<Direction> = Vec::with_capacity(written.len());
    for one in written {
        let id = one.id;
        let direction = one.check().map_err(|text| format!("directions: {id}: {text}"))?;
        let same =
            |d: &&Direction| d.method == direction.method && d.currency == direction.currency;
        if let Some(other) = directions.iter().find(same) {
            return Err(format!(
                "directions: {} and {id} both pay {} by {}; a row must have one direction",
                other.id,
                direction.currency,
                direction.method.name()
            ));
        }
        directions.push(direction);
    }
    Ok(directions)
}

impl WrittenDirection {
    fn check(self) -> Result<Direction, String> {
        let currency = self.currency.trim().to_ascii_uppercase();
        // The rouble of older systems; rows never carry that name.
        let currency = if currency == "RUR" { "RUB".to_owned() } else { currency };
        if currency.is_empty() {
            return Err("currency: empty; expected a code such as RUB".to_owned());
        }
        if self.decimals.is_some_and(|decimals| decimals > DECIMALS_MAX) {
            return Err(format!("decimals: more than {DECIMALS_MAX}"));
        }
        let mut fields = Vec::with_capacity(self.fields.len());
        for (field, column) in self.fields {
            if !is_field(&field) || column.trim().is_empty() || column.len() > NAME_BYTES_MAX {
                return Err(format!(
                    "fields: \"{}\": expected account1 or a field such as cf6, cfgive8 or cfget2, \
                     and the name of a column; account2 is always the destination",
                    field.chars().take(NAME_BYTES_MAX).collect::<String>()
                ));
            }
            if field == "account1" && self.account1.is_some() {
                return Err("account1: given twice, as a value and among the fields".to_owned());
            }
            fields.push((field, column_name(column.trim())));
        }
        Ok(Direction {
            id: self.id,
            method: self.method,
            code: self.code.unwrap_or_else(|| currency.clone()),
            currency,
            decimals: self.decimals,
            account1: self.account1,
            fields,
        })
    }
}

/// Fields of the form; what else a create carries is not for the config to say.
fn is_field(name: &str) -> bool {
    let custom = name.strip_prefix("cf").is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    });
    name.len() <= NAME_BYTES_MAX && (custom || name == "account1")
}

/// The name of a column for the life of the process: problems of rows name columns that way.
/// Each is kept once, and there are as many as configs name.
fn column_name(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    fn read(text: &str) -> Result<Vec<Direction>, String> {
        let table: toml::Table = text.parse().unwrap();
        let written: Vec<WrittenDirection> =
            table["directions"].clone().try_into().map_err(|e: toml::de::Error| e.to_string())?;
        check_all(written)
    }

    const CARD: &str = "{ id = 7, currency = \"rur\", method = \"card\", code = \"RUB\", \
                        fields = { cf6 = \"email\", account1 = \"from\" } }";

    #[test]
    fn a_row_finds_its_direction_by_method_and_currency() {
        let directions = read(&format!("directions = [{CARD}]")).unwrap();
        let rub = row("A", "1.00", "RUB", Method::Card, "4111111111111111");
        let direction = of(&directions, &rub).unwrap();
        assert_eq!((direction.id, direction.column("cf6")), (7, Some("email")));
        assert_eq!(direction.value("account2", &rub), Some("4111111111111111"));
        for (currency, method) in [("EUR", Method::Card), ("RUB", Method::Sbp)] {
            assert!(of(&directions, &row("A", "1.00", currency, method, "79161234567")).is_none());
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, words) in [
            (format!("directions = [{CARD}, {CARD}]"), "7 and 7 both pay RUB by card"),
            (CARD.replace("cf6", "api_id"), "fields: \"api_id\""),
            (CARD.replace("cf6", "account2"), "account2 is always the destination"),
            (CARD.replace("id = 7", "id = 7, account1 = \"x\""), "account1: given twice"),
            (CARD.replace("rur", " "), "currency: empty"),
            (CARD.replace("id = 7", "id = 7, decimals = 13"), "decimals: more than"),
        ] {
            let text = if text.starts_with('{') { format!("directions = [{text}]") } else { text };
            let error = read(&text).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn our_own_account_is_not_printed() {
        let text = "directions = [{ id = 1, currency = \"RUB\", method = \"card\", account1 = \"T9secret\" }]";
        assert!(!format!("{:?}", read(text).unwrap()).contains("T9secret"));
    }
}
