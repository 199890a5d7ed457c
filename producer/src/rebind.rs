//! A lane moves to another account (S4): what the old one may have goes to review, what it
//! certainly never had is paid from the new one. While the ledger may have gone back in time nobody
//! knows what that is, and no lane moves.
//!
//! The lane stops first, and each chunk is changed under its lease: so no worker that still has
//! the old account sends anything in between. The lane stays stopped for a person to start. A
//! crash at any step leaves it stopped under its old account, and the command is given again. The
//! lane's audit chain is told before anything moves.

use crate::audit::{Chain, Clerk, Kind};
use crate::steer::SteerError;
use domain::{Account, ChunkId, Event, LaneName, Millis, Payout, Policy, State};
use ledger::apply::{Happening, apply};
use ledger::lane::change;
use ledger::suspicion;
use ledger::{Chunk, Claim, Guard, LaneRecord, Ledger, LedgerError, Note, NoteKind, Stop, Token};
use std::time::Duration;

/// How long a chunk is held while its rows are changed: a few round trips to the ledger.
const LEASE_MS: u64 = 30_000;

/// How soon a chunk that a worker holds is asked for again. The worker gives it back when what
/// it has under way is written down, or its lease ends.
const BUSY_MS: u64 = 200;

/// Batches read at once.
const PAGE: u32 = 100;

/// What became of the lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rebound {
    /// It pays from this account already.
    AsBefore,
    /// It moved, and is stopped.
    Moved {
        /// The account before.
        before: String,
        /// Payouts that are in review now.
        reviewed: u64,
    },
}

/// Moves a lane to the account `now`.
pub async fn rebind(
    ledger: &dyn Ledger,
    clerk: &Clerk,
    name: &LaneName,
    policy: &Policy,
    now: &str,
) -> Result<Rebound, SteerError> {
    trust(ledger).await?;
    let before = stop(ledger, name, now).await?;
    let Some(before) = before else { return Ok(Rebound::AsBefore) };
    let told = serde_json::json!({ "before": before, "now": now });
    clerk.tell_signed(ledger, &Chain::lane(name), Kind::LaneRebound, told).await?;
    let mut reviewed = 0;
    loop {
        reviewed += all_chunks(ledger, name, policy, &before, now).await?;
        trust(ledger).await?;
        if become_new(ledger, name, now).await? {
            return Ok(Rebound::Moved { before, reviewed });
        }
    }
}

/// What a ledger forgot was sent from the old account, and is asked for there (S18).
async fn trust(ledger: &dyn Ledger) -> Result<(), SteerError> {
    match suspicion::current(ledger).await? {
        Some(suspicion) => Err(SteerError::Suspect { what: suspicion.what }),
        None => Ok(()),
    }
}

/// Changes the rows of all open batches. Gives how many went to review.
async fn all_chunks(
    ledger: &dyn Ledger,
    name: &LaneName,
    policy: &Policy,
    before: &str,
    now: &str,
) -> Result<u64, LedgerError> {
    let text = format!("sent under account {before}; its lane pays from {now} now");
    let mut reviewed = 0;
    let mut older = None;
    loop {
        let page = ledger.batches(older, PAGE).await?;
        let Some(last) = page.last() else { return Ok(reviewed) };
        older = Some(last.id);
        for batch in page.iter().filter(|b| b.state.was_sealed() && b.counts.open() > 0) {
            for no in 0..batch.chunks {
                let id = ChunkId { batch: batch.id, no };
                reviewed += chunk(ledger, id, name, policy, &text).await?;
            }
        }
    }
}

/// The lane has the new account, and nothing that the old one taught. False, and stopped again,
/// if somebody started it meanwhile: a worker may have sent from the old account since.
async fn become_new(ledger: &dyn Ledger, name: &LaneName, now: &str) -> Result<bool, LedgerError> {
    loop {
        let LaneRecord { version, stopped, .. } = ledger.lane(name.clone()).await?;
        if stopped.as_ref().is_none_or(|stop| stop.until.is_some()) {
            stop(ledger, name, now).await?;
            return Ok(false);
        }
        let mut record = LaneRecord { version, stopped, ..LaneRecord::new(name.clone()) };
        now.clone_into(&mut record.fingerprint);
        if ledger.put_lane(record).await? {
            return Ok(true);
        }
    }
}

/// Stops the lane. Gives the account that it has, if that is another one.
async fn stop(
    ledger: &dyn Ledger,
    name: &LaneName,
    now: &str,
) -> Result<Option<String>, LedgerError> {
    let before = ledger.lane(name.clone()).await?.fingerprint;
    if before == now {
        return Ok(None);
    }
    let since = ledger.about().await?.now;
    let reason = format!("moved to account {now}; start it with: producer lane start {name}");
    change(ledger, name, |record| {
        record.stopped = Some(Stop { reason: reason.clone(), since, until: None });
        true
    })
    .await?;
    Ok(Some(before))
}

/// Changes the rows of one chunk, once nobody else holds it. Gives how many went to review.
async fn chunk(
    ledger: &dyn Ledger,
    id: ChunkId,
    lane: &LaneName,
    policy: &Policy,
    text: &str,
) -> Result<u64, LedgerError> {
    match ledger.chunk(id).await? {
        Some(chunk) if chunk.vias().any(|via| via.lane == *lane) => {}
        _ => return Ok(0),
    }
    loop {
        match ledger.claim(id, LEASE_MS).await? {
            Claim::Gone => return Ok(0),
            Claim::Busy => tokio::time::sleep(Duration::from_millis(BUSY_MS)).await,
            Claim::Held { token, chunk, now, .. } => {
                let moved = rows(ledger, lane, token, policy, text, chunk, now).await?;
                ledger.release(id, token, now).await?;
                if let Some(moved) = moved {
                    return Ok(moved);
                }
            }
        }
    }
}

/// `None` if the lease was lost meanwhile.
async fn rows(
    ledger: &dyn Ledger,
    lane: &LaneName,
    token: Token,
    policy: &Policy,
    text: &str,
    chunk: Chunk,
    now: Millis,
) -> Result<Option<u64>, LedgerError> {
    let (id, guard) = (chunk.id, Guard::Held(token));
    // Whose sender is gone is in doubt first.
    let is_left = |payout: &Payout| payout.state == State::Submitting;
    let left = happenings(&chunk, lane, is_left, &Event::SenderLost, &[]);
    if apply(ledger, id, guard, now, policy, left).await?.is_none() {
        return Ok(None);
    }
    let chunk = ledger.chunk(id).await?.unwrap_or(chunk);
    let may_be_there = |payout: &Payout| {
        payout.state.is_open()
            && (payout.state != State::Accepted || payout.account != Account::NONE)
    };
    let reason = [Note::new(NoteKind::Reason, text)];
    let moving = happenings(&chunk, lane, may_be_there, &Event::Rebound, &reason);
    let Some(done) = apply(ledger, id, guard, now, policy, moving).await? else {
        return Ok(None);
    };
    let moved = done.iter().filter(|(_, applied)| applied.is_changed()).count();
    Ok(Some(u64::try_from(moved).unwrap_or(u64::MAX)))
}

/// `event` for each payout on the lane that is `meant`.
fn happenings(
    chunk: &Chunk,
    lane: &LaneName,
    meant: impl Fn(&Payout) -> bool,
    event: &Event,
    notes: &[Note],
) -> Vec<Happening> {
    let rows = chunk.on(lane).filter(|(_, payout)| meant(payout));
    rows.map(|(row, payout)| Happening {
        row,
        payout: *payout,
        event: event.clone(),
        notes: notes.to_vec(),
    })
    .collect()
}
