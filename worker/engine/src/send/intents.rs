//! The first stage: which rows may go, in which slots, and their intents, durable before anything
//! leaves.

use crate::brakes::Road;
use crate::lane::Lane;
use crate::pace::Slots;
use crate::shelf::Rows;
use crate::spend::{Reservation, Room};
use crate::window::Slot;
use crate::work::{Core, wait_for_ledger};
use domain::{ChunkId, Event, Millis, Money, Outcome, Payout, Place};
use ledger::apply::{Applied, Happening, apply};
use ledger::spend::Asks;
use ledger::{Guard, LedgerError, Token};
use std::sync::Arc;

/// Rows of one intent write at most.
pub(super) const GROUP: usize = 256;

/// After so many milliseconds of waiting the lane's record is read again before intents are
/// written: a lane without a pace never waits so long, and pays for no second reading; a busy one,
/// whose slots gather, pays one for each group.
const STALE_MS: u64 = 50;

/// How soon a chunk is tried again whose intents the journal did not take: its disk may be full.
const NO_JOURNAL_MS: u64 = 1_000;

/// How soon a chunk is tried again whose worker has no seat in the pool: by whoever has one.
const NO_SEAT_MS: u64 = 250;

/// A row whose intent stands.
pub(super) struct Ready {
    pub(super) row: u16,
    /// As the intent left it.
    pub(super) payout: Payout,
}

/// Until when a request may begin.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    /// In ledger time: what its intent says.
    pub(super) send_before: Millis,
    /// On our own clock, measured from before the intent was written: never later than the ledger's
    /// own reading (S7), and within the share that its slot was taken of.
    pub(super) closes_ms: u64,
}

/// What came of a group of intents.
pub(super) enum Intended {
    /// These are ready to go; those turned out to have changed.
    Go {
        ready: Vec<Ready>,
        changed: Vec<(u16, Payout)>,
        deadline: Deadline,
        slots: Vec<Slot>,
        permits: Slots,
        /// What their room was reserved in.
        reserved: Arc<Reservation>,
    },
    /// The lease, the batch or the lane does not allow it any more.
    NoMore,
    /// The road is closed for so long.
    Wait(u64),
    /// The first of them is above what may be spent at all: its batch waits for a person, for this
    /// reason.
    Never(String),
}

/// Lets the first rows of a group go, or one as the canary, if the road allows it.
pub(super) async fn intend(
    core: &Core,
    lane: &Lane,
    chunk: (ChunkId, Token),
    at_hand: &Rows,
    mut group: Vec<(u16, Payout)>,
) -> Result<Intended, LedgerError> {
    match lane.brakes.road(&core.clock) {
        Road::Clear => write_intents(core, lane, chunk, at_hand, group).await,
        Road::Closed { wait_ms } => Ok(Intended::Wait(wait_ms.max(1))),
        Road::OneCanary => {
            group.truncate(1);
            let Some((row, _)) = group.first() else { return Ok(Intended::NoMore) };
            let place = Place { chunk: chunk.0, row: *row };
            let doubt_ms = lane.policy.send_window_ms + lane.policy.doubt_ms();
            if !lane.brakes.send_canary(&*core.ledger, &core.clock, place, doubt_ms).await? {
                return Ok(Intended::Wait(50));
            }
            let intended = write_intents(core, lane, chunk, at_hand, group).await;
            if !matches!(&intended, Ok(Intended::Go { ready, .. }) if !ready.is_empty()) {
                // A canary that never flew makes room for the next, and says nothing of the provider.
                lane.brakes.never_flew(&*core.ledger, &core.clock, place).await?;
            }
            intended
        }
    }
}

