//! A provider's own words, made fit for logs, notes and screens: one line, bounded, and without
//! the account numbers that some providers repeat in their errors.

use domain::row::mask;

/// The longest text that is kept of what a provider said.
const CHARS_MAX: usize = 300;
/// So many digits, spaces, dashes and brackets between them not counted, may be a card, an account or a
/// phone. A date and hour in digits has ten.
const DIGITS_MIN: usize = 11;

/// `text` with each of `secrets` and every long number masked.
pub(crate) fn quote<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = text.trim().replace(char::is_control, " ");
    for secret in secrets {
        if !secret.is_empty() && text.contains(secret) {
            text = text.replace(secret, "…");
        }
    }
    let mut quoted = without_numbers(&text);
    if let Some((end, _)) = quoted.char_indices().nth(CHARS_MAX) {
        quoted.truncate(end);
        quoted.push('…');
    }
    quoted
}

/// The longest whole part of an amount of money that is shown as it was written: without a
/// fraction below a trillion, with one below a quadrillion. A card or an account has more digits,
/// or no fraction.
const WHOLE_DIGITS_MAX: usize = 12;
const DIGITS_BEFORE_FRACTION_MAX: usize = 15;
/// The longest fraction of an amount, in digits: that of the coins.
const FRACTION_DIGITS_MAX: usize = 18;

/// An amount of money as the provider wrote it, whole; what is none is quoted.
pub(crate) fn quote_amount<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    let text = text.trim();
    if is_amount(text) { text.to_owned() } else { quote(text, secrets) }
}

/// Digits, perhaps in groups of three, with a sign before and a fraction after them.
fn is_amount(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mut groups = whole.split([' ', ',', '\u{a0}']);
    let first = groups.next().unwrap_or_default();
    let mut digits = first.len();
    let is_whole = is_digits(first)
        && groups.all(|group| {
            digits += group.len();
            first.len() <= 3 && group.len() == 3 && is_digits(group)
        });
    let is_fraction = fraction.is_none_or(|f| is_digits(f) && f.len() <= FRACTION_DIGITS_MAX);
    let most = if fraction.is_some() { DIGITS_BEFORE_FRACTION_MAX } else { WHOLE_DIGITS_MAX };
    is_whole && is_fraction && digits <= most
}

/// `text` with every long number masked, also one that is written in groups.
pub fn without_numbers(text: &str) -> String {
    let belongs = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '(' | ')' | '\u{a0}');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let (run, after) = from.split_at(from.find(|c| !belongs(c)).unwrap_or(from.len()));
        let number = run.trim_end_matches([' ', '-', '(', ')', '\u{a0}']);
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        out.push_str(before);
        if digits.len() >= DIGITS_MIN {
            out.push_str(&mask(&digits));
            out.push_str(&run[number.len()..]);
        } else {
            out.push_str(run);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_long_number_and_no_secret_survives(
            before in "\\PC{0,20}", number in "[0-9]{11,20}", after in "\\PC{0,20}",
        ) {
            let quoted = quote(&format!("{before}{number}{after}DE89X"), ["DE89X"]);
            prop_assert!(!quoted.contains(&number) && !quoted.contains("DE89X"));
        }

        #[test]
        fn no_text_makes_quoting_panic_or_grow(text in ".{0,600}") {
            prop_assert!(quote(&text, ["a"]).chars().count() <= CHARS_MAX + 1);
        }
    }

    #[test]
    fn words_stay_and_numbers_are_masked() {
        assert_eq!(
            quote(" card 4276 3454-3958 1234 is\nblocked, code 7741 ", []),
            "card 4276…1234 is blocked, code 7741"
        );
        assert_eq!(quote("at 2024-02-15 09:30:45", []), "at 2024-02-15 09:30:45");
        assert_eq!(quote("sign of a:k3y is wrong", ["k3y"]), "sign of a:… is wrong");
    }

    #[test]
    fn amounts_of_money_stay_whole_however_large() {
        for amount in [
            "0",
            "-17",
            "123456789012",
            "-123456789012345.67",
            "0.123456789012345678",
            "1 234 567 890 123.45",
            "1,234,567,890.00",
            "+12345678901.5000",
        ] {
            assert_eq!(quote_amount(&format!(" {amount}\n"), ["123"]), amount);
        }
    }

    #[test]
    fn what_may_be_a_card_or_an_account_is_no_amount() {
        for (number, shown) in [
            ("4276345439581234", "4276…1234"),
            ("4276 3454 3958 1234", "4276…1234"),
            ("40817810099910004312", "4081…4312"),
            ("40817810099910004312.00", "4081…4312.00"),
            ("378282246310005", "3782…0005"),
            ("balance of 4276345439581234", "balance of 4276…1234"),
            ("12.4276345439581234.5", "12.4276…1234.5"),
            ("k3y", "…"),
        ] {
            assert_eq!(quote_amount(number, ["k3y"]), shown);
        }
    }
}
