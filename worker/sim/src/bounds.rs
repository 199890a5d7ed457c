//! What binds a lane in some of the worlds, beside its provider: a cap on what is spent in an hour, and
//! a calendar. Such a world begins a few minutes before the hour ends, so that the cap holds what is
//! left until then, and the lane closes and opens again while the batch is being paid.
//!
//! ```text
//!  22:55 … 22:58 taken in     22:57 closes     23:00 the next hour     23:02 opens          (UTC)
//! ```
//!
//! Not where the ledger goes back in time: with the rest it would forget what was spent.

use crate::dice::Dice;
use crate::intake::total;
use crate::run::ledger_time;
use domain::Hours;
use domain::hours::Given;
use ledger::spend::{Caps, Span, SpendCaps};
use std::sync::LazyLock;

/// Worlds in a thousand whose lane has caps, and those whose lane has hours.
const CAPPED: u64 = 60;
const WITH_HOURS: u64 = 60;

/// How long before the end of an hour they begin.
const BEFORE_MIN_MS: u64 = 90_000;
const BEFORE_MAX_MS: u64 = 5 * 60_000;

/// The cap, in a thousandth part of what the batch adds up to: it binds in the first hour, and what is
/// left fits into the second.
const CAP_MIN: u64 = 700;
const CAP_MAX: u64 = 950;

/// Whose cap it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// All that the lane pays.
    Lane,
    /// One batch on it. There is only one.
    Batch,
}

/// What binds a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// What may be spent in one hour of UTC, in minor units.
    pub cap: Option<(Whose, i128)>,
    /// Whether it closes and opens again.
    pub has_hours: bool,
    /// How long before the end of the hour the batch is taken in; 0 where nothing binds.
    before_ms: u64,
}

impl Bounds {
    /// For a batch of so many payouts: mostly nothing.
    pub fn drawn(dice: &Dice, payouts: u16) -> Bounds {
        let (is_capped, has_hours) = (dice.chance(CAPPED), dice.chance(WITH_HOURS));
        let cap = || {
            let whose = if dice.chance(500) { Whose::Lane } else { Whose::Batch };
            let part = CAP_MIN + dice.below(CAP_MAX - CAP_MIN);
            (whose, total(payouts) * i128::from(part) / 1_000)
        };
        let cap = is_capped.then(cap);
        let before_ms = match is_capped || has_hours {
            true => BEFORE_MIN_MS + dice.below(BEFORE_MAX_MS - BEFORE_MIN_MS),
            false => 0,
        };
        Bounds { cap, has_hours, before_ms }
    }

    /// When the world begins, in virtual time.
    pub fn begins_ms(&self) -> u64 {
        match self.before_ms {
            0 => 0,
            before_ms => Span::Hour.ms() - ledger_time(0).0 % Span::Hour.ms() - before_ms,
        }
    }

    /// As the engine is told.
    pub fn spend(&self) -> SpendCaps {
        let caps = |wanted: Whose| match self.cap {
            Some((whose, cap)) if whose == wanted => {
                Caps { hour: [("EUR".to_owned(), cap)].into(), ..Caps::default() }
            }
            _ => Caps::default(),
        };
        SpendCaps { lane: caps(Whose::Lane), batch: caps(Whose::Batch) }
    }

    /// As the engine is told.
    pub fn hours(&self) -> Option<Hours> {
        self.has_hours.then(|| HOURS.clone())
    }
}

/// Closed for five minutes around midnight of Berlin, which is 23:00 of UTC in winter. Reading it looks
/// the zone up.
static HOURS: LazyLock<Hours> = LazyLock::new(|| {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(str::to_owned);
    let (zone, open, cut_off) = ("Europe/Berlin", "00:02", "23:57");
    let given = Given { zone, open, cut_off, days: &days, holidays: &[] };
    Hours::read(given).expect("a calendar that opens every day")
});
