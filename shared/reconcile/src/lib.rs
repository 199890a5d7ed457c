//! The provider's own list against the ledger, both ways (S22), and other ledgers on the same
//! account (S5).
//!
//! The invariant: *whatever was paid in a period, there or here, is in agreement or is told.* What
//! cannot be compared (a list that cannot be read, or shows nothing of ours) is told as such; it
//! never passes for agreement. Nothing here changes a payout; all that it may do is to stop a lane.
//!
//! ```text
//!  ledger ──▶ index (about 60 bytes a payout) ◀── entries ── statement (page by page)
//!                  │   seen?                          │ judge: entry against row and payout
//!                  ▼                                  ▼
//!            paid here, not there              paid there, not here, twice, otherwise
//! ```
//!
//! - [`compare`](mod@compare): one comparison from end to end; [`Outcome`]: what it found
//! - `run`: slots and entries; `nobodys`, `missing`: what has no payout, what has no entry
//! - `index`: which payouts the list must show, and what it has shown; `judge`: one entry
//! - [`lane`]: who compares today, what stops the lane, which other ledgers are retired
//! - [`origin`]: a look for another ledger's references before a lane is used
//! - [`spent`](mod@spent): what was paid, where there is no list: for a person to explain
//!
//! A crate of its own, because both programs need it and neither may need the other; the ledger
//! sees no provider, a provider sees no ledger, and the engine needs neither list nor report.

pub mod compare;
mod found;
mod index;
mod judge;
pub mod lane;
mod missing;
mod nobodys;
pub mod origin;
mod run;
pub mod spent;
mod walk;

pub use compare::{CompareError, Job, Progress, compare};
pub use found::{Difference, Kind, Outcome, Sum, Sums};
pub use spent::{Spent, spent};

/// A day, by which lists and their zones are counted.
pub const DAY_MS: u64 = 24 * 3_600_000;
