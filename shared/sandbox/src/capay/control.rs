//! Capay's own control calls, below `/sandbox/capay/`: the webhook's registration, which stands for
//! "create a Webhook for your OAuth application", and the life of tokens.

use std::io;
use std::time::Duration;

use hyper::{StatusCode, Uri};
use serde::{Deserialize, Serialize};

use super::gateway::Gateway;
use crate::clock::lock;
use crate::server::Reply;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Webhook {
    /// `null`: none is registered.
    url: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenLife {
    /// `null`: as long as the token call tells.
    token_life_ms: Option<u64>,
}

#[derive(Serialize)]
struct Forgotten {
    forgotten: usize,
}

#[derive(Serialize)]
struct Problem {
    error: String,
}

impl Gateway {
    pub(super) fn controlled(&self, what: &str, body: &[u8]) -> Option<Reply> {
        let answer = match what {
            "webhook" => read(body).and_then(|Webhook { url }| {
                self.set_webhook(url.as_deref()).map_err(|error| error.to_string())?;
                Ok(Reply::json(StatusCode::OK, &Webhook { url }))
            }),
            "token_life" => read(body).map(|life: TokenLife| {
                self.tokens.set_life(life.token_life_ms.map(Duration::from_millis));
                Reply::json(StatusCode::OK, &life)
            }),
            "forget_tokens" => {
                Ok(Reply::json(StatusCode::OK, &Forgotten { forgotten: self.tokens.forget_all() }))
            }
            _ => return None,
        };
        Some(
            answer.unwrap_or_else(|error| Reply::json(StatusCode::BAD_REQUEST, &Problem { error })),
        )
    }

    /// Registers where webhooks go, or that they go nowhere; kept over restarts.
    pub(crate) fn set_webhook(&self, url: Option<&str>) -> io::Result<()> {
        let is_wrong = |url: &&str| {
            let uri = url.parse::<Uri>();
            !uri.is_ok_and(|uri| uri.scheme_str() == Some("http") && uri.authority().is_some())
        };
        if url.as_ref().is_some_and(is_wrong) {
            let text = "the sandbox calls back over http:// only";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        lock(&self.book).set_webhook(url)
    }

    /// How long tokens live in truth, those already issued included; `None` is what they tell.
    pub(crate) fn set_token_life(&self, life: Option<Duration>) {
        self.tokens.set_life(life);
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}
