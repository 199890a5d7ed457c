//! Callbacks: each final payout is told until it is answered 2xx, a bounded number of times.

use std::time::Duration;

use tokio::sync::oneshot;

use super::gateway::Gateway;
use super::order::{Notified, Payout, Status};
use super::render::Post;
use super::settle::Due;
use crate::clock::{lock, unix_ms};
use crate::dial::Fault;

/// The longest pause between two tries.
const RETRY_MS_MAX: u64 = 30_000;

/// A callback to be sent now.
pub(super) struct Delivery {
    seq: usize,
    /// How often it was tried before.
    tries: u32,
    /// Told when this try is over.
    done: Option<oneshot::Sender<()>>,
}

impl Delivery {
    pub(super) fn first(seq: usize) -> Self {
        Self::again(seq, 0)
    }

    pub(super) fn again(seq: usize, tries: u32) -> Self {
        Self { seq, tries, done: None }
    }

    /// A first try that reports its end.
    pub(super) fn reported(seq: usize, done: oneshot::Sender<()>) -> Self {
        Self { seq, tries: 0, done: Some(done) }
    }
}

impl Gateway {
    /// One of the pool's senders.
    pub(super) async fn run_sender(&self) {
        while let Some(delivery) = self.deliveries.pop().await {
            self.deliver(delivery.seq, delivery.tries).await;
            if let Some(done) = delivery.done {
                let _ = done.send(());
            }
        }
    }

    async fn deliver(&self, seq: usize, tries: u32) {
        let Some(payout) = lock(&self.book).get(seq).cloned() else { return };
        if tries == 0 {
            if self.dial.strikes(Fault::CallbackDropped) {
                return self.close(seq, Notified::Dropped);
            }
            // First the lies: the truth that follows must still win.
            self.forge(&payout).await;
        }
        self.note_hint(&payout);
        let post = self.render_callback(&payout, None);
        let copy = (tries == 0 && self.dial.strikes(Fault::CallbackDuplicated))
            .then(|| Post { url: post.url.clone(), body: post.body.clone() });
        let is_acknowledged = self.send(post).await;
        if let Some(copy) = copy {
            self.note_hint(&payout);
            self.send(copy).await;
        }
        if is_acknowledged {
            lock(&self.reasons).settled(seq, unix_ms());
            self.close(seq, Notified::Acknowledged);
        } else {
            self.try_later(seq, tries + 1);
        }
    }

    /// A callback that is not believed by itself is looked up: one that says that nothing was paid,
    /// and every one where none is signed.
    fn note_hint(&self, payout: &Payout) {
        if payout.status != Status::Successful || self.callback_sign.is_none() {
            lock(&self.reasons).call_for(&payout.order.order_id);
        }
    }

    async fn forge(&self, payout: &Payout) {
        for fault in Fault::FORGED {
            if self.dial.strikes(fault) {
                self.counters.forged_sent.add();
                lock(&self.reasons).call_for(&payout.order.order_id);
                let post = self.render_callback(payout, Some(fault));
                if self.is_answered_2xx(post).await {
                    self.counters.forged_acknowledged.add();
                }
            }
        }
    }

    async fn send(&self, post: Post) -> bool {
        self.counters.callbacks_sent.add();
        let is_acknowledged = self.is_answered_2xx(post).await;
        if is_acknowledged {
            self.counters.callbacks_acknowledged.add();
        }
        is_acknowledged
    }

    async fn is_answered_2xx(&self, post: Post) -> bool {
        let answer = self.outbound.post(&post.url, "application/json", post.body.into()).await;
        if let Err(error) = &answer {
            tracing::debug!(%error, url = %post.url, "callback not delivered");
        }
        answer.is_ok_and(|status| status.is_success())
    }

    fn close(&self, seq: usize, notified: Notified) {
        if let Err(error) = lock(&self.book).notified(seq, notified) {
            tracing::error!(%error, seq, "the callback is sent again after a restart");
        }
    }

    fn try_later(&self, seq: usize, tries: u32) {
        if tries >= self.config.callback_tries {
            self.counters.callbacks_given_up.add();
            tracing::warn!(seq, tries, "callback given up");
            return;
        }
        let factor = 1u64.checked_shl(tries - 1).unwrap_or(u64::MAX);
        let pause_ms = self.config.callback_retry_ms.saturating_mul(factor).min(RETRY_MS_MAX);
        self.timers.push(Duration::from_millis(pause_ms), Due::Deliver { seq, tries });
    }
}
