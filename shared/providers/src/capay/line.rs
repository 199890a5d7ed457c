//! What it takes to talk to Capay: the client, the token, and one rule about 401.
//!
//! A 401 moved no money. So it may be answered by a new token and the same request once more;
//! a second 401 is the answer, and so is one that may be about our payout. Nothing else is ever repeated
//! here.

use super::profile::Profile;
use super::settings::{Keys, Settings};
use super::tls::Shown;
use super::token::{Clock, Grant, NoToken, Token, Tokens, read_grant};
use crate::api::{SendGate, Turns};
use crate::http::{
    Call, Http, HttpOptions, ProviderUrl, RawAnswer, SendError, StatusClass, class_of_status,
};
use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const UNAUTHORIZED: u16 = 401;
/// How long the lane waits when there is no token, and the answer names no time.
pub(super) const PAUSE_MS: u64 = 1_000;

/// The line to Capay.
pub(super) struct Line {
    http: Http,
    /// `None` without TLS.
    shown: Option<Shown>,
    pub(super) keys: Keys,
    tokens: Tokens,
    clock: Arc<dyn Clock>,
    token_url: ProviderUrl,
    /// The paths of the profile lie below it.
    pub(super) base: ProviderUrl,
}

/// One request that shows the token.
pub(super) struct Outgoing<'a> {
    pub(super) method: Method,
    pub(super) url: ProviderUrl,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Option<Bytes>,
    /// Whether a 401 is the answer as it stands, because it may be about a payout that the request
    /// made; only a create has one.
    pub(super) ends: Option<&'a (dyn Fn(&RawAnswer) -> bool + Sync)>,
    /// Asked last thing before the first byte; only a create has one.
    pub(super) gate: Option<Arc<dyn SendGate>>,
    /// Awaited before each request, also one for a token; only look-ups have turns.
    pub(super) turns: Option<&'a dyn Turns>,
}

impl Outgoing<'_> {
    pub(super) fn get(url: ProviderUrl) -> Outgoing<'static> {
        let (headers, method) = (Vec::new(), Method::GET);
        Outgoing { method, url, headers, body: None, ends: None, gate: None, turns: None }
    }

    pub(super) fn post(url: ProviderUrl, body: Bytes) -> Outgoing<'static> {
        let headers = vec![(CONTENT_TYPE, JSON)];
        let method = Method::POST;
        Outgoing { method, url, headers, body: Some(body), ends: None, gate: None, turns: None }
    }

    /// Whether an answer asks for nothing but a new token.
    fn wants_token(&self, answer: &RawAnswer) -> bool {
        answer.status == UNAUTHORIZED && !self.ends.is_some_and(|ends| ends(answer))
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// No token: the request itself did not leave, or was answered with a 401.
    Token(NoToken),
    /// What the client says.
    Send(SendError),
}

impl NoAnswer {
    pub(super) fn text(self) -> String {
        match self {
            NoAnswer::Token(NoToken::Refused(text) | NoToken::Later { text, .. }) => text,
            NoAnswer::Send(error) => error.to_string(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenRequest<'a> {
    api_user: &'a str,
    api_key: &'a str,
}

impl Line {
    pub(super) fn new(
        base: ProviderUrl,
        shown: Option<Shown>,
        settings: &Settings,
        keys: Keys,
        request_timeout_ms: u64,
        clock: Arc<dyn Clock>,
    ) -> Result<Line, String> {
        let options = HttpOptions {
            connect_timeout_ms: settings.connect_timeout_ms.min(request_timeout_ms),
            total_timeout_ms: request_timeout_ms,
            proxy: settings.proxy.clone(),
        };
        let http = match &shown {
            Some(shown) => Http::with_mutual_tls(&options, &base, shown.tls.clone()),
            None => Http::new(&options, &base),
        };
        let Profile { token_path, .. } = &settings.profile;
        Ok(Line {
            http: http.map_err(|error| error.to_string())?,
            shown,
            keys,
            tokens: Tokens::default(),
            clock,
            token_url: token_path.url(&base),
            base,
        })
    }

    /// Sends a request with the token; after a 401 once more, with a new one.
    pub(super) async fn call(&self, outgoing: &Outgoing<'_>) -> Result<RawAnswer, NoAnswer> {
        let token = self.token(outgoing.turns).await?;
        let answer = self.send(outgoing, &token).await?;
        if !outgoing.wants_token(&answer) {
            return Ok(answer);
        }
        self.tokens.give_up(&token).await;
        let token = self.token(outgoing.turns).await?;
        self.send(outgoing, &token).await
    }

    async fn send(&self, outgoing: &Outgoing<'_>, token: &Token) -> Result<RawAnswer, NoAnswer> {
        if let Some(turns) = outgoing.turns {
            turns.next().await;
        }
        let mut headers = outgoing.headers.clone();
        headers.push((AUTHORIZATION, token.header.clone()));
        let call = Call { method: &outgoing.method, url: &outgoing.url, headers: &headers };
        let body = outgoing.body.clone();
        let answer = match &outgoing.gate {
            Some(gate) => {
                self.http.send_gated(call, body.unwrap_or_default(), Arc::clone(gate)).await
            }
            None => self.http.send(call, body).await,
        };
        answer.map_err(NoAnswer::Send)
    }

    async fn token(&self, turns: Option<&dyn Turns>) -> Result<Token, NoAnswer> {
        // The turn is awaited outside the lock, so that creates never wait for a look-up's turn.
        if let Some(turns) = turns
            && self.tokens.are_due(&*self.clock).await
        {
            turns.next().await;
        }
        let token = self.tokens.get(&*self.clock, async || self.ask_for_token().await).await;
        token.map_err(NoAnswer::Token)
    }

    async fn ask_for_token(&self) -> Result<Grant, NoToken> {
        let now_s = self.clock.unix_s();
        let now = UNIX_EPOCH + Duration::from_secs(now_s);
        if let Some(text) = self.shown.as_ref().and_then(|shown| shown.over_at(now)) {
            let text = format!("no access token: {text}, put it there and restart the worker");
            return Err(NoToken::Refused(text));
        }
        let later = |text: String| NoToken::Later { text, retry_after_ms: Some(PAUSE_MS) };
        let api_key: &SecretString = &self.keys.api;
        let request = TokenRequest { api_user: &self.keys.user, api_key: api_key.expose_secret() };
        let body = serde_json::to_vec(&request)
            .map_err(|_| later("the request for a token cannot be written".to_owned()))?;
        let headers = [(CONTENT_TYPE, JSON)];
        let call = Call { method: &Method::POST, url: &self.token_url, headers: &headers };
        let answer = self.http.send(call, Some(body.into())).await;
        let raw = answer.map_err(|error| later(format!("no access token: {error}")))?;
        let status = raw.status;
        match class_of_status(status) {
            StatusClass::Told => read_grant(&raw, now_s)
                .map_err(|what| later(format!("no access token: HTTP {status} with {what}"))),
            StatusClass::TooMany => Err(NoToken::Later {
                text: format!("no access token: HTTP {status}"),
                retry_after_ms: Some(raw.retry_after_ms.unwrap_or(PAUSE_MS)),
            }),
            StatusClass::Unknown => Err(later(format!("no access token: HTTP {status}"))),
            // The body is not repeated: it may name what was sent.
            StatusClass::Credentials | StatusClass::Refused | StatusClass::Conflict => {
                Err(NoToken::Refused(format!(
                    "no access token: HTTP {status}; check api_user, api_key, the certificate and \
                     profile.token_path, then start the lane"
                )))
            }
        }
    }
}
