//! What the answer to an import means. Pure.
//!
//! ```text
//!   5 10 15 16 20 131 150 151 152, 401, 403 ──▶ nothing was read: the lane stops, with 16 for a while
//!   429 ──▶ Later
//!   0 with an id ──▶ Accepted, or Begun (MOBILE); rows in errors[] ──▶ Unknown
//!   185 188 ──▶ the record that number and amount name: Refused; what disagrees, or was sent
//!               before: Unlisted
//!   everything else ──▶ Unknown, every row; the lane stops, or its batches are narrowed
//! ```
//!
//! A row that is alone in a batch which was refused for what is in it is what it was refused for:
//! a person decides.

use super::Capitalist;
use super::data::{Imported, RecordError};
use super::errors::{self, Class};
use super::import::PAUSE_MS;
use super::line::Line;
use super::named::{Named, named};
use super::rest::Pause;
use super::wire::{Envelope, Reply};
use crate::answer::Answer;
use crate::api::Payment;
use crate::http::StatusClass;
use crate::told::{Told, text};
use std::borrow::Cow;

/// The longest batch id that is kept; a UUID has 36 bytes.
const ID_BYTES_MAX: usize = 128;

/// What the answer to an import means.
pub(super) struct Read {
    /// One per record, in order.
    pub(super) answers: Vec<Answer>,
    pub(super) handle: Option<String>,
    pub(super) rows_max: Option<u16>,
    pub(super) next: Next,
}

/// What becomes of the lane.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    /// The batch was taken, or what spoilt it was alone in it.
    Widen,
    /// Something in the batch spoils it.
    Narrow,
    /// The lane stops, whatever became of the rows.
    Stop(String, Pause),
    /// It stops if one of our source accounts is missing.
    AskAccounts(String),
}

impl Read {
    /// The same for each of `rows`.
    pub(super) fn all(answer: Answer, rows: usize, next: Next) -> Read {
        Read { answers: vec![answer; rows], handle: None, rows_max: None, next }
    }
}

impl Capitalist {
    /// What the answer to an import means. Pure.
    pub(super) fn read_import(&self, line: &Line, reply: &Reply, records: &[&Payment]) -> Read {
        let status = reply.status;
        let read = |answer: Answer, next: Next| Read::all(answer, records.len(), next);
        let unknown = |text: &str| Answer::Unknown { text: format!("HTTP {status} {text}") };
        let told = match (reply.class, &reply.told) {
            (StatusClass::Unknown, _) => {
                return read(unknown("says nothing about the batch"), Next::Nothing);
            }
            (StatusClass::Told, Some(told)) if told.code == 0 => {
                return self.taken(line, told, records);
            }
            (_, Some(told)) if told.code != 0 => told,
            (StatusClass::Told, _) => {
                return read(unknown("with a body that cannot be read"), Next::Nothing);
            }
            (StatusClass::TooMany, None) => {
                let text = format!("HTTP {status}");
                let retry_after_ms = Some(reply.retry_after_ms.unwrap_or(PAUSE_MS));
                return read(Answer::Later { text, retry_after_ms }, Next::Nothing);
            }
            (StatusClass::Credentials, None) => {
                let text = format!("HTTP {status}; check base_url and the account");
                return read(Answer::StopLane { text, retry_after_ms: None }, Next::Nothing);
            }
            _ => {
                let text = format!("HTTP {status} without a code; check base_url");
                return read(unknown("without a readable code"), Next::Stop(text, None));
            }
        };
        self.refused(line, told, records)
    }

