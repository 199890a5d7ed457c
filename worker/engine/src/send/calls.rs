//! The second stage: provider calls, each in its slot, none after its deadline (S7).

use super::intents::{Deadline, Ready};
use crate::counters::count;
use crate::lane::Lane;
use crate::pace::Slots;
use crate::shelf::Rows;
use crate::spend::Reservation;
use crate::window::Slot;
use crate::work::{Core, Held};
use domain::{Millis, Payout, Policy, Row};
use futures::FutureExt;
use futures::future::BoxFuture;
use ledger::shipment::Shipment as Carried;
use ledger::{LedgerError, Note};
use providers::{Answer, Past, Payment, SendGate, Shipment, Shipped};
use std::sync::Arc;

/// A row, the payout as it was sent, and what was answered.
pub(super) type Answered = Vec<(u16, Payout, Answer)>;

/// What one provider call came back with.
pub(super) struct Returned {
    pub(super) answered: Answered,
    /// When it left.
    pub(super) sent_at: Millis,
    /// The provider's id of the call, and where it is kept.
    pub(super) shipment: Option<(u16, Note)>,
    /// The provider wants fewer rows in a call.
    pub(super) rows_max: Option<u16>,
    /// The lane stops, for this reason, for so long.
    pub(super) stop: Option<(String, Option<u64>)>,
    /// Rows that certainly moved no money …
    pub(super) unspent: Vec<Arc<Row>>,
    /// … and in what room was reserved for them.
    pub(super) reserved: Arc<Reservation>,
}

/// Rows that may go, and all that is theirs.
pub(super) struct Group {
    pub(super) ready: Vec<Ready>,
    pub(super) deadline: Deadline,
    pub(super) slots: Vec<Slot>,
    pub(super) permits: Slots,
    pub(super) reserved: Arc<Reservation>,
}

/// Rows handed to the provider, as many a call as it takes, each call in its slot.
pub(super) fn ship<'a>(
    core: &'a Core,
    lane: &'a Lane,
    held: &Held,
    at_hand: &Rows,
    group: Group,
) -> Result<Vec<BoxFuture<'a, Returned>>, LedgerError> {
    let Group { ready, deadline, slots, permits, reserved } = group;
    let Deadline { send_before, closes_ms } = deadline;
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
        let call =
            Call { rows, send_before, permits, index, slot, reserved: Arc::clone(&reserved) };
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
    reserved: Arc<Reservation>,
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
        let Ok(Ok(drawn)) = lane.pace.draw(&*core.ledger, &core.clock, pace, 1).await else {
            return false;
        };
        (permits, index) = (drawn, 0);
    }
}

/// Makes one provider call, at its time.
async fn request(core: &Core, lane: &Lane, call: Call, shipment: Shipment) -> Returned {
    let Call { rows, send_before, permits, index, slot, reserved } = call;
    let is_time = await_slot(core, lane, permits, index, &*shipment.gate).await;
    // Where nothing is reserved, nothing is given back.
    let payments = shipment.payments.iter().filter(|_| !reserved.is_empty());
    let money: Vec<Arc<Row>> = payments.map(|payment| Arc::clone(&payment.row)).collect();
    // A lane that was stopped meanwhile sends nothing more.
    let first = shipment.payments.first();
    let may_go = first.is_some_and(|p| lane.brakes.may_go(&core.clock, p.place));
    let sent_at = core.clock.now();
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
    let answered: Answered = answered.collect();
    let unspent =
        money.into_iter().zip(&answered).filter(|(_, (_, _, answer))| moved_nothing(answer));
    let unspent = unspent.map(|(row, _)| row).collect();
    let Shipped { rows_max, stop, .. } = shipped;
    Returned { answered, sent_at, shipment, rows_max, stop, unspent, reserved }
}

/// The same payout may be sent again as it is: surely no money moved, and none will. A refusal for
/// good may still turn out to be a payment (S14), so what was reserved for it stays used up.
fn moved_nothing(answer: &Answer) -> bool {
    matches!(answer, Answer::NotSent | Answer::Later { .. } | Answer::StopLane { .. })
}

/// An adapter that answered for too few rows told nothing about the others.
fn pad(mut answers: Vec<Answer>, len: usize) -> Vec<Answer> {
    let nothing = || Answer::Unknown { text: "the adapter gave no answer".to_owned() };
    answers.resize_with(len, nothing);
    answers
}
