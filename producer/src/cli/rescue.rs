//! `producer worker …` and `producer ledger …`: what a person says of workers and of the ledger.

use super::args::{LedgerCommand, WorkerCommand};
use super::commands::{Office, print_json};
use super::{Failure, ask};
use crate::recover;
use domain::Millis;
use ledger::suspicion::{Journals, Order};

impl Office {
    pub(super) async fn workers(&self, command: WorkerCommand) -> Result<(), Failure> {
        match command {
            WorkerCommand::List { json } => {
                let senders = recover::standing(&*self.ledger).await?.senders;
                match json {
                    true => print_json(&recover::senders_json(&senders)),
                    false => print!("{}", recover::senders_table(&senders)),
                }
                Ok(())
            }
            WorkerCommand::Lost { which, reason, yes } => self.lost(&which, &reason, yes).await,
        }
    }

    async fn lost(&self, which: &str, reason: &str, yes: bool) -> Result<(), Failure> {
        let lost = recover::meant(&*self.ledger, which).await?;
        let names: Vec<String> = lost
            .iter()
            .map(|s| format!("sender {} on {} ({})", s.number, s.home.host, s.home.path))
            .collect();
        let names = names.join(", ");
        ask::yes(
            &format!(
                "{names}\nYou say: this process will never send again, not even after a pause of \
                 days. If it does, what it was about to send may be paid twice."
            ),
            yes,
        )
        .await?;
        recover::lose(&*self.ledger, &lost, reason).await?;
        println!("{names} counts as gone");
        Ok(())
    }

    pub(super) async fn ledger(&self, command: LedgerCommand) -> Result<(), Failure> {
        match command {
            LedgerCommand::Status { json } => {
                let standing = recover::standing(&*self.ledger).await?;
                match json {
                    true => print_json(&recover::status_json(&standing)),
                    false => print!("{}", recover::status_text(&standing)),
                }
                Ok(())
            }
            LedgerCommand::Restored { since } => {
                let was_new = recover::restored(&*self.ledger, since).await?;
                let text = if was_new { "is suspect now" } else { "was suspect already" };
                println!("the ledger {text}; nothing is taken in and nothing is sent");
                let standing = recover::standing(&*self.ledger).await?;
                print!("{}", recover::status_text(&standing));
                Ok(())
            }
            LedgerCommand::Recover { lost_since, journals_complete, yes, .. } => {
                self.recover(lost_since, journals_complete, yes).await
            }
        }
    }

    async fn recover(&self, lost_since: Millis, complete: bool, yes: bool) -> Result<(), Failure> {
        let journals = if complete { Journals::Complete } else { Journals::Missing };
        let order = Order { lost_since, journals };
        recover::check(&*self.ledger, &self.config, order).await?;
        let what = match complete {
            true => {
                "You say: every state directory that was sent from since then is there, on a \
                 machine with a worker or here. What the journals name and the ledger forgot is \
                 looked up before anything is sent again; all else goes on."
            }
            false => {
                "You say: journals are missing. Every payout that is not final may have been sent, \
                 and is looked up before it is sent again, as are all later attempts that somebody \
                 may have ordered; what no look-up can tell goes to review. What failed goes to \
                 review as well, since a new attempt of it may have been forgotten; a new attempt \
                 that you order is looked up before it is sent. \
                 Batches that the ledger lost whole, and that only a missing journal names, must \
                 not be taken in again: compare with the provider's own list first."
            }
        };
        ask::yes(what, yes).await?;
        let done = recover::recover(&*self.ledger, &self.config, &self.rules, order).await?;
        println!(
            "marked from {} state directories here: {} payouts, {} references of lost batches",
            done.homes, done.marked.payouts, done.marked.references
        );
        match done.waits.is_empty() {
            true => println!("the ledger is trusted again; workers go on by themselves"),
            false => println!("still waiting for:\n  {}", done.waits.join("\n  ")),
        }
        Ok(())
    }
}
