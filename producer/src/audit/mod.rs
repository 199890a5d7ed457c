//! What was done, told to the audit chains (S20), and the chains checked against the ledger.
//!
//! The order is one rule: *what lets money flow is told before it happens, what holds money back
//! after.* So a crash between the two leaves an entry about something that did not happen, never
//! something that happened and stands nowhere; and a stop never waits for the audit.
//!
//! - [`clerk`]: who tells, and the key that signs; [`told`]: what the entries say
//! - [`settle`](mod@settle): what became of a batch, told when its result is written
//! - [`check`]: chains and present payouts, compared; [`trust`]: whose signature counts;
//!   [`problem`]: what can be wrong; [`pages`]: a chain, read in pages

pub mod check;
pub mod clerk;
pub mod pages;
pub mod problem;
pub mod settle;
pub mod told;
pub mod trust;

pub use clerk::{AuditError, Clerk, who};
pub use ledger::audit::{Chain, Kind};
pub use settle::{Recorded, settle};
