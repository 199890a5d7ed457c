//! Who sends (S12): one record for each life of a worker process, kept in the ledger's registers.
//!
//! The invariant: *a record says "gone" only when its process can send no more.* That is proved by
//! the lock of its state directory, by a new boot of its machine, or by a person who says so; and
//! a worker that stops in order says it of itself. Said once, it stays true: a process that starts
//! again gets another number.

use crate::api::{Ledger, LedgerError};
use crate::register::{self, parse};
use crate::suspicion;
use crate::types::Life;
use domain::{Millis, Sender};
use serde::{Deserialize, Serialize};

/// The counter of numbers.
const NEXT: &str = "sender/next";
/// What stands before a number.
const PREFIX: &str = "sender/";

/// Where a process sends from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// The random id of its slot in the state directory.
    pub id: String,
    /// Where the slot lies, for people.
    pub path: String,
    /// The machine's name, for people.
    pub host: String,
    /// The machine's own id; empty where it has none.
    pub machine: String,
    /// Which boot of that machine; empty where nobody can tell.
    pub boot: String,
}

impl Home {
    /// Whether both are on one machine. Machines that were cloned may share an id, but not a boot.
    fn is_same_machine(&self, other: &Home) -> bool {
        let same = |a: &str, b: &str| !a.is_empty() && a == b;
        same(&self.boot, &other.boot)
            || same(&self.machine, &other.machine)
            || (self.machine.is_empty() && other.machine.is_empty() && self.host == other.host)
    }

    /// Whether `other` ran on this machine before it was started anew. Its name must be the same,
    /// too: cloned machines may share an id.
    fn is_later_boot_than(&self, other: &Home) -> bool {
        let known = |text: &str| !text.is_empty();
        known(&self.machine)
            && (&self.machine, &self.host) == (&other.machine, &other.host)
            && known(&self.boot)
            && known(&other.boot)
            && self.boot != other.boot
    }
}

/// Why a sender can send no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// How that is known.
    pub reason: String,
    /// Since when it is.
    pub since: Millis,
}

/// One life of a worker process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderRecord {
    /// Its number, which stands in its intents.
    pub number: Sender,
    /// Where it sends from.
    pub home: Home,
    /// When it began.
    pub started: Millis,
    /// Set when it can send no more.
    pub gone: Option<Gone>,
    /// The newest life of the ledger that it has compared its journal with (S18).
    pub compared: Option<Life>,
}

/// Why a process got no number.
#[derive(Debug, thiserror::Error)]
pub enum EnlistError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Its state directory was copied from another machine, where somebody may still send.
    #[error(
        "the state directory {path} belongs to sender {number} on {host}, which may still be at \
         work: a state directory is never copied. Remove the copy; or, if that machine will never \
         send again, say so: producer worker lost {number} --reason …"
    )]
    Elsewhere {
        /// The slot.
        path: String,
        /// Whose it is.
        number: Sender,
        /// The other machine.
        host: String,
    },
}

/// Registers a process that holds the lock of `home`, and gives its number. Nobody else holds the
/// lock, so every earlier sender of that home is gone; nor does anything of an earlier boot live.
/// Its number is higher than `above`: the highest that was ever kept beside a lock on this machine,
/// so that a ledger that went back in time does not give one of ours again.
///
/// *Crash before*: nothing, or a number that nobody has. *After*: the next one that takes the
/// lock says that this one is gone.
pub async fn enlist(
    ledger: &dyn Ledger,
    home: &Home,
    above: Sender,
) -> Result<Sender, EnlistError> {
    let is_elsewhere = |r: &SenderRecord| r.home.id == home.id && !r.home.is_same_machine(home);
    if let Some((_, other)) = living(ledger).await?.iter().find(|(_, r)| is_elsewhere(r)) {
        let (number, host) = (other.number, other.home.host.clone());
        return Err(EnlistError::Elsewhere { path: home.path.clone(), number, host });
    }
    let number = take_number(ledger, home, above).await?;
    let why = |r: &SenderRecord| {
        if r.number == number {
            None
        } else if r.home.id == home.id {
            Some("another process has taken its state directory")
        } else {
            home.is_later_boot_than(&r.home).then_some("its machine was started anew")
        }
    };
    declare(ledger, why).await?;
    Ok(number)
}

async fn take_number(
    ledger: &dyn Ledger,
    home: &Home,
    above: Sender,
) -> Result<Sender, LedgerError> {
    loop {
        let (version, last): (u64, u32) = register::read(ledger, NEXT.to_owned()).await?;
        let number = Sender(last.max(above.0).saturating_add(1));
        if !register::put(ledger, NEXT.to_owned(), version, &number.0).await? {
            continue;
        }
        let started = ledger.about().await?.now;
        let record =
            SenderRecord { number, home: home.clone(), started, gone: None, compared: None };
        // A number that is taken all the same is one that a ledger gave before it went back.
        if put(ledger, 0, &record).await? {
            return Ok(number);
        }
    }
}

