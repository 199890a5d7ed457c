//! Canonical forms of destinations: what a payer may write, and what we make of it.
//!
//! Spaces and dashes between digits are how people write card and phone numbers; they are taken
//! out. Everything else must be right as written.

use crate::row::{Destination, Method};

/// Why a destination is not one. The words never contain the number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// Not the right characters or length.
    #[error("not a {what}; expected {expected}")]
    Form {
        /// What it should be.
        what: &'static str,
        /// What would be accepted.
        expected: &'static str,
    },
    /// The check digit of a card is wrong: usually a typing error.
    #[error("the card number's check digit is wrong; compare it with the card")]
    Luhn,
    /// The check digits of an IBAN are wrong.
    #[error("the IBAN's check digits are wrong; compare it with the bank's statement")]
    Iban,
}

/// Checks what the payer wrote for `method` and brings it into canonical form.
pub fn destination(method: Method, text: &str) -> Result<Destination, DestinationError> {
    match method {
        Method::Card => card(text),
        Method::Sbp => phone(text),
        Method::Score => account(text),
        Method::Iban => iban(text),
        Method::Wallet => wallet(text),
    }
    .map(Destination::new)
}

fn without(text: &str, separators: &[char]) -> String {
    text.trim().chars().filter(|c| !separators.contains(c)).collect()
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn card(text: &str) -> Result<String, DestinationError> {
    let digits = without(text, &[' ', '-']);
    if !(12..=19).contains(&digits.len()) || !all_digits(&digits) {
        return Err(DestinationError::Form { what: "card number", expected: "12 to 19 digits" });
    }
    if luhn(&digits) { Ok(digits) } else { Err(DestinationError::Luhn) }
}

/// The check of ISO/IEC 7812 over a string of digits.
pub fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, b)| {
            let digit = u32::from(b.wrapping_sub(b'0'));
            match (i % 2, digit) {
                (0, d) => d,
                (_, d) if d > 4 => d * 2 - 9,
                (_, d) => d * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

fn phone(text: &str) -> Result<String, DestinationError> {
    let digits = without(text, &[' ', '-', '(', ')']);
    let digits = digits.strip_prefix('+').unwrap_or(&digits);
    if (11..=13).contains(&digits.len()) && all_digits(digits) && !digits.starts_with('0') {
        Ok(digits.to_owned())
    } else {
        let expected = "11 to 13 digits with the country code, such as 79161234567";
        Err(DestinationError::Form { what: "phone number", expected })
    }
}

fn account(text: &str) -> Result<String, DestinationError> {
    let digits = without(text, &[' ']);
    if (8..=34).contains(&digits.len()) && all_digits(&digits) {
        Ok(digits)
    } else {
        Err(DestinationError::Form { what: "bank account number", expected: "8 to 34 digits" })
    }
}

fn iban(text: &str) -> Result<String, DestinationError> {
    let iban = without(text, &[' ']).to_ascii_uppercase();
    let bytes = iban.as_bytes();
    let form = (15..=34).contains(&bytes.len())
        && bytes.iter().all(u8::is_ascii_alphanumeric)
        && bytes[..2].iter().all(u8::is_ascii_alphabetic)
        && bytes[2..4].iter().all(u8::is_ascii_digit);
    if !form {
        let expected = "two letters, two check digits, then letters and digits, 15 to 34 in all";
        return Err(DestinationError::Form { what: "IBAN", expected });
    }
    if iban_remainder(bytes) == 1 { Ok(iban) } else { Err(DestinationError::Iban) }
}

/// ISO 7064 mod 97-10 over the rearranged IBAN; 1 means valid.
fn iban_remainder(iban: &[u8]) -> u32 {
    iban[4..].iter().chain(&iban[..4]).fold(0, |rest, b| match b {
        b'0'..=b'9' => (rest * 10 + u32::from(b - b'0')) % 97,
        _ => (rest * 100 + u32::from(b - b'A') + 10) % 97,
    })
}

fn wallet(text: &str) -> Result<String, DestinationError> {
    let text = text.trim();
    if (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(text.to_owned())
    } else {
        let expected = "1 to 128 letters, digits and signs without spaces";
        Err(DestinationError::Form { what: "wallet", expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn luhn_notices_every_single_wrong_digit(body in "[0-9]{15}", at in 0usize..16, by in 1u8..10) {
            let check = (0..10).find(|d| luhn(&format!("{body}{d}"))).unwrap();
            let mut digits = format!("{body}{check}").into_bytes();
            digits[at] = (digits[at] - b'0' + by) % 10 + b'0';
            prop_assert!(!luhn(std::str::from_utf8(&digits).unwrap()));
        }
    }

    #[test]
    fn what_people_write_becomes_canonical() {
        let ok = |method, text| destination(method, text).unwrap().reveal().to_owned();
        assert_eq!(ok(Method::Card, "4111 1111-1111 1111"), "4111111111111111");
        assert_eq!(ok(Method::Sbp, "+7 (916) 123-45-67"), "79161234567");
        assert_eq!(ok(Method::Iban, "de89 3704 0044 0532 0130 00"), "DE89370400440532013000");
        assert_eq!(ok(Method::Score, "40817810099910004312"), "40817810099910004312");
    }

    #[test]
    fn wrong_numbers_are_refused_without_being_repeated() {
        for (method, text) in [
            (Method::Card, "4111111111111112"),
            (Method::Card, "4111x"),
            (Method::Sbp, "55555"),
            (Method::Iban, "DE88370400440532013000"),
            (Method::Iban, "DE"),
            (Method::Wallet, "two words"),
        ] {
            let error = destination(method, text).unwrap_err();
            assert!(!error.to_string().contains(text));
        }
    }
}
