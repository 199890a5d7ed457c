//! How long to wait for what. One value per lane, from config; every duration in milliseconds.

use serde::{Deserialize, Serialize};

/// The waiting times of a lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// How long after its intent a request may still start (S6, S7).
    pub send_window_ms: u64,
    /// The whole time of one request: connect, send, answer.
    pub request_timeout_ms: u64,
    /// How long the provider may take until a look-up can find what it took (S11).
    pub settling_ms: u64,
    /// Until an accepted payout without news is looked up for the first time.
    pub overdue_ms: u64,
    /// The longest pause between two look-ups of one payout; they double up to it.
    pub look_up_max_ms: u64,
    /// Until a payout whose fate is unknown goes to review.
    pub unknown_give_up_ms: u64,
    /// Until an accepted payout without a final answer goes to review.
    pub submitted_give_up_ms: u64,
    /// Until a payout that was never sent fails as too old (S17).
    pub unsent_give_up_ms: u64,
}

impl Default for Policy {
    fn default() -> Self {
        const MINUTE: u64 = 60_000;
        const HOUR: u64 = 60 * MINUTE;
        Policy {
            send_window_ms: 1_000,
            request_timeout_ms: 30_000,
            settling_ms: MINUTE,
            overdue_ms: 40 * MINUTE,
            look_up_max_ms: 24 * HOUR,
            unknown_give_up_ms: 6 * HOUR,
            submitted_give_up_ms: 72 * HOUR,
            unsent_give_up_ms: 7 * 24 * HOUR,
        }
    }
}

impl Policy {
    /// From the intent until a look-up may prove absence: the request has ended and the
    /// provider has settled.
    pub fn doubt_ms(&self) -> u64 {
        self.request_timeout_ms + self.settling_ms
    }

    /// The pause before look-up number `asked + 1` of one payout: growing, bounded.
    pub fn look_up_pause_ms(&self, asked: u8) -> u64 {
        let first = self.settling_ms.max(1);
        first.saturating_mul(1 << u32::from(asked.min(20))).min(self.look_up_max_ms.max(first))
    }
}
