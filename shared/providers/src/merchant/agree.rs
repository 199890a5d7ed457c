//! Does what the platform tells belong to our payout? One place for answers, look-ups, callbacks.
//!
//! "Not told" and "told otherwise" are two things: the first leaves doubt, the second shows a
//! difference. No text made here holds a destination.

use super::wire::Record;
use crate::api::Payment;
use crate::told::{Told, text};
use domain::Method;
use rust_decimal::Decimal;

/// What the platform must tell of a payment.
pub(super) struct Expected<'a> {
    pub(super) reference: &'a str,
    amount: Decimal,
    currency: &'a str,
    method: Method,
    pub(super) requisite: &'a str,
}

/// How one field compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// As expected.
    Same,
    /// Something else.
    Other,
    /// Nothing, or nothing readable.
    Nothing,
}

impl Said {
    fn from(same: Option<bool>) -> Said {
        same.map_or(Said::Nothing, |same| if same { Said::Same } else { Said::Other })
    }
}

/// The fields that are compared, by the document's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Type,
    OrderId,
    Amount,
    Currency,
    Method,
    Requisite,
}

impl Field {
    /// The name that people are told.
    pub(super) fn name(self) -> &'static str {
        match self {
            Field::Type => "type",
            Field::OrderId => "order_id",
            Field::Amount => "fiat_amount",
            Field::Currency => "fiat_currency",
            Field::Method => "payment_method",
            Field::Requisite => "the requisite",
        }
    }
}

impl<'a> Expected<'a> {
    pub(super) fn of(payment: &'a Payment) -> Expected<'a> {
        let row = &payment.row;
        Expected {
            reference: payment.reference.as_str(),
            amount: row.money.amount(),
            currency: row.money.currency().code(),
            method: row.method,
            requisite: row.destination.reveal(),
        }
    }

    /// Compares one field.
    pub(super) fn compare(&self, field: Field, record: &Record<'_>) -> Said {
        let is = |told: Option<Told<'_>>, ours: &str| {
            Said::from(text(told).map(|told| told.trim().eq_ignore_ascii_case(ours)))
        };
        match field {
            Field::Type => is(record.kind, super::wire::PAY_OUT),
            // The one text of which case matters: references that differ by it are two.
            Field::OrderId => Said::from(text(record.order_id).map(|t| t == self.reference)),
            Field::Amount => {
                let Some(told) = record.fiat_amount else { return Said::Nothing };
                Said::from(told.amount().map(|told| told == self.amount))
            }
            Field::Currency => is(record.fiat_currency, self.currency),
            Field::Method => is(record.payment_method, self.method.name()),
            Field::Requisite => self.compare_requisite(record),
        }
    }

    /// Ours must be the one that is told, and no other beside it.
    fn compare_requisite(&self, record: &Record<'_>) -> Said {
        let all = [
            (Method::Card, record.number_card),
            (Method::Sbp, record.phone_number),
            (Method::Score, record.number_score),
            (Method::Iban, record.iban_number),
        ];
        let told = all.into_iter().filter_map(|(method, told)| Some((method, text(told)?)));
        told.fold(Said::Nothing, |said, (method, told)| {
            let same = method == self.method && is_same_number(&told, self.requisite);
            if same && said != Said::Other { Said::Same } else { Said::Other }
        })
    }

    /// Which of `fields` are told otherwise, in words; `None` where none is.
    pub(super) fn differences(&self, fields: &[Field], record: &Record<'_>) -> Option<String> {
        let other = |field: &Field| self.compare(*field, record) == Said::Other;
        let names: Vec<_> = fields.iter().copied().filter(other).map(Field::name).collect();
        (!names.is_empty()).then(|| format!("the provider tells another {}", names.join(", ")))
    }

    /// The first of `fields` that is not told.
    pub(super) fn missing(&self, fields: &[Field], record: &Record<'_>) -> Option<&'static str> {
        let nothing = |field: &&Field| self.compare(**field, record) == Said::Nothing;
        fields.iter().find(nothing).map(|field| field.name())
    }
}

/// Spaces and a leading plus do not count, nor does the case of an IBAN's letters.
fn is_same_number(told: &str, ours: &str) -> bool {
    let told = told.trim();
    let told = told.strip_prefix('+').unwrap_or(told);
    told.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_uppercase()).eq(ours.chars())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn only_our_own_requisite_alone_agrees() {
        let payment = testing::card("INV-1", "10.00");
        let number = payment.row.destination.reveal().to_owned();
        let expected = Expected::of(&payment);
        let said =
            |body: &str| expected.compare(Field::Requisite, &serde_json::from_str(body).unwrap());
        assert_eq!(said(&format!(r#"{{"number_card": "{number}"}}"#)), Said::Same);
        assert_eq!(said(&format!(r#"{{"number_card": {number}, "iban_number": ""}}"#)), Said::Same);
        assert_eq!(said(r#"{"number_card": null}"#), Said::Nothing);
        for other in [
            r#"{"number_card": "5555555555554444"}"#.to_owned(),
            format!(r#"{{"phone_number": "{number}"}}"#),
            format!(r#"{{"number_card": "{number}", "phone_number": "79161234567"}}"#),
            format!(r#"{{"phone_number": "79161234567", "number_score": "{number}"}}"#),
            format!(r#"{{"number_card": "{number}0"}}"#),
        ] {
            assert_eq!(said(&other), Said::Other, "{other}");
        }
    }

    #[test]
    fn what_is_written_otherwise_but_means_the_same_agrees() {
        assert!(is_same_number(" +7916 1234567", "79161234567"));
        assert!(is_same_number("de89 3704 0044 0532 0130 00", "DE89370400440532013000"));
        assert!(!is_same_number("7916123456*", "79161234567"));
    }
}