/// All senders, by number.
pub async fn all(ledger: &dyn Ledger) -> Result<Vec<SenderRecord>, LedgerError> {
    Ok(stored(ledger, |_| true).await?.into_iter().map(|(_, record)| record).collect())
}

/// One sender.
pub async fn find(
    ledger: &dyn Ledger,
    number: Sender,
) -> Result<Option<SenderRecord>, LedgerError> {
    Ok(register::read(ledger, name(number)).await?.1)
}

/// Says of all senders that `which` names that they are gone. Gives those that were not yet.
pub async fn declare_gone(
    ledger: &dyn Ledger,
    reason: &str,
    which: impl Fn(&SenderRecord) -> bool,
) -> Result<Vec<SenderRecord>, LedgerError> {
    declare(ledger, |record| which(record).then_some(reason)).await
}

/// The same, with a reason for each.
async fn declare<'a>(
    ledger: &dyn Ledger,
    why: impl Fn(&SenderRecord) -> Option<&'a str>,
) -> Result<Vec<SenderRecord>, LedgerError> {
    let mut changed = Vec::new();
    'again: loop {
        let since = ledger.about().await?.now;
        for (version, mut record) in living(ledger).await? {
            let Some(reason) = why(&record) else { continue };
            record.gone = Some(Gone { reason: reason.to_owned(), since });
            if !put(ledger, version, &record).await? {
                continue 'again;
            }
            changed.push(record);
        }
        return Ok(changed);
    }
}

/// A sender has compared what its journal names with what the ledger knows in this life (S18). One
/// that a ledger forgot, which went back in time, is put back. Gives false if its number is
/// another process's now.
pub async fn compared(
    ledger: &dyn Ledger,
    number: Sender,
    home: &Home,
    life: Life,
) -> Result<bool, LedgerError> {
    loop {
        let (version, known) = register::read(ledger, name(number)).await?;
        let mut record = match known {
            Some(record) => record,
            None => {
                let started = ledger.about().await?.now;
                SenderRecord { number, home: home.clone(), started, gone: None, compared: None }
            }
        };
        if record.home.id != home.id || record.gone.is_some() {
            return Ok(false);
        }
        if record.compared == Some(life) {
            return Ok(true);
        }
        record.compared = Some(life);
        if put(ledger, version, &record).await? {
            return Ok(true);
        }
    }
}

/// The senders that may still be at work and have not compared their journals with this life of
/// the ledger: as long as there are any, nobody knows what it forgot.
pub async fn awaited(ledger: &dyn Ledger, life: Life) -> Result<Vec<SenderRecord>, LedgerError> {
    let living = living(ledger).await?.into_iter().map(|(_, record)| record);
    Ok(living.filter(|record| record.compared != Some(life)).collect())
}

/// For a process that sends without a journal of its own, such as a person's second step: vouches
/// for the ledger's life if every sender has compared and nothing is suspected. Gives why not.
pub async fn vouch(ledger: &dyn Ledger) -> Result<Option<String>, LedgerError> {
    let life = ledger.about().await?.life;
    if let Some(suspicion) = suspicion::current(ledger).await? {
        return Ok(Some(suspicion.what));
    }
    if let Some(sender) = awaited(ledger, life).await?.first() {
        let SenderRecord { number, home, .. } = sender;
        return Ok(Some(format!(
            "the ledger was started anew, and sender {number} on {} ({}) has not compared its \
             journal with it yet",
            home.host, home.path
        )));
    }
    ledger.trust(life);
    Ok(None)
}

/// Those that are not known to be gone, with the versions of their registers. The others are one
/// for every life of every worker there ever was: they are not even parsed.
async fn living(ledger: &dyn Ledger) -> Result<Vec<(u64, SenderRecord)>, LedgerError> {
    // As `put` writes it. Within a text of the record its quotes would be escaped.
    let mut living = stored(ledger, |text| text.contains("\"gone\":null")).await?;
    living.retain(|(_, record)| record.gone.is_none());
    Ok(living)
}

