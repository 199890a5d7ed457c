//! Amount and reference, typed by the person who decides (S21): compared exactly.

use domain::{Money, Row};

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// Such as `1500.00 EUR`.
    pub amount: String,
    /// The payer's reference.
    pub reference: String,
}

/// What was typed is not what is decided about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistyped {
    /// The amount.
    #[error("the amount that was typed is not the payout's; it is written as 1500.00 EUR")]
    Amount,
    /// The reference.
    #[error("the reference that was typed is not the payout's")]
    Reference,
}

impl Typed {
    /// Whether it is this row that was meant.
    pub fn check(&self, row: &Row) -> Result<(), Mistyped> {
        let currency = row.money.currency();
        let (amount, code) = self.amount.trim().rsplit_once(' ').ok_or(Mistyped::Amount)?;
        let typed = Money::parse(amount.trim(), currency, '.').map_err(|_| Mistyped::Amount)?;
        if code != currency.code() || typed != row.money {
            return Err(Mistyped::Amount);
        }
        match self.reference.trim() == row.reference.as_str() {
            true => Ok(()),
            false => Err(Mistyped::Reference),
        }
    }
}
