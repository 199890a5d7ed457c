//! The person who enters codes, as the command does it: a step intent, durable, then the step,
//! then its outcome. He types wrong codes, and his machine dies in between.

use crate::person::Person;
use crate::process::{OUTSIDE, ProcessEnv};
use crate::run::policy;
use crate::sides::Side;
use domain::{ChunkId, Event, Payout, Place, State};
use engine::send::Gate;
use futures::FutureExt;
use ledger::apply::{Happening, apply};
use ledger::shipment::Shipment;
use ledger::{Chunk, Guard, LedgerError, Note, NoteKind};
use providers::{Confirm, Past, Payment, Step, StepAnswer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The person.
pub struct Operator {
    /// Who enters them.
    pub person: Person,
    /// Whether he errs and his machine dies.
    pub errs: bool,
}

/// What belongs to one code: the rows of one handle, or one row whose handle nobody knows; and whose
/// code it is.
type Group = (Side, Option<Arc<str>>, Vec<u16>);

impl Operator {
    /// Looks at the batch now and then, and enters codes for what waits.
    pub async fn work(self) {
        self.person.go_round((2_000, 6_000), || false, |chunk| self.visit(chunk).boxed()).await;
    }

    /// One visit to a chunk. False if there is none.
    async fn visit(&self, id: ChunkId) -> Result<bool, LedgerError> {
        let Some(chunk) = self.person.ledger.chunk(id).await? else { return Ok(false) };
        for (side, handle, rows) in self.groups(&chunk).await? {
            if self.person.exec.dice().chance(700) {
                self.confirm(&chunk, side, handle, rows).await?;
            }
        }
        Ok(true)
    }

    /// What waits for a code. With the rows of a handle that wait go those that nobody has asked
    /// about yet: the code is for all of them.
    async fn groups(&self, chunk: &Chunk) -> Result<Vec<Group>, LedgerError> {
        let notes = self.person.ledger.notes(chunk.id).await?;
        let shipments: Vec<Shipment> =
            notes.iter().filter_map(|(_, note)| Shipment::of_note(note)).collect();
        // Two providers may call their batches by the same name.
        let mut known: BTreeMap<(Side, Arc<str>), Vec<u16>> = BTreeMap::new();
        let mut groups: Vec<Group> = Vec::new();
        for (row, payout) in (0u16..).zip(&chunk.payouts) {
            let side = Side::of(payout, payout.attempt);
            let carrier = shipments.iter().rev().find(|shipment| shipment.carries(row, payout));
            match carrier {
                Some(shipment) => {
                    let handle = shipment.handle.as_str().into();
                    known.entry((side, handle)).or_default().push(row);
                }
                None if waits(payout) => groups.push((side, None, vec![row])),
                None => {}
            }
        }
        let known = known.into_iter().filter(|(_, rows)| {
            rows.iter().any(|row| chunk.payouts.get(usize::from(*row)).is_some_and(waits))
        });
        groups.extend(known.map(|((side, handle), rows)| (side, Some(handle), rows)));
        Ok(groups)
    }

    async fn confirm(
        &self,
        chunk: &Chunk,
        side: Side,
        handle: Option<Arc<str>>,
        rows: Vec<u16>,
    ) -> Result<(), LedgerError> {
        let dice = self.person.exec.dice();
        let closes_ms = self.person.exec.now_ms() + policy().send_window_ms;
        let may_step = |payout: &Payout| {
            let stands = matches!(payout.state, State::Waiting | State::Submitted);
            stands && !payout.step_open && !payout.news_pending
        };
        let payout = |row: &u16| chunk.payouts.get(usize::from(*row)).copied();
        let rows = rows.into_iter().filter(|row| payout(row).as_ref().is_some_and(may_step));
        let events = rows.filter_map(|row| Some((row, payout(&row)?, Vec::new())));
        let begun = self.happen(chunk.id, &Event::StepIntent, events.collect()).await?;
        if begun.is_empty() || self.dies() {
            return Ok(());
        }
        let payments: Vec<Payment> =
            begun.iter().map(|(row, payout)| self.payment(chunk, *row, payout, &handle)).collect();
        let gateway = self.person.gateways.of(side);
        let code = payments.first().and_then(|payment| gateway.code(payment));
        let is_wrong = self.errs && dice.chance(200);
        let code = if is_wrong { Some("typed wrong".to_owned()) } else { code };
        let env = Arc::new(ProcessEnv::new(self.person.exec.clone(), OUTSIDE));
        let gate = Arc::new(Gate::new(env, &policy(), closes_ms));
        let step = Step { payments, code, gate };
        let answer = Confirm::confirm(gateway, step).await;
        if self.dies() {
            return Ok(());
        }
        let notes = match answer {
            // Left open: a look-up tells.
            StepAnswer::Unknown { .. } => return Ok(()),
            StepAnswer::Refused { text } => vec![Note::new(NoteKind::Reason, text)],
            StepAnswer::Taken | StepAnswer::NotSent { .. } => Vec::new(),
        };
        for (row, payout) in begun {
            let outcome = Event::StepOutcome { intent: payout.intents };
            self.happen(chunk.id, &outcome, vec![(row, payout, notes.clone())]).await?;
        }
        Ok(())
    }

    fn dies(&self) -> bool {
        self.errs && self.person.exec.dice().chance(150)
    }

    /// Gives what it changed.
    async fn happen(
        &self,
        chunk: ChunkId,
        event: &Event,
        rows: Vec<(u16, Payout, Vec<Note>)>,
    ) -> Result<Vec<(u16, Payout)>, LedgerError> {
        let happenings = rows.into_iter().map(|(row, payout, notes)| Happening {
            row,
            payout,
            event: event.clone(),
            notes,
        });
        let now = self.person.ledger.about().await?.now;
        let done =
            apply(&*self.person.ledger, chunk, Guard::Fact, now, &policy(), happenings.collect())
                .await?;
        let done = done.into_iter().flatten().filter(|(_, applied)| applied.is_changed());
        Ok(done.map(|(row, applied)| (row, applied.payout())).collect())
    }

    fn payment(
        &self,
        chunk: &Chunk,
        at: u16,
        payout: &Payout,
        handle: &Option<Arc<str>>,
    ) -> Payment {
        let row = Arc::new(self.person.row(chunk, at));
        let reference =
            self.person.reference(Side::of(payout, payout.attempt), &row, payout.attempt);
        let past = Past { shipment: handle.clone(), ..Past::default() };
        let place = Place { chunk: chunk.id, row: at };
        Payment { place, attempt: payout.attempt, reference, row, past }
    }
}

fn waits(payout: &Payout) -> bool {
    payout.state == State::Waiting && !payout.step_open
}
