//! Magic values: the cents of `fiat_amount` choose the outcome, for demos and tests.

use rust_decimal::Decimal;

use super::order::Status;

/// What the cents ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Magic {
    /// Accepted; becomes this, or nothing ever.
    Settles(Option<Status>),
    /// The create is refused with this text.
    Refused(&'static str),
    /// The first create of each order id is refused as "overloading requisite".
    OverloadedOnce,
}

/// Documented: the method is disabled.
pub(super) const DISABLED: &str = "this payment method is disabled for your merchant";
/// Documented: try later.
pub(super) const OVERLOADED: &str = "overloading requisite";
/// In no document, on purpose.
const UNDOCUMENTED: &str = "recipient is temporarily unavailable, code 7741";

/// Reads the cents of an amount with two decimals.
pub(super) fn of(fiat: Decimal) -> Magic {
    match fiat.mantissa() % 100 {
        91 => Magic::Settles(Some(Status::RejectedGate)),
        92 => Magic::Settles(Some(Status::RejectedTimeout)),
        93 => Magic::Refused(DISABLED),
        94 => Magic::OverloadedOnce,
        95 => Magic::Refused(UNDOCUMENTED),
        96 => Magic::Settles(None),
        _ => Magic::Settles(Some(Status::Successful)),
    }
}
