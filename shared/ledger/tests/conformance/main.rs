//! The conformance suite: what a ledger is, as tests. Each runs on every engine.
//!
//! - [`world`]: an engine under test with its time; [`engines`]: how each is opened
//! - [`given`]: batches, chunks and changes to start from
//! - the themes: [`intake`], [`reserving`], [`scheduling`], [`terms`], [`fairness`], [`writes`],
//!   [`reports`], [`lanes`], [`shared`], [`races`], [`random`]
//!
//! Memory runs on a virtual clock, the others on real ones. So no test asserts that little time
//! has passed: a lease that must stand is long, one that must end is short, and
//! [`world::World::pass`] waits for the ledger's own clock.

// All of this is test code, helpers too: for clippy's rules about `unwrap`.
#![cfg(test)]

mod engines;
mod fairness;
mod given;
mod intake;
mod lanes;
mod races;
mod random;
mod reports;
mod reserving;
mod scheduling;
mod shared;
mod terms;
mod world;
mod writes;
