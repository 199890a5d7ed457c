//! A world to run a scenario in: the ledger, the provider, the workers. [`crate::run()`] lets it
//! go to its end; a directed test stops it where it wants and turns something.

use crate::bounds::Bounds;
use crate::checkers;
use crate::dice::Dice;
use crate::exec::{Actor, Exec};
use crate::gateway::book::Fate;
use crate::gateway::{Gateway, lane_name};
use crate::intake::{row, take_in};
use crate::log::{By, Wrote};
use crate::pool::Pool;
use crate::process::OUTSIDE;
use crate::run::{Ending, LIMIT_MS, Report, RowEnd, ledger_time};
use crate::scenario::Scenario;
use crate::sides::{Gateways, Side};
use domain::{
    BatchId, BatchState, Cause, ChunkId, LedgerId, PayerReference, Payout, Place,
    ProviderReference, State,
};
use futures::FutureExt;
use futures::executor::block_on;
use ledger::memory::MemoryLedger;
use ledger::spend::{self, Holder};
use ledger::{LaneRecord, Ledger, Note, NoteKind, Stop};
use providers::Provider;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All that there is.
pub struct World {
    /// Tasks and time.
    pub exec: Exec,
    /// The truth.
    pub ledger: MemoryLedger,
    /// The providers.
    pub gateways: Gateways,
    /// The workers.
    pub pool: Pool,
    batch: BatchId,
    id: LedgerId,
    bounds: Bounds,
}

const ANSWERS: &str = "the in-memory ledger answers";

impl World {
    /// A batch is taken in, and the workers are started.
    pub fn new(scenario: &Scenario) -> World {
        let exec = Exec::new(Dice::new(scenario.seed));
        let clock = exec.clone();
        let id = LedgerId::from_random(0);
        let ledger = MemoryLedger::new(id, Arc::new(move || ledger_time(clock.now_ms())));
        let begins_ms = scenario.bounds.begins_ms();
        exec.spawn(OUTSIDE, exec.sleep(begins_ms).boxed());
        while exec.now_ms() < begins_ms && exec.step() {}
        let gateway =
            |side, shape, temper| Gateway::new(exec.clone(), side, shape, temper, ledger.clone());
        let gateways = Gateways {
            first: gateway(Side::First, scenario.shape, scenario.temper),
            second: scenario.second.map(|spare| gateway(Side::Second, spare.shape, spare.temper)),
        };
        let batch = block_on(take_in(
            &ledger,
            scenario.payouts,
            scenario.chunk_rows,
            domain::Terms::default(),
            scenario.second.map(|_| Side::Second.via()),
        ));
        let pool = Pool::new(exec.clone(), ledger.clone(), gateways.clone(), *scenario);
        for number in 1..=scenario.workers {
            pool.start(Actor(number));
        }
        pool.start_operator(batch, id);
        pool.open_office(batch, id);
        if scenario.chaos {
            pool.start_chaos(batch);
        }
        World { exec, ledger, gateways, pool, batch, id, bounds: scenario.bounds }
    }

    /// Goes on until `wanted`, which is asked after every step. False if it never comes.
    pub fn until(&self, mut wanted: impl FnMut(&World) -> bool) -> bool {
        loop {
            if wanted(self) {
                return true;
            }
            if self.exec.now_ms() >= LIMIT_MS || !self.exec.step() {
                return false;
            }
        }
    }

    /// Goes on for so long.
    pub fn pass(&self, ms: u64) {
        let end_ms = self.exec.now_ms() + ms;
        self.until(|world| world.exec.now_ms() >= end_ms);
    }

    /// Goes on until every payout is final or in review. False if that never comes.
    pub fn until_complete(&self) -> bool {
        let mut steps = 0u64;
        self.until(|world| {
            steps += 1;
            steps.is_multiple_of(500)
                && !world.pool.is_going_back()
                && world.batch_state() == BatchState::Complete
        })
    }

