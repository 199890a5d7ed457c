//! One accepted connection: it knows when a request's first byte came, and it can end in a reset.
//!
//! hyper calls the service when a whole head is parsed and closes politely when the service fails.
//! A provider counts a call when it begins to arrive, and a crashed one resets; so both are done
//! below hyper.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::clock::mono_ns;

/// What the service and the socket under it tell each other.
#[derive(Default)]
pub(crate) struct Line {
    /// When the first byte of the request now being read came; 0 between requests.
    first_byte_ns: AtomicU64,
    reset: AtomicBool,
}

impl Line {
    /// When the request that is being served began to arrive.
    pub(super) fn arrived_ns(&self) -> u64 {
        match self.first_byte_ns.load(Ordering::Relaxed) {
            // Pipelined: it came together with its predecessor.
            0 => mono_ns(),
            stamp => stamp,
        }
    }

    /// The request has been read whole: the next byte is the next request's first.
    pub(super) fn request_read(&self) {
        self.first_byte_ns.store(0, Ordering::Relaxed);
    }

    /// Makes the connection end in a reset as soon as hyper drops it.
    pub(super) fn reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }
}

pub(super) struct Socket {
    tcp: TcpStream,
    line: Arc<Line>,
}

impl Socket {
    pub(super) fn new(tcp: TcpStream, line: Arc<Line>) -> Self {
        Self { tcp, line }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read = Pin::new(&mut this.tcp).poll_read(cx, buf);
        let stamp = &this.line.first_byte_ns;
        if buf.filled().len() > before && stamp.load(Ordering::Relaxed) == 0 {
            stamp.store(mono_ns(), Ordering::Relaxed);
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tcp).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tcp).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.line.reset.load(Ordering::Relaxed) {
            // A FIN now would be a polite end; the reset comes with the drop.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.tcp).poll_shutdown(cx)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.line.reset.load(Ordering::Relaxed) {
            let _ = self.tcp.set_zero_linger();
        }
    }
}
