//! Sending a slice: permits, intents, requests, outcomes.
//!
//! ```text
//!  rows ─▶ window + permits ─▶ one intent write a group ─▶ a request each ─▶ one outcome write
//!            (S6: drawn first)    and one journal entry     (… it leaves)     for all that came
//!                                  (durable before …)
//! ```
//!
//! The three stages run beside each other: while a group's intents are being written, earlier
//! requests are under way and their answers wait for the next outcome write. So a write carries
//! what came together since the last one returned: one row on a quiet lane, hundreds on a busy
//! one, and never a timer.

use crate::brakes::Road;
use crate::counters::{Counters, count};
use crate::lane::Lane;
use crate::pace::Slots;
use crate::retry::pause_ms;
use crate::shelf::Rows;
use crate::verdict::{Lesson, Verdict, digest};
use crate::window::Slot;
use crate::work::{Core, Held, wait_for_ledger};
use domain::{ChunkId, Event, Millis, Outcome, Payout, Place, Policy, State};
use futures::future::{BoxFuture, Fuse};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt, select_biased};
use ledger::apply::{Applied, Happening, apply};
use ledger::shipment::Shipment as Carried;
use ledger::{Guard, LedgerError, Note, Token};
use providers::{Answer, Past, Payment, SendGate, Shipment, Shipped};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Rows of one intent write at most.
const GROUP: usize = 256;

/// After so many milliseconds of waiting the lane's record is read again before intents are
/// written: a lane without a pace never waits so long, and pays for no second reading.
const STALE_MS: u64 = 50;

/// How soon a chunk is tried again whose intents the journal did not take: its disk may be full.
const NO_JOURNAL_MS: u64 = 1_000;

/// A row whose intent stands.
struct Ready {
    row: u16,
    /// As the intent left it.
    payout: Payout,
}

/// What came of a group of intents.
enum Intended {
    /// These are ready to go; those turned out to have changed.
    Go {
        ready: Vec<Ready>,
        changed: Vec<(u16, Payout)>,
        send_before: Millis,
        slots: Vec<Slot>,
        permits: Slots,
    },
    /// The lease, the batch or the lane does not allow it any more.
    NoMore,
    /// The road is closed for so long.
    Wait(u64),
}

/// A row, the payout as it was sent, and what was answered.
type Answered = Vec<(u16, Payout, Answer)>;

/// What one provider call came back with.
struct Returned {
    answered: Answered,
    /// The provider's id of the call, and where it is kept.
    shipment: Option<(u16, Note)>,
    /// The provider wants fewer rows in a call.
    rows_max: Option<u16>,
    /// The lane stops, for this reason, for so long.
    stop: Option<(String, Option<u64>)>,
}

