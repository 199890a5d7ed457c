//! The program `producer`. See [`producer::cli`] for its commands and exit codes.

use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    producer::cli::run(producer::cli::Cli::parse()).await
}
