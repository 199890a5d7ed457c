//! Money brakes: what a lane, and one batch on it, may spend in an hour and in a day.
//!
//! The invariant: *no intent is written for money that was not reserved before, in the ledger, for
//! the whole pool.* Where the ledger is away, nothing is reserved and so nothing leaves.
//!
//! ```text
//!  rows with slots ─▶ batch: reserve ─▶ lane: reserve ─▶ intents
//!                        │ held            │ held: the batch gets its room back
//!                        ▼                 ▼
//!                     register: why, how much, until when ─▶ audit, once
//! ```
//!
//! What is held looks again, the more seldom the longer it is held, at least twice a minute: the
//! window may have passed, a person has opened it, or the payout that did not fit waits no more. It
//! costs a reading and a write for each group of intents (twice that where lane and batch both have
//! caps), three readings for each look at what holds, nothing for a row, and nothing at all where no
//! cap is set.

use crate::brakes::LOOK_AGAIN_MS;
use crate::counters::count;
use crate::work::Core;
use domain::{BatchId, BatchState, ChunkId, LaneName, Millis, Money, State};
use ledger::LedgerError;
use ledger::audit::{note_batch_brake, note_brake};
pub use ledger::spend::SpendCaps;
use ledger::spend::{self, Allowance, Asks, Caps, Hold, Holder, Stops};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who holds a lane or a batch, in its audit chain.
const WHO: &str = "worker";

/// What is held looks again after this part of the time that it has been held …
const LOOK_SHARE: u64 = 8;
/// … but at least so often: the chunks of a large batch, all held, do not keep the ledger busy.
const LOOK_MAX_MS: u64 = 30_000;

/// Batches of which this process remembers that they are held; one that it forgets is found held
/// when it is reserved for.
const KNOWN_MAX: usize = 64;

/// In what room was reserved for a group of intents; nowhere, where nothing has a cap.
pub type Reservation = Vec<(Holder, Allowance)>;

/// How many rows may have their intents written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Room {
    /// So many, at least one: they are reserved for.
    Rows(usize, Arc<Reservation>),
    /// None for so many milliseconds.
    Wait(u64),
    /// None: the first of them fits into no window, for this reason.
    Never(String),
}

/// The caps of one lane in this process.
pub struct Spending {
    lane: LaneName,
    caps: SpendCaps,
    /// What this process has last seen held. Only whether to look before slots are drawn hangs on it.
    held: Mutex<BTreeSet<Holder>>,
}

