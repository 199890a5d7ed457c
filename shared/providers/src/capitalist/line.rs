//! One operation at the provider, with whatever shows who we are.
//!
//! A token is asked for once however many calls want it, and kept until the provider takes it no
//! more (code 20): then a new one, once, and the same request again, once. Code 20 is given before
//! anything of a request is read, so that repeating it repeats nothing.
//!
//! After a wrong password (15) or a locked login (16) nothing is sent for a while, look-ups
//! included: each try brings the lock nearer, or makes it longer.

use super::auth::{Session, Verification};
use super::data::{self, TokenData};
use super::errors::{self, Class};
use super::rest::{Failure, Rest, Trouble};
use super::settings::{Keys, Settings};
use super::wire::{Envelope, Reply, Shape};
use super::written::{Access, ResponseFormat};
use crate::api::{SendGate, Turns};
use crate::http::{Call, Http, HttpOptions, ProviderUrl, StatusClass};
use bytes::Bytes;
use futures::lock::Mutex;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{self, Arc, MutexGuard, PoisonError};
use url::form_urlencoded::Serializer;

const FORMAT: HeaderName = HeaderName::from_static("x-response-format");
const LANGUAGE: HeaderName = HeaderName::from_static("x-language");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// The code of a wrong password: more of them lock the login.
const WRONG_PASSWORD: u32 = 15;

/// A field of a request.
pub(super) type Field<'a> = (&'a str, &'a str);

