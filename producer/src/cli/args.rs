//! The command line.

mod review;

pub use review::{Decide, ReviewCommand, What};

use crate::audit::Chain;
use clap::{Args, Parser, Subcommand};
use domain::{BatchId, LaneName, LedgerId, Millis, Priority};
use jiff::Timestamp;
use std::fmt;
use std::path::PathBuf;

/// Takes batches of payouts in, writes their results, shows and steers.
#[derive(Debug, Parser)]
#[command(name = "producer", version, about, after_help = EXIT_CODES)]
pub struct Cli {
    /// The config file [default: config/default.toml if it is there]
    #[arg(long, global = true, env = "PAYOUT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Sets one key over file and environment, such as worker.lease_ms=60000; may be repeated
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 refused or invalid, nothing was enqueued; 2 wrong \
usage; 3 the ledger is away, try again.";

const TAKING_TERMS: &str = "--not-before takes a time with its zone, such as \
2026-11-24T08:00:00+01:00; one that has passed is now. Its rows have all their time to be sent from \
then on, and a pause or a resumption before brings nothing forward.

--priority counts between the batches of one lane. Of 21 turns, 16 go to the highest priority that \
has work, four to normal and one to low, where those have any: a lower one is slowed down and never \
stands still. Batches of one priority take turns.";

const PAUSE_DRAINS: &str = "It holds at once, for all workers: no payout of the batch begins after \
it. What is being sent is finished and written down; look-ups and callbacks go on, so what the \
provider has taken is still paid. `producer lane stop` does the same for all batches of a lane.";

const RESUME_COUNTS: &str = "The batch's brakes count from here on: what had failed before closes \
none of them again, and a cap on its spending that holds it has all its room again.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Takes one file: all of it, or nothing
    #[command(after_help = TAKING_TERMS)]
    Enqueue(Enqueue),
    /// Takes the files of the inbox and writes results, until stopped
    #[command(after_help = TAKING_TERMS)]
    Watch(Watch),
    /// Shows batches, or one of them
    Status(Status),
    /// Writes the result of a batch and shows its totals
    Report(Report),
    /// Shows and checks what was done, and the key that signs it
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Cancels a batch: what was not sent will not be
    Cancel {
        /// The batch
        #[arg(value_parser = batch_id)]
        batch: BatchId,
    },
    /// Holds a batch: nothing more of it is sent until it is resumed; what is under way is drained
    #[command(after_help = PAUSE_DRAINS)]
    Pause(Pause),
    /// Lets a paused batch go on, whoever or whatever paused it
    #[command(after_help = RESUME_COUNTS)]
    Resume {
        /// The batch
        #[arg(value_parser = batch_id)]
        batch: BatchId,
    },
    /// Shows, starts and stops lanes
    #[command(subcommand)]
    Lane(LaneCommand),
    /// Shows who sends, and takes a person's word that one never will again
    #[command(subcommand)]
    Worker(WorkerCommand),
    /// Shows whether the ledger may have gone back in time, and brings back what it forgot
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Shows the payouts that wait for a person at a provider, and what to do
    Waiting {
        /// The batch; without it, all batches
        #[arg(value_parser = batch_id)]
        batch: Option<BatchId>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Takes the second step that lets a provider pay what it holds ready: this moves money
    Confirm(Confirm),
    /// Shows what nobody could know, and decides it: payouts in review
    #[command(subcommand)]
    Review(ReviewCommand),
    /// Asks the provider of a lane: balances, rates, lists, one payout
    Provider(Provider),
    /// Holds the provider's own list against the ledger, both ways; a difference stops the lane
    Reconcile(Reconcile),
    /// Shows what each provider allows
    Providers {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// `producer enqueue`.
#[derive(Debug, Args)]
pub struct Enqueue {
    /// The CSV file; it stays where it is
    pub file: PathBuf,
    /// How it is taken
    #[command(flatten)]
    pub taking: Taking,
    /// Where bad rows go [default with --skip-invalid: beside the file]
    #[arg(long, value_name = "FILE")]
    pub rejected: Option<PathBuf>,
    /// Refuse the file unless it has so many rows
    #[arg(long, value_name = "N")]
    pub expect_rows: Option<u64>,
    /// Refuse the file unless it adds up to this, such as EUR:1500.00; may be repeated
    #[arg(long, value_name = "CUR:AMOUNT")]
    pub expect_total: Vec<String>,
    /// Check everything and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `producer watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// How each file is taken
    #[command(flatten)]
    pub taking: Taking,
}

/// How files are taken, whether they are named or found.
#[derive(Debug, Args)]
pub struct Taking {
    /// The lane of rows that name none; else the routes decide
    #[arg(long, value_parser = lane_name)]
    pub lane: Option<LaneName>,
    /// The profile that says what the columns mean; else the header decides
    #[arg(long)]
    pub profile: Option<String>,
    /// Take the good rows and leave the bad ones out, in <name>.rejected.csv
    #[arg(long)]
    pub skip_invalid: bool,
    /// Take and check the file now, and send nothing of it before this moment, at most 90 days ahead
    #[arg(long, value_parser = moment, value_name = "TIME")]
    pub not_before: Option<Millis>,
    /// Which of two batches goes first on a lane
    #[arg(long, value_parser = priority, default_value = "normal", value_name = "high|normal|low")]
    pub priority: Priority,
}

/// `producer status`.
#[derive(Debug, Args)]
pub struct Status {
    /// The batch; without it, the newest batches are listed
    #[arg(value_parser = batch_id)]
    pub batch: Option<BatchId>,
    /// Wait until the batch is over
    #[arg(long, requires = "batch")]
    pub follow: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Batches to list
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub limit: u32,
}

/// `producer pause`.
#[derive(Debug, Args)]
pub struct Pause {
    /// The batch
    #[arg(value_parser = batch_id)]
    pub batch: BatchId,
    /// Why, for whoever looks next
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// How long to wait
    #[command(flatten)]
    pub drain: Drain,
}

/// Waiting until what was being sent is written down.
#[derive(Debug, Args)]
pub struct Drain {
    /// Wait until nothing of it is being sent any more, and tell what is under way then
    #[arg(long)]
    pub wait: bool,
    /// Wait no longer than this; then exit with 1
    #[arg(long, value_name = "SECONDS", default_value_t = 300, requires = "wait")]
    pub within: u64,
}

/// `producer report`.
#[derive(Debug, Args)]
pub struct Report {
    /// The batch
    #[arg(value_parser = batch_id, required_unless_present = "verify")]
    pub batch: Option<BatchId>,
    /// Where the files go [default: done/ of the inbox]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Show whole card and account numbers instead of masked ones
    #[arg(long)]
    pub unmask: bool,
    /// Check a result that somebody sent, with its summary and signature beside it; needs neither
    /// ledger nor config
    #[arg(long, value_name = "FILE", conflicts_with_all = ["batch", "out", "unmask"])]
    pub verify: Option<PathBuf>,
    /// The public key that must have signed it, or a file that holds it
    #[arg(long, value_name = "KEY", requires = "verify")]
    pub key: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `producer confirm`.
#[derive(Args)]
pub struct Confirm {
    /// The batch
    #[arg(value_parser = batch_id)]
    pub batch: BatchId,
    /// The code that a person has received [default: asked for, so that no list of processes and
    /// no history of commands shows it]
    #[arg(long)]
    pub code: Option<String>,
    /// Only the call that carried this payout
    #[arg(long)]
    pub reference: Option<String>,
    /// Say that several orders are funded without being asked for a yes
    #[arg(long)]
    pub yes: bool,
}

impl fmt::Debug for Confirm {
    /// Without the code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirm")
            .field("batch", &self.batch)
            .field("reference", &self.reference)
            .finish_non_exhaustive()
    }
}

/// `producer provider`.
#[derive(Args)]
pub struct Provider {
    /// The lane
    #[arg(value_parser = lane_name)]
    pub lane: LaneName,
    /// What to ask; look-up, cancel (each with a reference) and rules go with every lane
    /// [default: lists what can be asked]
    pub question: Option<String>,
    /// What goes with the question
    #[arg(value_name = "KEY=VALUE")]
    pub given: Vec<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Do what changes something without asking for a yes
    #[arg(long)]
    pub yes: bool,
}

impl fmt::Debug for Provider {
    /// Without the values, which may be codes or accounts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("lane", &self.lane)
            .field("question", &self.question)
            .finish_non_exhaustive()
    }
}

/// `producer reconcile`.
#[derive(Debug, Args)]
pub struct Reconcile {
    /// The lane
    #[arg(value_parser = lane_name)]
    pub lane: LaneName,
    /// First day, in UTC [default: three days before now]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: Option<String>,
    /// Last day, in UTC [default: until now]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to: Option<String>,
    /// Do not stop the lane, whatever is found
    #[arg(long)]
    pub look_only: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `producer audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Checks the audit chains, and the ledger's payouts against them
    Verify {
        /// The batch; without it, everything
        #[arg(value_parser = batch_id)]
        batch: Option<BatchId>,
        /// A public key that may have signed, or a file that holds it, such as `producer audit key`
        /// prints it; once for each machine of yours. Signed by any other key is then a failure
        /// [default: this machine's own key counts, others are told]
        #[arg(long, value_name = "KEY")]
        key: Vec<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Shows a chain, one entry a line
    Show {
        /// A batch, lane/NAME, or installation
        #[arg(value_parser = chain)]
        chain: Chain,
        /// As JSON, one entry a line
        #[arg(long)]
        json: bool,
    },
    /// Prints the public key that third parties check results with
    Key,
}

/// `producer lane`.
#[derive(Debug, Subcommand)]
pub enum LaneCommand {
    /// Shows all lanes
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Lets a lane send again; a cap on spending that holds it has all its room again
    Start {
        /// The lane
        #[arg(value_parser = lane_name)]
        lane: LaneName,
    },
    /// Ends the pause that a lane's provider asked for ("too many requests"); the slower pace holds
    Hurry {
        /// The lane
        #[arg(value_parser = lane_name)]
        lane: LaneName,
    },
    /// Records that another ledger on the lane's account is retired
    Adopt {
        /// The lane
        #[arg(value_parser = lane_name)]
        lane: LaneName,
        /// The other ledger's id: the four characters that its references begin with
        #[arg(value_parser = ledger_id)]
        ledger: LedgerId,
    },
    /// Moves a lane to the account that the config names now: what was sent under the old one
    /// goes to review
    Rebind {
        /// The lane
        #[arg(value_parser = lane_name)]
        lane: LaneName,
        /// Do it without asking for a yes
        #[arg(long)]
        yes: bool,
    },
    /// Lets a lane send nothing until it is started again; what is under way is finished and
    /// written down, and look-ups and callbacks go on
    Stop {
        /// The lane
        #[arg(value_parser = lane_name)]
        lane: LaneName,
        /// Why, for whoever looks next
        #[arg(long)]
        reason: String,
        /// How long to wait
        #[command(flatten)]
        drain: Drain,
    },
}

/// `producer worker`.
#[derive(Debug, Subcommand)]
pub enum WorkerCommand {
    /// Shows all that may send, and those that are gone
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Says that a worker will never send again, because its machine is lost
    Lost {
        /// Its number, or the id of its home
        #[arg(value_name = "NUMBER|HOME")]
        which: String,
        /// Why, for whoever looks next
        #[arg(long)]
        reason: String,
        /// Say so without being asked for a yes
        #[arg(long)]
        yes: bool,
    },
}

/// `producer ledger`.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Shows whether it may have gone back in time, and what to do
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Says that a copy of the ledger was put back: intake and sending stop
    Restored {
        /// When that copy was taken, such as 2026-03-01T12:00:00Z
        #[arg(long, value_parser = moment, value_name = "TIME")]
        since: Millis,
    },
    /// Brings back what the ledger forgot, and lets intake and sending go on
    #[command(group(clap::ArgGroup::new("journals").required(true)))]
    Recover {
        /// Since when it may have forgotten, such as 2026-03-01T12:00:00Z
        #[arg(long, value_parser = moment, value_name = "TIME")]
        lost_since: Millis,
        /// All state directories that were sent from since then are there
        #[arg(long, group = "journals")]
        journals_complete: bool,
        /// Some are not: everything that is not paid is looked up first, or goes to review
        #[arg(long, group = "journals")]
        journals_missing: bool,
        /// Do it without being asked for a yes
        #[arg(long)]
        yes: bool,
    },
}

fn moment(text: &str) -> Result<Millis, String> {
    let time: Result<Timestamp, _> = text.parse();
    let ms = time.ok().and_then(|time| u64::try_from(time.as_millisecond()).ok());
    ms.map(Millis).ok_or_else(|| "expected a time with its zone: 2026-03-01T12:00:00Z".to_owned())
}

fn priority(text: &str) -> Result<Priority, String> {
    Priority::from_name(text).ok_or_else(|| "expected high, normal or low".to_owned())
}

fn batch_id(text: &str) -> Result<BatchId, String> {
    text.parse().map_err(|_| "expected a batch id of 26 letters and digits".to_owned())
}

fn ledger_id(text: &str) -> Result<LedgerId, String> {
    LedgerId::parse(text).ok_or_else(|| "expected four of the characters a-z and 2-7".to_owned())
}

fn chain(text: &str) -> Result<Chain, String> {
    let wrong = || "expected a batch id, lane/NAME or installation".to_owned();
    Chain::named(text).ok_or_else(wrong)
}

fn lane_name(text: &str) -> Result<LaneName, String> {
    LaneName::new(text).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn a_moment_has_a_zone() {
        assert_eq!(moment("2026-11-24T08:00Z"), Ok(Millis(1_795_507_200_000)));
        assert_eq!(moment("2026-11-24T09:00:00+01:00"), moment("2026-11-24T08:00Z"));
        for text in ["2026-11-24T08:00", "2026-11-24", "08:00Z", "tomorrow"] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
