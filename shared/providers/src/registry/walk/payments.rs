//! Rows that a provider takes, and payments of them.

use super::world::{REQUEST_TIMEOUT_MS, World};
use super::*;
use crate::api::Sent;
use crate::testing;
use domain::{LedgerId, Method, Millis, ProviderReference, Row};
use std::time::{SystemTime, UNIX_EPOCH};

/// What rows are tried in.
const CURRENCIES: [&str; 4] = ["RUB", "EUR", "USD", "USDT"];
/// Within the limits of all methods, and with cents that ask for no special outcome.
const AMOUNT: &str = "1500.00";

impl World {
    /// A row of this method that the provider takes, in the first currency that it takes it in;
    /// else what is wrong with it in each.
    pub(super) fn row(&self, reference: &str, amount: &str, method: Method) -> Result<Row, String> {
        let mut wrong = Vec::new();
        for currency in CURRENCIES {
            let row = proper(testing::row(reference, amount, currency, method, to(method)));
            match self.adapter.validate(&row) {
                problems if problems.is_empty() => return Ok(row),
                problems => wrong.push(format!("{currency}: {problems:?}")),
            }
        }
        Err(wrong.join("; "))
    }

    /// A payment by the first method that is declared, as if it were sent now.
    pub(super) fn payment_of(&self, reference: &str, amount: &str) -> Payment {
        let row = self.row(reference, amount, self.limits.methods[0]).unwrap();
        let mut payment = testing::payment(row);
        let (ledger, payer) = (LedgerId::parse("abcd").unwrap(), &payment.row.reference);
        payment.reference = ProviderReference::make(ledger, payer, 1, self.limits.reference);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let from = Millis(u64::try_from(now.as_millis()).unwrap());
        payment.past.sent = Some(Sent { from, until: from.plus(REQUEST_TIMEOUT_MS) });
        payment
    }

    pub(super) fn payment(&self, reference: &str) -> Payment {
        self.payment_of(reference, AMOUNT)
    }
}

/// A destination that passes every check of its method.
fn to(method: Method) -> &'static str {
    match method {
        Method::Card => "4111111111111111",
        Method::Sbp => "79161234567",
        Method::Score => "40817810099910004312",
        Method::Iban => "DE89370400440532013000",
        Method::Wallet => "TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE",
    }
}

/// A row with every column that some provider requires of some method.
fn proper(mut row: Row) -> Row {
    row.fields = [
        ("full_name", "Ada Lovelace"),
        ("first_name", "Ada"),
        ("last_name", "Lovelace"),
        ("email", "ada@example.com"),
        ("birth_date", "10.12.1985"),
        ("address", "1 Long Street"),
        ("city", "London"),
        ("country", "GB"),
        ("expiry_month", "12"),
        ("expiry_year", "2031"),
        ("bank_name", "Sberbank"),
        ("description", "for work"),
    ]
    .map(|(column, text)| (column.to_owned(), text.to_owned()))
    .into();
    row
}
