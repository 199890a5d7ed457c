//! What people and scripts see: tables, and the same as JSON.
//!
//! - [`table`]: columns that line up
//! - [`batches`]: batches, one batch, its totals; [`lanes`]: lanes and providers
//! - [`taken`]: what an intake did, or why it did nothing

pub mod batches;
pub mod lanes;
pub mod table;
pub mod taken;
