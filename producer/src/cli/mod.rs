//! The commands of the program `producer`.
//!
//! Exit codes: 0 done; 1 refused or invalid, nothing was enqueued; 2 wrong usage; 3 the ledger is
//! away, try again. Results go to standard output, everything else to standard error.

mod args;
mod ask;
mod audit;
mod commands;
mod hidden;
mod hold;
mod prospect;
mod reconcile;
mod rescue;
mod review;
mod talk;

pub use args::{
    AuditCommand, Cli, Command, Confirm, Decide, Drain, Enqueue, LaneCommand, LedgerCommand, Pause,
    Provider, Reconcile, Report, ReviewCommand, Status, Taking, Watch, What, WorkerCommand,
};

use crate::audit::AuditError;
use crate::audit::trust::GivenKeyError;
use crate::confirm::ConfirmError;
use crate::intake::IntakeError;
use crate::provider::LineError;
use crate::provider::account::AccountError;
use crate::provider::chat::ChatError;
use crate::provider::desk::DeskError;
use crate::provider::fetch::FetchError;
use crate::provider::payout::FindError;
use crate::reconcile::ReconcileError;
use crate::recover::RecoverError;
use crate::report::ReportError;
use crate::report::proof::ProofError;
use crate::review::ReviewError;
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
    /// A result that somebody sent.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A key that was given to check with.
    #[error(transparent)]
    GivenKey(#[from] GivenKeyError),
    /// The audit.
    #[error(transparent)]
    Audit(#[from] AuditError),
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
    /// The lane's adapter.
    #[error(transparent)]
    Line(#[from] LineError),
    /// A question to a provider.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// A look-up or a cancellation.
    #[error(transparent)]
    Chat(#[from] ChatError),
    /// A provider's rules.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A comparison with the provider's list.
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
    /// A second step.
    #[error(transparent)]
    Confirm(#[from] ConfirmError),
    /// A decision about a payout in review.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// Workers that are gone, a ledger that went back in time.
    #[error(transparent)]
    Recover(#[from] RecoverError),
    /// What was asked for was not done, and why.
    #[error("{0}")]
    NotDone(String),
    /// No such batch.
    #[error("there is no batch {0}; `producer status` lists them")]
    NoBatch(String),
}

impl Failure {
    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        if self.is_ledger_away() { EXIT_LEDGER_AWAY } else { EXIT_REFUSED }
    }

    fn is_ledger_away(&self) -> bool {
        let error = match self {
            Failure::Recover(error) => match error.ledger_error() {
                Some(error) => error,
                None => return false,
            },
            Failure::Intake { source, .. } => match source.as_ref() {
                IntakeError::Ledger(error) => error,
                IntakeError::SealUnknown { .. } => return true,
                _ => return false,
            },
            Failure::Confirm(ConfirmError::NotAnnounced(_)) => return true,
            Failure::Reconcile(error) => match error.ledger() {
                Some(error) => error,
                None => return false,
            },
            Failure::Ledger(error)
            | Failure::Report(ReportError::Ledger(error))
            | Failure::Audit(AuditError::Ledger(error))
            | Failure::Steer(
                SteerError::Ledger(error) | SteerError::Audit(AuditError::Ledger(error)),
            )
            | Failure::Desk(
                DeskError::Ledger(error) | DeskError::Account(AccountError::Ledger(error)),
            )
            | Failure::Chat(
                ChatError::Ledger(error)
                | ChatError::Find(FindError::Ledger(error))
                | ChatError::Account(AccountError::Ledger(error)),
            )
            | Failure::Review(
                ReviewError::Ledger(error)
                | ReviewError::Find(FindError::Ledger(error))
                | ReviewError::Audit(AuditError::Ledger(error)),
            )
            | Failure::Fetch(
                FetchError::Ledger(error) | FetchError::Account(AccountError::Ledger(error)),
            )
            | Failure::Confirm(
                ConfirmError::Ledger(error) | ConfirmError::Account(AccountError::Ledger(error)),
            ) => error,
            _ => return false,
        };
        matches!(error, LedgerError::Unavailable(_))
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

/// Logs go to standard error; `RUST_LOG` chooses, else `watch` and what acts at a provider tell
/// what they do.
fn start_log(cli: &Cli) {
    use tracing_subscriber::EnvFilter;
    let usual = match cli.command {
        Command::Watch(_) => "info",
        Command::Confirm(_) | Command::Provider(_) | Command::Review(_) => "warn,producer=info",
        _ => "warn",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    // A second start, in a test, keeps the first log.
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
