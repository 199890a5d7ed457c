//! What happened to the ledger, written down beside it by the connections: every change of a
//! payout, with the lease that it was made under. The checkers judge by this and by what the
//! provider saw, never by what the engine says of itself.

use domain::{ChunkId, Payout, Place};
use ledger::{Change, Claim, Guard, Token};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who changed a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A worker.
    Worker,
    /// A person.
    Person,
    /// Whoever brings back what journals name and the ledger has forgotten.
    Journal,
    /// Nobody: the ledger went back in time, and with it the payout.
    Rewind,
}

/// The lease of who changed a payout, at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// He named none: a fact or an outcome.
    Unnamed,
    /// It was his.
    Current,
    /// It had ended, or somebody else had taken the chunk since.
    Over,
}

/// A change of a payout that the ledger took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrote {
    /// When.
    pub at_ms: u64,
    /// Of which row.
    pub place: Place,
    /// What it was.
    pub from: Payout,
    /// What it became.
    pub to: Payout,
    /// Who did it.
    pub by: By,
    /// Under which lease.
    pub lease: Lease,
    /// The ledger went back to before it.
    pub is_forgotten: bool,
}

/// A moment of the log that the ledger may go back to.
pub struct Moment {
    wrote: usize,
    leases: BTreeMap<ChunkId, (Token, u64)>,
}

/// The log of one world. A clone is the same log.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    wrote: Vec<Wrote>,
    leases: BTreeMap<ChunkId, (Token, u64)>,
    /// How often something was written to a row, notes included.
    touches: BTreeMap<Place, u32>,
    /// How often the ledger went back.
    rewinds: u32,
}

/// A row that is about to be written.
pub struct Row {
    place: Place,
    from: Payout,
    to: Payout,
}

impl Row {
    /// The rows of a write.
    pub fn all(chunk: ChunkId, changes: &[Change]) -> Vec<Row> {
        let row = |c: &Change| Row { place: Place { chunk, row: c.row }, from: c.from, to: c.to };
        changes.iter().map(row).collect()
    }
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody asked for a lease.
    pub fn claimed(&self, chunk: ChunkId, claim: &Claim, until_ms: u64) {
        if let Claim::Held { token, .. } = claim {
            self.lock().leases.insert(chunk, (*token, until_ms));
        }
    }

    /// A lease was renewed.
    pub fn renewed(&self, chunk: ChunkId, token: Token, until_ms: u64) {
        self.lock().leases.insert(chunk, (token, until_ms));
    }

    /// A lease was given back.
    pub fn released(&self, chunk: ChunkId, token: Token) {
        self.lock().leases.retain(|at, (held, _)| *at != chunk || *held != token);
    }

    /// The ledger took a write, but for the rows in conflict.
    pub fn wrote(&self, at_ms: u64, by: By, guard: Guard, rows: Vec<Row>, conflicts: &[u16]) {
        let mut inner = self.lock();
        for Row { place, from, to } in rows {
            if conflicts.contains(&place.row) {
                continue;
            }
            *inner.touches.entry(place).or_default() += 1;
            if from == to {
                continue;
            }
            let held = inner.leases.get(&place.chunk);
            let lease = match guard {
                Guard::Fact => Lease::Unnamed,
                Guard::Intent(token) | Guard::Held(token) => {
                    let is_ours =
                        |(newest, until): &(Token, u64)| *newest == token && *until > at_ms;
                    if held.is_some_and(is_ours) { Lease::Current } else { Lease::Over }
                }
            };
            let is_forgotten = false;
            inner.wrote.push(Wrote { at_ms, place, from, to, by, lease, is_forgotten });
        }
    }

    /// Now.
    pub fn moment(&self) -> Moment {
        let inner = self.lock();
        Moment { wrote: inner.wrote.len(), leases: inner.leases.clone() }
    }

    /// The ledger went back to `moment`. What was written since stays in the log, as forgotten, and
    /// each payout that is another one now is written down: place, what it was, what it is.
    pub fn rewound(&self, at_ms: u64, moment: Moment, turned: Vec<(Place, Payout, Payout)>) {
        let mut inner = self.lock();
        inner.rewinds += 1;
        inner.leases = moment.leases;
        inner.wrote.iter_mut().skip(moment.wrote).for_each(|wrote| wrote.is_forgotten = true);
        let (by, lease, is_forgotten) = (By::Rewind, Lease::Unnamed, false);
        for (place, from, to) in turned {
            inner.wrote.push(Wrote { at_ms, place, from, to, by, lease, is_forgotten });
        }
    }

    /// How often the ledger went back so far.
    pub fn rewinds(&self) -> u32 {
        self.lock().rewinds
    }

    /// How often something was written to a row so far.
    pub fn touches(&self, place: Place) -> u32 {
        self.lock().touches.get(&place).copied().unwrap_or(0)
    }

    /// Every change, in order.
    pub fn changes(&self) -> Vec<Wrote> {
        self.lock().wrote.clone()
    }
}
