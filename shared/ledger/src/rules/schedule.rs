//! When a chunk is ready, and who holds it. Tokens only grow; an old one proves nothing.
//!
//! ```text
//! claim ──▶ held until lease_until ──release──▶ ready at next_at
//!    ▲                 └──lease ends──▶ ready     │
//!    └────────────────────────────────────────────┘     a fact: ready at its `due` or earlier
//! ```

use crate::types::Token;
use domain::Millis;

/// A chunk's place in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// From then on it is given out.
    pub next_at: Millis,
    /// The earliest wish of the facts that came since the last claim. The holder does not know
    /// of them, so his release must not put the chunk to sleep for longer.
    pub wake: Millis,
    /// When the lease ends; 0 where nobody holds it.
    pub lease_until: Millis,
    /// The newest token.
    pub token: Token,
}

impl Schedule {
    /// A chunk that was never held, ready as soon as its batch may go.
    pub fn new(not_before: Millis) -> Schedule {
        Schedule {
            next_at: not_before,
            wake: Millis::NEVER,
            lease_until: Millis(0),
            token: Token(0),
        }
    }

    /// Takes the lease if nobody holds it.
    pub fn claim(&mut self, lease_ms: u64, now: Millis) -> Option<Token> {
        if self.lease_until > now {
            return None;
        }
        self.token = Token(self.token.0 + 1);
        self.lease_until = now.plus(lease_ms);
        self.next_at = self.lease_until;
        self.wake = Millis::NEVER;
        Some(self.token)
    }

    /// Whether `token` is current and its lease has not ended.
    pub fn is_held_by(&self, token: Token, now: Millis) -> bool {
        self.token == token && self.lease_until > now
    }

    /// Moves the end of a live lease.
    pub fn renew(&mut self, token: Token, lease_ms: u64, now: Millis) -> bool {
        let held = self.is_held_by(token, now);
        if held {
            self.lease_until = now.plus(lease_ms);
            self.next_at = self.lease_until;
        }
        held
    }

    /// Gives the lease back. One that ended, but that nobody took since, can still be given
    /// back; the second time nothing is there to give.
    pub fn release(&mut self, token: Token, next_at: Millis) -> bool {
        let held = self.token == token && self.lease_until > Millis(0);
        if held {
            self.lease_until = Millis(0);
            self.next_at = next_at.min(self.wake);
        }
        held
    }

    /// A fact wants the chunk at `due`, whoever holds it now.
    pub fn wake_at(&mut self, due: Millis) {
        self.wake = self.wake.min(due);
        self.next_at = self.next_at.min(due);
    }
}
