//! The commands of the program `producer`.
//!
//! Exit codes: 0 done; 1 refused or invalid, nothing was enqueued; 2 wrong usage; 3 the ledger is
//! away, try again. Results go to standard output, everything else to standard error.

mod args;
mod commands;

pub use args::{Cli, Command, Enqueue, LaneCommand, Report, Status, Watch};

use crate::intake::IntakeError;
use crate::report::ReportError;
use crate::rules::RulesError;
use crate::steer::SteerError;
use config::ConfigError;
use ledger::LedgerError;
use std::process::ExitCode;

/// Refused or invalid.
pub const EXIT_REFUSED: u8 = 1;
/// The ledger is away.
pub const EXIT_LEDGER_AWAY: u8 = 3;

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The config.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The config's lanes.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// The file; with the JSON that was asked for, it has been told already.
    #[error("{file}: {source}")]
    Intake {
        /// The file.
        file: String,
        /// Why.
        source: Box<IntakeError>,
    },
    /// The report.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The lane or batch.
    #[error(transparent)]
    Steer(#[from] SteerError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The inbox.
    #[error("cannot work on the inbox {path}: {source}")]
    Inbox {
        /// The folder.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// No such batch.
    #[error("there is no batch {0}; `producer status` lists them")]
    NoBatch(String),
}

impl Failure {
    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        let is_away = |error: &LedgerError| matches!(error, LedgerError::Unavailable(_));
        let away = match self {
            Failure::Ledger(error) => is_away(error),
            Failure::Report(ReportError::Ledger(error)) => is_away(error),
            Failure::Steer(SteerError::Ledger(error)) => is_away(error),
            Failure::Intake { source, .. } => match source.as_ref() {
                IntakeError::Ledger(error) => is_away(error),
                IntakeError::SealUnknown { .. } => true,
                _ => false,
            },
            _ => false,
        };
        if away { EXIT_LEDGER_AWAY } else { EXIT_REFUSED }
    }
}

/// Runs a command.
pub async fn run(cli: Cli) -> ExitCode {
    start_log(&cli);
    match commands::run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("producer: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Logs go to standard error; `RUST_LOG` chooses, else `watch` tells what it does.
fn start_log(cli: &Cli) {
    use tracing_subscriber::EnvFilter;
    let usual = if matches!(cli.command, Command::Watch(_)) { "info" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    // A second start, in a test, keeps the first log.
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
