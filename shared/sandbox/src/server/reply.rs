//! What a handler decides: an answer, silence, or a reset.

use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde::Serialize;

/// Where something is now.
const LOCATION: &str = "location";

/// Makes the next page of a long answer, or `None` at its end.
type NextPage = Box<dyn FnMut() -> Option<Bytes> + Send>;

/// The outcome of a call, as the client sees it.
pub(crate) enum Reply {
    /// An HTTP answer.
    Answer(Answer),
    /// Never answers; the connection stays open.
    Hang,
    /// Resets the connection.
    Reset,
}

/// An HTTP answer, small enough to be the error of a `Result`.
pub(crate) struct Answer {
    status: StatusCode,
    /// The content type, if there is a body.
    kind: Option<&'static str>,
    retry_after_s: Option<u64>,
    /// One header more, its name in lower case.
    header: Option<(&'static str, Cow<'static, str>)>,
    body: Body,
}

impl Reply {
    /// `value` as JSON.
    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::text(status, "application/json", body),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written as JSON");
                Self::empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// A whole body.
    pub(crate) fn text(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Self {
        Self::new(status, Some(kind), Body::Whole(Some(body.into())))
    }

    /// No body and no content type.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self::new(status, None, Body::Whole(None))
    }

    /// Says that it is elsewhere now, for good.
    pub(crate) fn redirect(location: String) -> Self {
        Self::empty(StatusCode::MOVED_PERMANENTLY).with_header(LOCATION, location)
    }

    /// Pages made one at a time as the client takes them: memory does not grow with the answer.
    pub(crate) fn pages(
        kind: &'static str,
        next: impl FnMut() -> Option<Bytes> + Send + 'static,
    ) -> Self {
        Self::new(StatusCode::OK, Some(kind), Body::Pages(Box::new(next)))
    }

    /// The same answer with a `Retry-After`.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        if let Self::Answer(answer) = &mut self {
            answer.retry_after_s = Some(seconds);
        }
        self
    }

    /// The same answer with one header more, such as one of the provider's own; its name in lower
    /// case.
    pub(crate) fn with_header(
        mut self,
        name: &'static str,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        if let Self::Answer(answer) = &mut self {
            answer.header = Some((name, value.into()));
        }
        self
    }

    fn new(status: StatusCode, kind: Option<&'static str>, body: Body) -> Self {
        Self::Answer(Answer { status, kind, retry_after_s: None, header: None, body })
    }
}

impl From<Answer> for Response<Body> {
    fn from(answer: Answer) -> Self {
        let Answer { status, kind, retry_after_s, header, body } = answer;
        let mut response = Self::new(body);
        *response.status_mut() = status;
        if let Some(kind) = kind {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        if let Some(seconds) = retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if let Some((name, value)) = header
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// The body of an answer.
pub(crate) enum Body {
    Whole(Option<Bytes>),
    Pages(NextPage),
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let page = match self.get_mut() {
            Self::Whole(bytes) => bytes.take(),
            Self::Pages(next) => next(),
        };
        Poll::Ready(page.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
            Self::Pages(_) => SizeHint::default(),
        }
    }
}
