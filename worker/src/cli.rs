//! The command line.

use crate::logs::Format;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Pays batches of payouts through the providers' APIs.
#[derive(Debug, Parser)]
#[command(name = "worker", version)]
pub struct Cli {
    /// What to run.
    #[command(subcommand)]
    pub command: Command,
}

/// What to run.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Everything on one machine: inbox, ledger, worker, and the built-in sandbox where a lane
    /// wants it.
    Up(Up),
    /// One of any number of workers on the configured ledger; files come in elsewhere, through
    /// `producer watch` or `producer enqueue`.
    Run(Common),
    /// Proves that nobody is paid twice and nobody forgotten: simulates payouts with workers that
    /// crash and freeze anywhere, a ledger that loses connections, and providers that fail at
    /// every point. Moves no money, needs no config and no network.
    Prove(Prove),
}

/// `worker prove`.
#[derive(Debug, Args)]
pub struct Prove {
    /// Plays the world of this seed again, exactly, and tells what happened in it. With
    /// --payouts, the first of as many seeds as that takes.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How many payouts are simulated [default: 1000000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub payouts: Option<u64>,
}

/// `worker up`.
#[derive(Debug, Args)]
pub struct Up {
    /// Pays the sample files in a new folder ./data/demo-<time>, checks every row against the
    /// sandbox's own ledger, and ends.
    #[arg(long, conflicts_with_all = ["config", "set"])]
    pub demo: bool,
    /// What all commands have.
    #[command(flatten)]
    pub common: Common,
}

/// What all commands have.
#[derive(Debug, Args)]
pub struct Common {
    /// The config file; without it config/default.toml, if it is there.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Sets one key over all files: worker.chunks_at_once=8. May be given often.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// What lines of the log look like; RUST_LOG says which there are.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub log: Format,
}
