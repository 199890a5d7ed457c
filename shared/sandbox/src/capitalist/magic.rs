//! Magic values: the last two digits of an amount choose the outcome, for demos and tests.

use rust_decimal::Decimal;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Magic {
    /// Accepted, and paid in time.
    Pays,
    /// Accepted, later `DECLINED`.
    Declines,
    /// Accepted, and never anything else.
    Stays,
    /// Listed in `errors[]` with these words.
    Rejected(&'static str),
    /// The whole batch is code 2 once, nothing of it is read; the next time it is taken.
    BusyOnce,
}

/// What `errors[]` says of a record that the recipient's side does not take.
const NOT_SERVED: &str = "The recipient's bank is not served";
/// In no document, on purpose.
const UNDOCUMENTED: &str = "Operation suspended, case 7741";

/// Reads the last two digits of an amount that has all of its places.
pub(super) fn of(amount: Decimal) -> Magic {
    match amount.mantissa() % 100 {
        91 => Magic::Declines,
        93 => Magic::Rejected(NOT_SERVED),
        94 => Magic::BusyOnce,
        95 => Magic::Rejected(UNDOCUMENTED),
        96 => Magic::Stays,
        _ => Magic::Pays,
    }
}
