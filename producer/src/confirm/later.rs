//! A payout whose past was lost (S18) is confirmed only after no later attempt of it was found: one
//! that the ledger has forgotten may have been paid in its place.
//!
//! A worker asks so before it takes a step by itself. A callback can make such a payout wait before
//! any worker has asked, and what was asked long ago may have changed: so it is asked here, too.

use super::{Call, ConfirmError};
use crate::provider::Line;
use crate::provider::payout::FindError;
use crate::review::{Story, asked, told};
use ledger::Ledger;

/// Asks about the later attempts of all payouts of a call whose past was lost.
pub(super) async fn ask(ledger: &dyn Ledger, line: &Line, call: &Call) -> Result<(), ConfirmError> {
    for row in call.rows.iter().filter(|row| row.payout.past_lost) {
        let reference = row.what.reference.as_str();
        let story = Story::of_reference(ledger, reference, line.policy.clone()).await;
        let story = story.map_err(|error| match error {
            FindError::Ledger(error) => ConfirmError::Ledger(error),
            _ => ConfirmError::Changed,
        })?;
        let known = asked::ask(ledger, Ok(line), &story).await?;
        // Later ones that a look-up misses, and that sees others, are not among the answers.
        let against =
            known.iter().find(|one| one.attempt > row.payout.attempt || one.told.is_err());
        if let Some(one) = against {
            let reference = reference.to_owned();
            let (attempt, text) = (one.attempt, told::words(one));
            return Err(ConfirmError::PastLost { reference, attempt, text });
        }
    }
    Ok(())
}
