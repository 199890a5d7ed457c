//! S17: nobody is forgotten. At the end every payout is final, or in review where a person sees
//! it; none waits for something that never comes.

use super::Violation;
use crate::run::Ending;

/// Every payout that is still open.
pub fn check(ending: &Ending) -> Vec<Violation> {
    let open = ending.rows.iter().filter(|row| row.payout.state.is_open());
    open.map(|row| {
        let found = format!("{:?} is still {:?}", row.references, row.payout);
        Violation::of("nobody forgotten", row.place, found)
    })
    .collect()
}
