//! The HTTP side: accepts, hands each call to its provider, plays the reply out.
//!
//! ```text
//! accept ─▶ connection (hyper, HTTP/1 keep-alive) ─▶ App::answer ─▶ /merchant/…  the gateway
//!              ▲                                          └───────▶ /sandbox/…   control
//!           Socket: stamps the first byte, resets on demand
//! ```

mod call;
mod reply;
mod socket;

use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use hyper::Response;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) use call::{BodyError, Call};
pub(crate) use reply::Reply;
use socket::{Line, Socket};

/// How long calls under way may take to end at a stop. Hanging ones are cut.
const DRAIN: Duration = Duration::from_millis(500);
/// Pause after a failed accept (no file descriptors): it would fail again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is to be reset")]
struct Reset;

/// Whatever answers calls.
pub(crate) trait App: Send + Sync + 'static {
    /// Decides on one call.
    fn answer(self: Arc<Self>, call: Call) -> impl Future<Output = Reply> + Send;
}

/// Accepts and serves until `stop` turns true, then drains.
pub(crate) async fn serve<A: App>(listener: TcpListener, app: Arc<A>, stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let mut own_stop = stop.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, _)) => {
                    connections.spawn(connection(tcp, Arc::clone(&app), stop.clone()));
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

async fn connection<A: App>(tcp: TcpStream, app: Arc<A>, mut stop: watch::Receiver<bool>) {
    // Without it an answer may wait for the acknowledgement of the one before.
    let _ = tcp.set_nodelay(true);
    let line = Arc::new(Line::default());
    let socket = TokioIo::new(Socket::new(tcp, Arc::clone(&line)));
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
    let served = http1::Builder::new().serve_connection(socket, service);
    tokio::pin!(served);
    // How a connection ended is the client's business: resets and half-sent requests are our trade.
    tokio::select! {
        _ = &mut served => return,
        () = stopped(&mut stop) => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}
