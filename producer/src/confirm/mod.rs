//! Second steps by a person (S9): a code that somebody received, or funding that the lane does
//! not do by itself.
//!
//! ```text
//!   lease ─▶ look-up ─▶ step intent (durable) ─▶ request ─▶ step outcome ─▶ lease given back
//!                             │ no answer, death
//!                             └──▶ the step stays open: a look-up tells, and until then no second one begins
//! ```
//!
//! A step is for a whole provider call, because that is what the provider confirms; what a person
//! has seen is what is confirmed, or nothing. It is taken under the lease of the chunk, so no
//! other sender and no look-up that began before it is under way beside it, and its intent checks
//! in the same atomic write that the batch is active (S6).
//!
//! - [`calls`]: which calls of a batch wait; [`step`]: the step; `first`: the look-up before it;
//!   `later`: what may have been paid in its place (S18); [`gate`]: its deadline (S7)
//! - [`said`]: what a person says by it, where people fund: asked for, and noted

pub mod calls;
mod first;
pub mod gate;
mod later;
pub mod said;
pub mod step;

pub use calls::{Call, CallRow};
pub use step::{Confirmed, take};

use crate::provider::account::AccountError;
use domain::{BatchId, BatchState, LaneName, Millis, State};
use ledger::LedgerError;

/// Why no step was taken. Unless an error says otherwise, nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// No such batch.
    #[error("there is no batch {0}; `producer status` lists them")]
    NoBatch(BatchId),
    /// Nothing new is paid of it.
    #[error("batch {batch} is {state}; only payouts of an active batch are confirmed")]
    NotActive {
        /// The batch.
        batch: BatchId,
        /// Where it stands.
        state: BatchState,
    },
    /// Nothing waits.
    #[error("nothing of batch {0} waits for a step that can be taken from here; {1}")]
    NothingWaits(BatchId, String),
    /// The reference does not wait.
    #[error("payout \"{reference}\" waits for no step of batch {batch}")]
    NotWaiting {
        /// The reference.
        reference: String,
        /// The batch.
        batch: BatchId,
    },
    /// One code cannot be for several calls.
    #[error(
        "{calls} calls of batch {batch} wait, each for a code of its own; say which with \
         --reference, such as {references}"
    )]
    WhichCall {
        /// The batch.
        batch: BatchId,
        /// How many.
        calls: usize,
        /// One reference of each, the first few.
        references: String,
    },
    /// The step takes a code.
    #[error("lane {0} confirms with a code that a person has received; give it with --code")]
    NoCode(LaneName),
    /// The step takes none.
    #[error("lane {0} confirms without a code; leave --code out")]
    NeedlessCode(LaneName),
    /// The provider offers no second step.
    #[error("the provider of lane {0} offers no second step")]
    NoStep(LaneName),
    /// A person stopped the lane, or the provider did.
    #[error("lane {lane} is stopped: {reason}; `producer lane start {lane}` starts it")]
    Stopped {
        /// The lane.
        lane: LaneName,
        /// Why.
        reason: String,
    },
    /// A step is under way.
    #[error(
        "a confirmation of payout \"{reference}\" is under way, and only a look-up tells what \
         became of it; ask again after {}", crate::report::cells::time(.until)
    )]
    UnderWay {
        /// One payout of the call.
        reference: String,
        /// When the look-up is due.
        until: Millis,
    },
    /// The call holds a payout that must not be paid now.
    #[error(
        "payout \"{reference}\" of the same call is {state}, and confirming would pay it too; \
         {}", remedy(.state)
    )]
    Mixed {
        /// That payout.
        reference: String,
        /// Where it stands.
        state: State,
    },
    /// The call holds a payout that a person has decided about.
    #[error(
        "a person has decided about payout \"{reference}\", which is {state} now, and call {handle} \
         still holds it: confirming would pay it too. Have somebody take it out of the call at the \
         provider, or have the call confirmed or dropped there; look-ups tell what becomes of the \
         others"
    )]
    Decided {
        /// That payout.
        reference: String,
        /// The provider's id of the call.
        handle: String,
        /// Where it stands.
        state: State,
    },
    /// The provider says that it must not be paid now.
    #[error(
        "the provider says of payout \"{reference}\": {text}; nothing of its call was confirmed, \
         and a worker's look-up judges it"
    )]
    Otherwise {
        /// The payout.
        reference: String,
        /// The provider's words.
        text: String,
    },
    /// The ledger has forgotten a time in which later attempts may have begun.
    #[error(
        "payout \"{reference}\" may have later attempts, which the ledger has forgotten, and one of \
         them may be paid in its place (attempt {attempt}: {text}); nothing of its call was \
         confirmed: have the provider say what it has under that name, then try again"
    )]
    PastLost {
        /// The payout.
        reference: String,
        /// The attempt that speaks against it.
        attempt: u8,
        /// What the provider says of it.
        text: String,
    },
    /// Something was heard of it that is not confirmed yet.
    #[error(
        "there is unconfirmed news of payout \"{0}\"; a worker is asking the provider: try again in \
         a few minutes"
    )]
    News(String),
    /// A worker holds the chunk.
    #[error("a worker is at work on this part of the batch; try again in a moment")]
    Busy,
    /// The call is not what was shown any more.
    #[error(
        "the call has changed since it was shown; look at it with `producer waiting` and ask again"
    )]
    Changed,
    /// Whether the intent was written is not known.
    #[error("the ledger went away while the step was announced, so nothing was sent ({0})")]
    NotAnnounced(String),
    /// Another account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// References that are named where a person has to choose.
const NAMED_MAX: usize = 3;

impl ConfirmError {
    /// One code for several calls.
    pub fn which(batch: BatchId, calls: &[Call]) -> ConfirmError {
        let first = calls.iter().take(NAMED_MAX).map(Call::first);
        let references = first.collect::<Vec<_>>().join(", ");
        ConfirmError::WhichCall { batch, calls: calls.len(), references }
    }
}

fn remedy(state: &State) -> &'static str {
    match state {
        State::Review => "a person must decide about it first",
        _ => "a worker is finding out about it: try again in a few minutes",
    }
}
