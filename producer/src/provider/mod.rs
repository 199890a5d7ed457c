//! What a person asks a lane's provider, with the lane's own keys.
//!
//! Nothing here writes what became of a payout: it shows what the provider says, and a worker's
//! look-up judges it. What acts is told to the log and to the lane's notes before and after.
//!
//! - [`line`]: the adapter to pay, built from the config; [`account`]: is it the lane's account?
//! - [`payout`]: one payout by its reference; [`chat`]: its look-up and its cancellation
//! - [`desk`]: questions and their parameters; [`act`]: before and after of what acts
//! - [`fetch`]: the provider's rules for rows, fetched now

pub mod account;
pub mod act;
pub mod chat;
pub mod desk;
pub mod fetch;
pub mod line;
pub mod payout;

pub use line::{Line, LineError};
