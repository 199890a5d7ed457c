//! The seats of a lane: how many creates of the whole pool may be under way at once, and whose they
//! are. One small register a lane, changed by compare-and-set.
//!
//! The invariant: *no more seats are held than the lane has, and who holds one may be sending.* A
//! share lasts for [`SHARE_MS`] on the clock of its holder, and longer here: by as much as its last
//! request may take. So what a dead or frozen process held is nobody's before that request must have
//! ended; and where the ledger is away, shares end and nothing begins.
//!
//! ```text
//!  wants to send ─▶ joins the line ─▶ its fair share, as far as seats are free ─▶ renews it
//!                                       ▲ what is under way keeps its seat          │ nothing to send
//!                                       └── too few for all: turns ◀──┘             ▼ leaves
//! ```
//!
//! *Crash before a change*: nothing. *After*: the seats are held for as long as said above.

use crate::api::{Ledger, LedgerError};
use crate::register;
use domain::{LaneName, Millis, Sender};
use serde::{Deserialize, Serialize};

/// How long a share lasts without a renewal. Longer than a hiccup of the ledger, and short: what a
/// dead process held is out of use for so much longer than its last request.
pub const SHARE_MS: u64 = 2_000;

/// Where there are fewer seats than senders, one has a seat for so long before the next in line has
/// it: a few requests of an ordinary provider, so that the passing on costs little.
pub const TURN_MS: u64 = 2_000;

/// A sender that wants to send, and what it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Which.
    pub sender: Sender,
    /// So many of its requests may be under way; 0 while it waits.
    pub seats: u16,
    /// Since when it has had any.
    pub since: Millis,
    /// If it is not heard of, its last request has ended by then.
    pub until: Millis,
}

/// A sender at its look at the register.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// Which.
    pub sender: Sender,
    /// Seats of the lane.
    pub most: u16,
    /// How long after the end of a share its last request may still last.
    pub tail_ms: u64,
    /// What the ledger's clock has shown after the visit began: it is later by now, never earlier.
    pub now: Millis,
}

/// What came of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seated {
    /// So many of its requests may be under way: no further one beyond that.
    pub seats: u16,
    /// So many may be known to be, where more are under way than it has seats now.
    pub kept: u16,
    /// It waits for seats.
    pub is_short: bool,
}

/// Who has the seats of a lane, and who waits for one; whose turn is next stands first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seats {
    line: Vec<Holder>,
}

impl Seats {
    /// Joins the line or stays in it, and takes the fair share of the seats, as far as they are free.
    /// `used` is told how many its requests may take from now on, has to make that hold at once, and
    /// says how many are under way: those keep their seats until they have ended.
    pub fn sit(&mut self, visit: &Visit, used: impl FnOnce(u16) -> u16) -> Seated {
        let Visit { sender, most, tail_ms, now } = *visit;
        self.line.retain(|holder| holder.until > now);
        let mut own = self.remove(sender);
        let held = own.as_ref().map_or(0, |(_, holder)| holder.seats);
        // It has had its turn, and others have had none.
        let others_wait = usize::from(most) <= self.line.len();
        own.take_if(|(_, own)| others_wait && held > 0 && own.since.plus(TURN_MS) <= now);
        let at = own.as_ref().map_or(self.line.len(), |(at, _)| *at);
        let fair = fair(most, at, self.line.len().saturating_add(1));
        let taken: u32 = self.line.iter().map(|holder| u32::from(holder.seats)).sum();
        let free = u32::from(most).saturating_sub(taken);
        let seats = fair.min(u16::try_from(free).unwrap_or(u16::MAX));
        let kept = used(seats).min(held).max(seats);
        let since = own.filter(|_| held > 0).map_or(now, |(_, own)| own.since);
        let lasts_ms = if kept > 0 { SHARE_MS.saturating_add(tail_ms) } else { SHARE_MS };
        self.line.insert(at, Holder { sender, seats: kept, since, until: now.plus(lasts_ms) });
        Seated { seats, kept, is_short: seats < fair.max(1) }
    }

    /// Gives all back; nothing of the sender's is under way. False where it has nothing.
    pub fn leave(&mut self, sender: Sender) -> bool {
        self.remove(sender).is_some()
    }

    /// Everyone in line.
    pub fn line(&self) -> &[Holder] {
        &self.line
    }

    /// Whether the same stand in the same line with the same seats, however long they last.
    pub fn is_like(&self, other: &Seats) -> bool {
        let all = |seats: &Seats| -> Vec<(Sender, u16)> {
            seats.line.iter().map(|holder| (holder.sender, holder.seats)).collect()
        };
        all(self) == all(other)
    }

    fn remove(&mut self, sender: Sender) -> Option<(usize, Holder)> {
        let at = self.line.iter().position(|holder| holder.sender == sender)?;
        Some((at, self.line.remove(at)))
    }
}

/// What number `at` of `count` in line should have of `most` seats: all the same, and what is left
/// over goes to the first ones.
fn fair(most: u16, at: usize, count: usize) -> u16 {
    let (most, count) = (usize::from(most), count.max(1));
    u16::try_from(most / count + usize::from(at < most % count)).unwrap_or(u16::MAX)
}

fn name(lane: &LaneName) -> String {
    format!("seats/{lane}")
}

/// The seats of a lane, with the version of their register; version 0 and nobody for a new one.
pub async fn read(ledger: &dyn Ledger, lane: &LaneName) -> Result<(u64, Seats), LedgerError> {
    register::read(ledger, name(lane)).await
}

/// Stores them, if nobody changed them since `version` was read.
pub async fn put(
    ledger: &dyn Ledger,
    lane: &LaneName,
    version: u64,
    seats: &Seats,
) -> Result<bool, LedgerError> {
    register::put(ledger, name(lane), version, seats).await
}

#[cfg(test)]
mod tests;
