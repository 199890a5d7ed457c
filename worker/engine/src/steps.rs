//! Second steps that a lane takes by itself (S9): paying an order that was created.
//!
//! ```text
//!   look-up: created, not paid ──▶ step intent (durable) ──▶ request ──▶ step outcome
//!                  ▲                                            │ no answer, death
//!                  └────────────── look-up, once it has surely ended ◀──┘
//! ```
//!
//! The payout stays `submitted` throughout and never returns to `accepted`: what became of a step
//! is told by a look-up, and by nothing else. Steps that take a code are a person's
//! (`producer confirm`); the engine never takes those.
//!
//! A step leaves a second time only if two look-ups in a row, the settling time apart, say that it
//! is due: as absence is believed (S11). One of them alone may come from a replica that has not
//! heard of the first step yet.

use crate::brakes::Road;
use crate::lane::Lane;
use crate::send::Gate;
use crate::work::{Core, Held};
use domain::{Event, Payout, State};
use futures::future::join_all;
use ledger::apply::Happening;
use ledger::{Guard, LedgerError, Note, NoteKind};
use providers::{Confirm, Payment, SendGate, Step, StepAnswer};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Steps of one chunk under way at once, at most; the look-ups' budget paces them.
const AT_ONCE: usize = 8;

/// A payout that a look-up has found waiting for its step.
pub struct Due {
    /// Its row.
    pub row: u16,
    /// As it stood when it was asked about.
    pub read: Payout,
    /// What the step is about.
    pub payment: Payment,
}

impl Due {
    /// Whether nothing but the look-up's own answer has changed the payout since it was asked
    /// about: what came in between may have overtaken the answer.
    fn still_holds(&self, held: &Held) -> bool {
        let told = self.read.version.wrapping_add(1);
        held.payout(self.row).is_some_and(|p| {
            p.version == told && p.state == State::Submitted && !p.step_open && !p.news_pending
        })
    }
}

/// What is to be kept of a payout that a look-up has found waiting for a step which was begun
/// before: that it was said once. `None` where the step may be taken: it is the first one, or the
/// look-up before this one said the same, by the newest reason kept, `known`.
///
/// The words hold for one version of the payout, the one that they are written with. Whatever
/// else was answered, heard or tried meanwhile has made another one, so that they prove nothing
/// any more; a crash forgets nothing, since they are as durable as the answer itself. The look-up
/// after it comes the settling time later at the soonest.
pub fn said_once_more(read: &Payout, known: Option<&str>) -> Option<Note> {
    let words = |version: u32| {
        format!(
            "its second step was begun and is said to be due all the same; it is repeated if the next look-up says so too (version {version})"
        )
    };
    if !read.stepped || known == Some(&*words(read.version)) {
        return None;
    }
    Some(Note::new(NoteKind::Reason, words(read.version.wrapping_add(1))))
}

/// Takes the second step of payouts that a look-up has just found waiting for it: in groups of
/// as many as may leave now, so that no intent is written for a step that cannot leave in time.
pub async fn take(
    core: &Core,
    lane: &Lane,
    held: &mut Held,
    mut due: Vec<Due>,
) -> Result<(), LedgerError> {
    let Some(confirm) = lane.provider.confirm() else { return Ok(()) };
    loop {
        due.retain(|due| due.still_holds(held));
        if due.is_empty() || !may_step(core, lane, held) {
            return Ok(());
        }
        let turns = lane.look_ups.some(AT_ONCE.min(due.len())).await;
        if !may_step(core, lane, held) {
            return Ok(());
        }
        let later = due.split_off(turns.min(due.len()));
        take_now(core, lane, held, confirm, due).await?;
        due = later;
    }
}

/// A lane that may not send does not pay, either: a later look-up finds the step due again.
fn may_step(core: &Core, lane: &Lane, held: &Held) -> bool {
    held.may_send(core)
        && !held.lost.load(Ordering::Relaxed)
        && !matches!(lane.brakes.road(&core.clock), Road::Closed { .. })
}

/// Intents, requests, outcomes of steps whose turn has come.
async fn take_now(
    core: &Core,
    lane: &Lane,
    held: &mut Held,
    confirm: &dyn Confirm,
    mut due: Vec<Due>,
) -> Result<(), LedgerError> {
    let rows: Vec<u16> = due.iter().map(|due| due.row).collect();
    // Measured from before the intent is written, as for a create (S7).
    let closes_ms = core.clock.boot_ms().saturating_add(lane.policy.send_window_ms);
    let intent = Guard::Intent(held.token);
    // Only what this very write has opened leaves; a step that is open anyway is another's.
    let begun = held.happen(core, lane, intent, &rows, &Event::StepIntent).await?;
    due.retain(|due| begun.contains(&due.row));
    let (Some(first), Some(last)) = (due.first(), due.last()) else { return Ok(()) };
    let (first, last) = (first.row.min(last.row), first.row.max(last.row));
    let at_hand = core.shelf.rows(&*core.ledger, held.id, first, last).await?;
    let stand = due.iter().filter_map(|due| Some((due.row, *held.payout(due.row)?)));
    let kept = core.journal.keep(core, lane, held.id, &at_hand, stand).await;
    let env = Arc::clone(&core.env);
    let gate: Arc<dyn SendGate> = Arc::new(Gate::new(env, &lane.policy, closes_ms));
    let requests = due.into_iter().map(|Due { row, read, payment }| {
        let (gate, kept) = (Arc::clone(&gate), kept.clone());
        async move {
            // What no journal names never leaves (S18).
            if let Err(text) = kept {
                return (row, read, StepAnswer::NotSent { text });
            }
            let step = Step { payments: vec![payment], code: None, gate };
            (row, read, confirm.confirm(step).await)
        }
    });
    let answers = join_all(requests).await;
    let happenings = answers.into_iter().filter_map(|(row, read, answer)| {
        let payout = *held.payout(row)?;
        let intent = payout.intents;
        let (event, notes) = match answer {
            // Left open: a look-up tells.
            StepAnswer::Unknown { .. } => return None,
            StepAnswer::Taken => (Event::StepOutcome { intent }, Vec::new()),
            StepAnswer::Refused { text } => {
                (Event::StepOutcome { intent }, vec![Note::new(NoteKind::Reason, text)])
            }
            StepAnswer::NotSent { .. } => {
                (Event::StepWithdrawn { intent, is_first: !read.stepped }, Vec::new())
            }
        };
        Some(Happening { row, payout, event, notes })
    });
    let happenings: Vec<Happening> = happenings.collect();
    if happenings.is_empty() {
        return Ok(());
    }
    held.apply(core, lane, Guard::Fact, happenings).await.map(drop)
}