/// Sends what is payable, up to a slice. Gives how long sending has to wait, where it has to.
pub async fn send(core: &Core, lane: &Lane, held: &mut Held) -> Result<u64, LedgerError> {
    let now = core.clock.now();
    let is_due = |p: &Payout| p.state == State::Accepted && !p.news_pending && p.due <= now;
    let payable = |p: &Payout| is_due(p) && !lane.is_astray(p);
    let mut rows = held.rows(payable);
    rows.retain(|row| *row < held.end);
    rows.truncate(lane.slice(now));
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(0) };
    lane.check_account(&*core.ledger).await?;
    if let Road::Closed { wait_ms } = lane.brakes.road(&core.clock) {
        return Ok(wait_ms.max(1));
    }
    let at_hand = core.shelf.rows(&*core.ledger, held.id, *first, *last).await?;
    let mut queue: VecDeque<u16> = rows.into();
    let mut wait_ms = 0;

    let mut intending: Fuse<BoxFuture<'_, Result<Intended, LedgerError>>> = Fuse::terminated();
    let mut writing: Fuse<BoxFuture<'_, Vec<(u16, Payout)>>> = Fuse::terminated();
    let mut under_way: FuturesUnordered<BoxFuture<'_, Returned>> = FuturesUnordered::new();
    let mut returned: Vec<Returned> = Vec::new();
    let mut is_intending = false;
    let mut is_writing = false;
    // An error ends the sending of more rows, never what is under way.
    let mut failed: Option<LedgerError> = None;
    loop {
        let may_go = !queue.is_empty() && !core.is_stopping() && !held.lost.load(Ordering::Relaxed);
        if !is_intending && may_go {
            let group: Vec<(u16, Payout)> = queue
                .iter()
                .take(GROUP.max(lane.per_call()))
                .filter_map(|row| Some((*row, *held.payout(*row)?)))
                .collect();
            let chunk = (held.id, held.token);
            intending = intend(core, lane, chunk, &at_hand, group).boxed().fuse();
            is_intending = true;
        }
        if !is_writing && !returned.is_empty() {
            writing = write_down(core, lane, held.id, std::mem::take(&mut returned)).boxed().fuse();
            is_writing = true;
        }
        if !is_intending && !is_writing && under_way.is_empty() {
            return failed.map_or(Ok(wait_ms), Err);
        }
        select_biased! {
            written = writing => {
                is_writing = false;
                written.into_iter().for_each(|(row, payout)| held.learn(row, payout));
            }
            intended = intending => {
                is_intending = false;
                match intended {
                    Ok(Intended::Go { ready, changed, send_before, slots, permits }) => {
                        // The group's rows are the first of the queue, in its order; those that
                        // drew no slot stay. A stop may have emptied the queue meanwhile.
                        queue.drain(..(ready.len() + changed.len()).min(queue.len()));
                        changed.into_iter().for_each(|(row, payout)| held.learn(row, payout));
                        ready.iter().for_each(|r| held.learn(r.row, r.payout));
                        match ship(core, lane, held, &at_hand, ready, send_before, slots, permits) {
                            Ok(calls) => under_way.extend(calls),
                            Err(error) => {
                                failed = Some(error);
                                queue.clear();
                            }
                        }
                    }
                    Ok(Intended::NoMore) => queue.clear(),
                    Ok(Intended::Wait(ms)) => {
                        wait_ms = ms;
                        queue.clear();
                    }
                    Err(error) => {
                        failed = Some(error);
                        queue.clear();
                    }
                }
            }
            answers = under_way.select_next_some() => {
                returned.push(answers);
                // What else has come is written with it.
                while let Some(Some(more)) = under_way.next().now_or_never() {
                    returned.push(more);
                }
                let mut answers = returned.iter().flat_map(|call| &call.answered);
                if answers.any(|(_, _, answer)| matches!(answer, Answer::StopLane { .. })) {
                    // At once, and before it is written down: no more rows into a closed door.
                    lane.brakes.pause(&core.clock, 1_000);
                    queue.clear();
                }
            }
        }
    }
}

/// Lets the first rows of a group go, or one as the canary, if the road allows it.
async fn intend(
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
                // A canary that never flew makes room for the next.
                learn(core, lane, place, &Lesson::NotYet).await;
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
    let mut slots = lane.window.take(group.len().div_ceil(per_call)).await;
    let pace = |now| lane.brakes.interval_us(now);
    let permits = lane.pace.draw(&*core.ledger, &core.clock, pace, slots.len()).await?;
    // What the pool knows of the lane may have changed while this one waited for its turn.
    if core.clock.boot_ms().saturating_sub(asked_ms) >= STALE_MS {
        lane.brakes.refresh(&*core.ledger).await?;
    }
    let per_call = per_call.min(lane.per_call());
    slots.truncate(permits.count);
    group.truncate(slots.len().saturating_mul(per_call));
    let may_go = |row: u16| lane.brakes.may_go(&core.clock, Place { chunk: id, row });
    if core.is_stopping() || !group.first().is_some_and(|(row, _)| may_go(*row)) {
        return Ok(Intended::NoMore);
    }
    let send_before = core.clock.now().plus(lane.policy.send_window_ms);
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
            return Err(error);
        }
    };
    let Some(done) = done else { return Ok(Intended::NoMore) };
    let begun = done.iter().filter(|(_, applied)| applied.is_changed());
    let begun = begun.map(|(row, applied)| (*row, applied.payout()));
    if core.journal.keep(core, lane, id, at_hand, begun).await.is_err() {
        withdraw(core, lane, id, &group, send_before).await;
        return Ok(Intended::Wait(NO_JOURNAL_MS));
    }
    Ok(sort(done, slots, permits, send_before))
}

