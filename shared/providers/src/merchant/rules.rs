//! The platform's rules for a row, at intake. Pure: no key, no network.
//!
//! A row that passes can be written as a create; the create itself refuses to send anything else.

use crate::api::RowProblem;
use domain::{Method, Money, Row, checks};
use rust_decimal::Decimal;

/// The methods that the platform pays by.
pub(super) const METHODS: &[Method] = &[Method::Card, Method::Sbp, Method::Score, Method::Iban];

/// Decimals of `fiat_amount`.
const DECIMALS: u32 = 2;

/// Further fields: column, the most characters. `bank_code` has no documented limit.
const FIELDS: [(&str, usize); 5] = [
    ("bank_name", 72),
    ("bank_code", 32),
    ("full_name", 128),
    ("customer", 128),
    ("description", 8000),
];

/// The amount with exactly two decimals, if it has no more.
pub(super) fn two_decimals(money: &Money) -> Option<Decimal> {
    let mut amount = money.amount();
    amount.rescale(DECIMALS);
    (amount == money.amount()).then_some(amount)
}

/// Everything that the platform would not take. `currencies` is empty for any.
pub(super) fn problems(row: &Row, currencies: &[String]) -> Vec<RowProblem> {
    let mut problems = Vec::new();
    let mut add = |column, text: String| problems.push(RowProblem { column, text });
    if two_decimals(&row.money).is_none() {
        add("amount", format!("more than {DECIMALS} decimals; the provider takes {DECIMALS}"));
    }
    let code = row.money.currency().code();
    if !currencies.is_empty() && !currencies.iter().any(|known| known == code) {
        add("currency", format!("not paid on this lane; use one of {}", currencies.join(", ")));
    }
    match destination_problem(row) {
        Some(DestinationProblem::Method) => {
            let names: Vec<_> = METHODS.iter().map(|method| method.name()).collect();
            add("method", format!("not offered; use one of {}", names.join(", ")));
        }
        Some(DestinationProblem::Number(text)) => add("destination", text),
        None => {}
    }
    if row.method == Method::Sbp && row.field("bank_name").is_none() {
        add("bank_name", "required with sbp: the name of the recipient's bank".to_owned());
    }
    for (column, max) in FIELDS {
        let Some(value) = row.field(column) else { continue };
        if value.len() > max && value.chars().count() > max {
            add(column, format!("longer than {max} characters; shorten it"));
        }
        if value.chars().any(|c| c.is_control() && !(column == "description" && c == '\n')) {
            add(column, "holds a control character; use printable characters only".to_owned());
        }
    }
    problems
}

enum DestinationProblem {
    Method,
    Number(String),
}

/// Digits, check digits and the platform's own lengths. No allowed form holds a colon, so the
/// signed string has one reading only.
fn destination_problem(row: &Row) -> Option<DestinationProblem> {
    let text = row.destination.reveal();
    let of = |length: usize, what: &str| {
        (text.len() != length).then(|| format!("the provider takes {what} of {length} digits only"))
    };
    let length = match row.method {
        Method::Card => of(16, "card numbers"),
        Method::Score => of(20, "account numbers"),
        // 11 to 13 digits and up to 34 characters: what `checks` allows in any case.
        Method::Sbp | Method::Iban => None,
        Method::Wallet => return Some(DestinationProblem::Method),
    };
    let wrong = match checks::destination(row.method, text) {
        Err(error) => Some(error.to_string()),
        Ok(canonical) if canonical.reveal() != text => Some("not in canonical form".to_owned()),
        Ok(_) => length,
    };
    wrong.map(DestinationProblem::Number)
}
