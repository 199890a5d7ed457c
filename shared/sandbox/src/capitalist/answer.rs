//! An answer in either format: JSON with names, or CSV with semicolons and the code first.
//!
//! The header `x-response-format` of the answer tells which; CSV unless JSON was asked for.

use std::borrow::Cow;

use hyper::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::code::Code;
use super::config::{CapitalistConfig, CapitalistNumbers, CapitalistPosition};
use super::currency::Currency;
use crate::server::Reply;
use rust_decimal::Decimal;

const FORMAT_HEADER: &str = "x-response-format";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Csv,
}

impl Format {
    /// What the call asks for.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let asked = headers.get(FORMAT_HEADER).and_then(|value| value.to_str().ok());
        if asked.is_some_and(|word| word.trim().eq_ignore_ascii_case("json")) {
            Self::Json
        } else {
            Self::Csv
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }

    /// A body in this format, and the header that says so.
    fn reply(self, body: Vec<u8>) -> Reply {
        let kind = match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
        };
        Reply::text(StatusCode::OK, kind, body).with_header(FORMAT_HEADER, self.word())
    }
}

/// What an operation tells: `data` in JSON, lines in CSV (the first continues that of the code).
#[derive(Debug)]
pub(super) struct Told {
    data: Box<RawValue>,
    lines: Vec<Vec<String>>,
}

impl Told {
    pub(super) fn new(data: &impl Serialize, lines: Vec<Vec<String>>) -> Result<Self, No> {
        let data = to_raw_value(data).map_err(|error| {
            tracing::error!(%error, "an answer could not be written as JSON");
            Refusal::of(Code::SYSTEM)
        })?;
        Ok(Self { data, lines })
    }
}

/// A call that was not done, and why.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: Code,
    message: Cow<'static, str>,
    /// The record that it is about, in the code's own way of counting.
    record: Option<String>,
}

impl Refusal {
    /// With the document's words.
    pub(super) fn of(code: Code) -> No {
        No::Refused(Self::new(code, None))
    }

    /// With more words than the document's.
    pub(super) fn because(code: Code, why: impl std::fmt::Display) -> No {
        let words = code.words().unwrap_or("Unknown error");
        No::Refused(Self { code, message: format!("{words}: {why}").into(), record: None })
    }

    pub(super) fn new(code: Code, record: Option<String>) -> Self {
        Self { code, message: code.words().unwrap_or("Unknown error").into(), record }
    }

    pub(super) fn with_message(mut self, message: Option<String>) -> Self {
        if let Some(message) = message {
            self.message = message.into();
        }
        self
    }
}

/// Why there is nothing to tell.
pub(super) enum No {
    Refused(Refusal),
    /// The dial's doing.
    Struck(Reply),
    /// Done, and the answer breaks off in the middle.
    Torn(Told),
}

#[derive(Serialize)]
struct Envelope<'a> {
    code: u16,
    message: &'a str,
    data: Option<&'a RawValue>,
}

/// The answer as it goes out.
pub(super) fn reply(format: Format, position: CapitalistPosition, what: Result<Told, No>) -> Reply {
    let body = match what {
        Ok(told) => told_body(format, &told),
        Err(No::Refused(refusal)) => refusal_body(format, position, &refusal),
        Err(No::Struck(reply)) => return reply,
        Err(No::Torn(told)) => told_body(format, &told).map(|mut body| {
            body.truncate(body.len() / 2);
            body
        }),
    };
    match body {
        Ok(body) => format.reply(body),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            Reply::empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

fn told_body(format: Format, told: &Told) -> serde_json::Result<Vec<u8>> {
    if format == Format::Json {
        return serde_json::to_vec(&Envelope { code: 0, message: "", data: Some(&told.data) });
    }
    let lines: Vec<String> = told.lines.iter().map(|fields| fields.join(";")).collect();
    let rest = lines.join("\n");
    let gap = if told.lines.first().is_some_and(|first| !first.is_empty()) { ";" } else { "" };
    Ok(format!("0{gap}{rest}").into_bytes())
}

fn refusal_body(
    format: Format,
    position: CapitalistPosition,
    refusal: &Refusal,
) -> serde_json::Result<Vec<u8>> {
    let Refusal { code, message, record } = refusal;
    let below = record.as_ref().map_or(String::new(), |record| format!("\n{record}"));
    if format == Format::Csv {
        return Ok(format!("{};{message}{below}", code.0).into_bytes());
    }
    let in_message = position == CapitalistPosition::Message;
    let message = if in_message { format!("{message}{below}") } else { message.to_string() };
    let data = record.as_ref().filter(|_| !in_message).map(to_raw_value).transpose()?;
    serde_json::to_vec(&Envelope { code: code.0, message: &message, data: data.as_deref() })
}

/// A number in JSON: a string or a bare one, with exactly the digits of the amount.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Numeral {
    Text(String),
    Bare(Box<RawValue>),
}

impl Numeral {
    fn new(text: String, is_bare: bool) -> Self {
        if !is_bare {
            return Self::Text(text);
        }
        RawValue::from_string(text.clone()).map_or(Self::Text(text), Self::Bare)
    }
}

impl CapitalistConfig {
    pub(super) fn amount(&self, currency: Currency, amount: Decimal) -> Numeral {
        let is_bare = self.numbers != CapitalistNumbers::Strings;
        Numeral::new(currency.show(amount), is_bare)
    }

    pub(super) fn count(&self, count: usize) -> Numeral {
        let is_bare = self.numbers == CapitalistNumbers::Bare;
        Numeral::new(count.to_string(), is_bare)
    }
}
