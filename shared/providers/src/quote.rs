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
}
