//! A request's way: the gate, the first byte, the provider's work, and an answer that may come
//! too late. Once it has left it goes on by itself, whether its sender lives or not.

use super::Gateway;
use super::book::Request;
use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{Either, select};
use providers::SendGate;

/// What the sender learns.
pub(super) enum Journey<T> {
    /// The gate was closed.
    NeverLeft,
    /// It left, and nothing came back in time.
    NoAnswer,
    /// What the provider said.
    Came(T),
}

impl Gateway {
    /// Sends a request; `serve` is the provider's side of it.
    pub(super) async fn journey<T: Send + 'static>(
        &self,
        gate: &dyn SendGate,
        request: impl FnOnce() -> Request,
        serve: impl Future<Output = T> + Send + 'static,
    ) -> Journey<T> {
        self.exec.sleep(self.exec.dice().below(30)).await;
        // The check and the first byte are one step here; what lies between them in the real
        // world is named in the README's guarantees.
        if !gate.is_open() {
            return Journey::NeverLeft;
        }
        let number = self.saw(request());
        let (tell, told) = oneshot::channel();
        let serve = async move {
            // The sender may be gone or have stopped waiting.
            let _ = tell.send(serve.await);
        };
        self.exec.spawn(crate::process::OUTSIDE, serve.boxed());
        let came = select(told, self.exec.sleep(self.timeout_ms)).await;
        self.heard(number);
        match came {
            Either::Left((Ok(answer), _)) => Journey::Came(answer),
            _ => Journey::NoAnswer,
        }
    }

    /// The time that an answer takes: now and then longer than its sender waits.
    pub(super) async fn answer_travels(&self) {
        let longest = self.timeout_ms + self.timeout_ms / 20;
        self.exec.sleep(self.exec.dice().below(longest)).await;
    }
}
