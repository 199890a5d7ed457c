//! Steering: lanes start and stop, batches are cancelled, paused and resumed. Every command may be
//! given twice.

pub mod drain;
pub mod pause;

use crate::audit::{AuditError, Chain, Kind};
use crate::rules::Rules;
use domain::{BatchId, BatchState, ChunkId, Event, LaneName, LedgerId, Millis, State};
use ledger::apply::{Applied, Happening, apply};
use ledger::spend::{self, Holder};
use ledger::{Guard, LaneRecord, Ledger, LedgerError, Stop};

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum SteerError {
    /// No such batch.
    #[error("there is no batch {0}")]
    NoBatch(BatchId),
    /// The batch cannot be cancelled any more.
    #[error(
        "batch {batch} is {state}; only a batch that awaits approval, is active or paused can be cancelled"
    )]
    TooLate {
        /// The batch.
        batch: BatchId,
        /// Where it stands.
        state: BatchState,
    },
    /// The batch cannot be paused.
    #[error("batch {batch} is {state} and cannot be paused: {}", why(*state))]
    CannotPause {
        /// The batch.
        batch: BatchId,
        /// Where it stands.
        state: BatchState,
    },
    /// The batch cannot go on.
    #[error("batch {batch} is {state} and cannot be resumed: {}", why(*state))]
    CannotResume {
        /// The batch.
        batch: BatchId,
        /// Where it stands.
        state: BatchState,
    },
    /// No such lane.
    #[error("there is no lane \"{found}\"; lanes: {known}")]
    NoLane {
        /// What was asked for.
        found: String,
        /// What there is.
        known: String,
    },
    /// What may have been sent from its account is not known.
    #[error(
        "the ledger may have gone back in time ({what}), and what it forgot was sent from the account \
         that the lane has now; first see `producer ledger status`, then `producer ledger recover`, \
         and let the workers look up what that marks"
    )]
    Suspect {
        /// What was found.
        what: String,
    },
    /// This very ledger cannot be retired.
    #[error("{0} is the ledger of this installation; it is not another one")]
    OwnLedger(LedgerId),
    /// It was done, or not begun, and the audit was not told.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What is sent of a batch that is neither active nor paused.
fn why(state: BatchState) -> &'static str {
    match state {
        BatchState::Receiving => "its file is still being taken, and nothing of it is sent before",
        BatchState::Awaiting => "nothing of it is sent before it is approved",
        BatchState::Active => "it goes on",
        BatchState::Paused => "it is held already",
        BatchState::Complete => "nothing of it is left to be sent",
        BatchState::Rejected => "its file was not taken, and nothing of it is ever sent",
        BatchState::Cancelled => "nothing more of it is ever sent",
    }
}

/// What a cancellation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled {
    /// Payouts that were never sent and never will be.
    pub payouts: u64,
    /// Payouts that are under way and are followed to their end.
    pub under_way: u64,
}

/// Cancels a batch: what was not sent will not be. First the batch's state, which every intent
/// checks (S6), then the payouts; so none slips through between.
pub async fn cancel(
    ledger: &dyn Ledger,
    rules: &Rules,
    id: BatchId,
) -> Result<Cancelled, SteerError> {
    let batch = loop {
        let batch = ledger.batch(id).await?.ok_or(SteerError::NoBatch(id))?;
        match batch.state {
            BatchState::Cancelled => break batch,
            from if from.may_become(BatchState::Cancelled) => {
                ledger.set_batch_state(id, from, BatchState::Cancelled).await?;
            }
            state => return Err(SteerError::TooLate { batch: id, state }),
        }
    };
    let mut payouts = 0;
    for no in 0..batch.chunks {
        payouts += cancel_chunk(ledger, rules, ChunkId { batch: id, no }).await?;
    }
    let after = ledger.batch(id).await?.ok_or(SteerError::NoBatch(id))?;
    let under_way = after.counts.open();
    let told = serde_json::json!({ "payouts": payouts, "under_way": under_way });
    rules.clerk.tell_signed(ledger, &Chain::batch(id), Kind::Cancelled, told).await?;
    Ok(Cancelled { payouts, under_way })
}

async fn cancel_chunk(ledger: &dyn Ledger, rules: &Rules, id: ChunkId) -> Result<u64, LedgerError> {
    let Some(chunk) = ledger.chunk(id).await? else { return Ok(0) };
    let policy = rules.policy(&chunk.first.lane);
    let numbered = (0u16..).zip(&chunk.payouts);
    let happenings: Vec<Happening> = numbered
        .filter(|(_, payout)| payout.state == State::Accepted)
        .map(|(row, payout)| Happening {
            row,
            payout: *payout,
            event: Event::Cancel,
            notes: Vec::new(),
        })
        .collect();
    if happenings.is_empty() {
        return Ok(0);
    }
    let now = ledger.about().await?.now;
    let applied = apply(ledger, id, Guard::Fact, now, &policy, happenings).await?;
    let changed = |(_, applied): &&(u16, Applied)| matches!(applied, Applied::Changed(_));
    let changed = applied.iter().flatten().filter(changed).count();
    Ok(u64::try_from(changed).unwrap_or(u64::MAX))
}

