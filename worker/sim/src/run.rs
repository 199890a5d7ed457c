//! One run: a batch is taken in, workers pay it while they crash and freeze, and in the end
//! every checker looks at what the ledger says and what the provider did.

use crate::checkers::Violation;
use crate::gateway::book::{Book, Seen, Tally};
use crate::gateway::temper::{Shape, Temper};
use crate::world::World;
use domain::{Batch, Millis, Payout, Policy, State};
use providers::Limits;
use std::collections::BTreeMap;

/// What a run is made of.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The seed: the same one gives the same run.
    pub seed: u64,
    /// How payouts reach the provider.
    pub shape: Shape,
    /// Payouts.
    pub payouts: u16,
    /// Workers.
    pub workers: u32,
    /// Whether workers and operator crash, freeze and lose the ledger.
    pub chaos: bool,
    /// Microseconds between two creates in the whole pool; 0 for no limit.
    pub interval_us: u64,
    /// How the provider behaves.
    pub temper: Temper,
}

impl Scenario {
    /// Three workers in chaos with an ordinary bad provider, of a shape that the seed draws.
    pub fn new(seed: u64) -> Scenario {
        Scenario::of(Shape::drawn(seed), seed)
    }

    /// The same with a provider of one shape.
    pub fn of(shape: Shape, seed: u64) -> Scenario {
        let (payouts, rows_taken_max) = match shape {
            // Half of these take fewer rows than they say.
            Shape::Batches { rows_per_call, .. } if seed.is_multiple_of(2) => {
                (120, rows_per_call / 3)
            }
            Shape::Batches { .. } => (120, u16::MAX),
            Shape::OneCall | Shape::Orders => (60, u16::MAX),
        };
        let temper = Temper { rows_taken_max, ..Temper::default() };
        Scenario { seed, shape, payouts, workers: 3, chaos: true, interval_us: 0, temper }
    }

    /// Rows of a chunk: so many that a large call fits in, so few that there are several.
    pub fn chunk_rows(&self) -> u16 {
        match self.shape {
            Shape::Batches { .. } => 60,
            Shape::OneCall | Shape::Orders => 20,
        }
    }
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Broken invariants; empty for a good run.
    pub violations: Vec<Violation>,
    /// Payouts per final state.
    pub states: BTreeMap<State, usize>,
    /// Crashes and freezes that happened.
    pub mishaps: u32,
    /// What was asked of the provider.
    pub tally: Tally,
    /// Virtual time that passed.
    pub took_ms: u64,
}

/// What the checkers look at.
pub struct Ending {
    /// The batch as the ledger knows it.
    pub batch: Batch,
    /// Every row: its provider reference and its payout.
    pub payouts: Vec<(String, Payout)>,
    /// What the provider took, by reference.
    pub book: Book,
    /// Every request that the provider saw.
    pub seen: Vec<Seen>,
    /// What the provider allows.
    pub limits: Limits,
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
        unsent_give_up_ms: 3_600_000,
        late_success_window_ms: 600_000,
    }
}

/// Ledger time does not begin at zero, and is not the processes' clock.
pub fn ledger_time(now_ms: u64) -> Millis {
    Millis(1_700_000_000_000 + now_ms)
}

/// Runs a scenario to its end.
pub fn run(scenario: &Scenario) -> Report {
    let world = World::new(scenario);
    world.until_complete();
    world.report()
}
