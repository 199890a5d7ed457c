//! Totals of a batch per currency. Each row counts in exactly one column, and the columns add up
//! to what was sealed, or there is no summary.

use super::ReportError;
use super::rows::ReportRow;
use domain::batch::CurrencyTotal;
use domain::money::minor_to_text;
use domain::{Batch, State};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;

/// Totals of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// Per currency.
    pub currencies: BTreeMap<String, CurrencySummary>,
}

/// Whose summary a file is.
#[derive(Deserialize)]
pub struct Owner {
    /// The batch.
    pub batch: String,
}

/// Totals of one currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
    /// Of those paid, came back.
    pub returned: Sum,
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

impl Sum {
    /// The exact amount.
    pub fn amount(&self) -> String {
        minor_to_text(self.0.minor, self.0.exponent)
    }

    fn add(&mut self, row: &ReportRow) {
        self.0.rows += 1;
        self.0.minor += row.row.money.minor_units();
    }
}

impl CurrencySummary {
    fn with_exponent(exponent: u8) -> CurrencySummary {
        let zero = Sum(CurrencyTotal { exponent, ..CurrencyTotal::default() });
        CurrencySummary {
            file: zero,
            paid: zero,
            failed: zero,
            cancelled: zero,
            review: zero,
            open: zero,
            returned: zero,
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
        match row.payout.state {
            State::Paid => sums.paid.add(row),
            State::Failed => sums.failed.add(row),
            State::Cancelled => sums.cancelled.add(row),
            State::Review => sums.review.add(row),
            State::Accepted
            | State::Submitting
            | State::Submitted
            | State::Waiting
            | State::Unknown => sums.open.add(row),
        }
        if row.payout.returned {
            sums.returned.add(row);
        }
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
