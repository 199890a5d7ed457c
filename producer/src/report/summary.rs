//! Totals of a batch per currency. Each row counts in exactly one column, and the columns add up
//! to what was sealed, or there is no summary. With the rows that intake left out, they are all
//! rows of the payer's file.

use super::ReportError;
use super::late::LateNews;
use super::rows::ReportRow;
use crate::audit::told::LeftOut;
use domain::batch::CurrencyTotal;
use domain::money::minor_to_text;
use domain::{Batch, State};
use ledger::audit::SignedHead;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Totals of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The batch.
    pub batch: String,
    /// Its file.
    pub name: String,
    /// SHA-256 of the file.
    pub file_sha256: String,
    /// Where the batch stands.
    pub state: String,
    /// The count of changes that this summary shows.
    pub changes: u64,
    /// Rows of the file: those of the result and those that were left out.
    pub rows: u64,
    /// Per currency.
    pub currencies: BTreeMap<String, CurrencySummary>,
    /// The rows that intake left out; they stand in `<name>.rejected.csv`.
    pub left_out: LeftOut,
    /// The result file, where one was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultFile>,
    /// How the batch's audit chain stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<SignedHead>,
}

/// A result file, by its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultFile {
    /// Its name.
    pub file: String,
    /// How long it is.
    pub bytes: u64,
    /// SHA-256, hex.
    pub sha256: String,
    /// Its destinations are masked.
    pub masked: bool,
}

/// Whose summary a file is.
#[derive(Deserialize)]
pub struct Owner {
    /// The batch.
    pub batch: String,
}

/// Totals of one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrencySummary {
    /// The file, as it was sealed.
    pub file: Sum,
    /// Paid.
    pub paid: Sum,
    /// Not paid, for good.
    pub failed: Sum,
    /// Cancelled.
    pub cancelled: Sum,
    /// A person must decide.
    pub review: Sum,
    /// Still under way.
    pub open: Sum,
    /// Of those paid, came back (S14).
    pub returned: Sum,
    /// Of those in review, reported as paid after they had failed or been cancelled (S14).
    #[serde(default)]
    pub disputed: Sum,
}

/// Rows and money. The money is written as an exact decimal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum(pub CurrencyTotal);

impl Serialize for Sum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown {
            rows: u64,
            amount: String,
        }
        Shown { rows: self.0.rows, amount: self.amount() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sum, D::Error> {
        #[derive(Deserialize)]
        struct Shown {
            rows: u64,
            amount: String,
        }
        let Shown { rows, amount } = Shown::deserialize(deserializer)?;
        let (minor, exponent) = amount_from_text(&amount)
            .ok_or_else(|| serde::de::Error::custom("expected an amount such as 1500.00"))?;
        Ok(Sum(CurrencyTotal { rows, minor, exponent }))
    }
}

/// Reads what [`minor_to_text`] wrote: smallest units and the number of decimals.
pub fn amount_from_text(text: &str) -> Option<(i128, u8)> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = !whole.is_empty() && digits(whole) && digits(decimals);
    // No sign, no empty part behind a point: one writing for each amount.
    if !is_number || text.ends_with('.') {
        return None;
    }
    let minor = format!("{whole}{decimals}").parse().ok()?;
    Some((minor, u8::try_from(decimals.len()).ok()?))
}

impl Sum {
    /// Nothing, in a currency with so many decimals.
    pub fn zero(exponent: u8) -> Sum {
        Sum(CurrencyTotal { exponent, ..CurrencyTotal::default() })
    }

    /// The exact amount.
    pub fn amount(&self) -> String {
        minor_to_text(self.0.minor, self.0.exponent)
    }

    /// Counts a row.
    pub fn add(&mut self, minor: i128) {
        self.0.rows += 1;
        self.0.minor += minor;
    }
}