/// Draws slots and permits for the first rows of a group and writes their intents: into the
/// ledger, and from there into the journal (S18).
async fn write_intents(
    core: &Core,
    lane: &Lane,
    (id, token): (ChunkId, Token),
    at_hand: &Rows,
    mut group: Vec<(u16, Payout)>,
) -> Result<Intended, LedgerError> {
    // Slots and permits are for calls, each of which takes as many rows as the provider allows.
    let asked_ms = core.clock.boot_ms();
    let per_call = lane.per_call();
    let mut slots = lane.share.take(group.len().div_ceil(per_call)).await?;
    if slots.is_empty() {
        return Ok(Intended::Wait(NO_SEAT_MS));
    }
    let pace = |now| lane.brakes.interval_us(now);
    let permits = match lane.pace.draw(&*core.ledger, &core.clock, pace, slots.len()).await? {
        Ok(permits) => permits,
        Err(wait_ms) => return Ok(Intended::Wait(wait_ms)),
    };
    // What the pool knows of the lane may have changed while this one waited for its turn.
    if core.clock.boot_ms().saturating_sub(asked_ms) >= STALE_MS {
        lane.brakes.refresh(&*core.ledger).await?;
    }
    let per_call = per_call.min(lane.per_call());
    slots.truncate(permits.count);
    group.truncate(slots.len().saturating_mul(per_call));
    // Its cut-off may have come while it waited; where it has not, the request leaves before it.
    let (begins_ms, begins) = (core.clock.boot_ms(), core.clock.now());
    if !slots.first().is_some_and(|slot| slot.holds(begins_ms)) {
        return Ok(Intended::Wait(NO_SEAT_MS));
    }
    let may_go = |row: u16| lane.brakes.may_go(&core.clock, Place { chunk: id, row });
    let is_held = core.is_stopping() || lane.shut_until(begins).is_some();
    if is_held || !group.first().is_some_and(|(row, _)| may_go(*row)) {
        return Ok(Intended::NoMore);
    }
    let reserved = match reserve(core, lane, id, at_hand, &group).await? {
        Room::Rows(count, reserved) => {
            group.truncate(count);
            reserved
        }
        Room::Wait(wait_ms) => return Ok(Intended::Wait(wait_ms)),
        Room::Never(reason) => return Ok(Intended::Never(reason)),
    };
    let send_before = begins.plus(lane.policy.send_window_ms);
    let closes_ms = begins_ms.saturating_add(lane.policy.send_window_ms);
    let deadline = Deadline { send_before, closes_ms };
    let happening = |(row, payout): &(u16, Payout)| Happening {
        row: *row,
        payout: *payout,
        event: Event::Intent { send_before, sender: core.sender, account: lane.account },
        notes: Vec::new(),
    };
    let happenings = group.iter().map(happening).collect();
    let guard = Guard::Intent(token);
    let now = core.clock.now();
    let done = match apply(&*core.ledger, id, guard, now, &lane.policy, happenings).await {
        Ok(done) => done,
        Err(error) => {
            // The write may have been taken: what stands of it is taken back before anything.
            withdraw(core, lane, id, &group, send_before).await;
            give_back(core, lane, at_hand, &reserved, rows(&group)).await;
            return Err(error);
        }
    };
    let Some(done) = done else {
        give_back(core, lane, at_hand, &reserved, rows(&group)).await;
        return Ok(Intended::NoMore);
    };
    let begun = done.iter().filter(|(_, applied)| applied.is_changed());
    let begun = begun.map(|(row, applied)| (*row, applied.payout()));
    if core.journal.keep(core, lane, id, at_hand, begun).await.is_err() {
        withdraw(core, lane, id, &group, send_before).await;
        give_back(core, lane, at_hand, &reserved, rows(&group)).await;
        return Ok(Intended::Wait(NO_JOURNAL_MS));
    }
    let refused = done.iter().filter(|(_, applied)| !applied.is_changed());
    give_back(core, lane, at_hand, &reserved, refused.map(|(row, _)| *row)).await;
    Ok(sort(done, slots, permits, deadline, reserved))
}

/// Reserves what these rows will spend, before anything says that they are sent.
async fn reserve(
    core: &Core,
    lane: &Lane,
    chunk: ChunkId,
    at_hand: &Rows,
    group: &[(u16, Payout)],
) -> Result<Room, LedgerError> {
    if !lane.spending.is_capped() {
        return Ok(Room::Rows(group.len(), Arc::default()));
    }
    let rows = group.iter().map(|(row, _)| at_hand.get(*row)).collect::<Result<Vec<_>, _>>()?;
    let places = group.iter().map(|(row, _)| Place { chunk, row: *row });
    let asks: Vec<Asks<'_>> = places.zip(rows.iter().map(|row| &row.money)).collect();
    lane.spending.reserve(core, chunk.batch, &asks).await
}

fn rows(group: &[(u16, Payout)]) -> impl Iterator<Item = u16> {
    group.iter().map(|(row, _)| *row)
}

/// Gives back what was reserved for rows that nothing was sent of.
async fn give_back(
    core: &Core,
    lane: &Lane,
    at_hand: &Rows,
    reserved: &Reservation,
    rows: impl Iterator<Item = u16>,
) {
    if reserved.is_empty() {
        return;
    }
    let rows: Vec<_> = rows.filter_map(|row| at_hand.get(row).ok()).collect();
    let money: Vec<&Money> = rows.iter().map(|row| &row.money).collect();
    lane.spending.give_back(core, reserved, &money).await;
}

fn sort(
    done: Vec<(u16, Applied)>,
    slots: Vec<Slot>,
    permits: Slots,
    deadline: Deadline,
    reserved: Arc<Reservation>,
) -> Intended {
    let mut ready = Vec::with_capacity(done.len());
    let mut changed = Vec::new();
    for (row, applied) in done {
        match applied {
            Applied::Changed(payout) => ready.push(Ready { row, payout }),
            other => changed.push((row, other.payout())),
        }
    }
    Intended::Go { ready, changed, deadline, slots, permits, reserved }
}

/// Takes back intents whose write had no answer: none of their requests left. Asks until the
/// ledger answers; a worker that dies here leaves them to be looked up.
async fn withdraw(
    core: &Core,
    lane: &Lane,
    id: ChunkId,
    group: &[(u16, Payout)],
    send_before: Millis,
) {
    let mut tries = 0;
    loop {
        let result = async {
            let Some(chunk) = core.ledger.chunk(id).await? else { return Ok(()) };
            let ours = |(row, before): &(u16, Payout)| {
                let payout = *chunk.payouts.get(usize::from(*row))?;
                let intent = before.intents.saturating_add(1);
                let is_ours = payout.intents == intent && payout.send_before == send_before;
                let event = Event::Outcome { intent, outcome: Outcome::Withdrawn };
                is_ours.then_some(Happening { row: *row, payout, event, notes: Vec::new() })
            };
            let happenings = group.iter().filter_map(ours).collect();
            let now = core.clock.now();
            apply(&*core.ledger, id, Guard::Fact, now, &lane.policy, happenings).await?;
            Ok(())
        }
        .await;
        match result {
            Ok(()) => return,
            Err(LedgerError::Unavailable(_)) => wait_for_ledger(core, &mut tries).await,
            Err(error) => {
                tracing::error!(chunk = %id, %error, "intents are left to be looked up");
                return;
            }
        }
    }
}
