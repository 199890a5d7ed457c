//! A ledger in memory against lists that say whatever a test wants.

// All of this is test code, helpers too: for clippy's rules about `unwrap`.
#![cfg(test)]

mod accounts;
mod alike;
mod destroyed;
mod kinds;
mod lanes;
mod world;