impl CurrencySummary {
    /// Nothing, in a currency with so many decimals.
    pub fn with_exponent(exponent: u8) -> CurrencySummary {
        let zero = Sum::zero(exponent);
        CurrencySummary {
            file: zero,
            paid: zero,
            failed: zero,
            cancelled: zero,
            review: zero,
            open: zero,
            returned: zero,
            disputed: zero,
        }
    }

    /// Counts a row.
    pub fn add(&mut self, state: State, late: LateNews, minor: i128) {
        let column = match state {
            State::Paid => &mut self.paid,
            State::Failed => &mut self.failed,
            State::Cancelled => &mut self.cancelled,
            State::Review => &mut self.review,
            State::Accepted
            | State::Submitting
            | State::Submitted
            | State::Waiting
            | State::Unknown => &mut self.open,
        };
        column.add(minor);
        match late {
            LateNews::None => {}
            LateNews::Returned => self.returned.add(minor),
            LateNews::Disputed => self.disputed.add(minor),
        }
    }

    /// The columns that add up to `file`, with their names.
    pub fn parts(&self) -> [(&'static str, Sum); 5] {
        [
            ("paid", self.paid),
            ("failed", self.failed),
            ("cancelled", self.cancelled),
            ("review", self.review),
            ("open", self.open),
        ]
    }
}

impl Summary {
    /// An empty summary of a batch.
    pub fn of(batch: &Batch) -> Summary {
        let currency = |(code, total): (&String, &CurrencyTotal)| {
            let empty = CurrencySummary::with_exponent(total.exponent);
            (code.clone(), CurrencySummary { file: Sum(*total), ..empty })
        };
        Summary {
            batch: batch.id.to_string(),
            name: batch.name.clone(),
            file_sha256: batch.file_sha256.clone(),
            state: batch.state.to_string(),
            changes: batch.changes,
            rows: batch.totals.rows(),
            left_out: LeftOut::default(),
            result: None,
            audit: None,
            currencies: batch.totals.0.iter().map(currency).collect(),
        }
    }

    /// Counts a row.
    pub fn add(&mut self, row: &ReportRow) {
        let currency = row.row.money.currency();
        // A code is looked up before it is copied: this runs once per row.
        if !self.currencies.contains_key(currency.code()) {
            let empty = CurrencySummary::with_exponent(currency.exponent());
            self.currencies.insert(currency.code().to_owned(), empty);
        }
        let Some(sums) = self.currencies.get_mut(currency.code()) else { return };
        sums.add(row.payout.state, LateNews::of(&row.payout), row.row.money.minor_units());
    }

    /// Says what intake left out: the file has so many rows more.
    pub fn leave_out(&mut self, left_out: LeftOut) {
        self.rows += left_out.rows;
        self.left_out = left_out;
    }

    /// Whether the rows add up to what was sealed.
    pub fn check(&self, batch: &Batch) -> Result<(), ReportError> {
        for (code, sums) in &self.currencies {
            let found = sums
                .parts()
                .iter()
                .fold((0, 0), |(rows, minor), (_, sum)| (rows + sum.0.rows, minor + sum.0.minor));
            let file = sums.file.0;
            if found != (file.rows, file.minor) {
                let difference = format!(
                    "{code}: the file has {} rows and {}, the ledger {} rows and {}",
                    file.rows,
                    sums.file.amount(),
                    found.0,
                    minor_to_text(found.1, file.exponent)
                );
                return Err(ReportError::DoesNotAddUp { batch: batch.id, difference });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_amount_survives_its_text(minor in 0i128..i128::from(u64::MAX), exponent in 0u8..=9) {
            let text = minor_to_text(minor, exponent);
            prop_assert_eq!(amount_from_text(&text), Some((minor, exponent)));
        }
    }

    #[test]
    fn what_is_no_amount_is_not_read_as_one() {
        for text in ["", ".", "1.", ".5", "-1.00", "+1", "1,00", "1e3", "1.0.0", " 1"] {
            assert_eq!(amount_from_text(text), None, "{text:?}");
        }
    }
}
