//! The one HTTP client of all adapters (S8), and the only place that sends money-moving requests.
//!
//! What holds for every call: no redirect is followed, nothing is sent a second time, no proxy
//! unless configured, https except on loopback, a connect and a total timeout, a limit on the
//! answer's body. Errors carry neither URLs nor bodies.
//!
//! - `gate`: the last question before the first byte (S7)
//! - `url`: URLs that may be called at all
//! - `mutual`: what a client shows where a provider wants mutual TLS
//! - `class`: what a status means, the same for every provider
//!
//! "Nothing is sent a second time" includes what the connection pool does: it hands a request to
//! another connection only if the first one closed before it took up the request. Then nothing
//! was written, and the gate is asked on the new connection.

mod class;
mod gate;
mod mutual;
#[cfg(test)]
mod tests;
mod url;

pub use class::{StatusClass, class_of_status};
pub use mutual::MutualTls;
pub use url::{ProviderUrl, UrlError};

use crate::api::SendGate;
use bytes::{Bytes, BytesMut};
use gate::{GatedBody, Ticket};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Body, Client, Method, Request, Response};
use std::error::Error;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// The longest answer that is read; a longer one is no answer.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Connections per host that stay open while idle.
const IDLE_CONNECTIONS_MAX: usize = 1024;
/// Shorter than what common servers allow: a connection that the server closes while a request
/// is on its way costs a look-up.
const IDLE_MS_MAX: u64 = 20_000;
/// The longest error text.
const TEXT_CHARS_MAX: usize = 300;

/// How a client is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    /// For DNS, TCP and TLS together.
    pub connect_timeout_ms: u64,
    /// For the whole call: connect, send, answer, body.
    pub total_timeout_ms: u64,
    /// An HTTP proxy; `None` goes straight, whatever the environment says.
    pub proxy: Option<ProviderUrl>,
}

/// What a call consists of beside its body.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Its verb.
    pub method: &'a Method,
    /// Where to.
    pub url: &'a ProviderUrl,
    /// Its headers; secrets among them are marked sensitive, which keeps them out of `Debug`.
    pub headers: &'a [(HeaderName, HeaderValue)],
}

/// An answer, read whole; what it means is for the adapter to say.
#[derive(Clone, PartialEq, Eq)]
pub struct RawAnswer {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, bounded, in whichever form it came.
    pub retry_after_ms: Option<u64>,
    /// At most [`ANSWER_BYTES_MAX`] bytes.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The gate was closed: not one byte was written.
    #[error("not sent: its time to start was over")]
    GateClosed,
    /// No connection came about: not one byte was written.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The request may have arrived, in whole.
    #[error("no answer: {0}")]
    Unknown(String),
}

/// A client that cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP client cannot be built: {0}")]
pub struct HttpError(String);

/// The client of one lane: its connections are its own.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client,
}

impl Http {
    /// A client for `base` and what lies below it.
    pub fn new(options: &HttpOptions, base: &ProviderUrl) -> Result<Http, HttpError> {
        Self::build(Self::builder(options, base)?)
    }

    /// A client that shows a certificate, and speaks TLS 1.3 or nothing.
    pub fn with_mutual_tls(
        options: &HttpOptions,
        base: &ProviderUrl,
        tls: MutualTls,
    ) -> Result<Http, HttpError> {
        Self::build(tls.on(Self::builder(options, base)?))
    }

    fn build(builder: reqwest::ClientBuilder) -> Result<Http, HttpError> {
        let client = builder.build().map_err(|error| HttpError(text_of(error)))?;
        Ok(Http { client })
    }

