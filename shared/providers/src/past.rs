//! What is known of a payout from earlier calls, as those who ask about it put it together.

use crate::api::{Past, Sent};
use domain::{Cause, Millis, Payout, Policy};
use std::sync::Arc;

/// How far a sender's reading of ledger time may be ahead of the ledger's, at most: as long as the
/// slowest answer that it learns ledger time from (S19). A quick ledger answers in milliseconds, one
/// with a slow disk or behind a long network within a second.
pub const CLOCK_AHEAD_MAX_MS: u64 = 5_000;

impl Past {
    /// Of a payout that is looked up by our reference alone.
    ///
    /// Its deadline stands in ledger time as its sender read it: the request may have left by as
    /// much before the window of that deadline as that reading was ahead.
    pub fn of(payout: &Payout, policy: &Policy) -> Past {
        let mut ahead_ms = policy.send_window_ms.saturating_add(CLOCK_AHEAD_MAX_MS);
        // Which request a ledger that went back forgot, and when it left, nobody may know: but no
        // open payout is older than this (S18). Where its past is lost, the deadline is the moment
        // when it was marked, whatever became of it since.
        if payout.past_lost || payout.cause == Cause::LedgerRewound {
            ahead_ms = ahead_ms
                .saturating_add(policy.unsent_give_up_ms)
                .saturating_add(policy.submitted_give_up_ms)
                .saturating_add(policy.unknown_give_up_ms);
        }
        let sent = payout.was_ever_sent().then(|| Sent {
            from: Millis(payout.send_before.0.saturating_sub(ahead_ms)),
            until: payout.send_before.plus(policy.request_timeout_ms),
        });
        let (stepped, resent) = (payout.stepped, is_resent(payout));
        Past { provider_id: None, shipment: None, sent, stepped, resent }
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

/// Intents are counted over all attempts, second steps and withdrawn ones included: too often is
/// no harm.
fn is_resent(payout: &Payout) -> bool {
    payout.intents > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_of_a_create_is_wide_enough_for_its_whole_request() {
        let policy = Policy::default();
        let fresh = Payout::new(Millis(0), Millis(1));
        assert_eq!(Past::of(&fresh, &policy), Past::default(), "it never left");
        let sent = Payout { intents: 1, send_before: Millis(50_000), stepped: true, ..fresh };
        let past = Past::of(&sent, &policy);
        let from = Millis(50_000 - policy.send_window_ms - CLOCK_AHEAD_MAX_MS);
        let until = Millis(50_000 + policy.request_timeout_ms);
        assert_eq!((past.sent, past.stepped), (Some(Sent { from, until }), true));
        let forgotten = Payout { cause: Cause::LedgerRewound, ..sent };
        let now = Millis(50_000 + policy.unsent_give_up_ms + policy.submitted_give_up_ms);
        let reach = Past::of(&Payout { send_before: now, ..forgotten }, &policy).sent;
        assert!(reach.is_some_and(|sent| sent.from <= Millis(50_000)), "back to its intake");
        let lost = Payout { past_lost: true, cause: Cause::Operator, ..forgotten };
        let reach = Past::of(&Payout { send_before: now, ..lost }, &policy).sent;
        assert!(reach.is_some_and(|sent| sent.from <= Millis(50_000)), "whoever decided since");
        assert!(!past.resent && Past::of_create(&sent) == Past::default(), "its first create");
    }

    #[test]
    fn what_has_a_second_intent_may_have_been_taken_by_the_first() {
        let twice = Payout { intents: 2, ..Payout::new(Millis(0), Millis(1)) };
        assert!(Past::of(&twice, &Policy::default()).resent);
        assert_eq!(Past::of_create(&twice), Past { resent: true, ..Past::default() });
    }
}