    /// Where the batch stands.
    pub fn batch_state(&self) -> BatchState {
        block_on(self.ledger.batch(self.batch)).expect(ANSWERS).expect("the batch exists").state
    }

    /// Moves the batch from one state to another.
    pub fn set_batch(&self, from: BatchState, to: BatchState) {
        let moved = block_on(self.ledger.set_batch_state(self.batch, from, to)).expect(ANSWERS);
        assert!(moved, "the batch was not {from}");
    }

    /// What the pool knows of the lane.
    pub fn lane(&self) -> LaneRecord {
        block_on(self.ledger.lane(lane_name())).expect(ANSWERS)
    }

    /// An operator stops the lane; it tries again by itself after `retry_after_ms`.
    pub fn stop_lane(&self, retry_after_ms: u64) {
        let mut record = self.lane();
        let since = ledger_time(self.exec.now_ms());
        let until = Some(since.plus(retry_after_ms));
        record.stopped = Some(Stop { reason: "stopped by a test".to_owned(), since, until });
        assert!(block_on(self.ledger.put_lane(record)).expect(ANSWERS), "nobody was faster");
    }

    /// Every row: its place, its provider reference on the lane that it goes by, and its payout.
    pub fn payouts(&self) -> Vec<(Place, String, Payout)> {
        let batch = block_on(self.ledger.batch(self.batch)).expect(ANSWERS);
        let mut payouts = Vec::new();
        for no in 0..batch.map_or(0, |batch| batch.chunks) {
            let id = ChunkId { batch: self.batch, no };
            let chunk = block_on(self.ledger.chunk(id)).expect(ANSWERS).expect("a chunk");
            for (row, payout) in (0u16..).zip(chunk.payouts) {
                let ordinal = payouts.len() + 1;
                let reference = PayerReference::new(&format!("P-{ordinal}")).expect("valid");
                let made = ProviderReference::make(
                    self.id,
                    &reference,
                    payout.attempt,
                    Side::of(&payout, payout.attempt).format(),
                );
                payouts.push((Place { chunk: id, row }, made.as_str().to_owned(), payout));
            }
        }
        payouts
    }

    /// The end: the last callbacks arrive, late senders wake up and must not send, and every
    /// checker looks.
    pub fn report(&self) -> Report {
        let took_ms = self.exec.now_ms();
        self.pool.calm();
        let end_ms = took_ms + 60_000;
        while self.exec.now_ms() < end_ms && self.exec.step() {}
        let ending = self.ending();
        let mut states = BTreeMap::new();
        for row in &ending.rows {
            *states.entry(row.payout.state).or_insert(0) += 1;
        }
        let histories = ending.histories();
        let count = |is: &dyn Fn(&Wrote) -> bool| {
            histories.values().filter(|history| history.iter().any(|wrote| is(wrote))).count()
        };
        let held_up = self.held_up();
        let was_in_review = |place: &Place| {
            let history = histories.get(place).map_or(&[][..], Vec::as_slice);
            history
                .iter()
                .any(|w| w.to.state == State::Review && w.to.cause == Cause::CannotBeKnown)
        };
        Report {
            violations: checkers::all(&ending),
            states,
            reviewed: count(&|wrote| wrote.to.state == State::Review),
            decided: count(&|w| w.by == By::Person && w.from.state == State::Review),
            tried_anew: ending.rows.iter().filter(|row| row.payout.attempt > 1).count(),
            moved: count(&|w| w.to.moved),
            moved_cut: count(&|w| w.to.moved && w.to.cause == Cause::SenderLost),
            paid_late: ending.rows.iter().filter(|row| paid_late(&ending, row)).count(),
            rewinds: self.pool.log().rewinds(),
            forgotten: ending.wrote.iter().filter(|wrote| wrote.is_forgotten).count(),
            brought_back: count(&|w| w.to.cause == Cause::LedgerRewound),
            held_up: held_up.len(),
            held_up_in_review: held_up.iter().filter(|at| was_in_review(at)).count(),
            capped: self.was_capped(),
            mishaps: u32::try_from(self.pool.mishaps.all().len()).unwrap_or(u32::MAX),
            told: ending.told.len(),
            tally: self.gateways.tally(),
            took_ms,
        }
    }

