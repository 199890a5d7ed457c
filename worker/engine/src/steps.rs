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

use crate::brakes::Road;
use crate::lane::Lane;
use crate::send::Gate;
use crate::work::{Core, Held};
use domain::{BatchState, Event, State};
use futures::StreamExt;
use futures::stream;
use ledger::apply::Happening;
use ledger::{Guard, LedgerError, Note, NoteKind};
use providers::{Payment, SendGate, Step, StepAnswer};
use std::sync::Arc;

/// Steps of one chunk under way at once; the look-ups' budget paces them.
const AT_ONCE: usize = 8;

/// Takes the second step of payouts that a look-up has just found waiting for it.
pub async fn take(
    core: &Core,
    lane: &Lane,
    held: &mut Held,
    due: Vec<(u16, Payment)>,
) -> Result<(), LedgerError> {
    let Some(confirm) = lane.provider.confirm() else { return Ok(()) };
    if due.is_empty() || held.batch != BatchState::Active || core.is_stopping() {
        return Ok(());
    }
    // A lane that may not send does not pay, either: a later look-up finds the step due again.
    if matches!(lane.brakes.road(&core.clock), Road::Closed { .. }) {
        return Ok(());
    }
    let rows: Vec<u16> = due.iter().map(|(row, _)| *row).collect();
    // Measured from before the intent is written, as for a create (S7).
    let closes_ms = core.clock.boot_ms().saturating_add(lane.policy.send_window_ms);
    held.happen(core, lane, Guard::Intent(held.token), &rows, &Event::StepIntent).await?;
    let begun = due.into_iter().filter(|(row, _)| {
        held.payout(*row).is_some_and(|p| p.step_open && p.state == State::Submitted)
    });
    let begun: Vec<_> = begun.collect();
    if held.lost.load(std::sync::atomic::Ordering::Relaxed) {
        // The intents were refused: nothing leaves.
        return Ok(());
    }
    let gate: Arc<dyn SendGate> = Arc::new(Gate { closes_ms, env: Arc::clone(&core.env) });
    let answers: Vec<(u16, StepAnswer)> = stream::iter(begun)
        .map(|(row, payment)| {
            let gate = Arc::clone(&gate);
            async move {
                lane.look_ups.one().await;
                let step = Step { payments: vec![payment], code: None, gate };
                (row, confirm.confirm(step).await)
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let happenings = answers.into_iter().filter_map(|(row, answer)| {
        let notes = match answer {
            // Left open: a look-up tells.
            StepAnswer::Unknown { .. } => return None,
            StepAnswer::Taken => Vec::new(),
            StepAnswer::Refused { text } => vec![Note::new(NoteKind::Reason, text)],
            StepAnswer::NotSent { .. } => Vec::new(),
        };
        let payout = *held.payout(row)?;
        Some(Happening { row, payout, event: Event::StepOutcome, notes })
    });
    let happenings: Vec<Happening> = happenings.collect();
    if happenings.is_empty() {
        return Ok(());
    }
    held.apply(core, lane, Guard::Fact, happenings).await
}
