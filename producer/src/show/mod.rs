//! What people and scripts see: tables, and the same as JSON.
//!
//! - [`table`]: columns that line up
//! - [`batches`]: batches, one batch, its totals; [`waiting`]: what waits for a person;
//!   [`pause`]: who holds a batch, and why; [`spend`]: caps that are used up; [`terms`]: when it may
//!   go, and before whom; [`forecast`]: when it will be through
//! - [`lanes`]: lanes; [`limits`]: what each provider allows
//! - [`provider`]: what a provider can be asked, and what it answered
//! - [`review`]: what a person must decide, and all that is known of one payout
//! - [`taken`]: what an intake did, or why it did nothing; [`audit`]: what an audit found

pub mod audit;
pub mod batches;
pub mod forecast;
pub mod lanes;
pub mod limits;
pub mod pause;
pub mod provider;
pub mod review;
pub mod spend;
pub mod table;
pub mod taken;
pub mod terms;
pub mod waiting;