/// How a request leaves.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// At once: a person waits for it.
    Free,
    /// At the pace of look-ups.
    Paced(&'a dyn Turns),
    /// Through the gate: it moves money (S7).
    Gated(&'a Arc<dyn SendGate>),
}

/// What it takes to talk to the platform.
pub(super) struct Line {
    http: Http,
    url: ProviderUrl,
    headers: [(HeaderName, HeaderValue); 3],
    login: String,
    pub(super) password: SecretString,
    pub(super) verification: Verification,
    access: Access,
    pub(super) lockout_retry_ms: u64,
    /// Held while a token is fetched, so that one is.
    session: Mutex<Option<Arc<Session>>>,
    /// The newest session and the one before it, which an answer may still speak of: what the
    /// provider repeats of them is not shown.
    shown: sync::Mutex<[Option<Arc<Session>>; 2]>,
    rest: Rest,
}

impl Line {
    pub(super) fn new(
        base: &ProviderUrl,
        settings: &Settings,
        keys: Keys,
        request_timeout_ms: u64,
    ) -> Result<Line, String> {
        let options = HttpOptions {
            connect_timeout_ms: settings.connect_timeout_ms.min(request_timeout_ms),
            total_timeout_ms: request_timeout_ms,
            proxy: settings.proxy.clone(),
        };
        let format = match settings.response_format {
            ResponseFormat::Json => HeaderValue::from_static("json"),
            ResponseFormat::Csv => HeaderValue::from_static("csv"),
        };
        let language = (LANGUAGE, HeaderValue::from_static("en"));
        Ok(Line {
            http: Http::new(&options, base).map_err(|error| error.to_string())?,
            url: base.below(&[]),
            headers: [(CONTENT_TYPE, FORM), (FORMAT, format), language],
            login: settings.login.clone(),
            password: keys.password,
            verification: keys.verification,
            access: settings.access,
            lockout_retry_ms: settings.lockout_retry_ms,
            session: Mutex::new(None),
            shown: sync::Mutex::default(),
            rest: Rest::default(),
        })
    }

    /// Fetches the token that the next call will want, and with it makes a connection.
    pub(super) async fn ready(&self) {
        if self.access == Access::Token && self.rest.why().is_none() {
            // If there is none, the call that wants it says why.
            self.session(None, Way::Free).await.ok();
        }
    }

    /// Asks for one operation.
    pub(super) async fn ask(
        &self,
        operation: &str,
        shape: &Shape,
        fields: &[Field<'_>],
        way: Way<'_>,
    ) -> Result<Reply, Failure> {
        if let Some(trouble) = self.rest.why() {
            return Err(Failure::NoToken(trouble));
        }
        let reply = self.ask_now(operation, shape, fields, way).await?;
        self.rest_after(&reply);
        Ok(reply)
    }

    async fn ask_now(
        &self,
        operation: &str,
        shape: &Shape,
        fields: &[Field<'_>],
        way: Way<'_>,
    ) -> Result<Reply, Failure> {
        if self.access == Access::PlainPassword {
            let credentials = [("plain_password", self.password.expose_secret())];
            return self.send(operation, shape, &credentials, fields, way).await;
        }
        let stale = self.session(None, way).await?;
        let reply = self.send_as(&stale, operation, shape, fields, way).await?;
        if reply.code().map(errors::class) != Some(Class::Token) {
            return Ok(reply);
        }
        let fresh = self.session(Some(&stale), way).await?;
        self.send_as(&fresh, operation, shape, fields, way).await
    }

    /// Asks for one operation that only reads, and takes nothing but success for an answer.
    pub(super) async fn tell(
        &self,
        operation: &str,
        shape: &Shape,
        fields: &[Field<'_>],
        way: Way<'_>,
    ) -> Result<Envelope, Trouble> {
        let reply = self.ask(operation, shape, fields, way).await?;
        self.success(reply)
    }

    /// After a wrong password or in a locked login, nothing is sent for a while.
    fn rest_after(&self, reply: &Reply) {
        let (Some(told), Some(code)) = (&reply.told, reply.code()) else { return };
        let is_locked = errors::class(code) == Class::Locked;
        if code == WRONG_PASSWORD || is_locked {
            self.rest.start(self.lockout_retry_ms, self.refusal(told), !is_locked);
        }
    }

    /// A success, or why it is none.
    fn success(&self, reply: Reply) -> Result<Envelope, Trouble> {
        let Reply { status, class, retry_after_ms, told } = reply;
        let trouble = |text: String, stop| Trouble { text, stop, retry_after_ms };
        match (class, told) {
            (StatusClass::Told, Some(told)) if told.code == 0 => Ok(told),
            (StatusClass::Unknown, _) => Err(trouble(format!("HTTP {status} says nothing"), None)),
            (_, Some(told)) if told.code != 0 => {
                let stop = match errors::class(told.code) {
                    Class::Unread | Class::Token => Some(None),
                    Class::Locked => Some(Some(self.lockout_retry_ms)),
                    _ => None,
                };
                Err(trouble(self.refusal(&told), stop))
            }
            (StatusClass::Credentials, _) => {
                let text = format!("HTTP {status}; check base_url and the account");
                Err(trouble(text, Some(None)))
            }
            _ => Err(trouble(format!("HTTP {status} with a body that cannot be read"), None)),
        }
    }

    /// The token that is good, or a new one in place of `stale`.
    async fn session(
        &self,
        stale: Option<&Arc<Session>>,
        way: Way<'_>,
    ) -> Result<Arc<Session>, Failure> {
        let mut kept = self.session.lock().await;
        let is_good = |known: &&Arc<Session>| stale.is_none_or(|stale| !Arc::ptr_eq(stale, known));
        if let Some(known) = kept.as_ref().filter(is_good) {
            return Ok(Arc::clone(known));
        }
        *kept = None;
        // A token moves no money: no gate, but the pace of look-ups where this is one.
        let way = if let Way::Paced(_) = way { way } else { Way::Free };
        let fetched = match self.send("get_token", &data::TOKEN, &[], &[], way).await {
            Ok(reply) => {
                self.rest_after(&reply);
                self.success(reply)
            }
            Err(failure) => Err(failure.into()),
        };
        let session = fetched.and_then(|told| {
            let data: Option<TokenData<'_>> = told.data();
            Session::new(&data.unwrap_or_default(), &self.password).map_err(Trouble::passing)
        });
        let session = session.map_err(|trouble| {
            let text = format!("get_token: {}", trouble.text);
            Failure::NoToken(Trouble { text, ..trouble })
        })?;
        let session = Arc::new(session);
        self.shown().rotate_right(1);
        self.shown()[0] = Some(Arc::clone(&session));
        Ok(Arc::clone(kept.insert(session)))
    }

    async fn send_as(
        &self,
        session: &Session,
        operation: &str,
        shape: &Shape,
        fields: &[Field<'_>],
        way: Way<'_>,
    ) -> Result<Reply, Failure> {
        let credentials = [
            ("token", session.token.expose_secret()),
            ("encrypted_password", session.encrypted_password.expose_secret()),
        ];
        self.send(operation, shape, &credentials, fields, way).await
    }

    async fn send(
        &self,
        operation: &str,
        shape: &Shape,
        credentials: &[Field<'_>],
        fields: &[Field<'_>],
        way: Way<'_>,
    ) -> Result<Reply, Failure> {
        let body = self.form(operation, credentials, fields);
        if let Way::Paced(turns) = way {
            turns.next().await;
        }
        let gate = if let Way::Gated(gate) = way { Some(Arc::clone(gate)) } else { None };
        let call = Call { method: &Method::POST, url: &self.url, headers: &self.headers };
        let answer = self.http.send_for_header(call, body, gate, &FORMAT).await;
        let (raw, format) = answer.map_err(Failure::Send)?;
        Ok(Reply::read(&raw, format.as_ref(), shape))
    }

    fn form(&self, operation: &str, credentials: &[Field<'_>], fields: &[Field<'_>]) -> Bytes {
        let mut form = Serializer::new(String::new());
        form.append_pair("operation", operation).append_pair("login", &self.login);
        form.extend_pairs(credentials).extend_pairs(fields);
        form.finish().into()
    }

    /// The sessions that an answer may speak of.
    pub(super) fn shown(&self) -> MutexGuard<'_, [Option<Arc<Session>>; 2]> {
        // No code panics while it holds the lock.
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
