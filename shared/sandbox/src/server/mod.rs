//! The HTTP side: accepts, hands each call to its provider, plays the reply out.
//!
//! ```text
//! accept ─▶ connection (hyper, HTTP/1 keep-alive) ─▶ App::answer ─▶ /merchant/…  the gateway
//!              ▲                                          └───────▶ /sandbox/…   control
//!           Socket: stamps the first byte, resets on demand
//!              ▲
//!           TLS between the two, on a listener that asks for it
//! ```

mod call;
mod reply;
mod socket;
mod tls;

use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use hyper::Response;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

pub(crate) use call::{BodyError, Call};
pub(crate) use reply::Reply;
use socket::{Line, Socket};
pub use tls::TlsError;
pub(crate) use tls::{TlsFiles, acceptor};

/// How long calls under way may take to end at a stop. Hanging ones are cut.
const DRAIN: Duration = Duration::from_millis(500);
/// Pause after a failed accept (no file descriptors): it would fail again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
/// How long a client may take to say who it is; a loaded machine needs a part of it.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is to be reset")]
struct Reset;

/// Whatever answers calls.
pub(crate) trait App: Send + Sync + 'static {
    /// Decides on one call.
    fn answer(self: Arc<Self>, call: Call) -> impl Future<Output = Reply> + Send;
}

/// Accepts and serves until `stop` turns true, then drains; with `tls`, only who passes it.
pub(crate) async fn serve<A: App>(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    app: Arc<A>,
    stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let mut own_stop = stop.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, _)) => {
                    let (tls, app) = (tls.clone(), Arc::clone(&app));
                    connections.spawn(connection(tcp, tls, app, stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = stopped(&mut own_stop) => break,
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        connections.shutdown().await;
    }
}

/// Waits for the stop, or for the end of whoever could order it.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|is_stopped| *is_stopped).await;
}

async fn connection<A: App>(
    tcp: TcpStream,
    tls: Option<TlsAcceptor>,
    app: Arc<A>,
    mut stop: watch::Receiver<bool>,
) {
    // Without it an answer may wait for the acknowledgement of the one before.
    let _ = tcp.set_nodelay(true);
    let line = Arc::new(Line::default());
    let socket = Socket::new(tcp, Arc::clone(&line));
    let Some(tls) = tls else {
        return converse(socket, line, app, stop).await;
    };
    let stream = tokio::select! {
        stream = tokio::time::timeout(HANDSHAKE, tls.accept(socket)) => stream,
        () = stopped(&mut stop) => return,
    };
    // Whoever fails the handshake was told so by it.
    if let Ok(Ok(stream)) = stream {
        // The stamp so far is the handshake's; the next byte is the first request's.
        line.request_read();
        converse(stream, line, app, stop).await;
    }
}

/// Serves one connection to its end; `line` is that of the socket at the bottom of `stream`.
async fn converse<A: App, S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    line: Arc<Line>,
    app: Arc<A>,
    mut stop: watch::Receiver<bool>,
) {
    let service = service_fn(move |request| {
        let (app, line) = (Arc::clone(&app), Arc::clone(&line));
        async move {
            match app.answer(Call::new(request, Arc::clone(&line))).await {
                Reply::Answer(answer) => Ok(Response::from(answer)),
                Reply::Hang => pending().await,
                Reply::Reset => {
                    line.reset();
                    Err(Reset)
                }
            }
        }
    });
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::pin!(served);
    // How a connection ended is the client's business: resets and half-sent requests are our trade.
    tokio::select! {
        _ = &mut served => return,
        () = stopped(&mut stop) => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}
