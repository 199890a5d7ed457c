//! What is known of a payout from earlier calls, as those who ask about it put it together.

use crate::api::{Past, Sent};
use domain::{Millis, Payout, Policy};
use std::sync::Arc;

impl Past {
    /// Of a payout that is looked up by our reference alone.
    pub fn of(payout: &Payout, policy: &Policy) -> Past {
        let sent = payout.was_ever_sent().then(|| Sent {
            from: Millis(payout.send_before.0.saturating_sub(policy.send_window_ms)),
            until: payout.send_before.plus(policy.request_timeout_ms),
        });
        Past { provider_id: None, shipment: None, sent, stepped: payout.stepped }
    }

    /// With the provider's id of the payout, and of the call that carried it.
    pub fn with_ids(self, (provider_id, shipment): (Option<Arc<str>>, Option<Arc<str>>)) -> Past {
        Past { provider_id, shipment, ..self }
    }
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
        let from = Millis(50_000 - policy.send_window_ms);
        let until = Millis(50_000 + policy.request_timeout_ms);
        assert_eq!((past.sent, past.stepped), (Some(Sent { from, until }), true));
    }
}
