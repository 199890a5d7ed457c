//! The command line of the review desk.

use super::{batch_id, lane_name};
use crate::review::{Decision, Seen};
use clap::{Args, Subcommand};
use domain::{BatchId, LaneName};

/// `producer review`.
#[derive(Debug, Subcommand)]
pub enum ReviewCommand {
    /// Lists the payouts that wait for a decision, the newest batches first
    List {
        /// The batch; without it, all batches
        #[arg(value_parser = batch_id)]
        batch: Option<BatchId>,
        /// Only those of this lane
        #[arg(long, value_parser = lane_name)]
        lane: Option<LaneName>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Tells all that is known of one payout, and asks its provider
    Show {
        /// The payout's reference
        reference: String,
        /// Do not ask the provider
        #[arg(long)]
        offline: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Decides about one payout, once its provider was asked
    Resolve(Decide),
}

/// `producer review resolve`.
#[derive(Debug, Args)]
pub struct Decide {
    /// The payout's reference
    pub reference: String,
    /// What was seen, as `review show` prints it; refused if anything arrived since
    #[arg(long, value_name = "V")]
    pub version: Seen,
    /// What is decided
    #[command(flatten)]
    pub what: What,
    /// Why, for whoever looks next and for the result file
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The amount, such as "1500.00 EUR" [default: asked for, where it is needed]
    #[arg(long, value_name = "AMOUNT")]
    pub amount: Option<String>,
    /// The reference once more [default: asked for, where it is needed]
    #[arg(long, value_name = "REFERENCE")]
    pub confirm_reference: Option<String>,
}

/// Exactly one of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct What {
    /// It was paid
    #[arg(long)]
    pub paid: bool,
    /// It was not paid and will not be
    #[arg(long)]
    pub failed: bool,
    /// It is to be sent again, in a new attempt: this moves money
    #[arg(long)]
    pub again: bool,
}

impl What {
    /// The one that was named.
    pub fn decision(&self) -> Decision {
        match self {
            What { again: true, .. } => Decision::Again,
            What { failed: true, .. } => Decision::Failed,
            What { .. } => Decision::Paid,
        }
    }
}