async fn stored(
    ledger: &dyn Ledger,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<(u64, SenderRecord)>, LedgerError> {
    let registers = ledger.registers(PREFIX.to_owned()).await?;
    let senders =
        registers.into_iter().filter(|register| register.name != NEXT && is_wanted(&register.text));
    let mut all = senders
        .map(|register| Ok((register.version, parse(&register)?)))
        .collect::<Result<Vec<(u64, SenderRecord)>, LedgerError>>()?;
    all.sort_unstable_by_key(|(_, record)| record.number);
    Ok(all)
}

async fn put(
    ledger: &dyn Ledger,
    version: u64,
    record: &SenderRecord,
) -> Result<bool, LedgerError> {
    register::put(ledger, name(record.number), version, record).await
}

fn name(number: Sender) -> String {
    format!("{PREFIX}{number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryLedger;
    use crate::types::Register;
    use domain::LedgerId;
    use futures::executor::block_on;
    use std::sync::Arc;

    fn ledger() -> MemoryLedger {
        MemoryLedger::new(LedgerId::from_random(0), Arc::new(|| Millis(1_000)))
    }

    fn home(id: &str, host: &str, boot: &str) -> Home {
        Home {
            id: id.to_owned(),
            path: format!("./state/worker/{id}"),
            host: host.to_owned(),
            machine: format!("machine-of-{host}"),
            boot: boot.to_owned(),
        }
    }

    fn alive(ledger: &MemoryLedger) -> Vec<u32> {
        let all = block_on(all(ledger)).unwrap();
        all.iter().filter(|r| r.gone.is_none()).map(|r| r.number.0).collect()
    }

    #[test]
    fn one_that_is_gone_is_found_and_is_not_among_the_living_whatever_its_texts_say() {
        let ledger = ledger();
        let words = "\"gone\":null";
        let number =
            block_on(enlist(&ledger, &home("a", words, "boot-1"), Sender::NOBODY)).unwrap();
        assert_eq!(block_on(living(&ledger)).unwrap().len(), 1);
        block_on(declare_gone(&ledger, words, |_| true)).unwrap();
        assert!(block_on(living(&ledger)).unwrap().is_empty());
        assert!(block_on(find(&ledger, number)).unwrap().unwrap().gone.is_some());
        assert_eq!(block_on(all(&ledger)).unwrap().len(), 1);
    }

    #[test]
    fn whoever_takes_a_state_directory_ends_all_that_sent_from_it_and_nobody_else() {
        let ledger = ledger();
        let enlist =
            |id, host, boot| block_on(enlist(&ledger, &home(id, host, boot), Sender::NOBODY));
        assert_eq!(enlist("a", "one", "boot-1").unwrap(), Sender(1));
        assert_eq!(enlist("b", "one", "boot-1").unwrap(), Sender(2));
        assert_eq!(enlist("c", "two", "boot-x").unwrap(), Sender(3));
        assert_eq!(enlist("a", "one", "boot-1").unwrap(), Sender(4));
        assert_eq!(alive(&ledger), [2, 3, 4]);
    }

    #[test]
    fn what_ran_before_a_machine_was_started_anew_is_gone() {
        let ledger = ledger();
        let enlist =
            |id, host, boot| block_on(enlist(&ledger, &home(id, host, boot), Sender::NOBODY));
        enlist("a", "one", "boot-1").unwrap();
        enlist("b", "two", "boot-1").unwrap();
        enlist("c", "one", "boot-2").unwrap();
        assert_eq!(alive(&ledger), [2, 3]);
    }

    #[test]
    fn a_state_directory_that_was_copied_to_another_machine_is_refused_until_a_person_speaks() {
        let ledger = ledger();
        block_on(enlist(&ledger, &home("a", "one", "boot-1"), Sender::NOBODY)).unwrap();
        let copy = || block_on(enlist(&ledger, &home("a", "two", "boot-2"), Sender::NOBODY));
        let error = copy().unwrap_err().to_string();
        assert!(error.contains("sender 1 on one") && error.contains("worker lost 1"), "{error}");
        assert_eq!(alive(&ledger), [1]);
        block_on(declare_gone(&ledger, "scrapped", |r| r.number == Sender(1))).unwrap();
        assert_eq!(copy().unwrap(), Sender(2));
    }

    #[test]
    fn a_number_is_never_given_twice_even_by_a_ledger_that_forgot_the_counter() {
        let ledger = ledger();
        block_on(enlist(&ledger, &home("a", "one", "boot-1"), Sender::NOBODY)).unwrap();
        let counter = block_on(ledger.register(NEXT.to_owned())).unwrap().unwrap();
        let back = Register { text: "0".to_owned(), ..counter };
        assert!(block_on(ledger.put_register(back)).unwrap());
        assert_eq!(
            block_on(enlist(&ledger, &home("b", "one", "boot-1"), Sender::NOBODY)).unwrap(),
            Sender(2)
        );
    }

    #[test]
    fn only_living_senders_that_have_not_compared_are_waited_for() {
        let ledger = ledger();
        for id in ["a", "b", "c"] {
            block_on(enlist(&ledger, &home(id, "one", "boot-1"), Sender::NOBODY)).unwrap();
        }
        block_on(declare_gone(&ledger, "test", |r| r.home.id == "b")).unwrap();
        assert!(
            block_on(compared(&ledger, Sender(1), &home("a", "one", "boot-1"), Life(7))).unwrap()
        );
        let awaited = block_on(awaited(&ledger, Life(7))).unwrap();
        assert_eq!(awaited.iter().map(|r| r.number.0).collect::<Vec<_>>(), [3]);
        let compared =
            |n, id| block_on(compared(&ledger, Sender(n), &home(id, "one", "boot-1"), Life(7)));
        assert!(!compared(3, "d").unwrap(), "another process has the number");
        assert!(compared(9, "e").unwrap());
        assert_eq!(alive(&ledger), [1, 3, 9], "put back");
    }
}
