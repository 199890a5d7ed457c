//! Which provider calls of a batch wait for their second step.
//!
//! What the provider confirms is a call: all payouts that it carried, where it gave the call an
//! id, else each payout by itself. A call waits if one of its payouts is `waiting`, or is
//! `submitted` in a call whose step was never begun.
//!
//! What a person has decided about is not paid by a step for its neighbours: the provider's call
//! holds its record to this day, whatever became of the payout here and whatever was sent since.

use super::ConfirmError;
use crate::provider::payout;
use crate::rules::Rules;
use domain::{BatchId, Cause, ChunkId, LaneName, Payout, Row, State};
use ledger::shipment::Shipment;
use ledger::told::Told;
use ledger::{Chunk, Ledger, LedgerError};
use providers::SecondStep;
use std::sync::Arc;

/// A call that waits. Two are equal if nothing of it has changed: not even a step that came and
/// went, which leaves its mark in the payouts' versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Where its rows lie; a call never spans two chunks.
    pub chunk: ChunkId,
    /// The lane.
    pub lane: LaneName,
    /// The provider's id of the call, where it gave one.
    pub handle: Option<String>,
    /// The rows that the step is about, in order.
    pub rows: Vec<CallRow>,
    /// Further rows of the call that stand where no step may meet them.
    pub strangers: Vec<CallRow>,
    /// Rows that it carried once and that a person has decided about since: closed by hand, or
    /// sent again in a new attempt.
    pub decided: Vec<CallRow>,
}

/// A row of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRow {
    /// Its number in the chunk.
    pub row: u16,
    /// Where it stood when it was read.
    pub payout: Payout,
    /// What is to be paid.
    pub what: Arc<Row>,
}

/// All calls of a batch that wait on lanes whose provider wants a second step.
pub async fn of_batch(
    ledger: &dyn Ledger,
    rules: &Rules,
    batch: BatchId,
) -> Result<Vec<Call>, ConfirmError> {
    let about = ledger.batch(batch).await?.ok_or(ConfirmError::NoBatch(batch))?;
    let mut calls = Vec::new();
    for no in 0..about.chunks {
        let Some(chunk) = ledger.chunk(ChunkId { batch, no }).await? else { continue };
        let has_step = |lane: &LaneName| {
            let lane = rules.lane(lane.as_str()).map(|at| &rules.lanes[at]);
            lane.is_some_and(|lane| lane.provider.limits().second_step != SecondStep::None)
        };
        if chunk.vias().any(|via| has_step(&via.lane)) {
            let all = of_chunk(ledger, &chunk).await?;
            calls.extend(all.into_iter().filter(|call| has_step(&call.lane)));
        }
    }
    Ok(calls)
}

/// The calls of one chunk that wait.
pub async fn of_chunk(ledger: &dyn Ledger, chunk: &Chunk) -> Result<Vec<Call>, LedgerError> {
    let stands = |payout: &Payout| matches!(payout.state, State::Waiting | State::Submitted);
    if !chunk.payouts.iter().any(stands) {
        return Ok(Vec::new());
    }
    let told = Told::read(ledger, chunk.id).await?;
    let what = payout::rows(ledger, chunk.id).await?;
    let all: Vec<(CallRow, Option<&Shipment>)> = (0u16..)
        .zip(chunk.payouts.iter().zip(what))
        .map(|(row, (payout, what))| {
            (CallRow { row, payout: *payout, what }, told.shipment(row, payout))
        })
        .collect();
    let mut seen: Vec<&Shipment> = Vec::new();
    let mut calls = Vec::new();
    for (row, shipment) in &all {
        let waits = match row.payout.state {
            State::Waiting => true,
            State::Submitted => shipment.is_some() && !row.payout.stepped,
            _ => false,
        };
        let (carried, decided): (Vec<&CallRow>, Vec<&CallRow>) = match shipment {
            _ if !waits => continue,
            None => (vec![row], Vec::new()),
            Some(shipment) if seen.contains(shipment) => continue,
            Some(shipment) => {
                seen.push(shipment);
                let is_ours = |other: &Option<&Shipment>| *other == Some(*shipment);
                let (decided, others): (Vec<_>, Vec<_>) =
                    all.iter().partition(|(row, other)| is_decided(row, shipment, is_ours(other)));
                let ours = others.into_iter().filter(|(_, other)| is_ours(other));
                (
                    ours.map(|(row, _)| row).collect(),
                    decided.into_iter().map(|(row, _)| row).collect(),
                )
            }
        };
        let handle = shipment.map(|shipment| shipment.handle.clone());
        let lane = &chunk.via(&row.payout).lane;
        calls.push(Call::of(chunk.id, lane, handle, &carried, &decided));
    }
    Ok(calls)
}

