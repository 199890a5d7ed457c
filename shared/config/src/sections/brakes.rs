//! Money brakes of a lane: when a batch stops by itself and waits for a person, and what may be spent
//! in an hour and in a day.

use super::ceilings::CeilingsConfig;
use domain::money::minor_to_text;
use domain::{ChunkId, Currencies};
use ledger::spend::{Caps, SpendCaps};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `[lanes.X.brakes]`. A batch that a brake paused goes on with `producer resume`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrakesConfig {
    /// A batch is paused when more than so many percent of its answered payouts failed or are in
    /// review; 0 is never.
    pub failed_percent: u8,
    /// … but not before so many of its payouts are answered.
    pub failed_after: u32,
    /// So many payouts of a batch must be paid before the others leave; 0 is none.
    pub batch_canary: u16,
    /// What the lane may begin to pay in one hour of UTC, as `CODE = "amount"`; a currency that is
    /// not named has no cap.
    pub spend_hour: BTreeMap<String, String>,
    /// … and in one day.
    pub spend_day: BTreeMap<String, String>,
    /// What one batch may spend on the lane in one hour …
    pub batch_spend_hour: BTreeMap<String, String>,
    /// … and in one day.
    pub batch_spend_day: BTreeMap<String, String>,
}

/// The most percent that can be set: of all, more than all is never failed.
const FAILED_PERCENT_MAX: u8 = 99;

impl Default for BrakesConfig {
    /// A payroll has a few wrong accounts in a hundred; seven failures of the first twenty are a
    /// wrong file, a wrong column or an empty account.
    fn default() -> Self {
        BrakesConfig {
            failed_percent: 30,
            failed_after: 20,
            batch_canary: 0,
            spend_hour: BTreeMap::new(),
            spend_day: BTreeMap::new(),
            batch_spend_hour: BTreeMap::new(),
            batch_spend_day: BTreeMap::new(),
        }
    }
}

impl BrakesConfig {
    /// What does not fit, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.failed_percent > FAILED_PERCENT_MAX {
            return Err(format!(
                "failed_percent is {}; write 1 to {FAILED_PERCENT_MAX}, or 0 for no such brake",
                self.failed_percent
            ));
        }
        if self.failed_percent > 0 && self.failed_after == 0 {
            return Err(
                "failed_after is 0, so the first failure would close the brake; write 1 or \
                        more, or failed_percent = 0 for no such brake"
                    .to_owned(),
            );
        }
        if self.batch_canary > ChunkId::MAX_ROWS {
            let (found, most) = (self.batch_canary, ChunkId::MAX_ROWS);
            return Err(format!("batch_canary is {found}; write at most {most}, or 0 for none"));
        }
        Ok(())
    }

    /// Reads the caps on spending.
    pub fn spend(&self, currencies: &Currencies) -> Result<SpendCaps, String> {
        let read = |key: &str, amounts| {
            CeilingsConfig::read(amounts, currencies).map_err(|e| format!("{key}: {e}"))
        };
        let lane = Caps {
            hour: read("spend_hour", &self.spend_hour)?,
            day: read("spend_day", &self.spend_day)?,
        };
        let batch = Caps {
            hour: read("batch_spend_hour", &self.batch_spend_hour)?,
            day: read("batch_spend_day", &self.batch_spend_day)?,
        };
        Ok(SpendCaps { lane, batch })
    }

    /// A payout that intake takes must fit into every window, or it would never be sent.
    pub(crate) fn check_spend(
        &self,
        payout: &BTreeMap<String, String>,
        currencies: &Currencies,
    ) -> Result<(), String> {
        let SpendCaps { lane, batch } = self.spend(currencies)?;
        let largest = CeilingsConfig::read(payout, currencies)?;
        let all = [
            ("spend_hour", &lane.hour),
            ("spend_day", &lane.day),
            ("batch_spend_hour", &batch.hour),
            ("batch_spend_day", &batch.day),
        ];
        for (key, caps) in all {
            for (code, cap) in caps {
                if let Some(max) = largest.get(code).filter(|max| *max > cap) {
                    let exponent = currencies.find(code).map_or(0, |found| found.exponent());
                    return Err(format!(
                        "{key}: {} {code} is less than one payout may be, {} {code} by \
                         ceilings.payout: such a payout would never be sent; raise the one or lower \
                         the other",
                        minor_to_text(*cap, exponent),
                        minor_to_text(*max, exponent)
                    ));
                }
            }
        }
        Ok(())
    }
}
