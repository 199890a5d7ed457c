//! What keeps the rows of a batch back: too many of it failed, or its canaries are under way.
//!
//! The invariant: *a brake only ever pauses; what it pauses goes on when a person says so, and
//! says why until then.* Nothing of the judgement lives in a process: every one of the pool comes
//! to the same from the ledger, so that of many that see the same batch one pauses it.
//!
//! ```text
//!  claim ─▶ canaries paid? ─▶ too many failed? ─▶ send        what a person has let go on ──┐
//!              │ lost             │ yes                       (register, read once a second) │
//!              ▼                  ▼                                                          │
//!           register: why ─▶ state: paused ─▶ audit           counts and judges from there ◀─┘
//! ```
//!
//! It costs one reading of the batch for each claim that has something to send, and while canaries
//! are under way one of the chunk that holds them; nothing for a row.

mod judge;
#[cfg(test)]
mod tests;

pub use judge::{BatchBrakeSettings, Canaries, TooManyFailed, canaries, too_many_failed};

use crate::counters::count;
use crate::env::up_to;
use crate::lane::Lane;
use crate::send;
use crate::work::{Core, Held, Side};
use domain::{BatchId, BatchState, ChunkId, LaneName, Millis, Payout, State};
use ledger::audit::note_batch_brake;
use ledger::pause::{self, Hold, Seen};
use ledger::{Ledger, LedgerError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Who pauses a batch, in its register and its audit chain.
const WHO: &str = "worker";

/// What a person has let go on is read again after so long. Nothing is paused on an older sight.
const SEEN_STALE_MS: u64 = 1_000;
/// Batches whose circumstances are remembered; the oldest is read anew when it comes up.
const KNOWN_MAX: usize = 64;
/// How soon a chunk is looked at again after somebody else changed what was judged.
const AGAIN_MS: u64 = 100;
/// How soon a chunk is looked at again whose batch's canaries are under way …
const LOOK_MS: u64 = 500;
/// … at most: so many milliseconds pass between the last payment and the rest's leaving.
const LOOK_MAX_MS: u64 = 30_000;
/// Between the two, a look comes after this part of the time that they have been under way.
const LOOK_SHARE: u64 = 8;

/// The brakes of the batches on one lane, in this process.
pub struct BatchBrakes {
    settings: BatchBrakeSettings,
    known: Mutex<BTreeMap<BatchId, Known>>,
}

/// What this process knows of a batch; all of it can be read again.
#[derive(Clone, Default)]
struct Known {
    seen: Seen,
    /// When that was read, on our own clock.
    seen_at_ms: u64,
    /// The first chunk on the lane.
    first: Option<u16>,
    /// Its canaries are paid: that never changes.
    canaries_home: bool,
}

/// Whether a chunk may send.
enum Road {
    /// Everything.
    Clear,
    /// Rows below this one; then look again.
    Below { end: u16, wait_ms: u64 },
    /// Nothing for so many milliseconds.
    Closed { wait_ms: u64 },
}

/// Sends what the batch's brakes let through. Gives how long sending has to wait.
pub async fn send(core: &Core, lane: &Lane, held: &mut Held) -> Result<u64, LedgerError> {
    match lane.batch_brakes.road(core, lane, held).await? {
        Road::Clear => send::send(core, lane, held).await,
        Road::Closed { wait_ms } => Ok(wait_ms),
        Road::Below { end, wait_ms } => {
            held.end = end;
            Ok(send::send(core, lane, held).await?.max(wait_ms))
        }
    }
}

impl BatchBrakes {
    /// Brakes that nothing was judged by yet.
    pub fn new(settings: BatchBrakeSettings) -> BatchBrakes {
        BatchBrakes { settings, known: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<BatchId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, batch: BatchId, change: impl FnOnce(&mut Known)) {
        let mut known = self.lock();
        change(known.entry(batch).or_default());
        if known.len() > KNOWN_MAX {
            known.pop_first();
        }
    }

    async fn road(&self, core: &Core, lane: &Lane, held: &mut Held) -> Result<Road, LedgerError> {
        let waits = |p: &Payout| p.state == State::Accepted && !p.news_pending;
        if self.settings == BatchBrakeSettings::OFF || !held.own().any(|(_, payout)| waits(payout))
        {
            return Ok(Road::Clear);
        }
        let known = self.known(core, held.id.batch).await?;
        // What another lane refused is no trial of this one.
        let has_canaries = self.settings.canary_rows > 0 && held.side != Side::Second;
        if has_canaries && !known.canaries_home {
            let road = self.trial(core, lane, held, &known).await?;
            if !matches!(road, Road::Clear) {
                return Ok(road);
            }
        }
        if self.settings.failed_percent == 0 {
            return Ok(Road::Clear);
        }
        let Some(batch) = core.ledger.batch(held.id.batch).await? else { return Ok(Road::Clear) };
        match too_many_failed(&self.settings, &batch.counts, &known.seen.counts) {
            None => Ok(Road::Clear),
            Some(why) => {
                let reason = failed_reason(&self.settings, &lane.name, held.id.batch, &why);
                self.close(core, held, &known.seen, reason, None).await
            }
        }
    }

    /// What is known of a batch, with what a person has let go on not older than it may be.
    async fn known(&self, core: &Core, batch: BatchId) -> Result<Known, LedgerError> {
        let now_ms = core.clock.boot_ms();
        let known = self.lock().get(&batch).cloned();
        if let Some(known) = known
            && now_ms.saturating_sub(known.seen_at_ms) < SEEN_STALE_MS
        {
            return Ok(known);
        }
        let (_, pause) = pause::read(&*core.ledger, batch).await?;
        self.learn(batch, |known| {
            known.seen = pause.seen.clone();
            known.seen_at_ms = now_ms;
        });
        let known = self.lock().get(&batch).cloned();
        Ok(known.unwrap_or_else(|| Known { seen: pause.seen, ..Known::default() }))
    }

    /// Where the canaries stand: the first rows of the first chunk that the batch has on the lane.
    async fn trial(
        &self,
        core: &Core,
        lane: &Lane,
        held: &mut Held,
        known: &Known,
    ) -> Result<Road, LedgerError> {
        let batch = held.id.batch;
        let first = match known.first {
            Some(no) => no,
            None => first_chunk(&*core.ledger, held.id, &lane.name).await?,
        };
        self.learn(batch, |known| known.first = Some(first));
        let none = BTreeSet::new();
        let seen = known.seen.canaries.get(&first).unwrap_or(&none);
        let judged = if first == held.id.no {
            canaries(&held.payouts, self.settings.canary_rows, seen)
        } else {
            let chunk = core.ledger.chunk(ChunkId { batch, no: first }).await?;
            let payouts = chunk.map(|chunk| chunk.payouts).unwrap_or_default();
            canaries(&payouts, self.settings.canary_rows, seen)
        };
        match judged {
            Canaries::Home => {
                self.learn(batch, |known| known.canaries_home = true);
                Ok(Road::Clear)
            }
            Canaries::UnderWay { end, since } => {
                let wait_ms = look_after_ms(core, since);
                Ok(match first == held.id.no {
                    true => Road::Below { end, wait_ms },
                    false => Road::Closed { wait_ms },
                })
            }
            Canaries::Lost { rows, of } => {
                let reason = lost_reason(batch, rows.len(), of);
                self.close(core, held, &known.seen, reason, Some(first)).await
            }
        }
    }

    /// Pauses the batch for a reason that no resumption takes back: what made it was changed before.
    pub async fn hold(
        &self,
        core: &Core,
        held: &mut Held,
        reason: String,
    ) -> Result<(), LedgerError> {
        let (_, register) = pause::read(&*core.ledger, held.id.batch).await?;
        self.close(core, held, &register.seen, reason, None).await.map(drop)
    }

    /// Pauses the batch, if what was judged still stands: the reason first, then the state.
    async fn close(
        &self,
        core: &Core,
        held: &mut Held,
        seen: &Seen,
        reason: String,
        canaries: Option<u16>,
    ) -> Result<Road, LedgerError> {
        let (batch, ledger) = (held.id.batch, &*core.ledger);
        let again = Ok(Road::Closed { wait_ms: AGAIN_MS });
        let (version, mut register) = pause::read(ledger, batch).await?;
        if register.seen != *seen {
            // A person has let it go on since: what came before counts no more.
            self.learn(batch, |known| known.seen = register.seen);
            return again;
        }
        let (who, since) = (WHO.to_owned(), core.clock.now());
        register.hold = Some(Hold { who, since, reason: reason.clone(), canaries });
        if !pause::put(ledger, batch, version, &register).await?
            || !ledger.set_batch_state(batch, BatchState::Active, BatchState::Paused).await?
        {
            return again;
        }
        tracing::warn!(
            %batch, reason, "the batch is paused; `producer resume {batch}` lets it go on"
        );
        count(&core.counters.batch_brakes_total);
        // What holds already never waits for the audit.
        note_batch_brake(ledger, batch, WHO, &reason).await;
        held.batch = BatchState::Paused;
        Ok(Road::Closed { wait_ms: 0 })
    }
}

/// The first chunk of a batch on a lane: chunks are numbered as they were begun. Mostly the first
/// of all; a lane with few rows late in a file has it further behind, which is looked for once a
/// process.
async fn first_chunk(
    ledger: &dyn Ledger,
    id: ChunkId,
    lane: &LaneName,
) -> Result<u16, LedgerError> {
    for no in 0..id.no {
        let chunk = ledger.chunk(ChunkId { no, ..id }).await?;
        if chunk.is_some_and(|chunk| chunk.first.lane == *lane) {
            return Ok(no);
        }
    }
    Ok(id.no)
}

/// Soon while they may come home any moment, seldom when they take hours; never all at once.
fn look_after_ms(core: &Core, since: Millis) -> u64 {
    let share_ms = core.clock.now().since(since) / LOOK_SHARE;
    let wait_ms = share_ms.clamp(LOOK_MS, LOOK_MAX_MS);
    wait_ms - up_to(&*core.env, wait_ms / 4)
}

fn failed_reason(
    settings: &BatchBrakeSettings,
    lane: &LaneName,
    batch: BatchId,
    why: &TooManyFailed,
) -> String {
    let TooManyFailed { unpaid, answered, since_resumed } = why;
    let since = if *since_resumed { " since it was resumed" } else { "" };
    format!(
        "of {answered} payouts that were answered{since}, {unpaid} failed or are in review; lane \
         {lane} allows {} percent; `producer report {batch}` tells why each of them did",
        settings.failed_percent
    )
}

fn lost_reason(batch: BatchId, lost: usize, of: usize) -> String {
    format!(
        "of its {of} canaries {lost} came to no payment, so nothing else of it was sent; \
         `producer report {batch}` tells why; once resumed, the next rows take their turn"
    )
}
