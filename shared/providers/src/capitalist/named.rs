//! Which record an error names (codes 185, 187, 188): by our number, by its place, or by both.
//!
//! The document says "the 2nd line" of CSV; in JSON it is looked for in `data` and in `message`.
//! A record is refused only if number and amount are ours; where what is told does not agree, a
//! person looks. The others of the batch stay unknown.

use super::errors::Class;
use super::record::exact;
use super::wire::Envelope;
use crate::api::Payment;
use crate::told::{Told, amount};
use rust_decimal::Decimal;

/// What an error tells of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Number and amount are ours.
    Refused(usize),
    /// It names this one, but number, place and amount do not agree.
    Odd(usize),
    /// It names it by its place alone.
    At(usize),
}

/// Depth of `data` that is looked into.
const DEPTH_MAX: usize = 4;
/// Words of an error that are looked at.
const WORDS_MAX: usize = 200;

/// The records that an error names, as indices into `sent`. Pure.
pub(super) fn named(told: &Envelope, class: Class, sent: &[&Payment]) -> Vec<Named> {
    let mut words = Vec::new();
    if let Some(data) = &told.data {
        gather(Told::of(data), DEPTH_MAX, &mut words);
    }
    let second = told.message.lines().skip(1).map(str::trim);
    words.extend(second.filter(|line| !line.is_empty()).map(str::to_owned));
    let is_edge = |c: char| c.is_whitespace() || ";,:'\"()[]#".contains(c);
    words.extend(told.message.split(is_edge).map(str::to_owned));
    words.truncate(WORDS_MAX);

    let by_number = sent.iter().position(|p| words.iter().any(|w| w == p.reference.as_str()));
    let by_place = place(told, class, sent.len());
    let Some(number) = by_number else {
        return by_place.map(Named::At).into_iter().collect();
    };
    let places_agree = by_place.is_none_or(|place| place == number);
    let amounts: Vec<Decimal> =
        words.iter().filter(|word| word.contains('.')).filter_map(|word| amount(word)).collect();
    let ours = exact(&sent[number].row.money);
    let is_ours = amounts.iter().any(|told| Some(*told) == ours);
    // A batch of one record has no other amount that could be meant.
    let amounts_agree = is_ours || (amounts.is_empty() && sent.len() == 1);
    if class == Class::Record && places_agree && amounts_agree {
        return vec![Named::Refused(number)];
    }
    let mut odd = vec![Named::Odd(number)];
    odd.extend(by_place.filter(|place| *place != number).map(Named::Odd));
    odd
}

/// Every scalar of a value, as text.
fn gather(told: Told<'_>, depth: usize, words: &mut Vec<String>) {
    if words.len() >= WORDS_MAX || depth == 0 {
        return;
    }
    if let Some(text) = told.text() {
        words.push(text.trim().to_owned());
    } else if let Some(items) = told.items() {
        items.into_iter().for_each(|item| gather(item, depth - 1, words));
    } else if let Some(fields) = told.fields() {
        fields.into_values().for_each(|field| gather(field, depth - 1, words));
    }
}

/// The place that an error tells: the second line or `data` as a bare number, or a field of it by
/// one of these names. 187 counts from 0, the lines of a batch from 1.
fn place(told: &Envelope, class: Class, records: usize) -> Option<usize> {
    const FIELDS: &[&str] = &["line", "lineNumber", "record", "index", "position"];
    let by_data = told.data.as_deref().map(Told::of).and_then(|data| match data.fields() {
        Some(fields) => FIELDS.iter().find_map(|name| fields.get(*name)?.count()),
        None => data.count().or_else(|| data.items()?.first()?.count()),
    });
    let by_message = || told.message.lines().nth(1)?.trim().parse().ok();
    let count: usize = by_data.or_else(by_message)?;
    let place = if class == Class::Away { Some(count) } else { count.checked_sub(1) };
    place.filter(|place| *place < records)
}

#[cfg(test)]
mod tests {
    use super::super::wire::Form;
    use super::*;
    use crate::testing;
    use serde_json::value::RawValue;

    fn error(class: Class, message: &str, data: Option<&str>) -> Vec<Named> {
        let payments: Vec<Payment> =
            ["A", "B", "C"].map(|name| testing::card(name, "120.00")).into();
        let sent: Vec<&Payment> = payments.iter().collect();
        let data = data.map(|data| RawValue::from_string(data.to_owned()).unwrap());
        let told = Envelope { code: 1, message: message.to_owned(), data, form: Form::Json };
        named(&told, class, &sent)
    }

    #[test]
    fn number_and_amount_together_refuse_a_record() {
        let both = r#"{"number": "abcd-B", "amount": "120.00"}"#;
        assert_eq!(error(Class::Record, "declined", Some(both)), [Named::Refused(1)]);
        let place = r#"{"number": "abcd-B", "amount": 120.00, "line": 2}"#;
        assert_eq!(error(Class::Record, "declined", Some(place)), [Named::Refused(1)]);
        let text = "declined: abcd-C, 120.00 RUR";
        assert_eq!(error(Class::Record, text, None), [Named::Refused(2)]);
    }

    #[test]
    fn what_does_not_agree_is_odd_and_never_refused() {
        for data in [
            r#"{"number": "abcd-B", "amount": "0.00"}"#,
            r#"{"number": "abcd-B", "amount": "121.00"}"#,
            r#""abcd-B""#,
        ] {
            assert_eq!(error(Class::Record, "x", Some(data)), [Named::Odd(1)], "{data}");
        }
        let place = r#"{"number": "abcd-B", "amount": "120.00", "line": 1}"#;
        assert_eq!(error(Class::Record, "x", Some(place)), [Named::Odd(1), Named::Odd(0)]);
        assert_eq!(error(Class::Record, "x\nabcd-B", None), [Named::Odd(1)]);
    }

    #[test]
    fn the_record_of_187_counts_from_0_and_any_other_line_from_1() {
        assert_eq!(error(Class::Away, "away\n1", None), [Named::At(1)]);
        assert_eq!(error(Class::Away, "away", Some("\"0\"")), [Named::At(0)]);
        assert_eq!(error(Class::Record, "zero\n1", None), [Named::At(0)]);
        assert_eq!(error(Class::Away, "away", Some("3")), [], "there is no such record");
        assert_eq!(error(Class::Away, "away", None), []);
    }

    #[test]
    fn a_number_that_is_a_part_of_another_word_names_nothing() {
        assert_eq!(error(Class::Record, "xabcd-B abcd-BB", Some("\"abcd-B2\"")), []);
    }
}
