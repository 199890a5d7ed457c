//! Ceilings of a lane (S23): what no payout, no batch and no day may exceed.

use domain::{Currencies, Money};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `[lanes.X.ceilings]`: each is `CODE = "amount"`. Amounts are texts, so that none is a float.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CeilingsConfig {
    /// For one payout. A production lane needs it, and takes rows in no other currency.
    pub payout: BTreeMap<String, String>,
    /// For all rows of one file that go to the lane.
    pub batch: BTreeMap<String, String>,
    /// For all that is taken in for the lane in one day, in UTC.
    pub day: BTreeMap<String, String>,
}

/// Smallest units by currency code.
pub type Ceiling = BTreeMap<String, i128>;

impl CeilingsConfig {
    /// Reads one of them.
    pub fn read(
        amounts: &BTreeMap<String, String>,
        currencies: &Currencies,
    ) -> Result<Ceiling, String> {
        let one = |(code, amount): (&String, &String)| {
            let wrong = |problem: String| format!("{code} = \"{amount}\": {problem}");
            let currency = currencies.find(code).map_err(|e| wrong(e.to_string()))?;
            let money = Money::parse(amount, &currency, '.').map_err(|e| wrong(e.to_string()))?;
            Ok((currency.code().to_owned(), money.minor_units()))
        };
        amounts.iter().map(one).collect()
    }
}
