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
//!
//! A long body, such as a batch of a thousand rows, takes several writes, and a process may freeze
//! between any two of them. So it goes in pieces, each of which the gate is asked about again: one
//! that comes after the request's whole time ends the connection, the request stays incomplete, and
//! what became of it is unknown. The next piece is given only when the connection has written the
//! one before, so that no more than one waits where a peer does not read.

use super::SendError;
use crate::api::SendGate;
use bytes::Bytes;
use futures::task::AtomicWaker;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

/// The longest piece of a body that leaves on one question: what one TLS record holds.
pub(super) const PIECE_BYTES_MAX: usize = 16 * 1024;

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

/// A body that asks the gate before it gives itself away, piece by piece.
pub(super) struct GatedBody {
    bytes: Bytes,
    gate: Arc<dyn SendGate>,
    ticket: Arc<Ticket>,
    /// The piece that was given last, until it has been written.
    last: Option<Arc<Piece>>,
}

impl GatedBody {
    pub(super) fn new(bytes: Bytes, gate: Arc<dyn SendGate>, ticket: Arc<Ticket>) -> GatedBody {
        GatedBody { bytes, gate, ticket, last: None }
    }

    /// The next piece, which tells when the connection is done with it.
    fn piece(&mut self) -> Frame<Bytes> {
        let bytes = self.bytes.split_to(self.bytes.len().min(PIECE_BYTES_MAX));
        if self.bytes.is_empty() {
            return Frame::data(bytes);
        }
        let piece = Arc::new(Piece::default());
        self.last = Some(Arc::clone(&piece));
        Frame::data(Bytes::from_owner(Given { bytes, piece }))
    }
}

/// How far one piece came.
#[derive(Default)]
struct Piece {
    /// The connection had the chance to write it out.
    was_flushed: AtomicBool,
    /// The connection holds it no more.
    is_written: AtomicBool,
    waker: AtomicWaker,
}

impl Piece {
    /// Ready when the connection has had its turn and holds the piece no more: one that copies
    /// what it is given lets go of it at once, before a byte is written.
    fn poll_written(&self, context: &Context<'_>) -> Poll<()> {
        if !self.was_flushed.swap(true, Ordering::SeqCst) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        // Before it is looked at: a piece that is let go of right now wakes who waits.
        self.waker.register(context.waker());
        match self.is_written.load(Ordering::SeqCst) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

/// The bytes of a piece, as the connection holds them.
struct Given {
    bytes: Bytes,
    piece: Arc<Piece>,
}

impl AsRef<[u8]> for Given {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        self.piece.is_written.store(true, Ordering::SeqCst);
        self.piece.waker.wake();
    }
}

/// What hyper is told when the request must not start, or not go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Closed {
    #[error("the request may not start any more")]
    BeforeIt,
    #[error("the request was given up half-way: its time is over")]
    HalfWay,
}

impl Body for GatedBody {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Closed>>> {
        if self.bytes.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(last) = &self.last {
            ready!(last.poll_written(context));
            return Poll::Ready(Some(match self.gate.may_go_on() {
                true => Ok(self.piece()),
                false => Err(Closed::HalfWay),
            }));
        }
        let wish = if self.gate.is_open() { STARTED } else { REFUSED };
        Poll::Ready(Some(match self.ticket.leave(wish) {
            STARTED => Ok(self.piece()),
            _ => Err(Closed::BeforeIt),
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

    struct Gate(AtomicBool);

    impl SendGate for Gate {
        fn is_open(&self) -> bool {
            self.0.load(Ordering::SeqCst)
        }

        fn may_go_on(&self) -> bool {
            self.0.load(Ordering::SeqCst)
        }
    }

    fn poll(body: &mut GatedBody) -> Option<Result<Bytes, Closed>> {
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

    #[test]
    fn a_piece_waits_until_the_one_before_is_written_and_asks_whether_it_may_go_on() {
        let mut context = Context::from_waker(std::task::Waker::noop());
        let gate = Arc::new(Gate(AtomicBool::new(true)));
        let bytes = Bytes::from(vec![b'1'; 2 * PIECE_BYTES_MAX + 1]);
        let closing = Arc::<Gate>::clone(&gate);
        let mut body = GatedBody::new(bytes, closing, Ticket::new());
        let first = poll(&mut body).unwrap().unwrap();
        assert_eq!(first.len(), PIECE_BYTES_MAX);
        for _ in 0..3 {
            assert!(Pin::new(&mut body).poll_frame(&mut context).is_pending(), "it is held");
        }
        drop(first);
        let second = poll(&mut body).unwrap().unwrap();
        assert_eq!((second.len(), body.size_hint().exact()), (PIECE_BYTES_MAX, Some(1)));
        drop(second);
        assert!(Pin::new(&mut body).poll_frame(&mut context).is_pending(), "not flushed yet");
        gate.0.store(false, Ordering::SeqCst);
        assert!(matches!(poll(&mut body), Some(Err(Closed::HalfWay))));
    }
}
