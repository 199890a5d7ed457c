//! The ledger is the truth about every payout; a queue job is only a hint.
//!
//! - [`api`]: the [`Ledger`] trait, documented by what a crash before and after each call means
//! - [`types`]: what goes in and comes out; [`forward`]: for a ledger around a ledger
//! - [`apply`]: the one way to change payouts: decide, compare-and-set, decide again
//! - [`audit`]: hash chains that tell what was done, and signed heads of them (S20)
//! - [`intake`]: reserve references, told who holds them (S2); [`lane`]: what the pool knows of one
//! - [`rows`]: the compressed blocks in which a chunk's rows are kept; [`notes`]: notes as bytes
//! - [`shipment`]: which rows one provider call carried, and the provider's id of it; [`told`]: what
//!   the notes of a chunk say of its rows
//! - [`pause`]: why a batch is held, and what a person has let go on; [`spend`]: what was spent of
//!   the caps of a lane or a batch; [`seats`]: whose requests may be under way at once
//! - [`forecast`]: how fast a batch comes forward, and when it will be through
//! - [`mod@register`]: registers whose text is a type's JSON
//! - [`senders`]: who sends, and who can send no more (S12); [`suspicion`]: a ledger that may have
//!   gone back in time (S18)
//! - `rules`: what the engines decide alike: leases, counters, fairness, pace
//! - [`sealed`]: a ledger around a ledger, whose rows are encrypted at rest (S24)
//! - the engines: `sqlite` (embedded default), `redis` (the pool), [`memory`] (the simulator's)
//!
//! One conformance suite (`tests/`) runs every test on all three.

pub mod api;
pub mod apply;
pub mod audit;
pub mod forecast;
pub mod forward;
pub mod intake;
pub mod lane;
pub mod memory;
pub mod notes;
pub mod pause;
#[cfg(feature = "redis")]
pub mod redis;
pub mod register;
pub mod rows;
mod rules;
#[cfg(feature = "sealed")]
pub mod sealed;
pub mod seats;
pub mod senders;
pub mod shipment;
pub mod spend;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod suspicion;
pub mod told;
pub mod types;

pub use api::{Answer, Ledger, LedgerError};
pub use types::*;
