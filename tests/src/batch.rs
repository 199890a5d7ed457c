//! Files to pay: every row with a reference, an amount and a card of its own, so that whatever
//! is mixed up is seen.

use crate::provider::Provider;
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
    /// The lane that the row names, if it does.
    pub lane: Option<Provider>,
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
            lane: None,
        });
        Batch { name: name.to_owned(), rows: rows.collect() }
    }

    /// The same for lanes that take rows from 100 RUB on: the rows go to them in turn.
    pub fn through(lanes: &[Provider], name: &str, rows: u32) -> Batch {
        let mut batch = Batch::new(name, rows);
        for ((row, lane), no) in batch.rows.iter_mut().zip(lanes.iter().cycle()).zip(1_u32..) {
            row.amount = format!("{}.{:02}", 100 + no % 5_000, no * 7 % 100);
            row.lane = Some(*lane);
        }
        batch
    }

    /// The file's name.
    pub fn file_name(&self) -> String {
        format!("{}.csv", self.name)
    }

    /// The file's content.
    pub fn csv(&self) -> String {
        let mut text = "lane,reference,amount,currency,method,destination,first_name,last_name,\
                        email,description\n"
            .to_owned();
        for Payout { reference, amount, currency, card, lane } in &self.rows {
            let lane = lane.map_or("", Provider::name);
            let _ = writeln!(
                text,
                "{lane},{reference},{amount},{currency},card,{card},Ada,Weiss,ada@example.com,pay"
            );
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
