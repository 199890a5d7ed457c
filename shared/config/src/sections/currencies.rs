//! Currencies beyond ISO 4217, and other names of the known ones.

use domain::Currencies;
use domain::money::MoneyError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `[currencies]`: `CODE = decimals`, and `[currencies.aliases]`: `ALIAS = "CODE"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrencyConfig {
    /// Other names of currencies.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
    /// Codes with the number of their decimals.
    #[serde(flatten)]
    pub exponents: BTreeMap<String, u8>,
}

impl Default for CurrencyConfig {
    fn default() -> Self {
        let aliases = BTreeMap::from([("RUR".to_owned(), "RUB".to_owned())]);
        CurrencyConfig { aliases, exponents: BTreeMap::new() }
    }
}

impl CurrencyConfig {
    /// The table that amounts are read with.
    pub fn table(&self) -> Result<Currencies, MoneyError> {
        let mut table = Currencies::default();
        for (code, exponent) in &self.exponents {
            table.add(code, *exponent)?;
        }
        for (alias, code) in &self.aliases {
            table.find(code)?;
            table.alias(alias, code);
        }
        Ok(table)
    }
}
