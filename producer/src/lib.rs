//! Takes batches in, writes their results, shows and steers.
//!
//! No payout is created here. The library writes batches and reads payouts; it cancels what was
//! never sent, takes the second steps that are a person's (S9): the one thing here that moves
//! money, and only money that a worker has asked a provider to hold ready; and writes what a person
//! decides about a payout that nobody else can decide about (S21).
//!
//! - [`file`]: bytes → records, in flat memory; [`rules`]: records → rows, validated
//! - [`intake`]: rows → a sealed batch, or nothing; [`inbox`]: a folder of files, each taken once
//! - [`audit`]: what was done, told to hash chains, and the chains checked
//! - [`report`]: a batch → `<name>.result.csv` and totals that add up
//! - [`steer`]: lanes start and stop, batches are cancelled
//! - [`recover`]: a person beside workers that are gone and a ledger that went back in time
//! - [`waiting`]: what waits for a person; [`confirm`]: second steps by a person
//! - [`review`]: what stopped for a person, and his decisions
//! - [`provider`]: what a person asks a lane's provider
//! - [`reconcile`](mod@reconcile): the provider's own list against the ledger
//! - [`show`]: tables for people; [`progress`]: follows a batch on a terminal
//! - [`cli`]: the commands of the program `producer`, and its exit codes

pub mod audit;
pub mod cli;
pub mod confirm;
pub mod file;
pub mod folders;
pub mod inbox;
pub mod intake;
pub mod progress;
pub mod provider;
pub mod rebind;
pub mod reconcile;
pub mod recover;
pub mod report;
pub mod review;
pub mod rules;
pub mod show;
pub mod steer;
pub mod waiting;
