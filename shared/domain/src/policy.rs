//! How long to wait for what. One value per lane, from config; every duration in milliseconds.

use crate::time::Millis;
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
    /// How accepted payouts without news are polled; `None` is not at all: they are looked up when
    /// they are overdue, at growing pauses. No key of the policy: config agrees it with a provider
    /// that allows it.
    pub polled: Option<Polled>,
}

/// How often payouts may be asked about that nobody doubts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Polled {
    /// Between two look-ups of one payout, or of one list.
    pub every_ms: u64,
    /// One look-up tells of many: all payouts have their turn at the same moments, which are so
    /// far apart, so that it answers for all of them together.
    pub together: bool,
}

impl Polled {
    /// When a payout is asked about that was created, or asked about before, `now`.
    fn next(self, now: Millis) -> Millis {
        let every_ms = self.every_ms.max(1);
        match self.together {
            true => Millis((now.0 / every_ms).saturating_add(1).saturating_mul(every_ms)),
            false => now.plus(every_ms),
        }
    }
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
        polled: None,
    };

    /// From the intent until a look-up may prove absence: the request has ended and the
    /// provider has settled.
    pub fn doubt_ms(&self) -> u64 {
        self.request_timeout_ms + self.settling_ms
    }

    /// When what was accepted `now` is looked up for the first time, if no news comes.
    pub fn first_look_up(&self, now: Millis) -> Millis {
        self.polled.map_or(now.plus(self.overdue_ms), |polled| polled.next(now))
    }

    /// When what is accepted `since` then, and was looked up `now` for the `asked + 1`st time, has
    /// its next turn. A look-up that came early, for a hint, begins no round of its own.
    pub fn next_look_up(&self, asked: u8, since: Millis, now: Millis) -> Millis {
        let overdue = since.plus(self.overdue_ms);
        let growing = now.plus(self.look_up_pause_ms(asked)).max(overdue);
        self.polled.map_or(growing, |polled| polled.next(now).min(growing))
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

/// What a lane says of polling: that it was agreed with the provider, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PollingChange {
    /// With whom and when, for people; needed where the provider allows it only so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreed: Option<String>,
    /// How far apart one payout, or one list, may be asked about. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_ms: Option<u64>,
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
            polled: policy.polled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCEPTED: Millis = Millis(1_000_250);

    fn polled(together: bool) -> Policy {
        Policy { polled: Some(Polled { every_ms: 1_000, together }), ..Policy::DEFAULT }
    }

    #[test]
    fn what_is_not_polled_is_looked_up_when_it_is_overdue_and_then_at_growing_pauses() {
        let policy = Policy::DEFAULT;
        assert_eq!(policy.first_look_up(ACCEPTED), ACCEPTED.plus(40 * MINUTE));
        let asked_at = ACCEPTED.plus(HOUR);
        let pause = |asked| policy.next_look_up(asked, ACCEPTED, asked_at).since(asked_at);
        assert_eq!([0, 1, 2].map(pause), [MINUTE, 2 * MINUTE, 4 * MINUTE]);
    }

    #[test]
    fn a_look_up_that_came_before_it_was_overdue_begins_no_round_of_its_own() {
        let policy = Policy::DEFAULT;
        let next = policy.next_look_up(0, ACCEPTED, ACCEPTED.plus(MINUTE));
        assert_eq!(next, ACCEPTED.plus(policy.overdue_ms));
    }

    #[test]
    fn a_payout_that_is_polled_alone_is_asked_about_no_sooner_than_agreed_however_often() {
        let policy = polled(false);
        assert_eq!(policy.first_look_up(ACCEPTED), ACCEPTED.plus(1_000));
        let next = |asked| policy.next_look_up(asked, Millis(0), ACCEPTED);
        assert!((0..=u8::MAX).all(|asked| next(asked) == ACCEPTED.plus(1_000)));
    }

    #[test]
    fn payouts_that_one_list_tells_of_have_their_turns_together() {
        let policy = polled(true);
        assert_eq!(policy.first_look_up(ACCEPTED), Millis(1_001_000));
        let next = |now| policy.next_look_up(3, ACCEPTED, now);
        assert_eq!(next(ACCEPTED.plus(700)), Millis(1_001_000));
        // Who was asked about late, since the list before took its time, keeps step.
        assert_eq!(next(Millis(1_001_000)), Millis(1_002_000));
        assert_eq!(next(Millis(1_001_999)), Millis(1_002_000));
    }
}
