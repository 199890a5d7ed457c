//! Retention: rows are kept for so many days after their intake, and then nobody can read them
//! any more, because their data key is destroyed. What became of each payout is told all the same,
//! by the payouts: they hold no name and no destination.

use super::keys::{Told, destroyed, name_of, register, told};
use crate::api::{Ledger, LedgerError};
use domain::{Batch, BatchId, BatchState, Millis, State};
use jiff::Timestamp;

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Batches read in one round trip.
const PAGE: u32 = 256;

/// The newest batch up to which all is done: the next look ends there.
const DONE: &str = "retention/done";

/// What became of a batch's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shred {
    /// They are destroyed now.
    Destroyed,
    /// They were destroyed before.
    Before,
    /// The batch is not over: something of it is open or under review, or its newest result file
    /// is not written yet, for which rows are needed.
    Kept,
    /// There is no such batch, or it was taken in before rows were encrypted: no key, nothing to
    /// destroy.
    NoKey,
}

/// Destroys the data key of a batch that is over. *Crash before*: its rows can be read. *After*:
/// nobody reads them again; asking again says so.
pub async fn shred(ledger: &dyn Ledger, batch: BatchId) -> Result<Shred, LedgerError> {
    match ledger.batch(batch).await? {
        Some(batch) => shred_one(ledger, &batch).await,
        None => Ok(Shred::NoKey),
    }
}

/// Destroys the rows of all batches that are over and were taken in more than `keep_days` days
/// ago (0: rows are kept for ever). Gives how many. What was done is not looked at again, so
/// calling it often costs little. A batch that is damaged is told, looked at again the next time,
/// and keeps no other from its end.
pub async fn retain(ledger: &dyn Ledger, keep_days: u32) -> Result<u32, LedgerError> {
    if keep_days == 0 {
        return Ok(0);
    }
    let now = ledger.about().await?.now;
    let cutoff = Millis(now.0.saturating_sub(u64::from(keep_days) * DAY_MS));
    let done = ledger.register(DONE.to_owned()).await?;
    let done_to = done.as_ref().and_then(|done| done.text.parse::<BatchId>().ok());
    let (mut count, mut all_done_to) = (0, None);
    let mut before = first_id_at(cutoff);
    'all: loop {
        let page = ledger.batches(Some(before), PAGE).await?;
        for batch in &page {
            if done_to.is_some_and(|done_to| batch.id <= done_to) {
                break 'all;
            }
            match shred_one(ledger, batch).await {
                Err(error @ LedgerError::Unavailable(_)) => return Err(error),
                Err(error) => {
                    tracing::error!(batch = %batch.id, %error, "its rows are not destroyed");
                    all_done_to = None;
                }
                Ok(Shred::Kept) => all_done_to = None,
                Ok(outcome) => {
                    count += u32::from(outcome == Shred::Destroyed);
                    all_done_to.get_or_insert(batch.id);
                }
            }
        }
        match page.last() {
            Some(last) => before = last.id,
            None => break,
        }
    }
    if let Some(batch) = all_done_to {
        let version = done.map_or(0, |done| done.version);
        // Where another process was faster, it has done the same.
        ledger.put_register(register(DONE, version, batch.to_string())).await?;
    }
    Ok(count)
}

async fn shred_one(ledger: &dyn Ledger, batch: &Batch) -> Result<Shred, LedgerError> {
    if !is_over(batch) {
        return Ok(Shred::Kept);
    }
    let Some(key) = ledger.register(name_of(batch.id)).await? else { return Ok(Shred::NoKey) };
    if let Told::Destroyed(_) = told(&key) {
        return Ok(Shred::Before);
    }
    let on = date(ledger.about().await?.now);
    // A key changes once, so whoever was faster has destroyed it.
    match ledger.put_register(destroyed(key, &on)).await? {
        true => {
            tracing::info!(batch = %batch.id, "its rows were destroyed at retention");
            Ok(Shred::Destroyed)
        }
        false => Ok(Shred::Before),
    }
}

/// Nothing and nobody needs its rows any more, but for a payout that a person tries once more.
fn is_over(batch: &Batch) -> bool {
    let told = batch.reported == Some(batch.changes);
    let settled = batch.counts.open() == 0 && batch.counts.get(State::Review) == 0;
    match batch.state {
        BatchState::Rejected => true,
        BatchState::Complete | BatchState::Cancelled => settled && told,
        BatchState::Receiving | BatchState::Awaiting | BatchState::Active | BatchState::Paused => {
            false
        }
    }
}

/// The least id of a batch that was taken in at `at`: an id begins with six bytes of time.
fn first_id_at(at: Millis) -> BatchId {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&at.0.to_be_bytes()[2..]);
    BatchId::from_bytes(bytes)
}

/// The day in UTC.
fn date(at: Millis) -> String {
    let ms = i64::try_from(at.0).unwrap_or(i64::MAX);
    let day = Timestamp::from_millisecond(ms).map(|at| at.strftime("%Y-%m-%d").to_string());
    day.unwrap_or_default()
}
