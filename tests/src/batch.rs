//! Files to pay: every row with a reference, an amount and a card of its own, so that whatever
//! is mixed up is seen.

use std::collections::BTreeMap;
use std::fmt::Write;

/// One payout as the payer wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payout {
    /// Unique in the world: it begins with the batch's name.
    pub reference: String,
    /// Two decimals.
    pub amount: String,
    /// As in ISO 4217.
    pub currency: &'static str,
    /// A card number with a valid check digit.
    pub card: String,
}

/// A file to pay.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The file's name is this with `.csv`.
    pub name: String,
    /// In the order of the file.
    pub rows: Vec<Payout>,
}

impl Batch {
    /// `rows` payouts by card in RUB, named after the batch.
    pub fn new(name: &str, rows: u32) -> Batch {
        let rows = (1..=rows).map(|no| Payout {
            reference: format!("{name}-{no:06}"),
            // From 1.00, each another, and never the same sum in another order.
            amount: format!("{}.{:02}", 1 + no % 5_000, no * 7 % 100),
            currency: "RUB",
            card: card(no),
        });
        Batch { name: name.to_owned(), rows: rows.collect() }
    }

    /// The file's name.
    pub fn file_name(&self) -> String {
        format!("{}.csv", self.name)
    }

    /// The file's content.
    pub fn csv(&self) -> String {
        let mut text = "reference,amount,currency,method,destination\n".to_owned();
        for Payout { reference, amount, currency, card } in &self.rows {
            let _ = writeln!(text, "{reference},{amount},{currency},card,{card}");
        }
        text
    }

    /// Rows by their reference.
    pub fn by_reference(&self) -> BTreeMap<&str, &Payout> {
        self.rows.iter().map(|row| (row.reference.as_str(), row)).collect()
    }
}

/// The card number `no` of a made-up bank, with its check digit.
fn card(no: u32) -> String {
    let body = format!("400000{no:09}");
    let digits = body.bytes().rev().map(|byte| u32::from(byte - b'0'));
    let sum: u32 = digits
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit) {
            (0, 0..=4) => digit * 2,
            (0, _) => digit * 2 - 9,
            _ => digit,
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_have_sixteen_digits_and_the_right_check_digit() {
        assert_eq!(card(0), "4000000000000002");
        assert_eq!(card(322), "4000000000003220");
        assert_eq!(card(250_000_315), "4000002500003155");
    }
}
