//! What a PHP site writes as JSON, as a tree. Numbers are kept as their digits: no float comes
//! near an amount.
//!
//! An empty PHP array is `[]`, a filled one may be a list or an object, and a number may be a
//! string. The readers here take all of these for the same; `null` and `""` are "not told".

use crate::told;
use rust_decimal::Decimal;
use serde_json::value::RawValue;

/// Nothing that the document names lies deeper. Each level reads its text once more.
const DEPTH_MAX: u8 = 12;

/// One value. No `Debug`: it may hold a whole destination.
pub(super) enum Php {
    /// `null`, `true`, `false`.
    Other,
    /// A number, as it was written.
    Number(String),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Php>),
    /// An object; of a name that stands there twice, the last value counts.
    Map(Vec<(String, Php)>),
}

impl Php {
    /// Reads a whole body; `None` for what is no JSON.
    pub(super) fn parse(body: &[u8]) -> Option<Php> {
        Self::read(serde_json::from_slice(body).ok()?, DEPTH_MAX)
    }

    fn read(raw: &RawValue, depth: u8) -> Option<Php> {
        let depth = depth.checked_sub(1)?;
        let text = raw.get();
        Some(match text.as_bytes().first()? {
            b'{' => {
                let map: std::collections::BTreeMap<String, &RawValue> =
                    serde_json::from_str(text).ok()?;
                let read = |(name, raw)| Some((name, Self::read(raw, depth)?));
                Php::Map(map.into_iter().map(read).collect::<Option<_>>()?)
            }
            b'[' => {
                let list: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                Php::List(
                    list.into_iter().map(|raw| Self::read(raw, depth)).collect::<Option<_>>()?,
                )
            }
            b'"' => Php::Text(serde_json::from_str(text).ok()?),
            b'-' | b'0'..=b'9' => Php::Number(text.to_owned()),
            _ => Php::Other,
        })
    }

    /// A field of an object.
    pub(super) fn get(&self, name: &str) -> Option<&Php> {
        match self {
            Php::Map(map) => map.iter().find(|(known, _)| known == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// A string that is not blank, trimmed, or the digits of a number.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Php::Number(text) | Php::Text(text) => {
                Some(text.trim()).filter(|text| !text.is_empty())
            }
            _ => None,
        }
    }

    /// The text of a field.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Php::text)
    }

    /// An amount: digits with at most one point, no sign, no exponent.
    pub(super) fn amount(&self) -> Option<Decimal> {
        told::amount(self.text()?)
    }

    /// The amount in a field.
    pub(super) fn amount_of(&self, name: &str) -> Option<Decimal> {
        self.get(name).and_then(Php::amount)
    }

    /// The values of a PHP array, whichever form it took; `None` for what is none.
    pub(super) fn values(&self) -> Option<Vec<&Php>> {
        match self {
            Php::List(list) => Some(list.iter().collect()),
            Php::Map(map) => Some(map.iter().map(|(_, value)| value).collect()),
            _ => None,
        }
    }

    /// Names and values of a PHP array; a list has its positions for names.
    pub(super) fn pairs(&self) -> Vec<(String, &Php)> {
        match self {
            Php::List(list) => {
                (0..).zip(list).map(|(n, v): (usize, _)| (n.to_string(), v)).collect()
            }
            Php::Map(map) => map.iter().map(|(name, value)| (name.clone(), value)).collect(),
            _ => Vec::new(),
        }
    }

    /// An object, or the empty array that PHP writes for an empty one.
    pub(super) fn is_record(&self) -> bool {
        match self {
            Php::Map(_) => true,
            Php::List(list) => list.is_empty(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Php {
        Php::parse(text.as_bytes()).unwrap_or(Php::Other)
    }

    proptest! {
        #[test]
        fn no_body_makes_reading_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            Php::parse(&body);
        }
    }

    #[test]
    fn strings_and_numbers_stand_for_each_other_and_no_digit_is_lost() {
        let php = parse(r#"{"a": 90071992547409931234.10, "b": " 7 ", "c": "1.50", "d": 17}"#);
        assert_eq!(php.amount_of("a"), "90071992547409931234.10".parse().ok());
        assert_eq!(php.text_of("b"), Some("7"));
        assert_eq!(php.amount_of("c"), Some(Decimal::new(150, 2)));
        assert_eq!(php.text_of("d"), Some("17"));
    }

    #[test]
    fn what_is_null_blank_or_something_else_is_not_told() {
        let php = parse(r#"{"a": null, "b": " ", "c": true, "d": [], "e": "-1", "f": "1,0"}"#);
        for name in ["a", "b", "c", "d"] {
            assert_eq!(php.text_of(name), None, "{name}");
        }
        assert_eq!((php.amount_of("e"), php.amount_of("f")), (None, None));
    }

    #[test]
    fn an_array_is_a_list_or_an_object_and_an_empty_one_is_both() {
        for text in [r#"["x", "y"]"#, r#"{"0": "x", "5": "y"}"#] {
            let values: Vec<_> = parse(text)
                .values()
                .unwrap()
                .iter()
                .filter_map(|v| v.text().map(str::to_owned))
                .collect();
            assert_eq!(values, ["x", "y"]);
        }
        assert!(parse("[]").is_record() && parse("{}").is_record() && !parse("[1]").is_record());
        assert!(!parse("null").is_record() && parse("null").values().is_none());
    }

    #[test]
    fn a_tower_of_brackets_is_no_answer() {
        assert!(Php::parse("[".repeat(50).as_bytes()).is_none());
        let deep = format!("{}{}", "[".repeat(50), "]".repeat(50));
        assert!(Php::parse(deep.as_bytes()).is_none());
    }
}
