//! The access token: one per adapter, asked for by one caller while the others wait.
//!
//! ```text
//!   none ──asked for──▶ held ──80 % of its life, or a 401──▶ none
//!     └──no token──▶ the same answer for a second, for everybody who waited
//! ```
//!
//! A token is never logged and never verified: it is ours to show, not to believe. What its JWT
//! says of its end only ever shortens its life.

use super::pointer::{Slot, whole};
use crate::http::RawAnswer;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::lock::Mutex;
use reqwest::header::HeaderValue;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// How long a token lives where the answer does not say. [doc]
const LIFE_S: u64 = 3_600;
/// No token is believed to live longer than a day, so that none is held for ever.
const LIFE_S_MAX: u64 = 86_400;
/// The least that the end in the JWT may leave: if our clock is wrong by hours, a token is asked
/// for once a minute and not with each call. One that is really over is told by a 401.
const LEFT_S_MIN: u64 = 60;
/// A token is replaced when so much of its life is over, in fifths.
const FIFTHS_USED: u64 = 4;
/// For how long a failure to get a token is everybody's: they waited for the same answer.
const FAILURE_MS: u64 = 1_000;

/// The time, as far as tokens need it. Tests have one of their own.
pub(super) trait Clock: Send + Sync {
    /// Milliseconds since some moment of the past; never goes back.
    fn elapsed_ms(&self) -> u64;
    /// Seconds since 1970.
    fn unix_s(&self) -> u64;
}

/// The machine's clocks.
pub(super) struct MachineClock(Instant);

impl MachineClock {
    pub(super) fn new() -> MachineClock {
        MachineClock(Instant::now())
    }
}

impl Clock for MachineClock {
    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn unix_s(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}

/// What Capay gave.
#[derive(Debug)]
pub(super) struct Grant {
    /// The whole value of `Authorization`, sensitive.
    header: HeaderValue,
    life_s: u64,
}

/// A token in use.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// The whole value of `Authorization`, sensitive.
    pub(super) header: HeaderValue,
    /// Which one it is: they are counted.
    number: u64,
}

/// Why there is no token. No payout was touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoToken {
    /// Our credentials were refused: a person must act.
    Refused(String),
    /// Not now.
    Later { text: String, retry_after_ms: Option<u64> },
}

/// The token of one adapter.
#[derive(Default)]
pub(super) struct Tokens(Mutex<State>);

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// How many there were.
    count: u64,
    /// The newest failure, and when it was.
    failed: Option<(u64, NoToken)>,
}

struct Held {
    token: Token,
    refresh_at_ms: u64,
}

impl Tokens {
    /// Whether the next call needs to ask for a token; waits for one who is asking.
    pub(super) async fn are_due(&self, clock: &dyn Clock) -> bool {
        self.0.lock().await.fresh(clock.elapsed_ms()).is_none()
    }

    /// The token, asked for with `ask` if there is none to use. Whoever comes meanwhile waits; if
    /// the one who asks goes away, the next one asks.
    pub(super) async fn get(
        &self,
        clock: &dyn Clock,
        ask: impl AsyncFnOnce() -> Result<Grant, NoToken>,
    ) -> Result<Token, NoToken> {
        let mut state = self.0.lock().await;
        let now = clock.elapsed_ms();
        if let Some(token) = state.fresh(now) {
            return Ok(token);
        }
        if let Some((at, failure)) = &state.failed
            && now.saturating_sub(*at) < FAILURE_MS
        {
            return Err(failure.clone());
        }
        state.held = None;
        match ask().await {
            Ok(grant) => {
                state.failed = None;
                state.count += 1;
                let token = Token { header: grant.header, number: state.count };
                // Counted from before the request: the token may be as old as that.
                let refresh_at_ms = now.saturating_add(grant.life_s * 1_000 / 5 * FIFTHS_USED);
                state.held = Some(Held { token: token.clone(), refresh_at_ms });
                Ok(token)
            }
            Err(failure) => {
                state.failed = Some((clock.elapsed_ms(), failure.clone()));
                Err(failure)
            }
        }
    }

    /// `token` was refused: it is not used again. A newer one stays.
    pub(super) async fn give_up(&self, token: &Token) {
        let mut state = self.0.lock().await;
        if state.held.as_ref().is_some_and(|held| held.token.number == token.number) {
            state.held = None;
        }
    }
}

impl State {
    fn fresh(&self, now_ms: u64) -> Option<Token> {
        let held = self.held.as_ref().filter(|held| now_ms < held.refresh_at_ms)?;
        Some(held.token.clone())
    }
}

/// Reads the documented answer: `{"accessToken", "expiresInSeconds"}`. Pure.
pub(super) fn read_grant(raw: &RawAnswer, now_unix_s: u64) -> Result<Grant, &'static str> {
    let body = whole(&raw.body).ok_or("a body that is no JSON")?;
    let text = |name: &str| Slot::at(&[name]).text(body);
    let token = text("accessToken").ok_or("a body without accessToken")?;
    let header = HeaderValue::from_str(&format!("Bearer {}", token.trim()));
    let mut header = header.map_err(|_| "a token that cannot stand in a header")?;
    header.set_sensitive(true);
    let told_s = text("expiresInSeconds").and_then(|told| told.trim().parse().ok());
    let life_s = told_s.unwrap_or(LIFE_S).clamp(1, LIFE_S_MAX);
    let left_s = end_of(&token).map(|end| end.saturating_sub(now_unix_s).max(LEFT_S_MIN));
    Ok(Grant { header, life_s: left_s.map_or(life_s, |left| life_s.min(left)) })
}

/// When a JWT says that it ends.
fn end_of(token: &str) -> Option<u64> {
    let mut parts = token.trim().split('.');
    let payload = URL_SAFE_NO_PAD.decode(parts.nth(1)?).ok()?;
    parts.next()?;
    Slot::at(&["exp"]).text(whole(&payload)?)?.parse().ok()
}