fn sort(
    done: Vec<(u16, Applied)>,
    slots: Vec<Slot>,
    permits: Slots,
    send_before: Millis,
) -> Intended {
    let mut ready = Vec::with_capacity(done.len());
    let mut changed = Vec::new();
    for (row, applied) in done {
        match applied {
            Applied::Changed(payout) => ready.push(Ready { row, payout }),
            other => changed.push((row, other.payout())),
        }
    }
    Intended::Go { ready, changed, send_before, slots, permits }
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

/// Rows handed to the provider, as many a call as it takes, each call in its slot.
#[allow(clippy::too_many_arguments, reason = "all that one group of calls consists of")]
fn ship<'a>(
    core: &'a Core,
    lane: &'a Lane,
    held: &Held,
    at_hand: &Rows,
    ready: Vec<Ready>,
    send_before: Millis,
    slots: Vec<Slot>,
    permits: Slots,
) -> Result<Vec<BoxFuture<'a, Returned>>, LedgerError> {
    // Measured on our own clock from before the intent was written: never later than the
    // ledger's own reading (S7).
    let closes_ms = core.clock.boot_ms().saturating_add(send_before.since(core.clock.now()));
    // The intents were written for this many rows a call; the lane may have shrunk since.
    let per_call = ready.len().div_ceil(slots.len().max(1)).max(lane.per_call());
    let mut calls = Vec::with_capacity(slots.len());
    let mut slots = slots.into_iter().enumerate();
    let mut ready = ready.into_iter().peekable();
    while ready.peek().is_some() {
        let rows: Vec<Ready> = ready.by_ref().take(per_call).collect();
        let mut payments = Vec::with_capacity(rows.len());
        for r in &rows {
            let row = at_hand.get(r.row)?;
            let payment = core.payment(held.place(r.row), r.payout.attempt, held.format, row);
            payments.push(Payment { past: Past::of_create(&r.payout), ..payment });
        }
        let Some((index, slot)) = slots.next() else { break };
        let gate = Arc::new(Gate::new(Arc::clone(&core.env), &lane.policy, closes_ms));
        let shipment = Shipment { lane: lane.name.clone(), payments, gate };
        let call = Call { rows, send_before, permits, index, slot };
        calls.push(request(core, lane, call, shipment).boxed());
    }
    Ok(calls)
}

/// Closes at the send deadline, on the boot-time clock.
pub struct Gate {
    /// When, in milliseconds of that clock.
    closes_ms: u64,
    /// When a request that started in time must have been written whole.
    ends_ms: u64,
    /// Whose clock.
    env: Arc<dyn crate::env::Env>,
}

impl Gate {
    /// For a request that must start before `closes_ms`.
    pub fn new(env: Arc<dyn crate::env::Env>, policy: &Policy, closes_ms: u64) -> Gate {
        Gate { closes_ms, ends_ms: closes_ms.saturating_add(policy.request_timeout_ms), env }
    }
}

impl SendGate for Gate {
    fn is_open(&self) -> bool {
        self.env.now_ms() < self.closes_ms
    }

    fn may_go_on(&self) -> bool {
        self.env.now_ms() < self.ends_ms
    }
}

/// One provider call that is about to be made.
struct Call {
    rows: Vec<Ready>,
    send_before: Millis,
    /// Its slot is number `index` of these.
    permits: Slots,
    index: usize,
    slot: Slot,
}

/// Waits until a call may leave. Slots that passed while its intent was written, or while this
/// machine was busy, are thrown away and another is drawn, as long as the gate is open. False if
/// the ledger gives none.
async fn await_slot(
    core: &Core,
    lane: &Lane,
    mut permits: Slots,
    mut index: usize,
    gate: &dyn SendGate,
) -> bool {
    loop {
        let leaves_ms = permits.at_ms(index);
        let ahead_ms = leaves_ms.saturating_sub(core.clock.boot_ms());
        if ahead_ms > 0 {
            core.env.sleep(ahead_ms).await;
        }
        lane.pace.spend().await;
        if !permits.are_gone(leaves_ms, core.clock.boot_ms()) {
            return true;
        }
        if !gate.is_open() {
            return false;
        }
        let pace = |now| lane.brakes.interval_us(now);
        let Ok(drawn) = lane.pace.draw(&*core.ledger, &core.clock, pace, 1).await else {
            return false;
        };
        (permits, index) = (drawn, 0);
    }
}

/// Makes one provider call, at its time.
async fn request(core: &Core, lane: &Lane, call: Call, shipment: Shipment) -> Returned {
    let Call { rows, send_before, permits, index, slot } = call;
    let is_time = await_slot(core, lane, permits, index, &*shipment.gate).await;
    // A lane that was stopped meanwhile sends nothing more.
    let first = shipment.payments.first();
    let may_go = first.is_some_and(|p| lane.brakes.may_go(&core.clock, p.place));
    let mut shipped = if !is_time || !may_go || !shipment.gate.is_open() {
        Shipped::from(Vec::new())
    } else {
        count(&core.counters.creates_total);
        let shipped = lane.provider.submit(shipment).await;
        debug_assert_eq!(shipped.answers.len(), rows.len(), "one answer a payment");
        Shipped { answers: pad(shipped.answers, rows.len()), ..shipped }
    };
    drop(slot);
    let numbers: Vec<u16> = rows.iter().map(|r| r.row).collect();
    let handle = shipped.handle.as_deref();
    let kept = handle.and_then(|handle| Carried::new(send_before, handle, &numbers));
    let shipment = numbers.first().copied().zip(kept.map(|kept| kept.to_note()));
    // Where nothing was handed over, every row is withdrawn.
    let mut answers = std::mem::take(&mut shipped.answers).into_iter();
    let answered =
        rows.into_iter().map(|r| (r.row, r.payout, answers.next().unwrap_or(Answer::NotSent)));
    let Shipped { rows_max, stop, .. } = shipped;
    Returned { answered: answered.collect(), shipment, rows_max, stop }
}

