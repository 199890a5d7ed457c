//! The producer library against a ledger in memory, and the program against SQLite.
//!
//! - [`world`]: a ledger, rules and files to start from
//! - [`fake`]: a provider that says what it is told; [`between`]: a ledger that is met midway;
//!   [`scene`]: a batch that waits for its second step; [`desk`]: one in review
//! - the themes: [`audit`], [`proof`], [`ceilings`], [`failover`], [`files`], [`references`], [`control`], [`inbox`], [`report`], [`retention`],
//!   [`steering`], [`pausing`], [`draining`], [`fetched`], [`asking`], [`confirming`], [`funding`], [`waiting`], [`samples`], [`program`];
//!   [`listing`], [`reviewing`], [`judging`], [`rebinding`]

// All of this is test code, helpers too: for clippy's rules about `unwrap`.
#![cfg(test)]

mod asking;
mod audit;
mod between;
mod ceilings;
mod confirming;
mod control;
mod desk;
mod draining;
mod failover;
mod fake;
mod fetched;
mod files;
mod funding;
mod inbox;
mod judging;
mod listing;
mod pausing;
mod program;
mod proof;
mod rebinding;
mod references;
mod report;
mod retention;
mod reviewing;
mod samples;
mod scene;
mod steering;
mod waiting;
mod world;