    fn builder(
        options: &HttpOptions,
        base: &ProviderUrl,
    ) -> Result<reqwest::ClientBuilder, HttpError> {
        install_crypto();
        let mut builder = Client::builder()
            .user_agent(concat!("payout-worker/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(Duration::from_millis(options.connect_timeout_ms))
            .timeout(Duration::from_millis(options.total_timeout_ms))
            .tcp_nodelay(true)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .pool_idle_timeout(Duration::from_millis(IDLE_MS_MAX));
        if let Some(proxy) = &options.proxy {
            let proxy = reqwest::Proxy::all(proxy.as_url().clone());
            builder = builder.proxy(proxy.map_err(|error| HttpError(text_of(error)))?);
        }
        if base.is_plain() {
            // Loopback without TLS must work where no certificate authorities are installed;
            // with an empty list, a call over TLS fails instead of trusting anybody.
            builder = builder.tls_certs_only([]);
        }
        Ok(builder)
    }

    /// Sends a request that moves money: `gate` is asked when the connection stands, last thing
    /// before the first byte.
    ///
    /// Any error but [`SendError::Unknown`] is a proof that no complete request left, also in
    /// the future: it takes the right to start away from whatever still holds the request.
    pub async fn send_gated(
        &self,
        call: Call<'_>,
        body: Bytes,
        gate: Arc<dyn SendGate>,
    ) -> Result<RawAnswer, SendError> {
        read(self.start_gated(call, body, gate).await?).await
    }

    /// Sends a request that moves nothing.
    pub async fn send(&self, call: Call<'_>, body: Option<Bytes>) -> Result<RawAnswer, SendError> {
        read(self.run(call, body.map(Body::from), None).await?).await
    }

    /// Sends a request, through `gate` where it moves money, and gives one header of the answer
    /// with it: for providers that tell there which form their body has.
    pub async fn send_for_header(
        &self,
        call: Call<'_>,
        body: Bytes,
        gate: Option<Arc<dyn SendGate>>,
        header: &HeaderName,
    ) -> Result<(RawAnswer, Option<HeaderValue>), SendError> {
        let response = match gate {
            Some(gate) => self.start_gated(call, body, gate).await?,
            None => self.run(call, Some(Body::from(body)), None).await?,
        };
        let told = response.headers().get(header).cloned();
        Ok((read(response).await?, told))
    }

    async fn start_gated(
        &self,
        call: Call<'_>,
        body: Bytes,
        gate: Arc<dyn SendGate>,
    ) -> Result<Response, SendError> {
        if body.is_empty() {
            // Nobody polls an empty body, so nobody would ask the gate.
            return Err(SendError::NotSent("a gated request needs a body".to_owned()));
        }
        let ticket = Ticket::new();
        let body = Body::wrap(GatedBody::new(body, gate, Arc::clone(&ticket)));
        self.run(call, Some(body), Some(&ticket)).await
    }

    async fn run(
        &self,
        call: Call<'_>,
        body: Option<Body>,
        ticket: Option<&Ticket>,
    ) -> Result<Response, SendError> {
        let mut request = Request::new(call.method.clone(), call.url.as_url().clone());
        *request.body_mut() = body;
        request.headers_mut().extend(call.headers.iter().cloned());
        self.client.execute(request).await.map_err(|error| {
            let is_connect = error.is_connect();
            let text = text_of(error);
            match ticket {
                Some(ticket) => ticket.end(text),
                None if is_connect => SendError::NotSent(text),
                None => SendError::Unknown(text),
            }
        })
    }
}

/// Reads an answer whole, or says why not. The request has arrived: every error is "unknown".
async fn read(mut response: Response) -> Result<RawAnswer, SendError> {
    let status = response.status().as_u16();
    let retry_after_ms = class::retry_after_ms(response.headers());
    let too_long = || SendError::Unknown(format!("HTTP {status} with too long a body"));
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |bytes| bytes > ANSWER_BYTES_MAX) {
        return Err(too_long());
    }
    let broken = |error| SendError::Unknown(format!("HTTP {status}, then {}", text_of(error)));
    let mut body = response.chunk().await.map_err(broken)?.unwrap_or_default();
    if body.len() > ANSWER_BYTES_MAX {
        return Err(too_long());
    }
    if let Some(second) = response.chunk().await.map_err(broken)? {
        let mut whole = BytesMut::from(body);
        let mut next = Some(second);
        while let Some(chunk) = next {
            if whole.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(too_long());
            }
            whole.extend_from_slice(&chunk);
            next = response.chunk().await.map_err(broken)?;
        }
        body = whole.freeze();
    }
    Ok(RawAnswer { status, retry_after_ms, body })
}

/// The words of an error and of what caused it, without the URL.
fn text_of(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.ends_with(&words) {
            // Writing into a String cannot fail.
            let _ = write!(text, ": {words}");
        }
        cause = inner.source();
    }
    if text.chars().count() > TEXT_CHARS_MAX {
        text = text.chars().take(TEXT_CHARS_MAX).chain(['…']).collect();
    }
    text
}

/// Makes ring the TLS implementation of the process, unless it has chosen another.
fn install_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails only if another thread was faster: then there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

impl std::fmt::Debug for RawAnswer {
    /// Without the body: it may repeat a destination.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawAnswer")
            .field("status", &self.status)
            .field("retry_after_ms", &self.retry_after_ms)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}
