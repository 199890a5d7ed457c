//! What each call does, inside one transaction: read, ask the rule, store.
//!
//! Nothing here opens or commits a transaction, and nothing here waits.

pub mod batches;
pub mod chunks;
pub mod intake;
pub mod lanes;
pub mod ready;
pub mod shared;
