//! Answers as types: one envelope, in JSON or CSV, told by the answer's own `x-response-format`.
//!
//! CSV is turned into the JSON that the same operation would have answered with, so that every
//! reader exists once. Numbers may be strings and strings numbers, `null` and `""` are "not told",
//! and an amount is taken from the text as it stands: no float comes near it.

use super::csv;
use crate::http::{RawAnswer, StatusClass, class_of_status};
use reqwest::header::HeaderValue;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

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

/// A value in whichever form it came.
#[derive(Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct Told<'a>(#[serde(borrow)] &'a RawValue);

impl<'a> Told<'a> {
    /// As text: a string that is not blank, or the digits of a number.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        let raw = self.0.get();
        let text = match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
            Some(_) => Cow::Owned(serde_json::from_str(raw).ok()?),
            None if raw.starts_with(|c: char| c.is_ascii_digit() || c == '-') => Cow::Borrowed(raw),
            None => return None,
        };
        (!text.trim().is_empty()).then_some(text)
    }

    /// As an amount: digits with at most one point, no sign, no exponent.
    pub(super) fn amount(self) -> Option<Decimal> {
        amount(&self.text()?)
    }

    /// As a count.
    pub(super) fn count(self) -> Option<usize> {
        self.text()?.trim().parse().ok()
    }

    /// As yes or no, also as 1 and 0.
    pub(super) fn yes(self) -> Option<bool> {
        match self.0.get().trim_matches('"') {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    /// As a type.
    pub(super) fn parse<T: Deserialize<'a>>(self) -> Option<T> {
        serde_json::from_str(self.0.get()).ok()
    }

    /// As a list.
    pub(super) fn items(self) -> Option<Vec<Told<'a>>> {
        self.parse()
    }

    /// As an object.
    pub(super) fn fields(self) -> Option<BTreeMap<Cow<'a, str>, Told<'a>>> {
        self.parse()
    }
}

/// Digits with at most one point, as an amount.
pub(super) fn amount(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let is_plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if is_plain { text.parse().ok() } else { None }
}

/// The text of an optional field.
pub(super) fn text(told: Option<Told<'_>>) -> Option<Cow<'_, str>> {
    told.and_then(Told::text)
}
