//! A ledger that may have gone back in time (S18) is *suspect*: intake and sending stop for the
//! whole pool, until a person has said when it was lost and whether all journals are there, and
//! what the journals name was marked.
//!
//! ```text
//!  raised ──▶ ordered (a person: since when, which journals) ──▶ marked, home by home ──▶ over
//! ```
//!
//! It stands in one register and changes by compare-and-set, so that it holds for every process.

use crate::api::{Ledger, LedgerError};
use crate::{register, senders};
use domain::Millis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Where it stands.
const NAME: &str = "ledger/suspect";

/// What is suspected, and how far it is cleared up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspicion {
    /// What was found, for people.
    pub what: String,
    /// Who found it.
    pub by: String,
    /// When it was found.
    pub since: Millis,
    /// What a person has ordered.
    pub order: Option<Order>,
    /// Homes whose journals were marked under that order.
    pub marked: BTreeSet<String>,
    /// Everything is marked that had to be.
    pub is_over: bool,
}

/// What a person says of the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Since when the ledger may have forgotten.
    pub lost_since: Millis,
    /// Which journals there are.
    pub journals: Journals,
}

/// Which journals there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Journals {
    /// All of them: what they name since the loss is what was forgotten.
    Complete,
    /// Not all: anything may have been sent that is not final.
    Missing,
    /// Not all, and what is not paid or cancelled has been marked.
    Replaced,
}

/// The suspicion that stands, if one does.
pub async fn current(ledger: &dyn Ledger) -> Result<Option<Suspicion>, LedgerError> {
    Ok(read(ledger).await?.1.filter(|suspicion| !suspicion.is_over))
}

/// Makes the ledger suspect. One that is so already stays as it is; false then.
pub async fn raise(ledger: &dyn Ledger, what: &str, by: &str) -> Result<bool, LedgerError> {
    loop {
        let (version, stands) = read(ledger).await?;
        if stands.is_some_and(|suspicion| !suspicion.is_over) {
            return Ok(false);
        }
        let suspicion = Suspicion {
            what: what.to_owned(),
            by: by.to_owned(),
            since: ledger.about().await?.now,
            order: None,
            marked: BTreeSet::new(),
            is_over: false,
        };
        if put(ledger, version, &suspicion).await? {
            return Ok(true);
        }
    }
}

/// A person orders how it is to be cleared up. Given again, all is marked again.
pub async fn order(ledger: &dyn Ledger, order: Order) -> Result<bool, LedgerError> {
    change(ledger, |suspicion| {
        suspicion.order = Some(order);
        suspicion.marked.clear();
    })
    .await
}

/// The journals of these homes were marked under the order.
pub async fn marked(ledger: &dyn Ledger, homes: &[String]) -> Result<bool, LedgerError> {
    change(ledger, |suspicion| suspicion.marked.extend(homes.iter().cloned())).await
}

/// What is not final has been marked, in place of the journals that are missing.
pub async fn replaced(ledger: &dyn Ledger) -> Result<bool, LedgerError> {
    change(ledger, |suspicion| {
        if let Some(order) = &mut suspicion.order
            && order.journals == Journals::Missing
        {
            order.journals = Journals::Replaced;
        }
    })
    .await
}

