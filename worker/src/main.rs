//! The program `worker`.

use clap::Parser;
use std::process::ExitCode;
use worker::cli::{Cli, Command};

/// Returns memory of bursts to the system, and is quicker under many small answers.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Up(args) => worker::up::up(&args).await,
        Command::Run(common) => worker::run::run(&common).await,
        Command::Prove(args) => worker::prove::prove(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("worker: {error}");
            ExitCode::FAILURE
        }
    }
}