impl Spending {
    /// Caps of a lane, of which nothing is known yet.
    pub fn new(lane: LaneName, caps: SpendCaps) -> Spending {
        Spending { lane, caps, held: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<Holder>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything has a cap: else nobody needs to add up.
    pub fn is_capped(&self) -> bool {
        !self.caps.lane.are_off() || !self.caps.batch.are_off()
    }

    /// The look before slots are drawn: how long a chunk has to wait where this process knows of a
    /// hold that still stands.
    pub async fn look(&self, core: &Core, chunk: ChunkId) -> Result<Option<u64>, LedgerError> {
        for (holder, caps) in self.holders(chunk.batch) {
            if !self.lock().contains(&holder) {
                continue;
            }
            let now = core.clock.now();
            let (_, spend) = spend::read(&*core.ledger, &holder).await?;
            // Judged by what is configured now: a cap that was raised holds no more.
            if let Some(hold) = spend.held(caps, now, chunk) {
                if is_awaited(core, hold, now).await? {
                    return Ok(Some(wait_ms(hold, now)));
                }
                spend::release(&*core.ledger, &holder, hold).await?;
            }
            self.lock().remove(&holder);
        }
        Ok(None)
    }

    /// Reserves for the first of these payouts of a batch, as many as fit.
    pub async fn reserve(
        &self,
        core: &Core,
        batch: BatchId,
        rows: &[Asks<'_>],
    ) -> Result<Room, LedgerError> {
        let mut reservation = Reservation::new();
        let mut asked = rows;
        for (holder, caps) in self.holders(batch) {
            let room = self.reserve_in(core, &holder, caps, asked).await;
            let fits = match &room {
                Ok(ControlFlow::Continue((fits, _))) => *fits,
                _ => 0,
            };
            let (first, others) = asked.split_at_checked(fits).unwrap_or((asked, &[]));
            // What one has no room for was reserved in the other for nothing.
            let others: Vec<&Money> = others.iter().map(|(_, money)| *money).collect();
            self.give_back(core, &reservation, &others).await;
            match room? {
                ControlFlow::Continue((_, allowance)) => reservation.push((holder, allowance)),
                ControlFlow::Break(room) => return Ok(room),
            }
            asked = first;
        }
        Ok(Room::Rows(asked.len(), Arc::new(reservation)))
    }

    /// Reserves in the lane, or in the batch: for how many rows, and in what. Or none of them fits.
    async fn reserve_in(
        &self,
        core: &Core,
        holder: &Holder,
        caps: &Caps,
        rows: &[Asks<'_>],
    ) -> Result<ControlFlow<Room, (usize, Allowance)>, LedgerError> {
        let now = core.clock.now();
        let reserved = spend::reserve(&*core.ledger, holder, caps, now, rows).await?;
        if let Some(Stops::Held(hold)) = &reserved.admitted.stops {
            self.close(core, holder, hold, reserved.is_news).await;
        }
        Ok(match (reserved.admitted.rows, reserved.admitted.stops) {
            (0, Some(Stops::Held(hold))) => ControlFlow::Break(Room::Wait(wait_ms(&hold, now))),
            (0, Some(Stops::TooLarge(over))) => {
                ControlFlow::Break(Room::Never(holder.never(&over)))
            }
            (fits, _) => ControlFlow::Continue((fits, reserved.allowance)),
        })
    }

    /// Gives back what was reserved for payouts that certainly moved no money. If that fails, it
    /// stays used up.
    pub async fn give_back(&self, core: &Core, reservation: &Reservation, rows: &[&Money]) {
        for (holder, allowance) in reservation.iter().filter(|_| !rows.is_empty()) {
            let given = spend::give_back(&*core.ledger, holder, allowance, rows).await;
            if let Err(error) = given {
                tracing::warn!(%holder, %error, "what was not spent of its cap stays used up");
            }
        }
    }

    /// It holds already; what is left is to remember it, and to tell it if nobody else does.
    async fn close(&self, core: &Core, holder: &Holder, hold: &Hold, is_news: bool) {
        {
            let mut held = self.lock();
            if held.len() >= KNOWN_MAX {
                held.pop_last();
            }
            held.insert(holder.clone());
        }
        if !is_news {
            return;
        }
        let reason = holder.reason(hold);
        tracing::warn!(%holder, reason, "nothing more is sent; its rows stay payable");
        match holder {
            Holder::Lane(lane) => {
                count(&core.counters.lane_stops_total);
                note_brake(&*core.ledger, lane, WHO, &reason).await;
            }
            Holder::Batch(batch, _) => {
                count(&core.counters.batch_brakes_total);
                note_batch_brake(&*core.ledger, *batch, WHO, &reason).await;
            }
        }
    }

    /// Those that have caps: the batch, then the lane.
    fn holders(&self, batch: BatchId) -> Vec<(Holder, &Caps)> {
        let of_batch = (Holder::Batch(batch, self.lane.clone()), &self.caps.batch);
        let of_lane = (Holder::Lane(self.lane.clone()), &self.caps.lane);
        [of_batch, of_lane].into_iter().filter(|(_, caps)| !caps.are_off()).collect()
    }
}

/// Whether the payout that a hold waits for could go if there were room. One that was cancelled, or
/// whose batch waits for something else, keeps nobody back.
async fn is_awaited(core: &Core, hold: &Hold, now: Millis) -> Result<bool, LedgerError> {
    let Some(place) = hold.waits else { return Ok(true) };
    let batch = core.ledger.batch(place.chunk.batch).await?;
    if !batch.is_some_and(|b| b.state == BatchState::Active && !b.terms.waits(now)) {
        return Ok(false);
    }
    let chunk = core.ledger.chunk(place.chunk).await?;
    let payout = chunk.and_then(|chunk| chunk.payouts.get(usize::from(place.row)).copied());
    Ok(payout.is_some_and(|p| p.state == State::Accepted && !p.news_pending))
}

/// Until the hold ends, but never longer than a person should wait who has opened it. Where only the
/// turn of another payout is waited for, not for long.
fn wait_ms(hold: &Hold, now: Millis) -> u64 {
    if hold.until <= now {
        return LOOK_AGAIN_MS;
    }
    let patience_ms = (now.since(hold.since) / LOOK_SHARE).clamp(LOOK_AGAIN_MS, LOOK_MAX_MS);
    hold.until.since(now).clamp(1, patience_ms)
}
