//! The producer library against a ledger in memory, and the program against SQLite.
//!
//! - [`world`]: a ledger, rules and files to start from
//! - the themes: [`files`], [`references`], [`control`], [`inbox`], [`report`], [`steering`],
//!   [`samples`], [`program`]

// All of this is test code, helpers too: for clippy's rules about `unwrap`.
#![cfg(test)]

mod control;
mod files;
mod inbox;
mod program;
mod references;
mod report;
mod samples;
mod steering;
mod world;
