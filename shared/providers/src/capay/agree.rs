//! Does what Capay tells belong to our payout? One place for answers, look-ups and webhooks.
//!
//! "Not told" and "told otherwise" are two things: the first leaves doubt, the second shows a
//! difference. No text made here holds a destination.

use super::wire::Record;
use crate::api::Payment;
use domain::Method;
use rust_decimal::Decimal;
use std::borrow::Cow;

/// Signs with which a number is masked.
const MASKS: [char; 3] = ['*', '•', '…'];

/// What Capay must tell of a payment.
pub(super) struct Expected<'a> {
    reference: &'a str,
    amount: Decimal,
    currency: &'a str,
    client_id: Option<&'a str>,
    method: Method,
    is_registered: bool,
    destination: &'a str,
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

/// The fields that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Reference,
    Amount,
    Currency,
    ClientId,
    Destination,
}

impl Field {
    pub(super) const ALL: [Field; 5] =
        [Field::Reference, Field::Amount, Field::Currency, Field::ClientId, Field::Destination];

    /// The name that people are told.
    pub(super) fn name(self) -> &'static str {
        match self {
            Field::Reference => "reference",
            Field::Amount => "amount",
            Field::Currency => "currency",
            Field::ClientId => "client id",
            Field::Destination => "beneficiary",
        }
    }
}

impl<'a> Expected<'a> {
    pub(super) fn of(
        payment: &'a Payment,
        client_id: Option<&'a str>,
        is_registered: bool,
    ) -> Expected<'a> {
        let row = &payment.row;
        Expected {
            reference: payment.reference.as_str(),
            amount: row.money.amount(),
            currency: row.money.currency().code(),
            client_id,
            method: row.method,
            is_registered,
            destination: row.destination.reveal(),
        }
    }

    /// Whether a record is about this payment; case matters in references.
    pub(super) fn is_ours(&self, record: &Record<'_>) -> bool {
        self.compare(Field::Reference, record) == Said::Same
    }

    /// Compares one field.
    pub(super) fn compare(&self, field: Field, record: &Record<'_>) -> Said {
        let same = |told: Option<Cow<'_, str>>, is: fn(&str, &str) -> bool, ours: &str| match told {
            None => Said::Nothing,
            Some(told) if is(told.trim(), ours) => Said::Same,
            Some(_) => Said::Other,
        };
        match field {
            Field::Reference => same(record.reference(), str::eq, self.reference),
            Field::Currency => same(record.currency(), str::eq_ignore_ascii_case, self.currency),
            Field::ClientId => match self.client_id {
                Some(ours) => same(record.client_id(), str::eq, ours),
                // Whoever is told is the account itself: it was not ours to name.
                None => Said::Nothing,
            },
            Field::Amount => match record.amount().map(|told| told.amount()) {
                None => Said::Nothing,
                Some(told) if told == Some(self.amount) => Said::Same,
                Some(_) => Said::Other,
            },
            Field::Destination => match record.destination(self.method, self.is_registered) {
                None => Said::Nothing,
                Some(told) => compare_number(&told, self.destination),
            },
        }
    }

    /// Which fields are told otherwise, in words; `None` where none is.
    pub(super) fn differences(&self, record: &Record<'_>) -> Option<String> {
        let other = |field: &Field| self.compare(*field, record) == Said::Other;
        let names: Vec<_> = Field::ALL.into_iter().filter(other).map(Field::name).collect();
        (!names.is_empty()).then(|| format!("Capay tells another {}", names.join(", ")))
    }
}

/// Spaces do not count, nor does the case of an IBAN's letters. A masked number tells only its
/// end: it can show a difference, and never that it is ours.
fn compare_number(told: &str, ours: &str) -> Said {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect()
    };
    let (told, ours) = (plain(told), plain(ours));
    match told.rsplit_once(MASKS) {
        Some((_, end)) if ours.ends_with(end) => Said::Nothing,
        Some(_) => Said::Other,
        None if told == ours => Said::Same,
        None => Said::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_whole_and_no_verdict_masked() {
        assert_eq!(
            compare_number("de89 3704 0044 0532 0130 00", "DE89370400440532013000"),
            Said::Same
        );
        assert_eq!(compare_number("**** 1111", "4111111111111111"), Said::Nothing);
        assert_eq!(compare_number("4111…", "4111111111111111"), Said::Nothing);
        assert_eq!(compare_number("**** 1112", "4111111111111111"), Said::Other);
        assert_eq!(compare_number("41111111111111110", "4111111111111111"), Said::Other);
    }
}
