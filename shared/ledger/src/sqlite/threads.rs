//! The writer and the reader: each a thread with a connection and a bounded channel.
//!
//! Group commit without a timer: the writer commits what was waiting when its last commit
//! returned. One step at a time costs one sync each; hundreds at a time share one.

use crate::api::LedgerError;
use crate::sqlite::clock::LedgerClock;
use crate::sqlite::sql::ledger;
use domain::Millis;
use rusqlite::{Connection, TransactionBehavior};
use std::thread;
use tokio::sync::{mpsc, oneshot};

/// Steps that wait; who comes then waits for his turn to wait.
const WAITING_MAX: usize = 1_024;
/// Steps of one transaction. A full group is at most some ten megabytes of writing.
const GROUP_MAX: usize = 256;

/// Where one asks a thread to do something with its connection.
#[derive(Clone)]
pub struct Desk(mpsc::Sender<Box<dyn Job>>);

/// A step or a question, and who waits for its answer.
trait Job: Send {
    /// Does the work; whether it went well.
    fn run(&mut self, db: &Connection, now: Millis) -> bool;
    /// Gives the answer, now that everybody's work is committed, or lost by this error.
    fn answer(self: Box<Self>, committed: Result<(), LedgerError>);
}

struct Asked<T, Work> {
    work: Option<Work>,
    outcome: Option<Result<T, LedgerError>>,
    reply: oneshot::Sender<Result<T, LedgerError>>,
}

impl<T, Work> Job for Asked<T, Work>
where
    T: Send,
    Work: FnOnce(&Connection, Millis) -> Result<T, LedgerError> + Send,
{
    fn run(&mut self, db: &Connection, now: Millis) -> bool {
        if let Some(work) = self.work.take() {
            self.outcome = Some(work(db, now));
        }
        matches!(self.outcome, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), LedgerError>) {
        let not_run = || Err(LedgerError::Unavailable("it was not run".to_owned()));
        let outcome = self.outcome.unwrap_or_else(not_run);
        // Nobody listens any more where the caller was dropped; the step stands all the same.
        let _ = self.reply.send(committed.and(outcome));
    }
}

impl Desk {
    /// Has `work` done by the thread and waits for its answer.
    pub async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, Millis) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let ended = || LedgerError::Unavailable("the ledger's thread has ended".to_owned());
        let (reply, answer) = oneshot::channel();
        let asked = Asked { work: Some(work), outcome: None, reply };
        self.0.send(Box::new(asked)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

/// Starts the thread that writes.
pub fn writer(mut db: Connection, clock: LedgerClock) -> Result<Desk, LedgerError> {
    desk("ledger-writer", move |mut jobs| {
        while let Some(first) = jobs.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP_MAX {
                let Ok(next) = jobs.try_recv() else { break };
                group.push(next);
            }
            let committed = commit(&mut db, &clock, &mut group);
            for job in group {
                job.answer(committed.clone());
            }
        }
    })
}

/// Starts the thread that reads, so that reading never holds up a commit.
pub fn reader(mut db: Connection, clock: LedgerClock) -> Result<Desk, LedgerError> {
    desk("ledger-reader", move |mut jobs| {
        while let Some(mut job) = jobs.blocking_recv() {
            let answered = snapshot(&mut db, &clock, &mut *job);
            job.answer(answered);
        }
    })
}

fn desk(
    name: &str,
    serve: impl FnOnce(mpsc::Receiver<Box<dyn Job>>) + Send + 'static,
) -> Result<Desk, LedgerError> {
    let (sender, jobs) = mpsc::channel(WAITING_MAX);
    let started = thread::Builder::new().name(name.to_owned()).spawn(move || serve(jobs));
    let failed = |e| LedgerError::Unavailable(format!("cannot start the thread {name}: {e}"));
    started.map(|_| Desk(sender)).map_err(failed)
}

/// Runs a group in one transaction. A step that fails is rolled back alone.
fn commit(
    db: &mut Connection,
    clock: &LedgerClock,
    group: &mut [Box<dyn Job>],
) -> Result<(), LedgerError> {
    let mut transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let now = clock.now(ledger::mark(&transaction)?);
    let before = transaction.total_changes();
    for job in group {
        let mut savepoint = transaction.savepoint()?;
        if !job.run(&savepoint, now) {
            savepoint.rollback()?;
        }
        savepoint.commit()?;
    }
    if transaction.total_changes() != before {
        ledger::set_mark(&transaction, now)?;
    }
    Ok(transaction.commit()?)
}

fn snapshot(
    db: &mut Connection,
    clock: &LedgerClock,
    job: &mut dyn Job,
) -> Result<(), LedgerError> {
    let transaction = db.transaction()?;
    let now = clock.now(ledger::mark(&transaction)?);
    job.run(&transaction, now);
    Ok(transaction.commit()?)
}