/// Lets a lane send again. Its lost canaries are forgotten: a person has looked. Caps on spending
/// that hold it have all their room again.
pub async fn start_lane(
    ledger: &dyn Ledger,
    rules: &Rules,
    name: &LaneName,
) -> Result<bool, SteerError> {
    check_lane(rules, name)?;
    let record = ledger.lane(name.clone()).await?;
    let (holder, now) = (Holder::Lane(name.clone()), ledger.about().await?.now);
    let held = spend::hold(ledger, &holder, &rules.spend_caps(name).lane, now).await?;
    if record.stopped.is_some() || record.canaries_lost > 0 || held.is_some() {
        // Before it sends: what lets money flow is told first.
        let reason = record.stopped.map(|stop| stop.reason);
        let mut told = serde_json::json!({ "was_stopped_for": reason });
        if let Some(hold) = &held {
            told["was_held_for"] = holder.reason(hold).into();
        }
        rules.clerk.tell_signed(ledger, &Chain::lane(name), Kind::LaneStarted, told).await?;
    }
    let is_started = change_lane(ledger, rules, name, |record| {
        let was_stopped = record.stopped.take().is_some();
        let had_lost = std::mem::take(&mut record.canaries_lost) > 0;
        was_stopped || had_lost
    })
    .await?;
    // Only what was told above: a hold that came since is for another command.
    let is_opened = match &held {
        Some(hold) => spend::open(ledger, &holder, hold, now).await?,
        None => false,
    };
    Ok(is_started || is_opened)
}

/// Ends the pause that a lane's provider asked for ("too many requests"), and gives until when it would
/// have lasted; `None` where there is none. The slower pace holds and grows back from now on. What was
/// refused itself waits for as long as it was told to.
pub async fn hurry_lane(
    ledger: &dyn Ledger,
    rules: &Rules,
    name: &LaneName,
) -> Result<Option<Millis>, SteerError> {
    check_lane(rules, name)?;
    let now = ledger.about().await?.now;
    let Some(until) = ledger.lane(name.clone()).await?.paused_until(now) else { return Ok(None) };
    // Before it sends: what lets money flow is told first.
    let told = serde_json::json!({ "was_paused_until_ms": until.0 });
    rules.clerk.tell_signed(ledger, &Chain::lane(name), Kind::LaneHurried, told).await?;
    let is_ended = change_lane(ledger, rules, name, |record| {
        // Only what was told above: a pause that came since is for another command.
        let slow = record.slow.as_mut().filter(|slow| slow.until == until);
        slow.map(|slow| slow.until = now).is_some()
    })
    .await?;
    Ok(is_ended.then_some(until))
}

/// Lets a lane send nothing until a person starts it again. What is under way is followed.
pub async fn stop_lane(
    ledger: &dyn Ledger,
    rules: &Rules,
    name: &LaneName,
    reason: &str,
) -> Result<bool, SteerError> {
    let since = ledger.about().await?.now;
    let stop = Stop { reason: reason.to_owned(), since, until: None };
    let changed = change_lane(ledger, rules, name, |record| {
        // A stop that would end by itself is replaced by one that does not.
        let stands = record.stopped.as_ref().is_some_and(|s| s.until.is_none());
        if !stands {
            record.stopped = Some(stop.clone());
        }
        !stands
    })
    .await?;
    if changed {
        let told = serde_json::json!({ "reason": reason });
        rules.clerk.tell_signed(ledger, &Chain::lane(name), Kind::LaneStopped, told).await?;
    }
    Ok(changed)
}

/// Records that another ledger on the lane's account is retired (S5).
pub async fn adopt(
    ledger: &dyn Ledger,
    rules: &Rules,
    name: &LaneName,
    id: LedgerId,
) -> Result<bool, SteerError> {
    if id == ledger.about().await?.id {
        return Err(SteerError::OwnLedger(id));
    }
    check_lane(rules, name)?;
    if !ledger.lane(name.clone()).await?.adopted.contains(&id) {
        // Before workers use the lane for it: what lets money flow is told first.
        let told = serde_json::json!({ "ledger": id.to_string() });
        rules.clerk.tell_signed(ledger, &Chain::lane(name), Kind::LaneAdopted, told).await?;
    }
    Ok(reconcile::lane::adopt(ledger, name, id).await?)
}

/// Changes the record of a lane that the config has; gives whether it changed.
async fn change_lane(
    ledger: &dyn Ledger,
    rules: &Rules,
    name: &LaneName,
    change: impl Fn(&mut LaneRecord) -> bool,
) -> Result<bool, SteerError> {
    check_lane(rules, name)?;
    Ok(ledger::lane::change(ledger, name, change).await?)
}

fn check_lane(rules: &Rules, name: &LaneName) -> Result<(), SteerError> {
    if rules.lane(name.as_str()).is_some() {
        return Ok(());
    }
    let (found, known) = (name.to_string(), rules.lane_names());
    Err(SteerError::NoLane { found, known })
}
