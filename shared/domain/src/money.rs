//! Exact money: a decimal and a currency, never a float.
//!
//! An amount enters the program through [`Money::parse`] and nowhere else, so no amount exists
//! that has more decimals than its currency, a sign, or an exponent.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A currency code (upper case, 2 to 8 characters) with the number of its decimals.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Currency {
    code: String,
    exponent: u8,
}

impl Currency {
    /// The code as shown to people, such as `EUR`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// How many decimals an amount may have: EUR 2, JPY 0, BTC 8.
    pub fn exponent(&self) -> u8 {
        self.exponent
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)
    }
}

/// The currencies that an installation knows: ISO 4217 by default, and what the config adds.
#[derive(Clone, Debug)]
pub struct Currencies {
    exponents: BTreeMap<String, u8>,
    aliases: BTreeMap<String, String>,
}

/// ISO 4217 codes whose exponent is not 2.
const ODD_EXPONENTS: &[(&str, u8)] = &[
    ("BHD", 3),
    ("BIF", 0),
    ("CLF", 4),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("IQD", 3),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("PYG", 0),
    ("RWF", 0),
    ("TND", 3),
    ("UGX", 0),
    ("UYI", 0),
    ("UYW", 4),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
];

/// ISO 4217 codes with exponent 2.
const CENTS: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD \
BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL \
GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD \
LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK \
PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS \
TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWL";

impl Default for Currencies {
    fn default() -> Self {
        let mut exponents: BTreeMap<String, u8> =
            CENTS.split_whitespace().map(|code| (code.to_owned(), 2)).collect();
        exponents.extend(ODD_EXPONENTS.iter().map(|(code, exp)| ((*code).to_owned(), *exp)));
        // Not ISO, but what the providers' own documents speak of.
        exponents.extend([("BTC".to_owned(), 8), ("USDT".to_owned(), 6)]);
        Currencies { exponents, aliases: BTreeMap::from([("RUR".to_owned(), "RUB".to_owned())]) }
    }
}

impl Currencies {
    /// Adds or replaces a currency. Codes are 2 to 8 letters or digits, exponents at most 12.
    pub fn add(&mut self, code: &str, exponent: u8) -> Result<(), MoneyError> {
        let code = code.to_ascii_uppercase();
        let well_formed =
            (2..=8).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric());
        if !well_formed || exponent > 12 {
            return Err(MoneyError::UnknownCurrency { found: code });
        }
        self.exponents.insert(code, exponent);
        Ok(())
    }

    /// Makes `alias` another name of `code`.
    pub fn alias(&mut self, alias: &str, code: &str) {
        self.aliases.insert(alias.to_ascii_uppercase(), code.to_ascii_uppercase());
    }

    /// Finds a currency by its code or an alias, in any case.
    pub fn find(&self, text: &str) -> Result<Currency, MoneyError> {
        let upper = text.trim().to_ascii_uppercase();
        let code = self.aliases.get(&upper).unwrap_or(&upper);
        match self.exponents.get(code) {
            Some(exponent) => Ok(Currency { code: code.clone(), exponent: *exponent }),
            None => Err(MoneyError::UnknownCurrency { found: upper }),
        }
    }
}

/// An amount above zero in a currency.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

/// Amounts have at most this many digits before the decimal point: the sum of 10^6 rows still
/// fits a 128-bit count of minor units at 12 decimals, and no payroll is larger.
pub const MAX_INTEGER_DIGITS: usize = 13;

/// Why a text is not an amount. The text itself is never part of the error's own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The code is not in the table.
    #[error(
        "unknown currency \"{found}\"; use an ISO 4217 code such as EUR, or add it to [currencies]"
    )]
    UnknownCurrency {
        /// What stood there, upper case.
        found: String,
    },
    /// Not digits with at most one decimal separator.
    #[error(
        "not an amount; write digits with a {separator} before the decimals, such as 1500{separator}00, without sign, exponent or thousands separator"
    )]
    NotAnAmount {
        /// The separator this file uses.
        separator: char,
    },
    /// More decimals than the currency has.
    #[error("{currency} has {allowed} decimals, found {found}")]
    TooManyDecimals {
        /// The currency's code.
        currency: String,
        /// Decimals that the currency has.
        allowed: u8,
        /// Decimals that were written.
        found: usize,
    },
    /// Zero is never a payout.
    #[error("the amount is zero; a payout is above zero")]
    Zero,
    /// More digits than [`MAX_INTEGER_DIGITS`].
    #[error("the amount has more than {MAX_INTEGER_DIGITS} digits before the decimals")]
    TooLarge,
}

