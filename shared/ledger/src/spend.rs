//! What was spent of the caps of a lane, or of one batch on a lane: a register each, changed by
//! compare-and-set.
//!
//! The invariant: *room is reserved here before an intent is written, so within a window the pool
//! never begins payouts of more than the cap.* The register decides and holds alone: there is no
//! second flag beside it that could say otherwise.
//!
//! *Crash between a reservation and its intents*: that much of the window is used up and nothing was
//! sent; never the other way round. What was reserved and certainly moved no money (refused for now,
//! taken back before it left) is given back, once, to the very window that it came from; what was
//! refused for good, or whose fate is unknown, is not. *Crash before that*: it stays used up.
//!
//! - [`window`]: the arithmetic, pure; `words`: why something holds, told to people
//! - here: the registers `spend/<lane>` and `spend/<batch>/<lane>`

pub mod window;
mod words;

pub use window::{Admitted, Allowance, Asks, Caps, Hold, Over, Span, Spend, SpendCaps, Stops};

use crate::api::{Ledger, LedgerError};
use crate::register;
use domain::{BatchId, LaneName, Millis, Money};
use std::fmt;

/// Whose spending is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// All that a lane pays.
    Lane(LaneName),
    /// One batch on a lane.
    Batch(BatchId, LaneName),
}

impl Holder {
    /// The name of its register.
    fn register(&self) -> String {
        match self {
            Holder::Lane(lane) => format!("spend/{lane}"),
            Holder::Batch(batch, lane) => format!("{}{lane}", of_batch(*batch)),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holder::Lane(lane) => write!(f, "lane {lane}"),
            Holder::Batch(batch, lane) => write!(f, "batch {batch} on lane {lane}"),
        }
    }
}

fn of_batch(batch: BatchId) -> String {
    format!("spend/{batch}/")
}

/// What came of a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// For how many rows, and what keeps the others back.
    pub admitted: Admitted,
    /// What it was reserved in.
    pub allowance: Allowance,
    /// This very reservation closed it, for the first time in its window: whoever made it tells so.
    pub is_news: bool,
}

/// Reserves room for the first of these payouts, as many as fit.
/// *Crash after*: reserved for good; the window has that much less left.
pub async fn reserve(
    ledger: &dyn Ledger,
    holder: &Holder,
    caps: &Caps,
    now: Millis,
    rows: &[Asks<'_>],
) -> Result<Reserved, LedgerError> {
    let mut reserved = None;
    change(ledger, holder, |spend| {
        let before = spend.hold.clone();
        let admitted = spend.admit(caps, now, rows);
        let until = spend.hold.as_ref().map(|hold| hold.until);
        let is_news = until.is_some() && spend.hold != before && spend.told != until;
        if is_news {
            spend.told = until;
        }
        let is_changed = admitted.rows > 0 || spend.hold != before;
        reserved = Some(Reserved { admitted, allowance: spend.allowance(), is_news });
        is_changed
    })
    .await?;
    reserved.ok_or_else(|| LedgerError::Broken(format!("{holder}: nothing was reserved")))
}

/// Gives back what was reserved for payouts that certainly moved no money. An error leaves open
/// whether it was: never asked for again, lest it be given back twice.
pub async fn give_back(
    ledger: &dyn Ledger,
    holder: &Holder,
    allowance: &Allowance,
    rows: &[&Money],
) -> Result<(), LedgerError> {
    change(ledger, holder, |spend| spend.give_back(allowance, rows)).await.map(drop)
}

/// What holds a lane at this moment, or a batch on it, under these caps.
pub async fn hold(
    ledger: &dyn Ledger,
    holder: &Holder,
    caps: &Caps,
    now: Millis,
) -> Result<Option<Hold>, LedgerError> {
    Ok(read(ledger, holder).await?.1.hold.filter(|hold| hold.stands(caps, now)))
}

/// What holds a batch at this moment, on each of its lanes, under the caps that each of them has.
pub async fn holds_of_batch(
    ledger: &dyn Ledger,
    batch: BatchId,
    caps: impl Fn(&LaneName) -> Caps,
    now: Millis,
) -> Result<Vec<(Holder, Hold)>, LedgerError> {
    let prefix = of_batch(batch);
    let mut holds = Vec::new();
    for register in ledger.registers(prefix.clone()).await? {
        let lane = register.name.strip_prefix(&prefix).and_then(|name| LaneName::new(name).ok());
        let (Some(lane), Some(hold)) = (lane, register::parse::<Spend>(&register)?.hold) else {
            continue;
        };
        if hold.stands(&caps(&lane), now) {
            holds.push((Holder::Batch(batch, lane), hold));
        }
    }
    Ok(holds)
}

/// What this hold waits for waits no more. *Crash after*: the others go on.
pub async fn release(
    ledger: &dyn Ledger,
    holder: &Holder,
    seen: &Hold,
) -> Result<bool, LedgerError> {
    change(ledger, holder, |spend| spend.release(seen)).await
}

/// A person who has seen this hold lets it go on: what closed it has its whole cap again. False
/// where it does not hold any more, or another one does. *Crash after*: it goes on; twice opens
/// nothing more.
pub async fn open(
    ledger: &dyn Ledger,
    holder: &Holder,
    seen: &Hold,
    now: Millis,
) -> Result<bool, LedgerError> {
    change(ledger, holder, |spend| spend.open(seen, now)).await
}

/// What was spent, with the register's version; version 0 and nothing where nothing was.
pub async fn read(ledger: &dyn Ledger, holder: &Holder) -> Result<(u64, Spend), LedgerError> {
    register::read(ledger, holder.register()).await
}

async fn change(
    ledger: &dyn Ledger,
    holder: &Holder,
    mut change: impl FnMut(&mut Spend) -> bool,
) -> Result<bool, LedgerError> {
    register::change(ledger, &holder.register(), |spend: &mut Spend| Ok(change(spend))).await
}

#[cfg(test)]
mod tests;
