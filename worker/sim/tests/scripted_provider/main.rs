//! The real engine and a provider that says exactly what a test wants, in virtual time.

// All of this is test code, helpers too: for clippy's rules about `unwrap`.
#![cfg(test)]

mod brakes;
mod failover;
mod giving_way;
mod hours;
mod late;
mod looks;
mod polling;
mod rewound;
mod seats;
mod senders;
mod spend;
mod steps;
mod terms;
mod world;