    fn was_capped(&self) -> bool {
        let lanes = self.gateways.all().map(|gateway| gateway.side().lane());
        let mut holders =
            lanes.flat_map(|lane| [Holder::Lane(lane.clone()), Holder::Batch(self.batch, lane)]);
        let told = |holder: &Holder| {
            block_on(spend::read(&self.ledger, holder)).expect(ANSWERS).1.told.is_some()
        };
        self.bounds.cap.is_some() && holders.any(|holder| told(&holder))
    }

    /// Payouts that were not found and not sent again either, since their sender may have been frozen.
    fn held_up(&self) -> BTreeSet<Place> {
        let batch = block_on(self.ledger.batch(self.batch)).expect(ANSWERS).expect("the batch");
        let chunks = (0..batch.chunks).map(|no| ChunkId { batch: self.batch, no });
        let is_told = |note: &Note| {
            note.kind == NoteKind::Reason && note.text.contains("producer worker lost")
        };
        let noted = |chunk: ChunkId| {
            let notes = block_on(self.ledger.notes(chunk)).expect(ANSWERS);
            let told = notes.into_iter().filter(|(_, note)| is_told(note));
            told.map(move |(row, _)| Place { chunk, row }).collect::<Vec<_>>()
        };
        chunks.flat_map(noted).collect()
    }

    /// What the checkers look at.
    pub fn ending(&self) -> Ending {
        let wrote = self.pool.log().changes();
        let mut attempts: BTreeMap<Place, u8> = BTreeMap::new();
        for change in &wrote {
            let most = attempts.entry(change.place).or_default();
            *most = change.to.attempt.max(*most);
        }
        let rows = (1u32..).zip(self.payouts()).map(|(ordinal, (place, _, payout))| {
            let row = row(ordinal);
            let of = |side: Side, attempt| {
                ProviderReference::make(self.id, &row.reference, attempt, side.format())
            };
            // Also of attempts that the ledger has forgotten: the provider has not.
            let attempts = attempts.get(&place).map_or(payout.attempt, |a| payout.attempt.max(*a));
            let names = |side: Side| {
                (1..=attempts).map(move |attempt| of(side, attempt).as_str().to_owned()).collect()
            };
            let sides = self.gateways.all().map(Gateway::side);
            let references = sides.map(|side| (side, names(side))).collect();
            RowEnd { place, payout, minor: row.money.minor_units(), references }
        });
        Ending {
            rows: rows.collect(),
            batch: block_on(self.ledger.batch(self.batch)).expect(ANSWERS).expect("the batch"),
            book: self.gateways.book(),
            refusals: self.gateways.refusals(),
            seen: self.gateways.seen(),
            wrote,
            told: self.pool.told(),
            limits: self
                .gateways
                .all()
                .map(|gateway| (gateway.side(), gateway.limits().clone()))
                .collect(),
            bounds: self.bounds,
            in_flight: self.pool.scenario().in_flight,
            rewinds: self.pool.log().rewinds(),
        }
    }
}

fn paid_late(ending: &Ending, row: &RowEnd) -> bool {
    let paid: Vec<_> = ending.all_entries(row).filter(|e| e.fate == Fate::Paid).collect();
    paid.len() > 1 && paid.iter().any(|entry| entry.turned)
}

/// The parts hold each other; a run of many worlds must give each of them back.
impl Drop for World {
    fn drop(&mut self) {
        self.exec.end();
        self.pool.end();
        self.gateways.all().for_each(Gateway::dismiss);
    }
}
