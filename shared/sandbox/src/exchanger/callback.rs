//! Callbacks: each change of status is told until it is answered 2xx, a bounded number of times.
//!
//! They are not signed: whoever knows the URL can send one, and the dial does.

use std::time::Duration;

use bytes::Bytes;

use super::bid::{Notified, Status};
use super::settle::Due;
use super::site::Site;
use crate::clock::lock;
use crate::dial::Fault;

/// The longest pause between two tries.
const RETRY_MS_MAX: u64 = 30_000;

/// A callback to be sent now.
pub(super) struct Delivery {
    pub(super) seq: usize,
    /// Which of the order's changes.
    pub(super) change: usize,
    /// How often it was tried before.
    pub(super) tries: u32,
}

/// What a callback tells.
#[derive(Clone, Copy)]
struct Telling {
    bid_id: usize,
    status: Status,
}

impl Telling {
    /// The same with one thing untrue; `None` for a lie that there is no room for here.
    fn twisted(self, fault: Fault) -> Option<Self> {
        match (fault, self.status) {
            (Fault::ForgedOrder, _) => Some(Self { bid_id: self.bid_id + 1, ..self }),
            (Fault::ForgedStatus, Status::Success) => Some(Self { status: Status::Cancel, ..self }),
            (Fault::ForgedStatus, _) => Some(Self { status: Status::Success, ..self }),
            _ => None,
        }
    }

    fn body(self) -> Bytes {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("bid_id", &self.bid_id.to_string());
        form.append_pair("status", self.status.word());
        form.finish().into()
    }
}

impl Site {
    /// One of the pool's senders.
    pub(super) async fn run_sender(&self) {
        while let Some(delivery) = self.deliveries.pop().await {
            self.deliver(&delivery).await;
        }
    }

    async fn deliver(&self, delivery: &Delivery) {
        let Delivery { seq, change, tries } = *delivery;
        let Some(bid) = lock(&self.book).get(seq).cloned() else { return };
        let Some(status) = bid.changes.get(change).map(|change| change.status) else { return };
        let truth = Telling { bid_id: Self::id_of(seq), status };
        let url = &bid.order.callback_url;
        if tries == 0 {
            if self.dial.strikes(Fault::CallbackDropped) {
                return self.close(delivery, Notified::Dropped);
            }
            // First the lies: the truth that follows must still win.
            self.forge(url, truth).await;
        }
        let is_doubled = tries == 0 && self.dial.strikes(Fault::CallbackDuplicated);
        let is_acknowledged = self.send(url, truth).await;
        if is_doubled {
            self.send(url, truth).await;
        }
        if is_acknowledged {
            self.close(delivery, Notified::Acknowledged);
        } else {
            self.try_later(delivery);
        }
    }

    async fn forge(&self, url: &str, truth: Telling) {
        for fault in [Fault::ForgedOrder, Fault::ForgedStatus] {
            if self.dial.strikes(fault)
                && let Some(lie) = truth.twisted(fault)
            {
                self.counters.forged_sent.add();
                if self.is_answered_2xx(url, lie).await {
                    self.counters.forged_acknowledged.add();
                }
            }
        }
    }

    async fn send(&self, url: &str, telling: Telling) -> bool {
        self.counters.callbacks_sent.add();
        let is_acknowledged = self.is_answered_2xx(url, telling).await;
        if is_acknowledged {
            self.counters.callbacks_acknowledged.add();
        }
        is_acknowledged
    }

    async fn is_answered_2xx(&self, url: &str, telling: Telling) -> bool {
        let kind = "application/x-www-form-urlencoded";
        let answer = self.outbound.post(url, kind, telling.body()).await;
        if let Err(error) = &answer {
            // Not its URL: there may be a secret in it.
            tracing::debug!(%error, bid_id = telling.bid_id, "callback not delivered");
        }
        answer.is_ok_and(|status| status.is_success())
    }

    fn close(&self, delivery: &Delivery, notified: Notified) {
        let Delivery { seq, change, .. } = *delivery;
        if let Err(error) = lock(&self.book).notified(seq, change, notified) {
            tracing::error!(%error, seq, "the callback is sent again after a restart");
        }
    }

    fn try_later(&self, delivery: &Delivery) {
        let Delivery { seq, change, tries } = *delivery;
        let tries = tries + 1;
        if tries >= self.config.callback_tries {
            self.counters.callbacks_given_up.add();
            tracing::warn!(seq, tries, "callback given up");
            return;
        }
        let factor = 1u64.checked_shl(tries - 1).unwrap_or(u64::MAX);
        let pause_ms = self.config.callback_retry_ms.saturating_mul(factor).min(RETRY_MS_MAX);
        self.timers.push(Duration::from_millis(pause_ms), Due::Deliver { seq, change, tries });
    }
}