    /// Any code but 0.
    fn refused(&self, line: &Line, told: &Envelope, records: &[&Payment]) -> Read {
        // Whichever of them it is about.
        let to = records.iter().map(|payment| payment.row.destination.reveal());
        let text = line.refusal_hiding(told, to);
        let rows = records.len();
        let class = errors::class(told.code);
        let stop = |retry_after_ms| Answer::StopLane { text: text.clone(), retry_after_ms };
        let unknown = || Answer::Unknown { text: text.clone() };
        // Alone in its batch, a row is what the batch was refused for.
        let spoiler =
            || if rows == 1 { Answer::Unlisted { text: text.clone() } } else { unknown() };
        let narrow = || if rows == 1 { Next::Widen } else { Next::Narrow };
        let mut rows_max = None;
        let (answer, next) = match class {
            Class::Unread | Class::Token => (stop(None), Next::Nothing),
            Class::Locked => {
                let until = Some(self.lockout_retry_ms);
                (stop(until), Next::Stop(text.clone(), until))
            }
            Class::Trouble => (unknown(), Next::Nothing),
            Class::Setup => (unknown(), Next::Stop(text.clone(), None)),
            Class::Balance => {
                (unknown(), Next::Stop(text.clone(), Some(self.low_balance_retry_ms)))
            }
            Class::Account => (unknown(), Next::AskAccounts(text.clone())),
            Class::TooMany => {
                rows_max = u16::try_from(rows / 2).ok().filter(|max| *max > 0);
                (spoiler(), Next::Nothing)
            }
            Class::Away => (unknown(), narrow()),
            Class::Record | Class::Code | Class::Whole => (spoiler(), narrow()),
        };
        let mut answers = vec![answer; rows];
        let named = match class {
            Class::Record | Class::Away => identify(told, class, records, &text),
            _ => Vec::new(),
        };
        // The row that spoilt the batch is out of the way: the others may go together again.
        let next = if named.is_empty() { next } else { Next::Nothing };
        for (at, answer) in named {
            answers[at] = answer;
        }
        Read { answers, handle: None, rows_max, next }
    }

    /// Code 0: the batch is taken, but for what `errors` lists.
    fn taken(&self, line: &Line, told: &Envelope, records: &[&Payment]) -> Read {
        let data: Imported<'_> = told.data().unwrap_or_default();
        let is_good = |id: &Cow<'_, str>| {
            id.len() <= ID_BYTES_MAX && !id.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        let id = text(data.id).map(|id| Cow::Owned(id.trim().to_owned())).filter(is_good);
        let unknown = |text: &str| vec![Answer::Unknown { text: text.to_owned() }; records.len()];
        let Some(id) = id else {
            let answers = unknown("code 0 without a readable batch id");
            return Read { answers, handle: None, rows_max: None, next: Next::Nothing };
        };
        let taken = if line.verification.waits() {
            Answer::Begun { provider_id: None, cost: None }
        } else {
            Answer::Accepted { provider_id: None, cost: None }
        };
        let answers = match rejected(data.errors, records.len()) {
            None => unknown("taken, but which records were rejected cannot be read"),
            Some(rejected) => {
                let mut answers = vec![taken; records.len()];
                for (at, comment) in rejected {
                    let text =
                        format!("rejected at upload: {}", line.quote_about(&comment, records[at]));
                    answers[at] = Answer::Unknown { text };
                }
                answers
            }
        };
        Read { answers, handle: Some(id.into_owned()), rows_max: None, next: Next::Widen }
    }
}

/// The records that an error names well enough to say something of them alone.
fn identify(
    told: &Envelope,
    class: Class,
    records: &[&Payment],
    text: &str,
) -> Vec<(usize, Answer)> {
    let answer = |named: Named| match named {
        // It may be refused for what its earlier create has become.
        Named::Refused(at) if records[at].past.resent => {
            let text = format!("{text}; it was sent before: look for that first");
            Some((at, Answer::Unlisted { text }))
        }
        Named::Refused(at) => {
            Some((at, Answer::Refused { text: text.to_owned(), created_nothing: false }))
        }
        Named::Odd(at) => {
            let text = format!("{text}; what it names does not agree");
            Some((at, Answer::Unlisted { text }))
        }
        // A place alone identifies nothing.
        Named::At(_) => None,
    };
    named(told, class, records).into_iter().filter_map(answer).collect()
}

/// The records of `errors`, by index: its lines count from 1. `None` where it cannot be read.
fn rejected(errors: Option<Told<'_>>, records: usize) -> Option<Vec<(usize, String)>> {
    let Some(errors) = errors else { return Some(Vec::new()) };
    // An empty list may come as an empty object, and one with gaps as an object too.
    let errors = errors.items().or_else(|| Some(errors.fields()?.into_values().collect()))?;
    let place = |error: Told<'_>| {
        let error: RecordError<'_> = error.parse()?;
        let at = error.line?.count()?.checked_sub(1).filter(|at| *at < records)?;
        Some((at, text(error.comment).unwrap_or_default().into_owned()))
    };
    errors.into_iter().map(place).collect()
}
