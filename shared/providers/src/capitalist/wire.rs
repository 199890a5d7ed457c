//! Answers as types: one envelope, in JSON or CSV, told by the answer's own `x-response-format`.
//!
//! CSV is turned into the JSON that the same operation would have answered with, so that every
//! reader exists once; a value may have any form (`told`).

use super::csv;
use crate::http::{RawAnswer, StatusClass, class_of_status};
use crate::told::{Told, text};
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What an operation's `data` consists of: the order of its fields in CSV.
pub(super) struct Shape {
    /// After the code, on the first line.
    pub(super) head: &'static [&'static str],
    /// The list that follows, a line each, and its columns.
    pub(super) list: Option<(&'static str, &'static [&'static str])>,
}

/// Which form an answer had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Csv,
}

/// An answer. No `Debug`: its data may hold whole destinations.
pub(super) struct Reply {
    /// The HTTP status, and what it means by itself.
    pub(super) status: u16,
    pub(super) class: StatusClass,
    pub(super) retry_after_ms: Option<u64>,
    /// `None` where the body cannot be read.
    pub(super) told: Option<Envelope>,
}

/// The envelope of every answer.
pub(super) struct Envelope {
    /// 0 means success.
    pub(super) code: u32,
    /// The provider's words; in CSV, what follows on further lines too.
    pub(super) message: String,
    /// `data` in JSON, whatever the form was.
    pub(super) data: Option<Box<RawValue>>,
    pub(super) form: Form,
}

#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    code: Option<Told<'a>>,
    #[serde(borrow)]
    message: Option<Told<'a>>,
    data: Option<Box<RawValue>>,
}

impl Reply {
    /// Reads an answer. Pure.
    pub(super) fn read(raw: &RawAnswer, format: Option<&HeaderValue>, shape: &Shape) -> Reply {
        let told = std::str::from_utf8(&raw.body).ok().and_then(|body| {
            // Without the header, which the document promises, the first character decides.
            let is_json = match format.and_then(|told| told.to_str().ok()) {
                Some(word) if word.trim().eq_ignore_ascii_case("json") => true,
                Some(word) if word.trim().eq_ignore_ascii_case("csv") => false,
                _ => body.trim_start().starts_with('{'),
            };
            if is_json { json(body) } else { csv::read(body, shape) }
        });
        let RawAnswer { status, retry_after_ms, .. } = *raw;
        Reply { status, class: class_of_status(status), retry_after_ms, told }
    }

    /// The code, where the status lets it speak of our request at all.
    pub(super) fn code(&self) -> Option<u32> {
        let speaks = self.class != StatusClass::Unknown;
        self.told.as_ref().filter(|_| speaks).map(|told| told.code)
    }
}

fn json(body: &str) -> Option<Envelope> {
    let written: Written<'_> = serde_json::from_str(body).ok()?;
    let code = written.code?.text()?.trim().parse().ok()?;
    let message = text(written.message).unwrap_or_default().into_owned();
    Some(Envelope { code, message, data: written.data, form: Form::Json })
}

impl Envelope {
    /// The data as a type; `None` where there is none, or of another shape.
    pub(super) fn data<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(self.data.as_ref()?.get()).ok()
    }
}
