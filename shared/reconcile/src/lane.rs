//! What the pool knows of comparisons: who makes today's, what stops the lane, which other ledgers
//! are retired. All of it stands in the lane's record and changes by compare-and-set. A stop is told
//! to the lane's audit chain (S20) once it holds.

use crate::DAY_MS;
use crate::compare::is_on;
use crate::found::Outcome;
use domain::{Account, LaneName, LedgerId, Millis};
use ledger::audit::note_brake;
use ledger::lane::change;
use ledger::{LaneRecord, Ledger, LedgerError, Stop};
use std::collections::HashSet;

/// A comparison that has not ended after so long was lost with its process. In milliseconds.
const LOST_AFTER_MS: u64 = 6 * 3_600_000;
/// Differences that are remembered as told: the record is read with every slice, and stays small.
const TOLD_MAX: usize = 100;
/// Differences that the reason of a stop names.
const NAMED: usize = 3;

/// Whether this process makes today's comparison of the lane: one does for the whole pool, and
/// never one whose config names another `account` than the pool has.
/// *Crash after*: another one does, some hours later.
pub async fn claim(
    ledger: &dyn Ledger,
    lane: &LaneName,
    account: Account,
) -> Result<bool, LedgerError> {
    let now = ledger.about().await?.now;
    let mut record = ledger.lane(lane.clone()).await?;
    if !is_on(&record, account) || !is_due(&record, now) {
        return Ok(false);
    }
    record.comparison.begun = Some(now);
    ledger.put_lane(record).await
}

fn is_due(record: &LaneRecord, now: Millis) -> bool {
    let passed = |at: Option<Millis>, ms| at.is_none_or(|at| now.since(at) >= ms);
    passed(record.comparison.ended, DAY_MS) && passed(record.comparison.begun, LOST_AFTER_MS)
}

/// Notes that today's comparison came to its end. One that could not be made is not noted, and so
/// is tried again some hours later.
pub async fn ended(ledger: &dyn Ledger, lane: &LaneName) -> Result<(), LedgerError> {
    let now = ledger.about().await?.now;
    change(ledger, lane, |record| {
        record.comparison.ended = Some(now);
        true
    })
    .await?;
    Ok(())
}

/// Stops the lane for what was found, unless it has stopped for all of it before: whoever started
/// it again has seen that. `who` found it, for the audit. Gives whether there was anything new.
pub async fn stop_for(
    ledger: &dyn Ledger,
    lane: &LaneName,
    who: &str,
    outcome: &Outcome,
) -> Result<bool, LedgerError> {
    if outcome.differences() == 0 {
        return Ok(false);
    }
    let since = ledger.about().await?.now;
    let reason = reason(lane, outcome);
    let mut is_stopped = false;
    let is_new = change(ledger, lane, |record| {
        is_stopped = false;
        let told = &mut record.comparison.told;
        let found: HashSet<u64> = outcome.stopping_hashes().collect();
        if found.iter().all(|hash| told.contains(hash)) && found.len() < TOLD_MAX {
            return false;
        }
        told.retain(|hash| !found.contains(hash));
        told.extend(found);
        let surplus = told.len().saturating_sub(TOLD_MAX);
        told.drain(..surplus);
        // A stop that waits for a person stands; one that would end by itself does not suffice.
        if record.stopped.as_ref().is_none_or(|stop| stop.until.is_some()) {
            record.stopped = Some(Stop { reason: reason.clone(), since, until: None });
            is_stopped = true;
        }
        true
    })
    .await?;
    if is_stopped {
        note_brake(ledger, lane, who, &reason).await;
    }
    Ok(is_new)
}

fn reason(lane: &LaneName, outcome: &Outcome) -> String {
    let named: Vec<String> = outcome
        .stopping()
        .take(NAMED)
        .map(|difference| match difference.reference.as_str() {
            "" => difference.words.clone(),
            reference => format!("{reference}: {}", difference.words),
        })
        .collect();
    let count = outcome.differences();
    let more = match count.saturating_sub(u64::try_from(named.len()).unwrap_or(u64::MAX)) {
        0 => String::new(),
        // All that both readings found may lie beyond what is kept with words.
        more if named.is_empty() => format!("{more} findings"),
        more => format!("; and {more} more"),
    };
    format!(
        "the provider's list and the ledger differ ({}{more}); look closer with `producer \
         reconcile {lane} --look-only`",
        named.join("; ")
    )
}

/// Stops a lane before it is used, whatever else stopped it for a time; `who` did, for the audit.
pub async fn stop(
    ledger: &dyn Ledger,
    lane: &LaneName,
    who: &str,
    reason: &str,
) -> Result<(), LedgerError> {
    let since = ledger.about().await?.now;
    let is_stopped = change(ledger, lane, |record| {
        let stands = record.stopped.as_ref().is_some_and(|stop| stop.until.is_none());
        if !stands {
            record.stopped = Some(Stop { reason: reason.to_owned(), since, until: None });
        }
        !stands
    })
    .await?;
    if is_stopped {
        note_brake(ledger, lane, who, reason).await;
    }
    Ok(())
}

/// Records that another ledger on the lane's account is retired (S5); false if that was known.
pub async fn adopt(
    ledger: &dyn Ledger,
    lane: &LaneName,
    id: LedgerId,
) -> Result<bool, LedgerError> {
    change(ledger, lane, |record| {
        let is_new = !record.adopted.contains(&id);
        if is_new {
            record.adopted.push(id);
        }
        is_new
    })
    .await
}
