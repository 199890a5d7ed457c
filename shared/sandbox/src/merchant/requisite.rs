//! Is it a card number, a phone, an account, an IBAN? Lengths and check digits, no directory.

use super::order::Method;

/// Why a requisite is none, in the gateway's words.
pub(super) fn check(method: Method, text: &str) -> Result<(), &'static str> {
    match method {
        Method::Card if !is_digits(text, 16..=16) => Err("number_card must be 16 digits"),
        Method::Card if !luhn(text) => Err("number_card fails its check digit"),
        Method::Sbp if !is_phone(text) => Err("phone_number must be 11 to 13 characters"),
        Method::Score if !is_digits(text, 20..=20) => Err("number_score must be 20 digits"),
        Method::Iban if !iban(text) => Err("iban_number is not an IBAN"),
        _ => Ok(()),
    }
}

fn is_digits(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// 11 to 13 characters in all, with or without a leading plus.
fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (11..=13).contains(&text.len()) && is_digits(digits, 10..=13)
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0');
            match (place % 2, digit) {
                (0, _) => digit,
                (_, 0..=4) => digit * 2,
                _ => digit * 2 - 9,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// ISO 13616: country, two check digits, up to 30 more; the whole is 1 modulo 97.
fn iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = (15..=34).contains(&bytes.len())
        && bytes.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit);
    shape
        && bytes[4..].iter().chain(&bytes[..4]).fold(0u32, |rest, byte| match byte {
            b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
            _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
        }) == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_need_their_check_digit() {
        assert_eq!(check(Method::Card, "4111111111111111"), Ok(()));
        assert!(check(Method::Card, "4111111111111112").is_err());
        assert!(check(Method::Card, "411111111111111").is_err());
        assert!(check(Method::Card, "411111111111111a").is_err());
    }

    #[test]
    fn ibans_are_one_modulo_97() {
        for good in ["DE89370400440532013000", "GB82WEST12345698765432", "NO9386011117947"] {
            assert_eq!(check(Method::Iban, good), Ok(()), "{good}");
        }
        for bad in
            ["DE88370400440532013000", "DE89", "", "de89370400440532013000", "ÄÖ8937040044053"]
        {
            assert!(check(Method::Iban, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn phones_and_accounts_have_their_lengths() {
        for good in ["79161234567", "+79161234567", "9989161234567"] {
            assert_eq!(check(Method::Sbp, good), Ok(()), "{good}");
        }
        for bad in ["7916123456", "+7916123456a", "99891612345678", "+999891612345", "7+161234567"]
        {
            let is_ok = check(Method::Sbp, bad).is_ok();
            assert_eq!(is_ok, bad == "+999891612345", "{bad}");
        }
        assert_eq!(check(Method::Score, "40817810099910004312"), Ok(()));
        assert!(check(Method::Score, "4081781009991000431").is_err());
    }
}
