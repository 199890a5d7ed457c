//! One question to the site that changes nothing, and what may come instead of an answer.

use super::Exchanger;
use super::errors::{Reply, Stop, words};
use super::line::Line;
use super::php::Php;
use super::wire::Form;
use crate::answer::Found;
use crate::http::RawAnswer;

/// Why there is no answer; in words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The lane must stop: address, key, method.
    Stop(String),
    /// The site has no such thing, or says nothing: "requested information is not available".
    Missing(String),
    /// Nothing can be said.
    Unclear(String),
}

impl Trouble {
    /// What it means for a payout that was asked about. Never that the payout does not exist.
    pub(super) fn found(self) -> Found {
        match self {
            Trouble::Stop(text) => Found::StopLane { text },
            Trouble::Missing(text) | Trouble::Unclear(text) => Found::Unclear { text },
        }
    }

    pub(super) fn text(self) -> String {
        match self {
            Trouble::Stop(text) | Trouble::Missing(text) | Trouble::Unclear(text) => text,
        }
    }
}

impl Exchanger {
    /// Asks; the answer is `data`. What the site says instead is told without `accounts`: those
    /// that the question is about.
    pub(super) async fn ask_site(
        &self,
        line: &Line,
        method: &str,
        form: Form,
        accounts: &[&str],
    ) -> Result<Php, Trouble> {
        let raw = line.post(method, form).await;
        let raw = raw.map_err(|error| Trouble::Unclear(format!("{method}: {error}")))?;
        self.read_answer(method, &raw, accounts)
    }

    /// What the answer to a question means. Pure.
    pub(super) fn read_answer(
        &self,
        method: &str,
        raw: &RawAnswer,
        accounts: &[&str],
    ) -> Result<Php, Trouble> {
        let stop = |stop: Stop, words: &str| {
            Err(Trouble::Stop(format!("{method}: {words}; {}", stop.advice(method))))
        };
        let errors = &self.settings.errors;
        match errors.reply(raw) {
            Reply::Done(envelope) => match envelope.data {
                Some(data) => Ok(data),
                None => Err(Trouble::Unclear(format!("{method}: the answer has no data"))),
            },
            Reply::Said(said) => {
                let text = self.quote_about(&words(&said), accounts);
                match errors.stop(&said) {
                    Some(why) => stop(why, &text),
                    None if said.code == "1" => Err(Trouble::Missing(format!("{method}: {text}"))),
                    None => Err(Trouble::Unclear(format!("{method}: {text}"))),
                }
            }
            Reply::Disabled => stop(Stop::Disabled, "\"Api disabled\""),
            Reply::Forbidden => stop(Stop::Disabled, &format!("HTTP {}", raw.status)),
            Reply::Empty => Err(Trouble::Missing(format!("{method}: an empty answer"))),
            Reply::TooMany => Err(Trouble::Unclear(format!("{method}: too many requests"))),
            Reply::Unreadable(text) => Err(Trouble::Unclear(format!("{method}: {text}"))),
        }
    }
}
