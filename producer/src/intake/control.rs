//! Control totals: what the payer says a file holds, against what was read.

use super::{IntakeError, TakeOptions};
use crate::rules::Rules;
use domain::Money;
use domain::batch::Totals;
use domain::money::minor_to_text;

/// What the payer says.
#[derive(Clone, Debug, Default)]
pub struct Control {
    rows: Option<u64>,
    totals: Vec<Money>,
}

impl Control {
    /// Reads `--expect-rows` and `--expect-total`, and checks that `--lane` exists.
    pub fn new(rules: &Rules, options: &TakeOptions) -> Result<Control, IntakeError> {
        if let Some(lane) = &options.lane
            && rules.lane(lane.as_str()).is_none()
        {
            let names = rules.lane_names();
            let text = format!("--lane {lane}: there is no such lane; lanes: {names}");
            return Err(IntakeError::Option(text));
        }
        let total = |text: &String| {
            let wrong = |problem: String| {
                IntakeError::Option(format!(
                    "--expect-total {text}: {problem}; write it as EUR:1500.00"
                ))
            };
            let (code, amount) =
                text.split_once(':').ok_or_else(|| wrong("there is no colon".to_owned()))?;
            let currency = rules.currencies.find(code).map_err(|e| wrong(e.to_string()))?;
            Money::parse(amount, &currency, '.').map_err(|e| wrong(e.to_string()))
        };
        let totals = options.expect_totals.iter().map(total).collect::<Result<_, _>>()?;
        Ok(Control { rows: options.expect_rows, totals })
    }

    /// Compares: `rows` are all rows of the file, `totals` those that are taken.
    pub fn check(&self, rows: u64, totals: &Totals) -> Result<(), IntakeError> {
        let mut differences = Vec::new();
        if let Some(expected) = self.rows.filter(|expected| *expected != rows) {
            differences.push(format!("  rows: expected {expected}, found {rows}"));
        }
        for expected in &self.totals {
            let code = expected.currency().code();
            let found = totals.0.get(code).map_or(0, |total| total.minor);
            if found != expected.minor_units() {
                let found = minor_to_text(found, expected.currency().exponent());
                let expected = expected.amount();
                differences.push(format!("  {code}: expected {expected}, found {found}"));
            }
        }
        if differences.is_empty() { Ok(()) } else { Err(IntakeError::Control(differences)) }
    }
}
