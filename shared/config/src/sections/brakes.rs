//! Money brakes of a lane: when a batch stops by itself and waits for a person.

use domain::ChunkId;
use serde::{Deserialize, Serialize};

/// `[lanes.X.brakes]`. A batch that a brake paused goes on with `producer resume`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BrakesConfig {
    /// A batch is paused when more than so many percent of its answered payouts failed or are in
    /// review; 0 is never.
    pub failed_percent: u8,
    /// … but not before so many of its payouts are answered.
    pub failed_after: u32,
    /// So many payouts of a batch must be paid before the others leave; 0 is none.
    pub batch_canary: u16,
}

/// The most percent that can be set: of all, more than all is never failed.
const FAILED_PERCENT_MAX: u8 = 99;

impl Default for BrakesConfig {
    /// A payroll has a few wrong accounts in a hundred; seven failures of the first twenty are a
    /// wrong file, a wrong column or an empty account.
    fn default() -> Self {
        BrakesConfig { failed_percent: 30, failed_after: 20, batch_canary: 0 }
    }
}

impl BrakesConfig {
    /// What does not fit, if anything.
    pub(crate) fn check(self) -> Result<(), String> {
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
}
