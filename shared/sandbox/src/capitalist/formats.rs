//! The payment types that the sandbox pays, as a table: fields by place, currencies, limits.

use super::currency::Currency;

/// What a record's destination must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    /// A wallet of the platform: a currency's letter and seven digits.
    Wallet,
    /// A card number with a right check digit.
    Card,
    /// 10 to 15 digits, with or without a plus.
    Phone,
    /// Whatever is not empty.
    Free,
}

/// One payment type. Places count the fields of a line from 0, the type's word.
#[derive(Debug)]
pub(super) struct Format {
    pub(super) word: &'static str,
    pub(super) destination: Destination,
    /// Where our number stands; the description follows it, and destination, amount and currency
    /// are always 1, 2 and 3.
    pub(super) number: usize,
    /// Fields of a line, at least and at most.
    pub(super) fields: (usize, usize),
    pub(super) currencies: &'static [Currency],
    /// In whole units, both included.
    pub(super) limits: Option<(u32, u32)>,
    /// Where the bank stands, if it must be one of [`BANKS`].
    pub(super) bank: Option<usize>,
}

/// What an SBP record may name.
pub(super) const BANKS: [&str; 11] = [
    "Sberbank",
    "VTB",
    "AlfaBank",
    "Tinkoff",
    "Raiffeisen",
    "SKB",
    "RSHB",
    "RB",
    "PSB",
    "OTK",
    "GPB",
];

const PLAIN: Format = Format {
    word: "",
    destination: Destination::Free,
    number: 4,
    fields: (6, 6),
    currencies: &Currency::ALL,
    limits: None,
    bank: None,
};
const RUR: &[Currency] = &[Currency::Rur];

const FORMATS: [Format; 7] = [
    Format { word: "CAPITALIST", destination: Destination::Wallet, ..PLAIN },
    Format { word: "WM", fields: (6, 8), ..PLAIN },
    Format {
        word: "RUCARD",
        destination: Destination::Card,
        fields: (8, 8),
        currencies: RUR,
        limits: Some((100, 50_000)),
        ..PLAIN
    },
    Format { word: "RUCARDP2P_DYN", destination: Destination::Card, currencies: RUR, ..PLAIN },
    Format {
        word: "SBP",
        destination: Destination::Phone,
        number: 8,
        fields: (10, 10),
        currencies: RUR,
        limits: Some((500, 150_000)),
        bank: Some(4),
    },
    Format {
        word: "UKRCARD",
        destination: Destination::Card,
        currencies: &[Currency::Usd],
        ..PLAIN
    },
    Format {
        word: "WORLDCARD",
        destination: Destination::Card,
        fields: (14, 14),
        currencies: &[Currency::Rur, Currency::Usd, Currency::Eur],
        ..PLAIN
    },
];

impl Format {
    pub(super) fn of(word: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.word == word)
    }
}

impl Destination {
    pub(super) fn fits(self, text: &str) -> bool {
        match self {
            Self::Wallet => is_wallet(text),
            Self::Card => (13..=19).contains(&text.len()) && is_digits(text) && luhn(text),
            Self::Phone => {
                let digits = text.strip_prefix('+').unwrap_or(text);
                (10..=15).contains(&digits.len()) && is_digits(digits)
            }
            Self::Free => !text.is_empty(),
        }
    }
}

/// A currency's letter and seven digits.
pub(super) fn is_wallet(text: &str) -> bool {
    let is_letter = |letter: &u8| b"RUEB".contains(letter);
    text.len() == 8
        && text.as_bytes().first().is_some_and(is_letter)
        && text.get(1..).is_some_and(is_digits)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn luhn(digits: &str) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let digits = digits.bytes().rev().map(|byte| u32::from(byte - b'0')).enumerate();
    let sum: u32 = digits.map(|(place, d)| if place % 2 == 1 { doubled(d) } else { d }).sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_keeps_its_own_order_of_fields() {
        for format in &FORMATS {
            assert!(format.number >= 4 && format.number + 1 < format.fields.0, "{}", format.word);
            assert!(format.fields.0 <= format.fields.1, "{}", format.word);
        }
    }

    #[test]
    fn destinations_are_told_apart() {
        assert!(Destination::Card.fits("4111111111111111"));
        assert!(!Destination::Card.fits("4111111111111112"));
        assert!(Destination::Phone.fits("+79161234567") && !Destination::Phone.fits("7916"));
        assert!(Destination::Wallet.fits("R0000002") && !Destination::Wallet.fits("X0000002"));
        assert!(!Destination::Wallet.fits("R000000Ж") && !Destination::Free.fits(""));
    }
}
