//! The four currencies of the platform, and amounts in them.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Currency {
    Rur,
    Usd,
    Eur,
    Btc,
}

/// Digits before the point; a larger amount is a mistake.
const WHOLE_DIGITS_MAX: usize = 15;

impl Currency {
    pub(super) const ALL: [Self; 4] = [Self::Rur, Self::Usd, Self::Eur, Self::Btc];

    /// The platform's word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Rur => "RUR",
            Self::Usd => "USD",
            Self::Eur => "EUR",
            Self::Btc => "BTC",
        }
    }

    /// The word in ledger entries: ISO 4217, lower case.
    pub(super) fn iso(self) -> &'static str {
        match self {
            Self::Rur => "rub",
            Self::Usd => "usd",
            Self::Eur => "eur",
            Self::Btc => "btc",
        }
    }

    /// A batch may say RUB for RUR.
    pub(super) fn of(word: &str) -> Option<Self> {
        let word = if word == "RUB" { "RUR" } else { word };
        Self::ALL.into_iter().find(|currency| currency.word() == word)
    }

    /// Decimal places.
    pub(super) fn places(self) -> u32 {
        if self == Self::Btc { 8 } else { 2 }
    }

    /// An amount as a batch writes it: digits, a dot, no more places than the currency has.
    pub(super) fn amount(self, text: &str) -> Option<Decimal> {
        let (whole, cents) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = (1..=WHOLE_DIGITS_MAX).contains(&whole.len())
            && !cents.is_empty()
            && whole.bytes().chain(cents.bytes()).all(|byte| byte.is_ascii_digit());
        let mut amount: Decimal = is_number.then(|| text.parse().ok()).flatten()?;
        if amount.scale() > self.places() {
            return None;
        }
        amount.rescale(self.places());
        Some(amount)
    }

    /// With all of its places.
    pub(super) fn show(self, mut amount: Decimal) -> String {
        amount.rescale(self.places());
        amount.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_a_dot_and_the_places_of_its_currency() {
        let show = |currency: Currency, text| currency.amount(text).map(|a| currency.show(a));
        assert_eq!(show(Currency::Rur, "100").as_deref(), Some("100.00"));
        assert_eq!(show(Currency::Rur, "100.5").as_deref(), Some("100.50"));
        assert_eq!(show(Currency::Btc, "0.00000001").as_deref(), Some("0.00000001"));
        for wrong in ["1,00", "1.001", "-1.00", "", ".5", "1.", "1e3", "1234567890123456.00"] {
            assert_eq!(show(Currency::Rur, wrong), None, "{wrong}");
        }
    }
}
