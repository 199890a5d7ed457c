//! What is known of a payout from earlier calls, as those who ask about it put it together.

use crate::api::{Past, Sent};
use domain::{BatchId, Cause, Millis, Payout, Policy};
use std::sync::Arc;

/// How far a sender's reading of ledger time may be ahead of the ledger's, at most: as long as the
/// slowest answer that it learns ledger time from (S19). A quick ledger answers in milliseconds, one
/// with a slow disk or behind a long network within a second.
pub const CLOCK_AHEAD_MAX_MS: u64 = 5_000;

/// How far the clock that dated a batch at its intake may be ahead of the ledger's, or the provider's,
/// at most: a machine whose clock is wrong by more than a day does not speak TLS with anybody for long.
const INTAKE_AHEAD_MAX_MS: u64 = 24 * 60 * 60 * 1_000;

impl Past {
    /// Of a payout of `batch` that is looked up by our reference alone.
    ///
    /// Its deadline stands in ledger time as its sender read it: the request may have left by as
    /// much before the window of that deadline as that reading was ahead. Which request a ledger
    /// that went back forgot, and when it left, nobody may know: any time since the intake (S18).
    pub fn of(payout: &Payout, batch: BatchId, policy: &Policy) -> Past {
        let is_forgotten = payout.past_lost || payout.cause == Cause::LedgerRewound;
        let sent = if is_forgotten { since_intake } else { newest };
        let sent = payout.was_ever_sent().then(|| sent(payout, batch, policy));
        let (stepped, resent) = (payout.stepped, is_resent(payout));
        Past { provider_id: None, shipment: None, sent, stepped, resent }
    }

    /// Of an attempt of that payout that is not its newest: no time and no call is known of it.
    pub fn of_other_attempt(payout: &Payout, batch: BatchId, policy: &Policy) -> Past {
        let sent = Some(since_intake(payout, batch, policy));
        Past { sent, stepped: payout.stepped, resent: true, ..Past::default() }
    }

    /// Of a payout whose intent is written, and which is sent now.
    pub fn of_create(payout: &Payout) -> Past {
        Past { resent: is_resent(payout), ..Past::default() }
    }

    /// With the provider's id of the payout, and of the call that carried it.
    pub fn with_ids(self, (provider_id, shipment): (Option<Arc<str>>, Option<Arc<str>>)) -> Past {
        Past { provider_id, shipment, ..self }
    }
}

/// The window of the newest request.
fn newest(payout: &Payout, _: BatchId, policy: &Policy) -> Sent {
    let ahead_ms = policy.send_window_ms.saturating_add(CLOCK_AHEAD_MAX_MS);
    Sent {
        from: Millis(payout.send_before.0.saturating_sub(ahead_ms)),
        until: payout.send_before.plus(policy.request_timeout_ms),
    }
}

/// The window of whatever was ever sent of a payout: however long it has waited, been lost or lain
/// with a person, nothing of it left before its batch was taken in.
fn since_intake(payout: &Payout, batch: BatchId, policy: &Policy) -> Sent {
    let intake = Millis(batch.taken_in().0.saturating_sub(INTAKE_AHEAD_MAX_MS));
    let Sent { from, until } = newest(payout, batch, policy);
    Sent { from: from.min(intake), until }
}

/// Intents are counted over all attempts, second steps and withdrawn ones included: too often is
/// no harm.
fn is_resent(payout: &Payout) -> bool {
    payout.intents > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(taken_in_ms: u64) -> BatchId {
        BatchId(ulid::Ulid::from_parts(taken_in_ms, 1))
    }

    #[test]
    fn the_window_of_a_create_is_wide_enough_for_its_whole_request() {
        let policy = Policy::default();
        let fresh = Payout::new(Millis(0), Millis(1));
        assert_eq!(Past::of(&fresh, batch(0), &policy), Past::default(), "it never left");
        let sent = Payout { intents: 1, send_before: Millis(50_000), stepped: true, ..fresh };
        let past = Past::of(&sent, batch(0), &policy);
        let from = Millis(50_000 - policy.send_window_ms - CLOCK_AHEAD_MAX_MS);
        let until = Millis(50_000 + policy.request_timeout_ms);
        assert_eq!((past.sent, past.stepped), (Some(Sent { from, until }), true));
        assert!(!past.resent && Past::of_create(&sent) == Past::default(), "its first create");
    }

    #[test]
    fn what_a_ledger_forgot_may_have_left_at_any_time_since_the_intake() {
        let policy = Policy::default();
        let day_ms = INTAKE_AHEAD_MAX_MS;
        // Marked a hundred days after the intake: longer than all the times to give up together.
        let marked = Millis(200 * day_ms);
        let batch = batch(100 * day_ms);
        let sent = Payout { intents: 1, send_before: marked, ..Payout::new(Millis(0), Millis(1)) };
        let whole =
            Sent { from: Millis(99 * day_ms), until: marked.plus(policy.request_timeout_ms) };
        let lost = Payout { past_lost: true, cause: Cause::Operator, ..sent };
        let rewound = Payout { cause: Cause::LedgerRewound, ..sent };
        for forgotten in [lost, rewound] {
            assert_eq!(Past::of(&forgotten, batch, &policy).sent, Some(whole), "{forgotten:?}");
        }
        let other = Past::of_other_attempt(&sent, batch, &policy);
        assert_eq!((other.sent, other.resent), (Some(whole), true));
        let known = Past::of(&sent, batch, &policy).sent.map(|sent| sent.from);
        assert!(known > Some(whole.from), "when the newest request left is known");
    }

    #[test]
    fn what_has_a_second_intent_may_have_been_taken_by_the_first() {
        let twice = Payout { intents: 2, ..Payout::new(Millis(0), Millis(1)) };
        assert!(Past::of(&twice, batch(0), &Policy::default()).resent);
        assert_eq!(Past::of_create(&twice), Past { resent: true, ..Past::default() });
    }
}
