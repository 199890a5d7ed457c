//! The two lanes that a payout may go by (S15): each with a provider of its own, with its own book,
//! account and temper. Most worlds have only the first; a world with a second one has a first that
//! refuses often.
//!
//! References on the two lanes look different, so all books together are one book, in which nothing
//! stands for something else. The providers' own ids do not: both count from 1.

use crate::dice::Dice;
use crate::gateway::book::{Book, Entry, Refusals, Seen, Tally, tally};
use crate::gateway::temper::{Shape, Temper};
use crate::gateway::{Gateway, lane_name};
use crate::intake::FORMAT;
use domain::{LaneName, Payout, ReferenceFormat};
use ledger::Via;

/// Worlds in a thousand with a second lane.
const WITH_FAILOVER: u64 = 150;

/// How often the first lane refuses there, in a thousand: so often that many payouts move.
const REFUSES: u64 = 200;

/// How often it refuses what it has created.
const REFUSES_CREATED: u64 = 20;

/// Of the second lanes, so many in a hundred whose look-ups find nothing.
const BLIND: u64 = 10;

/// Of the second lanes, so many in a hundred that not every worker has.
const ROLLING_OUT: u64 = 25;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The lane that a chunk stands with.
    First,
    /// The one that what was refused there goes by.
    Second,
}

impl Side {
    /// Both, in the order of a chunk's own.
    pub const BOTH: [Side; 2] = [Side::First, Side::Second];

    /// How an attempt of a payout goes, as the ledger has it.
    pub fn of(payout: &Payout, attempt: u8) -> Side {
        if payout.goes_by_second(attempt) { Side::Second } else { Side::First }
    }

    /// Its lane.
    pub fn lane(self) -> LaneName {
        match self {
            Side::First => lane_name(),
            Side::Second => LaneName::try_from("spare".to_owned())
                .unwrap_or_else(|_| unreachable!("a valid name")),
        }
    }

    /// How our references are made there.
    pub fn format(self) -> ReferenceFormat {
        match self {
            Side::First => FORMAT,
            Side::Second => ReferenceFormat::Number,
        }
    }

    /// As chunks name it.
    pub fn via(self) -> Via {
        Via { lane: self.lane(), format: self.format() }
    }

    /// The account that its lane pays from.
    pub fn fingerprint(self) -> &'static str {
        match self {
            Side::First => "simulated:1",
            Side::Second => "simulated:2",
        }
    }
}

/// The provider of a second lane.
#[derive(Clone, Copy, Debug)]
pub struct Spare {
    /// How payouts reach it.
    pub shape: Shape,
    /// How it behaves.
    pub temper: Temper,
    /// Not every worker that starts has it: its configuration is being rolled out, or was forgotten.
    pub rolls_out: bool,
}

impl Spare {
    /// The one of a seed, in some of the worlds, which changes the temper of the first. It has dice of
    /// its own, so that all other worlds are what they would be without it.
    pub fn drawn(seed: u64, first: &mut Temper) -> Option<Spare> {
        let dice = Dice::new(seed.rotate_left(16) ^ 0x005E_C04D);
        if !dice.chance(WITH_FAILOVER) {
            return None;
        }
        (first.refuses, first.refuses_created) = (REFUSES, REFUSES_CREATED);
        let mut temper = Temper::wild();
        temper.blind = dice.below(100) < BLIND;
        let rolls_out = dice.below(100) < ROLLING_OUT;
        Some(Spare { shape: Shape::drawn(dice.bits()), temper, rolls_out })
    }
}

/// The providers of a world.
#[derive(Clone)]
pub struct Gateways {
    /// Of the first lane.
    pub first: Gateway,
    /// Of the second, where there is one.
    pub second: Option<Gateway>,
}

impl Gateways {
    /// Those that there are, the first one first.
    pub fn all(&self) -> impl Iterator<Item = &Gateway> {
        std::iter::once(&self.first).chain(&self.second)
    }

    /// The one of a side; a world without a second one sends nothing there.
    pub fn of(&self, side: Side) -> &Gateway {
        match side {
            Side::First => &self.first,
            Side::Second => self.second.as_ref().unwrap_or(&self.first),
        }
    }

    /// What was taken on one side under a reference.
    pub fn entries(&self, side: Side, reference: &str) -> Vec<Entry> {
        self.of(side).entries(reference)
    }

    /// All that was taken, by reference.
    pub fn book(&self) -> Book {
        self.all().flat_map(Gateway::book).collect()
    }

    /// All that was turned away, by reference.
    pub fn refusals(&self) -> Refusals {
        self.all().flat_map(Gateway::refusals).collect()
    }

    /// Every request that reached any of them, in order.
    pub fn seen(&self) -> Vec<Seen> {
        let mut seen: Vec<Seen> = self.all().flat_map(Gateway::seen).collect();
        seen.sort_by_key(|seen| seen.at_ms);
        seen
    }

    /// How much was asked of all.
    pub fn tally(&self) -> Tally {
        tally(&self.seen(), &self.book())
    }
}
