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
    /// A row that was refused for now is sent again after a random pause of at most this; it
    /// doubles with every try.
    pub retry_first_ms: u64,
    /// The longest such pause.
    pub retry_max_ms: u64,
    /// For so long after it ended without being paid, what the provider once had may still turn
    /// out to be paid: no person starts a new attempt before (S15).
    pub late_success_window_ms: u64,
}

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

impl Default for Policy {
    fn default() -> Self {
        Policy::DEFAULT
    }
}

impl Policy {
    /// For a provider that calls back and is not to be polled.
    pub const DEFAULT: Policy = Policy {
        send_window_ms: 1_000,
        request_timeout_ms: 30_000,
        settling_ms: MINUTE,
        overdue_ms: 40 * MINUTE,
        look_up_max_ms: 24 * HOUR,
        unknown_give_up_ms: 6 * HOUR,
        submitted_give_up_ms: 72 * HOUR,
        unsent_give_up_ms: 7 * 24 * HOUR,
        retry_first_ms: 500,
        retry_max_ms: MINUTE,
        // No provider's document names one. As long as an accepted payout is believed to be under
        // way: a transfer that a bank holds over a weekend comes to light in that time.
        late_success_window_ms: 72 * HOUR,
    };

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

/// What a lane wants otherwise than its provider's [`Policy`]; the fields are those of the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "each field is the one of the same name in `Policy`")]
pub struct PolicyChange {
    pub send_window_ms: Option<u64>,
    pub request_timeout_ms: Option<u64>,
    pub settling_ms: Option<u64>,
    pub overdue_ms: Option<u64>,
    pub look_up_max_ms: Option<u64>,
    pub unknown_give_up_ms: Option<u64>,
    pub submitted_give_up_ms: Option<u64>,
    pub unsent_give_up_ms: Option<u64>,
    pub retry_first_ms: Option<u64>,
    pub retry_max_ms: Option<u64>,
    pub late_success_window_ms: Option<u64>,
}

impl PolicyChange {
    /// `policy`, changed.
    pub fn on(&self, policy: &Policy) -> Policy {
        Policy {
            send_window_ms: self.send_window_ms.unwrap_or(policy.send_window_ms),
            request_timeout_ms: self.request_timeout_ms.unwrap_or(policy.request_timeout_ms),
            settling_ms: self.settling_ms.unwrap_or(policy.settling_ms),
            overdue_ms: self.overdue_ms.unwrap_or(policy.overdue_ms),
            look_up_max_ms: self.look_up_max_ms.unwrap_or(policy.look_up_max_ms),
            unknown_give_up_ms: self.unknown_give_up_ms.unwrap_or(policy.unknown_give_up_ms),
            submitted_give_up_ms: self.submitted_give_up_ms.unwrap_or(policy.submitted_give_up_ms),
            unsent_give_up_ms: self.unsent_give_up_ms.unwrap_or(policy.unsent_give_up_ms),
            retry_first_ms: self.retry_first_ms.unwrap_or(policy.retry_first_ms),
            retry_max_ms: self.retry_max_ms.unwrap_or(policy.retry_max_ms),
            late_success_window_ms: self
                .late_success_window_ms
                .unwrap_or(policy.late_success_window_ms),
        }
    }
}
