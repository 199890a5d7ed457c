//! The provider's own words, fit for notes and screens: no password, PIN, token or code, and no
//! destination, however the provider came by it.

use super::auth::Verification;
use super::errors::{self, Class};
use super::line::Line;
use super::wire::Envelope;
use crate::api::Payment;
use crate::quote::quote;
use secrecy::ExposeSecret;

impl Line {
    /// A refusal in words: the code, the provider's text, what to do.
    pub(super) fn refusal(&self, told: &Envelope) -> String {
        self.refusal_hiding(told, [])
    }

    /// A refusal in words that repeat nothing of what is `hidden`.
    pub(super) fn refusal_hiding<'a>(
        &self,
        told: &Envelope,
        hidden: impl IntoIterator<Item = &'a str>,
    ) -> String {
        let mut about = errors::about(told.code).to_owned();
        if errors::class(told.code) == Class::Locked {
            about.push_str(&format!("; nothing is sent for {}", span(self.lockout_retry_ms)));
        }
        match self.quote_hiding(&told.message, hidden).as_str() {
            "" => format!("code {}: {about}", told.code),
            words => format!("code {} \"{words}\": {about}", told.code),
        }
    }

    /// The provider's own words, without numbers and secrets.
    pub(super) fn quote(&self, words: &str) -> String {
        self.quote_hiding(words, [])
    }

    /// The provider's own words about one payment: they may repeat where it goes.
    pub(super) fn quote_about(&self, words: &str, payment: &Payment) -> String {
        self.quote_hiding(words, [payment.row.destination.reveal()])
    }

    fn quote_hiding<'a>(&self, words: &str, hidden: impl IntoIterator<Item = &'a str>) -> String {
        let proof = match &self.verification {
            Verification::Pin(digest) => digest.expose_secret(),
            Verification::Signature(_) | Verification::Mobile => "",
        };
        let sessions = self.shown().clone();
        let mut secrets = vec![self.password.expose_secret(), proof];
        for session in sessions.iter().flatten() {
            secrets.push(session.token.expose_secret());
            secrets.push(session.encrypted_password.expose_secret());
        }
        for text in hidden {
            secrets.push(text);
        }
        quote(words, secrets)
    }
}

/// A time in words: whole minutes, or seconds where it is none.
fn span(ms: u64) -> String {
    match (ms / 60_000, ms % 60_000) {
        (minutes @ 1.., 0) => format!("{minutes} minutes"),
        _ => format!("{} seconds", ms / 1_000),
    }
}
