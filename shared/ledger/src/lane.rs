//! The one way to change what the pool knows of a lane: read, change, compare-and-set, again.

use crate::api::{Ledger, LedgerError};
use crate::types::LaneRecord;
use domain::LaneName;

/// Changes a lane's record until the change is stored; gives whether there was anything to do.
/// `change` may be asked several times, each time with the record as it stands, and gives false
/// where it leaves it so.
pub async fn change(
    ledger: &dyn Ledger,
    name: &LaneName,
    mut change: impl FnMut(&mut LaneRecord) -> bool,
) -> Result<bool, LedgerError> {
    loop {
        let mut record = ledger.lane(name.clone()).await?;
        if !change(&mut record) {
            return Ok(false);
        }
        if ledger.put_lane(record).await? {
            return Ok(true);
        }
    }
}
