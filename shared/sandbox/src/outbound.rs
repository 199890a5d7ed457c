//! Sends small POSTs over kept-alive connections: at most one request on a connection at a time.
//!
//! The connection is driven by the task that sends on it (no second task, no wake-up across
//! threads). Idle ones are taken from the top of a stack, so a quiet time uses few of them.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{Connection, SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{HeaderMap, Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::clock::lock;

/// Idle connections kept for one host; more are closed.
const IDLE_MAX: usize = 1024;
/// An answer to a callback longer than this is not read; its connection is closed.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

pub(crate) struct Outbound {
    timeout: Duration,
    idle: Mutex<HashMap<Arc<str>, Vec<Link>>>,
}

struct Link {
    sender: SendRequest<Full<Bytes>>,
    connection: Connection<TokioIo<TcpStream>, Full<Bytes>>,
}

/// Why a POST has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    #[error("not an http URL with a host")]
    Url,
    #[error("no answer in time")]
    Timeout,
    #[error("could not connect: {0}")]
    Connect(#[from] std::io::Error),
    #[error("the connection failed: {0}")]
    Http(#[from] hyper::Error),
    #[error("the connection was closed before the answer")]
    Closed,
    #[error("the answer is too long")]
    TooLong,
}

impl Outbound {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { timeout, idle: Mutex::new(HashMap::new()) }
    }

    /// Posts a body of the content type `kind` and returns the status of the answer, whose body is
    /// read and forgotten.
    pub(crate) async fn post(
        &self,
        url: &str,
        kind: &'static str,
        body: Bytes,
    ) -> Result<StatusCode, PostError> {
        self.post_with(url, kind, &HeaderMap::new(), body).await
    }

    /// The same with more headers.
    pub(crate) async fn post_with(
        &self,
        url: &str,
        kind: &'static str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<StatusCode, PostError> {
        let uri: Uri = url.parse().map_err(|_| PostError::Url)?;
        let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
        if uri.scheme_str() != Some("http") || authority.is_empty() {
            return Err(PostError::Url);
        }
        let sent = self.post_in_time(&uri, authority, kind, headers, body);
        tokio::time::timeout(self.timeout, sent).await.map_err(|_| PostError::Timeout)?
    }

    async fn post_in_time(
        &self,
        uri: &Uri,
        authority: &str,
        kind: &'static str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<StatusCode, PostError> {
        let kept = lock(&self.idle).get_mut(authority).and_then(Vec::pop);
        if let Some(link) = kept {
            // The receiver may have closed it meanwhile; a callback may be sent twice, so try anew.
            let sent = self.send(link, uri, authority, kind, headers, body.clone()).await;
            if let Ok(status) = sent {
                return Ok(status);
            }
        }
        let link = connect(authority).await?;
        self.send(link, uri, authority, kind, headers, body).await
    }

    async fn send(
        &self,
        mut link: Link,
        uri: &Uri,
        authority: &str,
        kind: &'static str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<StatusCode, PostError> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse().map_err(|_| PostError::Url)?;
        request.headers_mut().clone_from(headers);
        let host = HeaderValue::from_str(authority).map_err(|_| PostError::Url)?;
        request.headers_mut().insert(HOST, host);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));

        let Link { sender, connection } = &mut link;
        let exchange = async {
            let answer = sender.send_request(request).await?;
            let status = answer.status();
            let mut body = answer.into_body();
            let mut length = 0;
            while let Some(frame) = body.frame().await {
                length += frame?.data_ref().map_or(0, Bytes::len);
                if length > ANSWER_BYTES_MAX {
                    return Err(PostError::TooLong);
                }
            }
            // Ready again only if the connection may be kept.
            let is_kept = sender.ready().await.is_ok();
            Ok((status, is_kept))
        };
        let (status, is_kept) = drive(exchange, connection).await?;
        if is_kept {
            self.keep(authority, link);
        }
        Ok(status)
    }

    fn keep(&self, authority: &str, link: Link) {
        let mut idle = lock(&self.idle);
        if let Some(links) = idle.get_mut(authority) {
            if links.len() < IDLE_MAX {
                links.push(link);
            }
        } else {
            idle.insert(authority.into(), vec![link]);
        }
    }
}

async fn connect(authority: &str) -> Result<Link, PostError> {
    let address = match authority.rsplit_once(':') {
        Some(_) => authority.to_owned(),
        None => format!("{authority}:80"),
    };
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(tcp)).await?;
    Ok(Link { sender, connection })
}

/// Runs `exchange` and the connection under it, both in this task.
async fn drive<T>(
    exchange: impl Future<Output = Result<T, PostError>>,
    connection: &mut Connection<TokioIo<TcpStream>, Full<Bytes>>,
) -> Result<T, PostError> {
    tokio::pin!(exchange);
    let mut is_closed = false;
    poll_fn(|cx| {
        if let Poll::Ready(done) = exchange.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        if is_closed {
            return Poll::Ready(Err(PostError::Closed));
        }
        if let Poll::Ready(ended) = Pin::new(&mut *connection).poll(cx) {
            ended?;
            is_closed = true;
        }
        // The connection may just have delivered what the exchange waits for.
        exchange.as_mut().poll(cx)
    })
    .await
}
