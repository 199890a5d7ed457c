//! The review desk (S21): what nobody could know stops in `review`, and a person decides.
//!
//! Nobody decides on an old sight, against the provider's own plain word, or while money may still
//! move; and no decision is silent. Who names version V has seen everything up to V: if anything
//! arrived since, he is told what, and nothing is written.
//!
//! Before a decision every attempt is looked up. What is possible then (`judge`), where `typed`
//! means that amount and reference are typed again, and `×` that no command does it:
//!
//! | the provider says | `--paid` | `--failed` | `--again` |
//! |---|---|---|---|
//! | paid | possible | × | × |
//! | in progress, waiting, a step is due | × | × | × |
//! | failed or cancelled, all attempts | × | typed | typed ¹ |
//! | paid and returned | typed, recorded as returned | typed | typed ¹ |
//! | something else stands under our reference | typed | typed ² | × |
//! | not found | typed | typed ² | typed ¹ ² |
//! | nothing clear, or it cannot be asked | typed | typed ² | typed ¹ ² |
//!
//! Of several attempts the gravest answer counts: under way, then paid, then the others.
//! ¹ what the provider once had, only after the lane's `late_success_window_ms` (S15); never for a
//! batch that is cancelled, nor after nine attempts. ² never where anything has ever said "paid" or
//! "accepted after all" (disputed, an older attempt paid, an older request taken, evidence in the
//! notes): that is taken back only by the provider's word about every attempt. And nothing at all
//! is decided while a request may still be under way, unless the newest attempt is told as paid.
//!
//! Where the ledger went back in time and journals were missing (S18), later attempts may have been
//! sent and forgotten. They are looked up too, and what is found of them counts like any other. A
//! new attempt is then not sent at once: a worker looks it up first, and all after it.
//!
//! A person who knows better than the provider's look-up has the provider correct it first.
//!
//! - [`list`]: what waits; [`story`]: one payout; [`seen`]: what its version names
//! - [`asked`]: its attempts, looked up; [`judge`](mod@judge): what is possible; [`typed`]: amount and reference
//! - [`resolve`](mod@resolve): the decision is written; [`act`]: who, why, put down; [`told`]: answers in words

pub mod act;
pub mod asked;
pub mod judge;
pub mod list;
pub mod resolve;
pub mod seen;
pub mod story;
pub mod told;
pub mod typed;

pub use asked::{Asked, Says};
pub use judge::{Consent, Decision, Refusal, judge};
pub use resolve::{Resolved, Wish, resolve};
pub use seen::Seen;
pub use story::Story;
pub use typed::{Mistyped, Typed};

use crate::audit::AuditError;
use crate::provider::payout::FindError;
use crate::show::table::{plain, quoted};
use ledger::LedgerError;

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// No such payout.
    #[error(transparent)]
    Find(#[from] FindError),
    /// Something arrived since it was seen.
    #[error(
        "nothing was decided: payout \"{reference}\" is not what was seen as version {seen}. It is \
         {stands} now (version {now}).{arrived} Look at it again: producer review show {}", quoted(.reference)
    )]
    Arrived {
        /// The reference.
        reference: String,
        /// What was seen.
        seen: Seen,
        /// The state and why.
        stands: String,
        /// What stands.
        now: Seen,
        /// The notes since, as words; empty where there are none.
        arrived: String,
    },
    /// It is not possible.
    #[error("payout \"{reference}\" cannot be decided with --{decision}: {why}")]
    Refused {
        /// The reference.
        reference: String,
        /// What was wanted.
        decision: Decision,
        /// Why.
        why: Refusal,
    },
    /// No reason, or too long a one.
    #[error("nothing was decided: a reason has 1 to {} characters", resolve::REASON_CHARS_MAX)]
    Reason,
    /// It would put an account number into notes and result files.
    #[error(
        "nothing was decided: the reason holds the whole account, card or phone number of the \
         payout; leave it out, the reference says which payout it is"
    )]
    ReasonTellsNumber,
    /// Nobody typed what has to be typed.
    #[error(
        "nothing was decided: amount and reference were not typed (type them, or give --amount \
         \"1500.00 EUR\" --confirm-reference REFERENCE)"
    )]
    NotTyped,
    /// Something else was typed.
    #[error("nothing was decided: {0}")]
    Mistyped(#[from] Mistyped),
    /// A worker holds the chunk.
    #[error("a worker is at work on this part of the batch; try again in a moment")]
    Busy,
    /// The chunk takes no writes.
    #[error("the batch takes no changes any more; look at it with `producer status`")]
    Gone,
    /// The audit chain was not told, so nothing was decided.
    #[error("nothing was decided: {0}")]
    Audit(#[from] AuditError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Notes that are named where something arrived; the rest is counted.
const NAMED_MAX: usize = 3;

impl ReviewError {
    pub(crate) fn arrived(story: &Story, seen: Seen) -> ReviewError {
        let payout = &story.known.payout;
        let stands = match payout.cause.sentence() {
            "" => payout.state.to_string(),
            why => format!("{}: {why}", payout.state),
        };
        let since: Vec<&str> =
            story.notes.iter().skip(seen.notes).map(|note| note.text.as_str()).collect();
        let named = since.iter().take(NAMED_MAX).map(|text| plain(text));
        let named = named.collect::<Vec<_>>().join("; ");
        let arrived = match since.len() {
            0 => String::new(),
            n if n > NAMED_MAX => format!(" Arrived since: {named}; and {} more.", n - NAMED_MAX),
            _ => format!(" Arrived since: {named}."),
        };
        let reference = story.reference().to_owned();
        ReviewError::Arrived { reference, seen, stands, now: story.seen(), arrived }
    }

    pub(crate) fn refused(story: &Story, decision: Decision, why: Refusal) -> ReviewError {
        ReviewError::Refused { reference: story.reference().to_owned(), decision, why }
    }
}
