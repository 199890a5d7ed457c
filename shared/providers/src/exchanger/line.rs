//! What it takes to talk to the site: one URL per method, with its slash at the end, and two
//! headers. A redirect would turn a POST into a GET, and none is followed.

use super::settings::{Keys, Settings};
use super::wire::Form;
use crate::api::SendGate;
use crate::callback_url::CallbackUrls;
use crate::http::{Call, Http, HttpOptions, ProviderUrl, RawAnswer, SendError};
use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

const API_LOGIN: HeaderName = HeaderName::from_static("api-login");
const API_KEY: HeaderName = HeaderName::from_static("api-key");
const API_LANG: HeaderName = HeaderName::from_static("api-lang");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// The way to the site.
pub(super) struct Line {
    http: Http,
    api: ProviderUrl,
    headers: [(HeaderName, HeaderValue); 4],
    /// Masked in what the site says.
    pub(super) key: SecretString,
    /// `None` where nothing can be called back: then orders are polled.
    pub(super) callbacks: Option<CallbackUrls>,
}

impl Line {
    pub(super) fn new(
        base: &ProviderUrl,
        settings: &Settings,
        keys: Keys,
        callbacks: Option<CallbackUrls>,
        request_timeout_ms: u64,
    ) -> Result<Line, String> {
        let options = HttpOptions {
            connect_timeout_ms: settings.connect_timeout_ms.min(request_timeout_ms),
            total_timeout_ms: request_timeout_ms,
            proxy: settings.proxy.clone(),
        };
        let http = Http::new(&options, base).map_err(|error| error.to_string())?;
        let header = |key: &str, text: &str| {
            let value = HeaderValue::from_str(text);
            let mut value = value.map_err(|_| format!("{key}: cannot stand in an HTTP header"))?;
            value.set_sensitive(key != "lang");
            Ok::<_, String>(value)
        };
        let headers = [
            (CONTENT_TYPE, FORM),
            (API_LOGIN, header("login", &keys.login)?),
            (API_KEY, header("key", keys.key.expose_secret())?),
            (API_LANG, header("lang", &settings.lang)?),
        ];
        let api = base.below(&["api", "userapi", "v1"]);
        Ok(Line { http, api, headers, key: keys.key, callbacks })
    }

    /// A call that moves no money.
    pub(super) async fn post(&self, method: &str, form: Form) -> Result<RawAnswer, SendError> {
        let url = self.api.below(&[method]);
        self.http.send(self.call(&url), Some(form.finish().into())).await
    }

    /// A call that may start only while the gate is open.
    pub(super) async fn post_gated(
        &self,
        method: &str,
        body: String,
        gate: Arc<dyn SendGate>,
    ) -> Result<RawAnswer, SendError> {
        let url = self.api.below(&[method]);
        self.http.send_gated(self.call(&url), Bytes::from(body), gate).await
    }

    fn call<'a>(&'a self, url: &'a ProviderUrl) -> Call<'a> {
        Call { method: &Method::POST, url, headers: &self.headers }
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("api", &self.api).field("headers", &self.headers).finish()
    }
}
