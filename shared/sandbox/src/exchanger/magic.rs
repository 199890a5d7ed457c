//! Magic values: the cents of the received amount choose the outcome, for demos and tests.

use rust_decimal::Decimal;

use super::bid::Status;

/// What the cents ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Magic {
    /// Accepted; once it is funded it becomes this, or nothing ever.
    Settles(Option<Status>),
    /// Accepted, and cancelled by the site, funded or not.
    Cancelled,
    /// Refused: `account2` is not to the site's liking.
    Refused,
    /// The first try of each order is told that the site is being maintained.
    MaintenanceOnce,
    /// Refused with words that stand in no document.
    Undocumented,
}

/// Reads the first two decimals.
pub(super) fn of(get: Decimal) -> Magic {
    let cents = (get.trunc_with_scale(2) * Decimal::ONE_HUNDRED).normalize();
    match cents.mantissa() % 100 {
        _ if cents.scale() > 0 => Magic::Settles(Some(Status::Success)),
        91 => Magic::Cancelled,
        93 => Magic::Refused,
        94 => Magic::MaintenanceOnce,
        95 => Magic::Undocumented,
        96 => Magic::Settles(None),
        _ => Magic::Settles(Some(Status::Success)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cents_are_the_first_two_decimals_however_many_there_are() {
        assert_eq!(of(Decimal::new(1_0091, 2)), Magic::Cancelled);
        assert_eq!(of(Decimal::new(100_960_000, 6)), Magic::Settles(None));
        assert_eq!(of(Decimal::new(91, 0)), Magic::Settles(Some(Status::Success)));
        assert_eq!(of(Decimal::new(109, 1)), Magic::Settles(Some(Status::Success)));
    }
}
