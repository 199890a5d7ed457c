//! The worker: a thin shell around the engine.
//!
//! The invariant: *nothing here decides about a payout.* The shell hands hints and callbacks to
//! the engine and ends it in order; if it dies at any point, the ledger knows all that counts.
//!
//! - [`cli`]: the commands; [`run`]: one worker of a pool; [`prove`]: the simulator, for everybody
//! - [`shell`]: starts and stops all parts; [`lanes`], [`ledger`], [`berth`]: what it starts
//!   with; [`watch`]: whether the ledger went back in time, and which neighbours died
//! - [`http`]: callbacks, health, metrics; `sampling`: how far the batches are
//! - [`env`](mod@env): the engine's world in production; [`signals`], [`logs`]

pub mod berth;
pub mod cli;
pub mod demo;
pub mod env;
pub mod everything;
pub mod http;
pub mod inbox;
pub mod lanes;
pub mod ledger;
pub mod logs;
pub mod prove;
mod reconcile;
mod rules;
pub mod run;
mod sampling;
pub mod shell;
pub mod signals;
pub mod up;
pub mod verify;
pub mod view;
pub mod watch;

/// Why a command failed, for people.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
