//! Connections: bounded in number and time, and ended in order.

use super::rim::Rim;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;

/// Connections at once; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 4_096;

/// A client that sends no whole head of a request for this long is let go.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// The longest head; a path of ours has some 150 bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// How long the end waits for requests that are under way.
const END_WITHIN: Duration = Duration::from_secs(3);

/// The pause after an error of `accept`, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Takes the address, so that a port that is in use is told before anything is started.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// A running listener. Dropping it stops accepting, without waiting.
pub struct Listener {
    stop: watch::Sender<bool>,
    slots: Arc<Semaphore>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Answers on `socket` from now on.
    pub fn start(socket: TcpListener, rim: Arc<Rim>) -> Listener {
        let (stop, stopped) = watch::channel(false);
        let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let task = tokio::spawn(accept(socket, rim, slots.clone(), stopped));
        Listener { stop, slots, task }
    }

    /// Accepts nothing more; returns when what is under way is answered, or after
    /// three seconds.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // A task that panicked has ended, which is all that is wanted here.
        let _ = self.task.await;
        let all = u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX);
        if tokio::time::timeout(END_WITHIN, self.slots.acquire_many(all)).await.is_err() {
            tracing::warn!("some callers were cut off; they will call again");
        }
    }
}

async fn accept(
    socket: TcpListener,
    rim: Arc<Rim>,
    slots: Arc<Semaphore>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let next = async {
            let slot = slots.clone().acquire_owned().await.map_err(io::Error::other)?;
            socket.accept().await.map(|(stream, _)| (stream, slot))
        };
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            accepted = next => accepted,
        };
        match accepted {
            Ok((stream, slot)) => {
                tokio::spawn(serve(stream, rim.clone(), slot, stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve(
    stream: TcpStream,
    rim: Arc<Rim>,
    slot: OwnedSemaphorePermit,
    mut stop: watch::Receiver<bool>,
) {
    // Without it an answer may wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let rim = rim.clone();
        async move { Ok::<_, Infallible>(rim.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let stopped = async { stop.wait_for(|stop| *stop).await.map(drop) };
    let early = tokio::select! {
        biased;
        ended = connection.as_mut() => Some(ended),
        _ = stopped => None,
    };
    let ended = match early {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
    drop(slot);
}
