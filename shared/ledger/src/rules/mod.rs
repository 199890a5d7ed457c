//! What every engine decides alike, as plain functions on plain values: an engine reads a value,
//! calls a rule and stores the value again, all in one atomic step.
//!
//! - `batch`: a batch's life, its counters, its leases
//! - `schedule`: when a chunk is ready and who holds it
//! - `write`: compare-and-set on a chunk's packed payouts
//! - `fair`: which chunks go first
//! - `pace`: slots of time
//!
//! Nothing here reads a clock or a store.

pub mod batch;
pub mod fair;
pub mod pace;
pub mod schedule;
pub mod write;