impl Money {
    /// Reads an amount as a payer writes it. `separator` is `.` unless the profile says `,`.
    ///
    /// ```
    /// # use domain::money::*;
    /// let eur = Currencies::default().find("eur")?;
    /// assert_eq!(Money::parse("1500.5", &eur, '.')?.to_string(), "1500.50 EUR");
    /// assert!(Money::parse("1,500.50", &eur, '.').is_err());
    /// assert!(Money::parse("1.505", &eur, '.').is_err());
    /// # Ok::<(), MoneyError>(())
    /// ```
    pub fn parse(text: &str, currency: &Currency, separator: char) -> Result<Money, MoneyError> {
        let text = text.trim();
        let (whole, decimals) = text.split_once(separator).unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let lone_separator = text.contains(separator) && decimals.is_empty();
        if whole.is_empty() || !digits(whole) || !digits(decimals) || lone_separator {
            return Err(MoneyError::NotAnAmount { separator });
        }
        if decimals.len() > usize::from(currency.exponent) {
            return Err(MoneyError::TooManyDecimals {
                currency: currency.code.clone(),
                allowed: currency.exponent,
                found: decimals.len(),
            });
        }
        if whole.trim_start_matches('0').len() > MAX_INTEGER_DIGITS {
            return Err(MoneyError::TooLarge);
        }
        let not_an_amount = |_| MoneyError::NotAnAmount { separator };
        let mut amount: Decimal =
            format!("{whole}.{decimals:0<1}").parse().map_err(not_an_amount)?;
        if amount.is_zero() {
            return Err(MoneyError::Zero);
        }
        amount.rescale(u32::from(currency.exponent));
        Ok(Money { amount, currency: currency.clone() })
    }

    /// The exact amount, with as many decimals as the currency has.
    pub fn amount(&self) -> Decimal {
        self.amount
    }

    /// The currency.
    pub fn currency(&self) -> &Currency {
        &self.currency
    }

    /// The amount in the currency's smallest unit: 15.00 EUR is 1500.
    pub fn minor_units(&self) -> i128 {
        self.amount.mantissa()
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

/// Minor units written as people write them: `minor_to_text(150050, 2)` is `1500.50`.
pub fn minor_to_text(minor: i128, exponent: u8) -> String {
    Decimal::try_from_i128_with_scale(minor, u32::from(exponent))
        .map_or_else(|_| format!("{minor}e-{exponent}"), |d| d.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn eur() -> Currency {
        Currencies::default().find("EUR").unwrap()
    }

    proptest! {
        #[test]
        fn an_amount_survives_the_way_through_minor_units(minor in 1i128..10_000_000_000_000) {
            let text = minor_to_text(minor, 2);
            prop_assert_eq!(Money::parse(&text, &eur(), '.').unwrap().minor_units(), minor);
        }

        #[test]
        fn no_text_makes_parsing_panic(text in ".*") {
            let _ = Money::parse(&text, &eur(), '.');
        }
    }

    #[test]
    fn signs_exponents_separators_and_extra_decimals_are_refused() {
        for bad in [
            "", "-1", "+1", "1e3", "1,000.00", "1 000", ".5", "5.", "1.234", "0", "0.00", "NaN",
            "٣", "1..2",
        ] {
            assert!(Money::parse(bad, &eur(), '.').is_err(), "{bad:?} was taken as an amount");
        }
    }

    #[test]
    fn a_decimal_comma_is_read_only_where_the_profile_says_so() {
        assert!(Money::parse("1,50", &eur(), '.').is_err());
        assert_eq!(Money::parse("1,50", &eur(), ',').unwrap().minor_units(), 150);
        assert!(Money::parse("1.50", &eur(), ',').is_err());
    }

    #[test]
    fn the_rouble_of_the_older_providers_is_the_rouble() {
        assert_eq!(Currencies::default().find("rur").unwrap().code(), "RUB");
    }
}
