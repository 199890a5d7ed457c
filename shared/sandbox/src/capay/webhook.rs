//! Webhooks: each change of a payout is told until it is answered 2xx, a bounded number of times.
//!
//! Calm ones come in order: a payout's webhooks all go through one sender. One that is held back or
//! sent again is overtaken, as it is in the field.

use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use sha2::Sha256;
use tokio::sync::oneshot;

use super::book::Moved;
use super::config::CAPAY_SIGNATURE_HEADER;
use super::gateway::Gateway;
use super::order::{Change, Notified, Order, State};
use super::settle::Due;
use super::wire::{Notice, iso};
use crate::clock::lock;
use crate::dial::Fault;

const SIGNATURE: HeaderName = HeaderName::from_static(CAPAY_SIGNATURE_HEADER);
/// The content type of a webhook.
const KIND: &str = "application/json";
/// The longest pause between two tries.
const RETRY_MS_MAX: u64 = 30_000;
/// What a forger signs with, who does not know the secret.
const FORGER: &str = "not the secret";
/// The lies that a webhook can tell: it has neither an amount nor a type.
const FORGED: [Fault; 3] = [Fault::ForgedSignature, Fault::ForgedOrder, Fault::ForgedStatus];

/// A webhook to be sent now.
pub(super) struct Delivery {
    of: Moved,
    /// How often it was tried before.
    tries: u32,
    /// Told when this try is over.
    done: Option<oneshot::Sender<()>>,
}

impl Delivery {
    pub(super) fn first(of: Moved) -> Self {
        Self::again(of, 0)
    }

    pub(super) fn again(of: Moved, tries: u32) -> Self {
        Self { of, tries, done: None }
    }

    /// A first try that reports its end.
    pub(super) fn reported(of: Moved, done: oneshot::Sender<()>) -> Self {
        Self { of, tries: 0, done: Some(done) }
    }
}

/// A webhook, ready to send.
#[derive(Clone)]
struct Post {
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Gateway {
    /// Hands a webhook to its payout's sender.
    pub(super) fn deliver_now(&self, delivery: Delivery) {
        let place = delivery.of.seq % self.deliveries.len();
        if let Some(queue) = self.deliveries.get(place) {
            queue.push(delivery);
        }
    }

    /// The sender of one queue.
    pub(super) async fn run_sender(&self, place: usize) {
        let Some(queue) = self.deliveries.get(place) else { return };
        while let Some(delivery) = queue.pop().await {
            self.deliver(delivery.of, delivery.tries).await;
            if let Some(done) = delivery.done {
                let _ = done.send(());
            }
        }
    }

    async fn deliver(&self, of: Moved, tries: u32) {
        let (payout, url) = {
            let book = lock(&self.book);
            (book.get(of.seq).cloned(), book.webhook().map(str::to_owned))
        };
        let Some(payout) = payout else { return };
        let Some(change) = payout.changes.get(of.change) else { return };
        // It was taken back since the change.
        let Some(url) = url else { return self.close(of, Notified::Dropped) };
        if tries == 0 {
            if self.dial.strikes(Fault::CallbackDropped) {
                return self.close(of, Notified::Dropped);
            }
            // First the lies: the truth that follows must still win.
            self.forge(&url, &payout.order, change).await;
        }
        let post = self.render(&url, &payout.order, change, None);
        let is_twice = tries == 0 && self.dial.strikes(Fault::CallbackDuplicated);
        let copy = is_twice.then(|| post.clone());
        let is_acknowledged = self.send(post).await;
        if let Some(copy) = copy {
            self.send(copy).await;
        }
        if is_acknowledged {
            self.close(of, Notified::Acknowledged);
        } else {
            self.try_later(of, tries + 1);
        }
    }

    async fn forge(&self, url: &str, order: &Order, change: &Change) {
        for fault in FORGED {
            if self.dial.strikes(fault) {
                self.counters.forged_sent.add();
                if self.is_answered_2xx(self.render(url, order, change, Some(fault))).await {
                    self.counters.forged_acknowledged.add();
                }
            }
        }
    }

    /// The webhook of a change, or a forgery of it.
    fn render(&self, url: &str, order: &Order, change: &Change, forgery: Option<Fault>) -> Post {
        let other = format!("{}-other", order.reference);
        let state = match (forgery, change.state) {
            (Some(Fault::ForgedStatus), State::Completed) => State::Rejected,
            (Some(Fault::ForgedStatus), _) => State::Completed,
            (_, state) => state,
        };
        let body = serde_json::to_vec(&Notice {
            ticket_id: &self.ticket_id(order.seq),
            reference: if forgery == Some(Fault::ForgedOrder) { &other } else { &order.reference },
            status: state.word(),
            occurred_at: &iso(change.at_ms),
        });
        let body = body.unwrap_or_default();
        // The signature covers all of the body: who lies in it does not have the secret. Another
        // order is Capay's own mistake.
        let is_forged = matches!(forgery, Some(Fault::ForgedSignature | Fault::ForgedStatus));
        let headers = match &self.config.webhook_secret {
            Some(_) if is_forged => signed(FORGER, &body),
            Some(secret) => signed(secret, &body),
            None => HeaderMap::new(),
        };
        Post { url: url.to_owned(), headers, body: body.into() }
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
        let Post { url, headers, body } = post;
        let answer = self.outbound.post_with(&url, KIND, &headers, body).await;
        if let Err(error) = &answer {
            tracing::debug!(%error, %url, "webhook not delivered");
        }
        answer.is_ok_and(|status| status.is_success())
    }

    /// Nobody needs to be told of a change any more.
    pub(super) fn close(&self, of: Moved, notified: Notified) {
        if let Err(error) = lock(&self.book).notified(of, notified) {
            tracing::error!(%error, seq = of.seq, "the webhook is sent again after a restart");
        }
    }

    fn try_later(&self, of: Moved, tries: u32) {
        if tries >= self.config.callback_tries {
            self.counters.callbacks_given_up.add();
            tracing::warn!(seq = of.seq, tries, "webhook given up");
            return;
        }
        let factor = 1u64.checked_shl(tries - 1).unwrap_or(u64::MAX);
        let pause_ms = self.config.callback_retry_ms.saturating_mul(factor).min(RETRY_MS_MAX);
        self.timers.push(Duration::from_millis(pause_ms), Due::Deliver { moved: of, tries });
    }
}

fn signed(secret: &str, body: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    // A key of any length will do for an HMAC, and hex for a header: neither step can fail.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        mac.update(body);
        let text = hex::encode(mac.finalize().into_bytes());
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(SIGNATURE, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_hex_of_the_bodys_hmac() {
        let headers = signed("key", b"The quick brown fox jumps over the lazy dog");
        let expected = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
        assert_eq!(headers[SIGNATURE], expected);
    }
}