/// Ends it, if all journals that may name anything were marked. Gives whom it still waits for;
/// empty when it is over.
pub async fn settle(ledger: &dyn Ledger) -> Result<Vec<String>, LedgerError> {
    let Some(stands) = current(ledger).await? else { return Ok(Vec::new()) };
    let Some(order) = stands.order else {
        return Ok(vec!["a person, who says since when (producer ledger recover)".to_owned()]);
    };
    let mut waits: Vec<String> = senders::all(ledger)
        .await?
        .into_iter()
        .filter(|sender| sender.gone.is_none() && !stands.marked.contains(&sender.home.id))
        .map(|s| format!("sender {} on {} ({})", s.number, s.home.host, s.home.path))
        .collect();
    if order.journals == Journals::Missing {
        waits.push("producer ledger recover --journals-missing, which did not finish".to_owned());
    }
    if waits.is_empty() {
        // Only as it was read: an order that was given meanwhile is not skipped.
        let (version, now_stands) = read(ledger).await?;
        if now_stands.as_ref() != Some(&stands) {
            return Ok(vec!["another process, which is at it".to_owned()]);
        }
        let over = Suspicion { is_over: true, ..stands };
        if !put(ledger, version, &over).await? {
            return Ok(vec!["another process, which is at it".to_owned()]);
        }
    }
    Ok(waits)
}

async fn change(ledger: &dyn Ledger, change: impl Fn(&mut Suspicion)) -> Result<bool, LedgerError> {
    loop {
        let (version, stands) = read(ledger).await?;
        let Some(mut suspicion) = stands.filter(|s| !s.is_over) else { return Ok(false) };
        change(&mut suspicion);
        if put(ledger, version, &suspicion).await? {
            return Ok(true);
        }
    }
}

async fn read(ledger: &dyn Ledger) -> Result<(u64, Option<Suspicion>), LedgerError> {
    register::read(ledger, NAME.to_owned()).await
}

async fn put(
    ledger: &dyn Ledger,
    version: u64,
    suspicion: &Suspicion,
) -> Result<bool, LedgerError> {
    register::put(ledger, NAME.to_owned(), version, suspicion).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryLedger;
    use crate::senders::{Home, declare_gone, enlist};
    use domain::LedgerId;
    use futures::executor::block_on;
    use std::sync::Arc;

    fn ledger_with(homes: &[&str]) -> MemoryLedger {
        let ledger = MemoryLedger::new(LedgerId::from_random(0), Arc::new(|| Millis(1_000)));
        for id in homes {
            let home = Home { id: (*id).to_owned(), host: "one".to_owned(), ..Home::default() };
            block_on(enlist(&ledger, &home, domain::Sender::NOBODY)).unwrap();
        }
        ledger
    }

    const SINCE: Order = Order { lost_since: Millis(500), journals: Journals::Complete };

    #[test]
    fn it_is_over_when_a_person_has_spoken_and_every_living_home_is_marked() {
        let ledger = ledger_with(&["a", "b", "c"]);
        assert!(block_on(raise(&ledger, "three rows", "sender 1")).unwrap());
        assert!(!block_on(raise(&ledger, "more", "sender 2")).unwrap(), "one is enough");
        assert_eq!(block_on(settle(&ledger)).unwrap().len(), 1, "nobody has spoken");
        assert!(block_on(order(&ledger, SINCE)).unwrap());
        block_on(marked(&ledger, &["a".to_owned()])).unwrap();
        assert_eq!(block_on(settle(&ledger)).unwrap().len(), 2);
        block_on(declare_gone(&ledger, "scrapped", |r| r.home.id == "b")).unwrap();
        block_on(marked(&ledger, &["c".to_owned()])).unwrap();
        assert!(block_on(current(&ledger)).unwrap().is_some());
        assert!(block_on(settle(&ledger)).unwrap().is_empty());
        assert_eq!(block_on(current(&ledger)).unwrap(), None);
        assert!(block_on(raise(&ledger, "again", "sender 1")).unwrap(), "it may happen twice");
    }

    #[test]
    fn missing_journals_are_replaced_before_it_is_over() {
        let ledger = ledger_with(&[]);
        block_on(raise(&ledger, "a restore", "a person")).unwrap();
        block_on(order(&ledger, Order { journals: Journals::Missing, ..SINCE })).unwrap();
        assert_eq!(block_on(settle(&ledger)).unwrap().len(), 1);
        block_on(replaced(&ledger)).unwrap();
        assert!(block_on(settle(&ledger)).unwrap().is_empty());
    }
}