/// An adapter that answered for too few rows told nothing about the others.
fn pad(mut answers: Vec<Answer>, len: usize) -> Vec<Answer> {
    let nothing = || Answer::Unknown { text: "the adapter gave no answer".to_owned() };
    answers.resize_with(len, nothing);
    answers
}

/// Writes outcomes down, asking until the ledger answers, and lets the lane learn from them.
/// Gives the payouts as they stand then.
async fn write_down(
    core: &Core,
    lane: &Lane,
    id: ChunkId,
    returned: Vec<Returned>,
) -> Vec<(u16, Payout)> {
    let now = core.clock.now();
    let rows = returned.iter().map(|call| call.answered.len()).sum();
    let mut lessons = Vec::with_capacity(rows);
    let mut happenings = Vec::with_capacity(rows);
    for Returned { answered, mut shipment, rows_max, stop } in returned {
        // What one call taught about the provider is learnt once, however many rows it carried.
        let mut told: Option<Lesson> = None;
        let mut is_answered = false;
        for (row, payout, answer) in answered {
            tally(&core.counters, &answer);
            let pause_ms = pause_ms(&lane.policy, payout.asked, core.env.random());
            let Verdict { event, mut notes, lesson } = digest(answer, &payout, now, pause_ms);
            if let Some((_, note)) = shipment.take_if(|(at, _)| *at == row) {
                notes.push(note);
            }
            happenings.push(Happening { row, payout, event, notes });
            if told.as_ref() != Some(&lesson) {
                lessons.push((row, lesson.clone()));
            }
            is_answered |= lesson.is_answered();
            told = lesson.is_of_call().then_some(lesson);
        }
        if is_answered {
            lane.brakes.answered();
        }
        if let Some(rows_max) = rows_max
            && let Err(error) = lane.brakes.shrink(&*core.ledger, rows_max).await
        {
            tracing::warn!(%error, "the lane's record is not up to date");
        }
        if let Some((text, retry_after_ms)) = stop
            && let Some((row, _)) = lessons.last()
        {
            let lesson = Lesson::Stop { text, retry_after_ms };
            learn(core, lane, Place { chunk: id, row: *row }, &lesson).await;
        }
    }
    let written = store(core, lane, id, happenings).await;
    for (row, lesson) in lessons {
        learn(core, lane, Place { chunk: id, row }, &lesson).await;
    }
    written
}

/// Stores outcomes, however long the ledger is away: they are the only ones who know.
async fn store(
    core: &Core,
    lane: &Lane,
    id: ChunkId,
    happenings: Vec<Happening>,
) -> Vec<(u16, Payout)> {
    let mut tries = 0;
    loop {
        let now = core.clock.now();
        let stored =
            apply(&*core.ledger, id, Guard::Fact, now, &lane.policy, happenings.clone()).await;
        match stored {
            Ok(done) => {
                let done = done.into_iter().flatten();
                return done.map(|(row, applied)| (row, applied.payout())).collect();
            }
            Err(LedgerError::Unavailable(_)) => wait_for_ledger(core, &mut tries).await,
            Err(error) => {
                tracing::error!(chunk = %id, %error, "outcomes are lost; their rows will be looked up");
                return Vec::new();
            }
        }
    }
}

async fn learn(core: &Core, lane: &Lane, place: Place, lesson: &Lesson) {
    match lane.brakes.learn(&*core.ledger, &core.clock, place, lesson).await {
        Ok(true) => count(&core.counters.lane_stops_total),
        Ok(false) => {}
        Err(error) => tracing::warn!(%place, %error, "the lane's record is not up to date"),
    }
}

fn tally(counters: &Counters, answer: &Answer) {
    count(match answer {
        Answer::Accepted { .. } | Answer::Begun { .. } | Answer::Differs { .. } => {
            &counters.creates_accepted_total
        }
        Answer::Refused { .. } | Answer::Unlisted { .. } => &counters.creates_refused_total,
        Answer::Later { .. } | Answer::StopLane { .. } => &counters.creates_later_total,
        Answer::Unknown { .. } | Answer::Exists { .. } => &counters.creates_unknown_total,
        Answer::NotSent => &counters.creates_withdrawn_total,
    });
}
