//! A person beside a ledger that may have gone back in time (S18), and beside workers that may be
//! gone (S12).
//!
//! What a person says here is believed: that a machine will never send again, since when the
//! ledger may have forgotten, whether all journals are there. So each command says what follows
//! from it before it asks for a yes.

mod show;

pub use show::{senders_json, senders_table, status_json, status_text};

use crate::rules::Rules;
use config::Config;
use domain::{LaneName, Millis, Sender};
use journal::read::{CompareError, Then, compare_all, notice_the_dead};
use journal::rewind::{Marked, mark_all};
use ledger::senders::SenderRecord;
use ledger::suspicion::{self, Journals, Order, Suspicion};
use ledger::{Ledger, LedgerError, senders};

const DAY_MS: u64 = 24 * 3_600_000;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// Nothing is suspected.
    #[error(
        "nothing is suspected of this ledger; if a copy of it was put back, say so first: producer \
         ledger restored --since TIME"
    )]
    NotSuspect,
    /// A time that cannot be.
    #[error("{0} lies in the future; give the time since when the ledger may have forgotten")]
    Future(String),
    /// Journals do not reach back so far.
    #[error(
        "journals are kept for {days} days (worker.journal_days), which is not as far back as \
         {since}: use --journals-missing"
    )]
    TooLongAgo {
        /// How long they are kept.
        days: u16,
        /// What was given.
        since: String,
    },
    /// Nobody is meant.
    #[error("there is no living sender \"{0}\"; `producer worker list` shows them")]
    NoSender(String),
    /// The journals or the ledger.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl RecoverError {
    /// The ledger's own error, if it is one.
    pub fn ledger_error(&self) -> Option<&LedgerError> {
        match self {
            RecoverError::Ledger(error) | RecoverError::Compare(CompareError::Ledger(error)) => {
                Some(error)
            }
            _ => None,
        }
    }
}

/// What `producer ledger status` shows.
pub struct Standing {
    /// What is suspected, if anything is.
    pub suspicion: Option<Suspicion>,
    /// Everybody who ever sent, by number.
    pub senders: Vec<SenderRecord>,
    /// The ledger's present life.
    pub life: ledger::Life,
}

/// Looks at all of it.
pub async fn standing(ledger: &dyn Ledger) -> Result<Standing, LedgerError> {
    Ok(Standing {
        suspicion: suspicion::current(ledger).await?,
        senders: senders::all(ledger).await?,
        life: ledger.about().await?.life,
    })
}

/// The living senders that a person means by a number or by the id of a home.
pub async fn meant(ledger: &dyn Ledger, which: &str) -> Result<Vec<SenderRecord>, RecoverError> {
    let mut all = senders::all(ledger).await?;
    all.retain(|s| s.gone.is_none() && (s.number.to_string() == which || s.home.id == which));
    if all.is_empty() { Err(RecoverError::NoSender(which.to_owned())) } else { Ok(all) }
}

/// A person says that these will never send again.
pub async fn lose(
    ledger: &dyn Ledger,
    lost: &[SenderRecord],
    reason: &str,
) -> Result<(), LedgerError> {
    let numbers: Vec<Sender> = lost.iter().map(|sender| sender.number).collect();
    let reason = format!("an operator said so: {reason}");
    senders::declare_gone(ledger, &reason, |s| numbers.contains(&s.number)).await.map(drop)
}

/// A person reports that a copy of the ledger was put back.
pub async fn restored(ledger: &dyn Ledger, since: Millis) -> Result<bool, RecoverError> {
    not_in_the_future(ledger, since).await?;
    let what = format!("a copy from {} was put back", show::time(since));
    Ok(suspicion::raise(ledger, &what, "an operator").await?)
}

/// What `producer ledger recover` did.
pub struct Recovered {
    /// What was marked from here.
    pub marked: Marked,
    /// Homes whose journals lie on this machine.
    pub homes: usize,
    /// Who has to mark something still.
    pub waits: Vec<String>,
}

/// Checks what a person says of the loss, before a yes is asked for.
pub async fn check(ledger: &dyn Ledger, config: &Config, order: Order) -> Result<(), RecoverError> {
    if suspicion::current(ledger).await?.is_none() {
        return Err(RecoverError::NotSuspect);
    }
    let now = not_in_the_future(ledger, order.lost_since).await?;
    let days = config.worker.journal_days;
    let reach = now.0.saturating_sub(u64::from(days) * DAY_MS);
    if order.journals == Journals::Complete && order.lost_since.0 < reach {
        return Err(RecoverError::TooLongAgo { days, since: show::time(order.lost_since) });
    }
    Ok(())
}

async fn not_in_the_future(ledger: &dyn Ledger, time: Millis) -> Result<Millis, RecoverError> {
    let now = ledger.about().await?.now;
    if time > now { Err(RecoverError::Future(show::time(time))) } else { Ok(now) }
}

/// Orders it for the whole pool, and does the part that can be done from here. Given again, all of
/// it is done again, which changes nothing more.
pub async fn recover(
    ledger: &dyn Ledger,
    config: &Config,
    rules: &Rules,
    order: Order,
) -> Result<Recovered, RecoverError> {
    let state = &config.worker.state;
    let policy = |lane: &LaneName| rules.policy(lane);
    suspicion::order(ledger, order).await?;
    notice_the_dead(ledger, state, "").await?;
    let then = Then::Mark(&policy);
    let (found, mut marked) = compare_all(ledger, state, Millis(0), then).await?;
    if order.journals == Journals::Missing {
        let more = mark_all(ledger, &policy).await?;
        marked.payouts += more.payouts;
        suspicion::replaced(ledger).await?;
    }
    suspicion::marked(ledger, &found.homes).await?;
    let waits = suspicion::settle(ledger).await?;
    Ok(Recovered { marked, homes: found.homes.len(), waits })
}
