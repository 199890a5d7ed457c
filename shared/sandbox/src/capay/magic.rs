//! Magic values: the cents of `amount` choose the outcome, for demos and tests.

use rust_decimal::Decimal;

use super::order::State;

/// What the cents ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Magic {
    /// Accepted; becomes this, or stays `PROCESSING` for ever.
    Settles(Option<State>),
    /// 400 that names the beneficiary.
    Refused,
    /// The first create of each reference is 429.
    BusyOnce,
    /// A refusal that stands in no document.
    Undocumented,
}

/// Documented in form: 400 with a property.
pub(super) const REFUSED: &str = "this account cannot receive payouts";
/// In no document, on purpose.
pub(super) const UNDOCUMENTED: &str = "recipient is temporarily unavailable, code 7741";

/// Reads the cents of an amount; finer decimals mean nothing.
pub(super) fn of(amount: Decimal) -> Magic {
    let mut cents = amount.trunc_with_scale(2);
    cents.rescale(2);
    match cents.mantissa() % 100 {
        91 => Magic::Settles(Some(State::Rejected)),
        93 => Magic::Refused,
        94 => Magic::BusyOnce,
        95 => Magic::Undocumented,
        96 => Magic::Settles(None),
        _ => Magic::Settles(Some(State::Completed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_are_read_whatever_the_number_of_decimals() {
        assert_eq!(of(Decimal::new(1093, 2)), Magic::Refused);
        assert_eq!(of(Decimal::new(93, 0)), Magic::Settles(Some(State::Completed)));
        assert_eq!(of(Decimal::new(109, 1)), Magic::Settles(Some(State::Completed)));
        assert_eq!(of(Decimal::new(10_939_999, 6)), Magic::Refused);
        assert_eq!(of(Decimal::new(1096, 2)), Magic::Settles(None));
    }
}
