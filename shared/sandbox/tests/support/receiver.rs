//! Receives callbacks, keeps them, answers with whatever status is set.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

/// A callback as it came.
#[derive(Debug, Clone)]
pub struct Callback {
    pub path: String,
    pub headers: HeaderMap,
    pub raw: Bytes,
    pub body: Value,
}

pub struct Receiver {
    addr: SocketAddr,
    state: Arc<State>,
}

struct State {
    status: AtomicU16,
    seen: Mutex<Vec<Callback>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let state = Arc::new(State { status: AtomicU16::new(200), seen: Mutex::default() });
        tokio::spawn(serve(listener, Arc::clone(&state)));
        Self { addr, state }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.addr)
    }

    /// What the next callbacks are answered.
    pub fn answer_with(&self, status: u16) {
        self.state.status.store(status, Ordering::SeqCst);
    }

    pub fn seen(&self) -> Vec<Callback> {
        self.state.seen.lock().expect("no panic").clone()
    }

    /// Waits for at least `count` callbacks.
    pub async fn wait_for(&self, count: usize) -> Vec<Callback> {
        super::eventually("callbacks came", || self.seen().len() >= count).await;
        self.seen()
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((tcp, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let service = service_fn(move |request| keep(Arc::clone(&state), request));
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(tcp), service),
        );
    }
}

async fn keep(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let headers = request.headers().clone();
    let raw = request.into_body().collect().await.expect("a whole body").to_bytes();
    let body = match headers.get(CONTENT_TYPE).map(|kind| kind.as_bytes()) {
        Some(b"application/x-www-form-urlencoded") => {
            let pairs = url::form_urlencoded::parse(&raw);
            pairs.map(|(name, value)| (name.into_owned(), Value::from(&*value))).collect()
        }
        _ => serde_json::from_slice(&raw).expect("a JSON body"),
    };
    state.seen.lock().expect("no panic").push(Callback { path, headers, raw, body });
    let mut answer = Response::new(Full::default());
    *answer.status_mut() =
        StatusCode::from_u16(state.status.load(Ordering::SeqCst)).expect("a status");
    Ok(answer)
}
