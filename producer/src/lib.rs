//! Takes batches in, writes their results, shows and steers.
//!
//! Nothing here moves money. The library writes batches and reads payouts; the one change of a
//! payout that it makes is to cancel what was never sent.
//!
//! - [`file`]: bytes → records, in flat memory; [`rules`]: records → rows, validated
//! - [`intake`]: rows → a sealed batch, or nothing; [`inbox`]: a folder of files, each taken once
//! - [`report`]: a batch → `<name>.result.csv` and totals that add up
//! - [`steer`]: lanes start and stop, batches are cancelled
//! - [`show`]: tables for people; [`progress`]: follows a batch on a terminal
//! - [`cli`]: the commands of the program `producer`, and its exit codes

pub mod cli;
pub mod file;
pub mod folders;
pub mod inbox;
pub mod intake;
pub mod progress;
pub mod report;
pub mod rules;
pub mod show;
pub mod steer;
