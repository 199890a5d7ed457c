//! One payout as the payer wrote it. Its fields never change after intake.
//!
//! Destinations are card, account and phone numbers: they print masked, and only
//! [`Destination::reveal`] gives the whole, for the request and the check of an answer.

use crate::money::Money;
use crate::reference::PayerReference;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// How the beneficiary is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// A bank card; the destination is its number.
    Card,
    /// The Faster Payments System of Russia; the destination is a phone number.
    Sbp,
    /// A bank account by number.
    Score,
    /// A bank account by IBAN.
    Iban,
    /// A wallet at the provider or elsewhere.
    Wallet,
}

impl Method {
    /// All methods, in the order in which help texts name them.
    pub const ALL: [Method; 5] =
        [Method::Card, Method::Sbp, Method::Score, Method::Iban, Method::Wallet];

    /// The name in files and config.
    pub fn name(self) -> &'static str {
        match self {
            Method::Card => "card",
            Method::Sbp => "sbp",
            Method::Score => "score",
            Method::Iban => "iban",
            Method::Wallet => "wallet",
        }
    }
}

/// A text that names no method.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown method; use one of card, sbp, score, iban, wallet")]
pub struct NotAMethod;

impl FromStr for Method {
    type Err = NotAMethod;
    fn from_str(text: &str) -> Result<Self, NotAMethod> {
        let lower = text.trim().to_ascii_lowercase();
        Method::ALL.into_iter().find(|m| m.name() == lower).ok_or(NotAMethod)
    }
}

/// Where the money goes: a card, account, phone or wallet number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Destination(String);

impl Destination {
    /// Takes a destination that [`crate::checks`] has put in canonical form.
    pub fn new(canonical: String) -> Destination {
        Destination(canonical)
    }

    /// The whole number. Never for a log, an error, a label or a panic message.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(&self.0))
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Masks a number for people: `4276…1234`; short ones show their last two characters only.
pub fn mask(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let tail = |n: usize| chars[chars.len().saturating_sub(n)..].iter().collect::<String>();
    match chars.len() {
        0..=3 => "…".to_owned(),
        4..=10 => format!("…{}", tail(2)),
        _ => format!("{}…{}", chars[..4].iter().collect::<String>(), tail(4)),
    }
}

/// One row of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Counts the data rows of the file from 1: the order of the result file.
    pub ordinal: u32,
    /// Line of the file at which the row starts, counted from 1: what error messages name.
    pub line: u32,
    /// The payer's own id of the payout.
    pub reference: PayerReference,
    /// How much, exactly.
    pub money: Money,
    /// How.
    pub method: Method,
    /// Where to.
    pub destination: Destination,
    /// What else the provider may want, by the names of the canonical columns: `full_name`,
    /// `bank_name`, `bank_code`, `description`, `customer`, and the provider's own.
    pub fields: BTreeMap<String, String>,
}

impl Row {
    /// A further field, if it was given and is not empty.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_never_prints_whole() {
        let card = Destination::new("4276345439581234".to_owned());
        assert_eq!(format!("{card} {card:?}"), "4276…1234 4276…1234");
        assert_eq!(mask("79161234567"), "7916…4567");
        assert_eq!(mask("12345678"), "…78");
        assert_eq!(mask("123"), "…");
    }
}
