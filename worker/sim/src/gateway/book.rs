//! What the provider knows: every payout that it took, and every request that reached it.

use crate::exec::Actor;
use crate::sides::Side;
use domain::{Payout, Place};
use std::collections::{BTreeMap, BTreeSet};

/// One payout that the provider took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Our row.
    pub place: Place,
    /// What it became.
    pub fate: Fate,
    /// What was or is to be paid, in minor units.
    pub minor: i128,
    /// It was paid after it had been told as failed.
    pub turned: bool,
    /// The money came back after it was paid.
    pub returned: bool,
    /// The provider's own id of it.
    pub id: String,
    /// The batch that carried it.
    pub batch: Option<String>,
    /// How often its second step was taken. Only the first one moves money.
    pub steps: u32,
    /// What it becomes once its second step is taken.
    pub(super) destiny: Fate,
    /// When it was taken.
    pub taken_at_ms: u64,
    /// A look-up finds it from then on.
    pub(super) visible_at_ms: u64,
    /// A look-up knows of its second step from then on.
    pub(super) step_visible_at_ms: u64,
    /// Whoever asks is told of the end from then on.
    pub settles_at_ms: u64,
    /// A look-up meets a replica that does not know it, from when until when.
    pub(super) hidden_ms: std::ops::Range<u64>,
}

impl Entry {
    /// It is over: the provider says how it ended.
    pub fn is_settled(&self, now_ms: u64) -> bool {
        self.fate != Fate::Waits && self.settles_at_ms <= now_ms
    }
}

/// What became of a payout at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Taken, and no money has moved: it waits for its second step.
    Waits,
    /// The beneficiary has the money.
    Paid,
    /// It was failed after it was taken.
    Failed,
}

/// What belongs to one call of many rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Batch {
    /// References of rows that it lists as rejected.
    pub rejected: BTreeSet<String>,
    /// What a person has received, where it waits for a code.
    pub code: Option<String>,
}

/// A request that reached the provider, as it left its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it left.
    pub at_ms: u64,
    /// When its sender heard what became of it, or gave up waiting; never, where he died.
    pub heard_ms: Option<u64>,
    /// Who sent it.
    pub by: Actor,
    /// By which lane.
    pub side: Side,
    /// What it was.
    pub request: Request,
    /// What the ledger held of each payout of a create or a step at that moment.
    pub stands: Vec<Option<Payout>>,
}

/// What was asked of the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A create of these payouts, by our references.
    Create(Vec<(Place, String)>),
    /// A look-up of these: our reference, and the handle that it is asked for by, if any.
    LookUp(Vec<(String, Option<String>)>),
    /// A second step for these.
    Step(Vec<Stepped>),
}

/// One payout of a second step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stepped {
    /// Its row.
    pub place: Place,
    /// Our reference.
    pub reference: String,
}

/// How much was asked of the provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Create calls.
    pub calls: usize,
    /// Rows of the largest one.
    pub rows_of_call_max: usize,
    /// Look-ups.
    pub look_ups: usize,
    /// Payouts of the largest one.
    pub rows_of_look_up_max: usize,
    /// Second steps.
    pub steps: usize,
    /// Payouts whose second step was taken more than once.
    pub stepped_again: usize,
}

/// A create that was answered with a refusal that says: nothing was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// When.
    pub at_ms: u64,
    /// Whether it is for good, and not only for now.
    pub for_good: bool,
}

/// All that was turned away, by our reference.
pub type Refusals = BTreeMap<String, Vec<Refusal>>;

/// All that was taken, by our reference.
pub type Book = BTreeMap<String, Vec<Entry>>;

/// Counts what was seen.
pub fn tally(seen: &[Seen], book: &Book) -> Tally {
    let mut tally = Tally::default();
    for Seen { request, .. } in seen {
        match request {
            Request::Create(rows) => {
                tally.calls += 1;
                tally.rows_of_call_max = tally.rows_of_call_max.max(rows.len());
            }
            Request::LookUp(rows) => {
                tally.look_ups += 1;
                tally.rows_of_look_up_max = tally.rows_of_look_up_max.max(rows.len());
            }
            Request::Step(_) => tally.steps += 1,
        }
    }
    tally.stepped_again = book.values().flatten().filter(|entry| entry.steps > 1).count();
    tally
}
