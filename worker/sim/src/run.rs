//! One run: a batch is taken in, workers pay it while they crash and freeze, and in the end
//! every checker looks at what the ledger says and what the provider did.

use crate::bounds::Bounds;
use crate::checkers::Violation;
use crate::gateway::book::{Book, Entry, Refusals, Seen, Tally};
use crate::gateway::letters::Told;
use crate::log::Wrote;
use crate::scenario::Scenario;
use crate::sides::Side;
use crate::world::World;
use domain::{Batch, Millis, Payout, Place, Policy, State};
use providers::Limits;
use std::collections::BTreeMap;

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Broken invariants; empty for a good run.
    pub violations: Vec<Violation>,
    /// Payouts per final state.
    pub states: BTreeMap<State, usize>,
    /// Payouts that were in review at any time.
    pub reviewed: usize,
    /// Of these, the ones that a person has decided.
    pub decided: usize,
    /// Payouts with more than one attempt.
    pub tried_anew: usize,
    /// Payouts that the first lane refused and that went over to the second.
    pub moved: usize,
    /// Of these, the ones that were being sent there when their sender died.
    pub moved_cut: usize,
    /// Payouts that the provider paid late, after it had told them as failed, beside a newer
    /// attempt: no program can keep it from that, and none may hide it.
    pub paid_late: usize,
    /// How often the ledger went back in time.
    pub rewinds: u32,
    /// Changes that it forgot.
    pub forgotten: usize,
    /// Payouts that were brought into doubt, or before a person, since they may have been sent.
    pub brought_back: usize,
    /// Payouts that waited for a sender that might have been only frozen.
    pub held_up: usize,
    /// Of these, the ones that went to review, since nobody said that he was gone.
    pub held_up_in_review: usize,
    /// Whether a cap on spending has held the lane, or its batch.
    pub capped: bool,
    /// Crashes and freezes that happened.
    pub mishaps: u32,
    /// Callbacks that were answered with 200.
    pub told: usize,
    /// What was asked of the provider.
    pub tally: Tally,
    /// Virtual time that passed.
    pub took_ms: u64,
}

/// What the checkers look at.
pub struct Ending {
    /// The batch as the ledger knows it.
    pub batch: Batch,
    /// Every row.
    pub rows: Vec<RowEnd>,
    /// What the providers took, by reference.
    pub book: Book,
    /// What they turned away, by reference.
    pub refusals: Refusals,
    /// Every request that a provider saw.
    pub seen: Vec<Seen>,
    /// Every change that the ledger took.
    pub wrote: Vec<Wrote>,
    /// Every callback that was answered with 200.
    pub told: Vec<Told>,
    /// What each provider allows.
    pub limits: BTreeMap<Side, Limits>,
    /// What bound the lane.
    pub bounds: Bounds,
    /// Creates that the whole pool may have under way at once.
    pub in_flight: u16,
    /// How often the ledger went back in time.
    pub rewinds: u32,
}

/// A row at the end.
pub struct RowEnd {
    /// Where it lies.
    pub place: Place,
    /// Its payout.
    pub payout: Payout,
    /// What is to be paid, in minor units.
    pub minor: i128,
    /// What each provider knows its attempts by, the first one first: what an attempt is called there
    /// if it goes there.
    pub references: BTreeMap<Side, Vec<String>>,
}

impl RowEnd {
    /// What an attempt is called on one side; attempts count from 1.
    pub fn reference(&self, side: Side, attempt: u8) -> Option<&str> {
        let at = usize::from(attempt).checked_sub(1)?;
        self.references.get(&side)?.get(at).map(String::as_str)
    }

    /// All that its attempts may be called, and on which side.
    pub fn names(&self) -> impl Iterator<Item = (Side, &str)> {
        let sides = self.references.iter();
        sides.flat_map(|(side, names)| names.iter().map(|name| (*side, name.as_str())))
    }

    /// All attempts that there may have been, on each side.
    pub fn attempts(&self) -> impl Iterator<Item = (Side, u8)> {
        let sides = self.references.iter();
        sides.flat_map(|(side, names)| (1u8..).zip(names).map(|(attempt, _)| (*side, attempt)))
    }
}

impl Ending {
    /// What one provider took for one attempt of a row; attempts count from 1.
    pub fn entries(&self, row: &RowEnd, side: Side, attempt: u8) -> &[Entry] {
        let reference = row.reference(side, attempt);
        reference.and_then(|reference| self.book.get(reference)).map_or(&[], Vec::as_slice)
    }

    /// What the providers took for all attempts of a row.
    pub fn all_entries<'a>(&'a self, row: &'a RowEnd) -> impl Iterator<Item = &'a Entry> {
        self.sided_entries(row).map(|(_, entry)| entry)
    }

    /// The same, and which provider took it.
    pub fn sided_entries<'a>(&'a self, row: &'a RowEnd) -> impl Iterator<Item = (Side, &'a Entry)> {
        row.names().flat_map(|(side, name)| {
            self.book.get(name).into_iter().flatten().map(move |entry| (side, entry))
        })
    }

    /// The changes of each row, in order.
    pub fn histories(&self) -> BTreeMap<Place, Vec<&Wrote>> {
        let mut histories: BTreeMap<Place, Vec<&Wrote>> = BTreeMap::new();
        for wrote in &self.wrote {
            histories.entry(wrote.place).or_default().push(wrote);
        }
        histories
    }
}

/// A run that takes longer has forgotten somebody.
pub const LIMIT_MS: u64 = 4 * 3_600_000;

/// Short times, so that many things happen in a short run.
pub fn policy() -> Policy {
    Policy {
        send_window_ms: 1_000,
        request_timeout_ms: 3_000,
        settling_ms: 5_000,
        overdue_ms: 20_000,
        look_up_max_ms: 60_000,
        unknown_give_up_ms: 300_000,
        submitted_give_up_ms: 600_000,
        unsent_give_up_ms: 1_800_000,
        late_success_window_ms: 600_000,
        ..Policy::DEFAULT
    }
}

/// Ledger time does not begin at zero, and is not the processes' clock.
pub fn ledger_time(now_ms: u64) -> Millis {
    Millis(1_700_000_000_000 + now_ms)
}

/// How long the world goes on after the last payout: late callbacks arrive, the provider changes
/// its mind, people decide, and who slept wakes up.
const AFTERMATH_MS: u64 = 10 * 60_000;

/// Runs a scenario to its end.
pub fn run(scenario: &Scenario) -> Report {
    world_after(scenario).report()
}

/// The world of a scenario, when all has been done that can be.
pub fn world_after(scenario: &Scenario) -> World {
    let world = World::new(scenario);
    world.until_complete();
    if scenario.office {
        world.pool.quiet();
        world.pass(AFTERMATH_MS);
        world.pool.close_office();
        // What he began in the last moment is written down, and brought to its end.
        world.pass(2 * 60_000);
        world.until_complete();
    }
    world
}
