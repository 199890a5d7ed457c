//! What the provider is like: its shape, and how badly it behaves.

use crate::dice::Dice;

/// How payouts reach the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One call a payout; callbacks.
    OneCall,
    /// Many payouts a call, read back by the call's handle; some calls wait for a code.
    Batches {
        /// Payouts in one call.
        rows_per_call: u16,
        /// Payouts in one look-up.
        rows_per_look_up: u16,
    },
    /// Creating moves no money; a second step does.
    Orders,
}

impl Shape {
    /// The shape of a seed: each third one is of the same kind.
    pub fn drawn(seed: u64) -> Shape {
        match seed % 3 {
            0 => Shape::OneCall,
            1 => Shape::batches(seed),
            _ => Shape::Orders,
        }
    }

    /// In words, for people.
    pub fn name(self) -> &'static str {
        match self {
            Shape::OneCall => "one call a payout",
            Shape::Batches { .. } => "batches with a code",
            Shape::Orders => "orders with a second step",
        }
    }

    /// Batches of a size that is drawn from the seed, 7 to 40 for calls and look-ups each.
    pub fn batches(seed: u64) -> Shape {
        let dice = Dice::new(!seed);
        let size = || 7 + u16::try_from(dice.below(34)).unwrap_or(0);
        Shape::Batches { rows_per_call: size(), rows_per_look_up: size() }
    }
}

/// How the provider behaves; chances in a thousand.
#[derive(Clone, Copy, Debug)]
pub struct Temper {
    /// Takes what was sent, and its answer is lost.
    pub taken_unanswered: u64,
    /// Takes it late, within the request's time, and never answers.
    pub hangs: u64,
    /// Neither takes nor answers.
    pub lost: u64,
    /// Takes it, and says that it exists already. A call of many rows has no such answer.
    pub exists: u64,
    /// Refuses for good, as listed; of a batch that was taken, also single rows, told later.
    pub refuses: u64,
    /// Refuses for good what it has created, and failed: nobody may send it by another lane.
    pub refuses_created: u64,
    /// Single rows of a batch that was taken are not in it.
    pub drops: u64,
    /// Refuses for now.
    pub later: u64,
    /// Refuses everything for some seconds.
    pub stops: u64,
    /// Fails a payout after it was taken.
    pub fails: u64,
    /// A callback never comes.
    pub callback_lost: u64,
    /// A callback comes twice.
    pub callback_twice: u64,
    /// A callback comes up to ten minutes late.
    pub callback_late: u64,
    /// A callback says that a payout is being worked on, before or after the one that it is paid.
    pub callback_working: u64,
    /// A payout is taken with another amount than ours.
    pub differs: u64,
    /// What it told as failed is paid after all, minutes later.
    pub turns: u64,
    /// What it paid comes back, minutes later.
    pub returns: u64,
    /// For less than the settling time a look-up meets a replica that does not know a payout.
    pub flickers: u64,
    /// Batches that wait for a code.
    pub codes: u64,
    /// A second step is refused, and nothing happens.
    pub step_refused: u64,
    /// A second step is neither taken nor answered.
    pub step_lost: u64,
    /// A second step is taken, and the answer is lost.
    pub step_unanswered: u64,
    /// Calls of more rows are refused, though the limits allow them: "too many", and take half.
    pub rows_taken_max: u16,
    /// All look-ups answer "not found".
    pub blind: bool,
    /// Look-ups by our reference answer "not found"; those by the provider's ids do find.
    pub blind_by_reference: bool,
    /// So many look-ups of payouts that exist answer "not found" though others are found. No
    /// worker can be safe with such a provider; it proves that the checkers see.
    pub lies: u64,
}

impl Default for Temper {
    fn default() -> Self {
        Temper {
            taken_unanswered: 60,
            hangs: 20,
            lost: 40,
            exists: 20,
            refuses: 30,
            refuses_created: 0,
            drops: 30,
            later: 50,
            stops: 3,
            fails: 60,
            callback_lost: 100,
            callback_twice: 200,
            callback_late: 0,
            callback_working: 0,
            differs: 0,
            turns: 0,
            returns: 0,
            flickers: 0,
            codes: 300,
            step_refused: 30,
            step_lost: 50,
            step_unanswered: 100,
            rows_taken_max: u16::MAX,
            blind: false,
            blind_by_reference: false,
            lies: 0,
        }
    }
}

/// What becomes of one create call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Roll {
    TakenUnanswered,
    Hangs,
    Lost,
    Exists,
    Refuses,
    RefusesCreated,
    Later,
    Stops,
    Takes,
}

impl Temper {
    /// A provider of which nothing is to be hoped for: whatever one may do, it does.
    pub fn wild() -> Temper {
        Temper {
            callback_late: 100,
            callback_working: 200,
            differs: 3,
            turns: 150,
            returns: 10,
            flickers: 100,
            ..Temper::default()
        }
    }

    /// A provider that does what it says, at once or a little later.
    pub fn good() -> Temper {
        Temper {
            taken_unanswered: 0,
            hangs: 0,
            lost: 0,
            exists: 0,
            refuses: 0,
            drops: 0,
            later: 0,
            stops: 0,
            fails: 0,
            codes: 0,
            step_refused: 0,
            step_lost: 0,
            step_unanswered: 0,
            ..Temper::default()
        }
    }

    pub(super) fn roll(&self, dice: &Dice) -> Roll {
        let mut rolled = dice.below(1000);
        let chances = [
            (self.taken_unanswered, Roll::TakenUnanswered),
            (self.hangs, Roll::Hangs),
            (self.lost, Roll::Lost),
            (self.exists, Roll::Exists),
            (self.refuses, Roll::Refuses),
            (self.later, Roll::Later),
            (self.stops, Roll::Stops),
            (self.refuses_created, Roll::RefusesCreated),
        ];
        for (chance, roll) in chances {
            if rolled < chance {
                return roll;
            }
            rolled -= chance;
        }
        Roll::Takes
    }
}
