//! The last question before the first byte (S7).
//!
//! The gate stands in the request's body. hyper polls a body when the connection is established
//! and the request's turn on it has come; by then it has put the head into its own buffer, and it
//! flushes that buffer only after the poll. So a closed gate means that not even the head leaves.
//! Should hyper ever flush earlier, the promise still holds: the head announces a length, and a
//! server never sees a complete request.
//!
//! ```text
//!   Waiting ──the body is polled, gate open──▶ Started     from here on: unknown
//!      │ └────the body is polled, gate closed─▶ Refused    never sent
//!      └──────the call has failed─────────────▶ Withdrawn  never sent, and never will be
//! ```
//!
//! Each step is one compare-and-exchange. So "not sent" is a fact, not an observation: after
//! `Withdrawn` a connection that still holds the request cannot start it.

use super::SendError;
use crate::api::SendGate;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

const WAITING: u8 = 0;
const STARTED: u8 = 1;
const REFUSED: u8 = 2;
const WITHDRAWN: u8 = 3;

/// How far one request came; shared by its body and by who waits for the answer.
pub(super) struct Ticket(AtomicU8);

impl Ticket {
    pub(super) fn new() -> Arc<Ticket> {
        Arc::new(Ticket(AtomicU8::new(WAITING)))
    }

    /// Moves on from `WAITING`; gives what it is now.
    fn leave(&self, to: u8) -> u8 {
        match self.0.compare_exchange(WAITING, to, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => to,
            Err(now) => now,
        }
    }

    /// The call failed with `text`: what does that prove?
    pub(super) fn end(&self, text: String) -> SendError {
        match self.leave(WITHDRAWN) {
            WITHDRAWN => SendError::NotSent(text),
            REFUSED => SendError::GateClosed,
            _ => SendError::Unknown(text),
        }
    }
}

/// A body in one piece that asks the gate before it gives itself away.
pub(super) struct GatedBody {
    bytes: Bytes,
    gate: Arc<dyn SendGate>,
    ticket: Arc<Ticket>,
}

impl GatedBody {
    pub(super) fn new(bytes: Bytes, gate: Arc<dyn SendGate>, ticket: Arc<Ticket>) -> GatedBody {
        GatedBody { bytes, gate, ticket }
    }
}

/// What hyper is told when the request must not start.
#[derive(Debug, thiserror::Error)]
#[error("the request may not start any more")]
pub(super) struct MayNotStart;

impl Body for GatedBody {
    type Data = Bytes;
    type Error = MayNotStart;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, MayNotStart>>> {
        if self.bytes.is_empty() {
            return Poll::Ready(None);
        }
        let wish = if self.gate.is_open() { STARTED } else { REFUSED };
        Poll::Ready(Some(match self.ticket.leave(wish) {
            STARTED => Ok(Frame::data(std::mem::take(&mut self.bytes))),
            _ => Err(MayNotStart),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        // A usize always fits: there is no platform with longer ones.
        SizeHint::with_exact(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    struct Gate(AtomicBool);

    impl SendGate for Gate {
        fn is_open(&self) -> bool {
            self.0.load(Ordering::SeqCst)
        }
    }

    fn poll(body: &mut GatedBody) -> Option<Result<Bytes, MayNotStart>> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        match Pin::new(body).poll_frame(&mut context) {
            Poll::Ready(item) => item.map(|item| item.map(|f| f.into_data().unwrap())),
            Poll::Pending => panic!("the body has nothing to wait for"),
        }
    }

    fn body(open: bool) -> (GatedBody, Arc<Ticket>) {
        let ticket = Ticket::new();
        let gate = Arc::new(Gate(AtomicBool::new(open)));
        (GatedBody::new(Bytes::from_static(b"money"), gate, Arc::clone(&ticket)), ticket)
    }

    #[test]
    fn an_open_gate_lets_the_body_through_once_and_what_follows_is_unknown() {
        let (mut body, ticket) = body(true);
        assert_eq!(body.size_hint().exact(), Some(5));
        assert_eq!(poll(&mut body).unwrap().unwrap(), "money");
        assert!(body.is_end_stream() && poll(&mut body).is_none());
        assert_eq!(ticket.end("reset".into()), SendError::Unknown("reset".into()));
    }

    #[test]
    fn a_closed_gate_keeps_the_body_for_ever() {
        let (mut body, ticket) = body(false);
        assert!(poll(&mut body).unwrap().is_err());
        assert_eq!(ticket.end("closed".into()), SendError::GateClosed);
        assert!(poll(&mut body).unwrap().is_err());
    }

    #[test]
    fn a_request_that_was_called_not_sent_cannot_start_afterwards() {
        let (mut body, ticket) = body(true);
        assert_eq!(ticket.end("timeout".into()), SendError::NotSent("timeout".into()));
        assert!(poll(&mut body).unwrap().is_err());
    }
}
