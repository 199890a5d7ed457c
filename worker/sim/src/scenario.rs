//! What a run is made of. All of it follows from the seed.

use crate::bounds::Bounds;
use crate::dice::Dice;
use crate::gateway::temper::{Shape, Temper};
use crate::sides::Spare;
use crate::store::Link;

/// What a run is made of.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The seed: the same one gives the same run.
    pub seed: u64,
    /// How payouts reach the provider.
    pub shape: Shape,
    /// Payouts.
    pub payouts: u16,
    /// Rows of a chunk: so many that a large call fits in, so few that there are several.
    pub chunk_rows: u16,
    /// Workers.
    pub workers: u32,
    /// Whether workers and operator crash and freeze; without, the ledger is never lost either.
    pub chaos: bool,
    /// Microseconds between two creates in the whole pool; 0 for no limit.
    pub interval_us: u64,
    /// Creates that the whole pool may have under way at once.
    pub in_flight: u16,
    /// How the connections to the ledger behave.
    pub link: Link,
    /// Whether a person decides reviews, and the world goes on for a while after the last payout.
    pub office: bool,
    /// How often the ledger goes back in time, at most.
    pub rewinds: u32,
    /// Whether the journals are lost with it: then everything is in doubt.
    pub journals_lost: bool,
    /// What binds the lane.
    pub bounds: Bounds,
    /// How the provider behaves.
    pub temper: Temper,
    /// The provider of the second lane, where there is one.
    pub second: Option<Spare>,
}

impl Scenario {
    /// Payouts of a run of many.
    pub const PAYOUTS: u16 = 100;

    /// One of many runs: everything is drawn from the seed.
    pub fn drawn(seed: u64) -> Scenario {
        let dice = Dice::new(seed.rotate_left(32) ^ 0x5EED);
        let usual = Scenario::new(seed);
        let mut temper = Temper { rows_taken_max: usual.temper.rows_taken_max, ..Temper::wild() };
        match dice.below(20) {
            0 => temper.blind = true,
            1 => temper.blind_by_reference = true,
            // A bad road: half of the answers are lost.
            2 => (temper.taken_unanswered, temper.hangs, temper.lost) = (200, 100, 200),
            _ => {}
        }
        let interval_us = if dice.chance(150) { 20_000 + 1_000 * dice.below(180) } else { 0 };
        let link = Link { breaks: 10, lags: dice.below(10) };
        let workers = 1 + u32::try_from(dice.below(4)).unwrap_or(0);
        let (payouts, chunk_rows) =
            (Scenario::PAYOUTS, usual.chunk_rows.max(Scenario::PAYOUTS / 2));
        let office = true;
        let rewinds = if dice.chance(250) { 1 + u32::from(dice.chance(500)) } else { 0 };
        let journals_lost = rewinds > 0 && dice.chance(250);
        if journals_lost {
            // So that much is ordered anew in the time that the ledger forgets.
            temper.fails = 300;
        }
        let bounds = match rewinds {
            0 => Bounds::drawn(&dice, payouts),
            _ => Bounds::default(),
        };
        // Often fewer than there are workers.
        let in_flight =
            [1, 2, 5, 8, 8, 8].into_iter().nth(usize::try_from(dice.below(6)).unwrap_or(0));
        let in_flight = in_flight.unwrap_or(usual.in_flight);
        let second = Spare::drawn(seed, &mut temper);
        Scenario {
            payouts,
            chunk_rows,
            workers,
            interval_us,
            in_flight,
            link,
            office,
            rewinds,
            journals_lost,
            bounds,
            temper,
            second,
            ..usual
        }
    }

    /// Three workers in chaos with an ordinary bad provider, of a shape that the seed draws.
    pub fn new(seed: u64) -> Scenario {
        Scenario::of(Shape::drawn(seed), seed)
    }

    /// The same with a provider of one shape.
    pub fn of(shape: Shape, seed: u64) -> Scenario {
        let (payouts, chunk_rows, rows_taken_max) = match shape {
            // Half of these take fewer rows than they say.
            Shape::Batches { rows_per_call, .. } if seed.is_multiple_of(2) => {
                (120, 60, rows_per_call / 3)
            }
            Shape::Batches { .. } => (120, 60, u16::MAX),
            Shape::OneCall | Shape::Orders => (60, 20, u16::MAX),
        };
        let temper = Temper { rows_taken_max, ..Temper::default() };
        let link = Link { breaks: 10, lags: 0 };
        let (workers, chaos, interval_us, office) = (3, true, 0, false);
        Scenario {
            seed,
            shape,
            payouts,
            chunk_rows,
            workers,
            chaos,
            interval_us,
            in_flight: 8,
            link,
            office,
            rewinds: 0,
            journals_lost: false,
            bounds: Bounds::default(),
            temper,
            second: None,
        }
    }
}
