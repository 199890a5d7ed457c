//! One account, one ledger (S5): before a lane is used, its account is looked through for
//! references that another ledger has made in the last days.
//!
//! Two ledgers on one account do not know of each other's payouts: each could take the other's for
//! absent, and pay what is paid. References that are numbers name no ledger; there, nothing is
//! seen.

use crate::DAY_MS;
use domain::{LedgerId, Millis, ProviderReference};
use providers::{Period, Statement, Turns};

/// So far back. In milliseconds.
pub const BACK_MS: u64 = 7 * DAY_MS;
/// Pages that a start waits for: ten thousand payouts, where a page has a thousand. The daily
/// comparison reads all of them.
const PAGES_MAX: u32 = 10;

/// What a look through the account has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nothing of another ledger.
    Clear,
    /// The newest pages, or the oldest, show nothing of another ledger; there are more.
    ClearSoFar,
    /// Something of this one.
    Another {
        /// The other ledger.
        id: LedgerId,
        /// What it has made.
        reference: String,
    },
}

/// Looks. An error says that the list cannot be read.
pub async fn look(
    statement: &dyn Statement,
    id: LedgerId,
    adopted: &[LedgerId],
    now: Millis,
    turns: &dyn Turns,
) -> Result<Origin, String> {
    let period = Period { from: Millis(now.0.saturating_sub(BACK_MS)), until: now };
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let page = statement.page(period, cursor.as_deref(), turns).await?;
        for entry in page.entries {
            match ProviderReference::origin(&entry.reference) {
                Some(other) if other != id && !adopted.contains(&other) => {
                    return Ok(Origin::Another { id: other, reference: entry.reference });
                }
                _ => {}
            }
        }
        if page.next.is_none() {
            return Ok(Origin::Clear);
        }
        cursor = page.next;
    }
    Ok(Origin::ClearSoFar)
}
