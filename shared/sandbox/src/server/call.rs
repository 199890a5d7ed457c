//! One request on its way to a provider: its head, the stamp of its first byte, its unread body.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Method, Request, Uri};

use super::socket::Line;

/// The longest body that is read. A batch of 1,000 records of 300 bytes, signed and encoded,
/// fits.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

pub(crate) struct Call {
    head: hyper::http::request::Parts,
    body: Incoming,
    line: Arc<Line>,
    /// When its first byte was read from the socket, before anything of it was parsed: what the
    /// limits and the pace judge.
    pub(crate) arrived_ns: u64,
}

/// Why a body was not read.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// Longer than [`BODY_BYTES_MAX`].
    TooLong,
    /// The client went away.
    Gone,
}

impl Call {
    pub(super) fn new(request: Request<Incoming>, line: Arc<Line>) -> Self {
        let arrived_ns = line.arrived_ns();
        let (head, body) = request.into_parts();
        if hyper::body::Body::is_end_stream(&body) {
            line.request_read();
        }
        Self { head, body, line, arrived_ns }
    }

    pub(crate) fn method(&self) -> &Method {
        &self.head.method
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.head.uri
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Does it say that its body is JSON?
    pub(crate) fn is_json(&self) -> bool {
        let kind = self.headers().get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        let (json, length) = (b"application/json", b"application/json".len());
        kind.get(..length).is_some_and(|start| start.eq_ignore_ascii_case(json))
    }

    /// Reads the body of a call that is refused for its head. Unread it would close the
    /// connection, or stand before the next request and give that one an older stamp.
    pub(crate) async fn discard(&mut self) {
        // Too long, or its client gone: then the connection ends.
        let _ = self.read_body().await;
    }

    /// Reads the body whole.
    pub(crate) async fn read_body(&mut self) -> Result<Bytes, BodyError> {
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(frame) = self.body.frame().await {
            let Ok(data) = frame.map_err(|_| BodyError::Gone)?.into_data() else { continue };
            if first.len() + rest.len() + data.len() > BODY_BYTES_MAX {
                return Err(BodyError::TooLong);
            }
            // Nearly always there is one frame; it is handed on as it is.
            if first.is_empty() {
                first = data;
            } else {
                rest.extend_from_slice(&data);
            }
        }
        self.line.request_read();
        if rest.is_empty() {
            return Ok(first);
        }
        Ok([&first[..], &rest[..]].concat().into())
    }
}