/// Whether the call holds a record of this payout about which a person has decided otherwise. A
/// later attempt is always a person's; which attempt this call carried, nobody kept, so of two
/// calls the one that is not the newest counts as the older attempt's.
fn is_decided(row: &CallRow, shipment: &Shipment, is_newest: bool) -> bool {
    let is_retried = row.payout.attempt > 1 && !is_newest;
    shipment.holds(row.row) && (row.payout.cause == Cause::Operator || is_retried)
}

impl Call {
    fn of(
        chunk: ChunkId,
        lane: &LaneName,
        handle: Option<String>,
        carried: &[&CallRow],
        decided: &[&CallRow],
    ) -> Call {
        let those = |wanted: fn(State) -> bool| -> Vec<CallRow> {
            let rows = carried.iter().filter(|row| wanted(row.payout.state));
            rows.map(|row| (*row).clone()).collect()
        };
        Call {
            chunk,
            lane: lane.clone(),
            handle,
            rows: those(|state| matches!(state, State::Waiting | State::Submitted)),
            // The others are settled, or not at the provider.
            strangers: those(|state| {
                matches!(state, State::Submitting | State::Unknown | State::Review)
            }),
            decided: decided.iter().map(|row| (*row).clone()).collect(),
        }
    }

    /// Whether it holds this payout.
    pub fn holds(&self, reference: &str) -> bool {
        self.rows.iter().any(|row| row.what.reference.as_str() == reference)
    }

    /// The reference of its first payout.
    pub fn first(&self) -> &str {
        self.rows.first().map_or("", |row| row.what.reference.as_str())
    }

    /// Whether its step may begin: none is under way, and every payout that it would pay may be
    /// paid.
    pub fn check(&self) -> Result<(), ConfirmError> {
        if let Some(row) = self.rows.iter().find(|row| row.payout.step_open) {
            let reference = row.what.reference.as_str().to_owned();
            return Err(ConfirmError::UnderWay { reference, until: row.payout.due });
        }
        // What a hint says must be looked up before money is moved (S6).
        if let Some(row) = self.rows.iter().find(|row| row.payout.news_pending) {
            return Err(ConfirmError::News(row.what.reference.as_str().to_owned()));
        }
        if let Some(row) = self.decided.first() {
            let handle = self.handle.clone().unwrap_or_default();
            let reference = row.what.reference.as_str().to_owned();
            return Err(ConfirmError::Decided { reference, handle, state: row.payout.state });
        }
        match self.strangers.first() {
            Some(row) => Err(ConfirmError::Mixed {
                reference: row.what.reference.as_str().to_owned(),
                state: row.payout.state,
            }),
            None => Ok(()),
        }
    }
}

/// Which of the calls that wait is meant: the one that holds `reference`, or all of them.
pub fn choose(
    calls: Vec<Call>,
    batch: BatchId,
    reference: Option<&str>,
) -> Result<Vec<Call>, ConfirmError> {
    match reference.map(str::trim) {
        Some(wanted) => {
            let call = calls.into_iter().find(|call| call.holds(wanted));
            let reference = wanted.to_owned();
            Ok(vec![call.ok_or(ConfirmError::NotWaiting { reference, batch })?])
        }
        None if calls.is_empty() => {
            let hint = format!("`producer waiting {batch}` shows what a person has to do");
            Err(ConfirmError::NothingWaits(batch, hint))
        }
        None => Ok(calls),
    }
}

/// Those of the chosen calls whose step may begin. What cannot is told, and is the error where it
/// is all there is.
pub fn ready(
    calls: Vec<Call>,
    mut tell: impl FnMut(&ConfirmError),
) -> Result<Vec<Call>, ConfirmError> {
    let is_all = calls.len() == 1;
    let (mut ready, mut last) = (Vec::with_capacity(calls.len()), None);
    for call in calls {
        match call.check() {
            Ok(()) => ready.push(call),
            Err(error) => {
                if !is_all {
                    tell(&error);
                }
                last = Some(error);
            }
        }
    }
    match last {
        Some(error) if ready.is_empty() => Err(error),
        _ => Ok(ready),
    }
}
