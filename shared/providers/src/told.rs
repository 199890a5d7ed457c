//! A JSON value in whichever form a provider wrote it.
//!
//! Nothing is made up: numbers may be strings and strings numbers, `null` and `""` are "not told",
//! and an amount is taken from the text as it stands: no float comes near it.

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A value. No `Debug`: it may hold a destination.
#[derive(Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(crate) struct Told<'a>(#[serde(borrow)] &'a RawValue);

impl<'a> Told<'a> {
    pub(crate) fn of(raw: &'a RawValue) -> Told<'a> {
        Told(raw)
    }

    /// As a document of its own.
    pub(crate) fn raw(self) -> &'a RawValue {
        self.0
    }

    /// As text: a string that is not blank, or the digits of a number.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        let raw = self.0.get();
        let text = match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
            Some(_) => Cow::Owned(serde_json::from_str(raw).ok()?),
            None if raw.starts_with(|c: char| c.is_ascii_digit() || c == '-') => Cow::Borrowed(raw),
            None => return None,
        };
        (!text.trim().is_empty()).then_some(text)
    }

    /// As an amount: digits with at most one point, no sign, no exponent.
    pub(crate) fn amount(self) -> Option<Decimal> {
        amount(&self.text()?)
    }

    /// As a count.
    pub(crate) fn count(self) -> Option<usize> {
        self.text()?.trim().parse().ok()
    }

    /// As yes or no.
    pub(crate) fn yes(self) -> Option<bool> {
        match self.0.get() {
            "true" | "\"true\"" => Some(true),
            "false" | "\"false\"" => Some(false),
            _ => None,
        }
    }

    /// As a list.
    pub(crate) fn items(self) -> Option<Vec<Told<'a>>> {
        self.parse()
    }

    /// As an object; of a name that stands there twice, the last value counts.
    pub(crate) fn fields(self) -> Option<BTreeMap<String, Told<'a>>> {
        self.parse()
    }

    /// As a type.
    pub(crate) fn parse<T: Deserialize<'a>>(self) -> Option<T> {
        serde_json::from_str(self.0.get()).ok()
    }
}

/// The text of an optional field.
pub(crate) fn text(told: Option<Told<'_>>) -> Option<Cow<'_, str>> {
    told.and_then(Told::text)
}

/// Digits with at most one point, as an amount.
pub(crate) fn amount(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let is_plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if is_plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &str) -> Told<'_> {
        Told::of(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn strings_and_numbers_stand_for_each_other_and_no_digit_is_lost() {
        assert_eq!(told("17").text().unwrap(), "17");
        assert_eq!(told(r#""a\u0062""#).text().unwrap(), "ab");
        assert_eq!(told("\" 17 \"").count(), Some(17));
        assert_eq!(told("1500.10").amount(), Some(Decimal::new(150_010, 2)));
        for long in ["90071992547409.93", "\" 0090071992547409.93 \""] {
            let exact = Some(Decimal::new(9_007_199_254_740_993, 2));
            assert_eq!(told(long).amount(), exact, "{long}");
        }
        assert_eq!((told("\"true\"").yes(), told("false").yes()), (Some(true), Some(false)));
    }

    #[test]
    fn what_is_null_blank_or_something_else_is_not_told() {
        for nothing in ["null", "\"\"", "\" \"", "true", "{}", "[1]"] {
            let told = told(nothing);
            assert!(told.text().is_none() && told.amount().is_none(), "{nothing}");
        }
        assert!(told("1").yes().is_none() && told("{}").items().is_none());
        assert!(told("[]").fields().is_none());
        let optional: [Option<Told<'_>>; 2] = serde_json::from_str("[null, 1]").unwrap();
        assert!(text(optional[0]).is_none() && text(optional[1]).is_some());
    }

    #[test]
    fn an_amount_has_no_sign_no_exponent_and_no_separator() {
        for bad in
            ["\"-1\"", "-1", "1e3", "\"1,5\"", "\"1.2.3\"", "\"1_0\"", "\"+1\"", "\".\"", "\"NaN\""]
        {
            assert_eq!(told(bad).amount(), None, "{bad}");
        }
    }
}
