//! Bearer tokens: shaped like the document's, and as good as long as they live.
//!
//! A token *tells* one life (`exp`, `expiresInSeconds`) and *has* another where the sandbox was
//! told so: clients must survive a token that ends before its time. Only this process knows its
//! tokens; a restart forgets them.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use tokio::time::Instant;

use crate::clock::{lock, unix_ms};

/// Tokens remembered at once; the oldest are forgotten first. A client needs one.
const TOKENS_MAX: usize = 1_024;

pub(super) struct Tokens {
    /// What is told.
    expires_in: Duration,
    inner: Mutex<Inner>,
}

struct Inner {
    /// What is true; `None` is what was told.
    life: Option<Duration>,
    /// Oldest first.
    issued: VecDeque<(Box<str>, Instant)>,
}

#[derive(Serialize)]
struct Header {
    alg: &'static str,
    typ: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Claims<'a> {
    id: String,
    api_user: &'a str,
    /// Seconds since 1970.
    iat: u64,
    exp: u64,
}

impl Tokens {
    pub(super) fn new(expires_in: Duration, life: Option<Duration>) -> Self {
        Self { expires_in, inner: Mutex::new(Inner { life, issued: VecDeque::new() }) }
    }

    /// How long a token says that it lives.
    pub(super) fn expires_in_s(&self) -> u64 {
        self.expires_in.as_secs()
    }

    pub(super) fn issue(&self, api_user: &str) -> Result<String, serde_json::Error> {
        let iat = unix_ms() / 1000;
        let id = hex::encode(rand::random::<[u8; 16]>());
        let exp = iat.saturating_add(self.expires_in_s());
        let header = serde_json::to_vec(&Header { alg: "HS256", typ: "JWT" })?;
        let claims = serde_json::to_vec(&Claims { id, api_user, iat, exp })?;
        // Nobody but this process checks a token, and it knows them all: the signature is a lot.
        let signature = rand::random::<[u8; 32]>();
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let token = format!("{}.{}.{}", part(&header), part(&claims), part(&signature));
        let mut inner = lock(&self.inner);
        if inner.issued.len() == TOKENS_MAX {
            inner.issued.pop_front();
        }
        inner.issued.push_back((token.as_str().into(), Instant::now()));
        Ok(token)
    }

    /// Is it one of ours, and does it still live?
    pub(super) fn is_good(&self, token: &str) -> bool {
        let inner = lock(&self.inner);
        let life = inner.life.unwrap_or(self.expires_in);
        let issued = inner.issued.iter().rev().find(|(known, _)| **known == *token);
        issued.is_some_and(|(_, at)| at.elapsed() < life)
    }

    /// How long tokens live in truth, those already issued included; `None` is what was told.
    pub(super) fn set_life(&self, life: Option<Duration>) {
        lock(&self.inner).life = life;
    }

    /// Ends all tokens issued so far and tells how many there were.
    pub(super) fn forget_all(&self) -> usize {
        let mut inner = lock(&self.inner);
        std::mem::take(&mut inner.issued).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[tokio::test(start_paused = true)]
    async fn a_token_lives_as_long_as_was_told() {
        let tokens = Tokens::new(HOUR, None);
        let token = tokens.issue("user").unwrap();
        tokio::time::advance(HOUR - Duration::from_secs(1)).await;
        assert!(tokens.is_good(&token));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!tokens.is_good(&token));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_may_end_before_its_time_and_still_tell_the_old_one() {
        let tokens = Tokens::new(HOUR, Some(Duration::from_millis(50)));
        let token = tokens.issue("user").unwrap();
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        let told = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
        assert_eq!(told, 3_600);
        assert!(tokens.is_good(&token));
        tokio::time::advance(Duration::from_millis(50)).await;
        assert!(!tokens.is_good(&token));
    }

    #[test]
    fn strangers_and_forgotten_tokens_are_no_good() {
        let tokens = Tokens::new(HOUR, None);
        let token = tokens.issue("user").unwrap();
        assert!(!tokens.is_good(&format!("{token}x")) && !tokens.is_good(""));
        assert_eq!(tokens.forget_all(), 1);
        assert!(!tokens.is_good(&token));
    }
}
