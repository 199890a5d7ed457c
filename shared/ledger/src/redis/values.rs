//! Answers of Redis as our types, and its errors as ours.

use crate::api::LedgerError;
use crate::types::Via;
use domain::batch::Totals;
use domain::payout::PACKED_LEN;
use domain::{
    Batch, BatchId, BatchState, Counts, LaneName, Millis, Payout, Priority, ReferenceFormat, Terms,
};
use redis::{FromRedisValue, RedisError, ServerError, Value, from_redis_value};
use std::collections::BTreeMap;
use std::str::FromStr;

/// Errors of the server that pass: it loads, is busy, full, or not the primary just now.
const PASSING: [&str; 9] = [
    "LOADING",
    "BUSY",
    "OOM",
    "MISCONF",
    "READONLY",
    "MASTERDOWN",
    "NOREPLICAS",
    "CLUSTERDOWN",
    "TRYAGAIN",
];

/// The request may or may not have been executed.
pub(super) fn unavailable(error: &RedisError) -> LedgerError {
    LedgerError::Unavailable(format!("Redis: {error}"))
}

/// What Redis refused.
pub(super) fn server_error(error: &ServerError) -> LedgerError {
    let text = error.details().unwrap_or("no details");
    match error.code() {
        "BROKEN" => LedgerError::Broken(text.to_owned()),
        code if PASSING.contains(&code) => {
            LedgerError::Unavailable(format!("Redis: {code} {text}"))
        }
        code => LedgerError::Broken(format!("Redis refused: {code} {text}")),
    }
}

/// What was stored is not what we store.
pub(super) fn damaged(what: &str) -> LedgerError {
    LedgerError::Broken(format!("Redis holds {what} that cannot be read"))
}

/// An answer as a value of the expected type.
pub(super) fn take<T: FromRedisValue>(answer: Value, what: &str) -> Result<T, LedgerError> {
    from_redis_value(answer).map_err(|_| damaged(what))
}

/// The one answer that a step gives instead of a truth value.
pub(super) fn take_bool(answer: Value) -> Result<bool, LedgerError> {
    take::<u8>(answer, "a truth value").map(|number| number == 1)
}

/// The fields of a hash.
pub(super) type Fields = BTreeMap<String, String>;

fn field<T: FromStr>(fields: &Fields, name: &str) -> Result<Option<T>, LedgerError> {
    let parse = |text: &String| text.parse().map_err(|_| damaged(&format!("a batch's {name}")));
    fields.get(name).map(parse).transpose()
}

/// A batch from its hash; `None` where there is none.
pub(super) fn batch(id: BatchId, fields: &Fields) -> Result<Option<Batch>, LedgerError> {
    let Some(state) = fields.get("state") else { return Ok(None) };
    let totals = match fields.get("totals") {
        Some(json) => serde_json::from_str(json).map_err(|_| damaged("a batch's totals"))?,
        None => Totals::default(),
    };
    let mut counts = [0; 9];
    for (at, count) in counts.iter_mut().enumerate() {
        *count = field(fields, &format!("c{at}"))?.unwrap_or_default();
    }
    let text = |name: &str| fields.get(name).cloned().unwrap_or_default();
    Ok(Some(Batch {
        id,
        name: text("name"),
        file_sha256: text("sha"),
        state: batch_state(state)?,
        created: Millis(field(fields, "created")?.unwrap_or_default()),
        terms: terms(field(fields, "not_before")?, fields.get("priority").map(String::as_str))?,
        totals,
        chunks: field(fields, "chunks")?.unwrap_or_default(),
        counts: Counts::from_array(counts),
        changes: field(fields, "changes")?.unwrap_or_default(),
        reported: field(fields, "reported")?,
        reason: text("reason"),
    }))
}

/// When a batch may go, and before whom: what a batch that was opened before there were terms
/// does not say is as if nothing had been asked.
pub(super) fn terms(not_before: Option<u64>, priority: Option<&str>) -> Result<Terms, LedgerError> {
    let not_before = Millis(not_before.unwrap_or_default());
    Ok(Terms { not_before, priority: self::priority(priority)? })
}

pub(super) fn priority(name: Option<&str>) -> Result<Priority, LedgerError> {
    let named = |name| Priority::from_name(name).ok_or_else(|| damaged("a batch's priority"));
    name.map(named).transpose().map(Option::unwrap_or_default)
}

pub(super) fn batch_state(name: &str) -> Result<BatchState, LedgerError> {
    BatchState::from_name(name).ok_or_else(|| damaged("a batch's state"))
}

pub(super) fn lane_name(name: &str) -> Result<LaneName, LedgerError> {
    LaneName::new(name).map_err(|_| damaged("a lane's name"))
}

/// The lanes of a batch, as its hash holds them.
pub(super) fn lane_names(list: &str) -> Result<Vec<LaneName>, LedgerError> {
    list.split(',').filter(|name| !name.is_empty()).map(lane_name).collect()
}

/// One slot.
pub(super) fn payout(slot: &[u8]) -> Result<Payout, LedgerError> {
    Payout::unpack(slot).ok_or_else(|| damaged("a payout"))
}

/// All slots of a chunk.
pub(super) fn payouts(slots: &[u8]) -> Result<Vec<Payout>, LedgerError> {
    slots.chunks(PACKED_LEN).map(payout).collect()
}

/// How the reference formats of a chunk are stored: `text64`, or `text64 second-lane number`. A
/// program that knows nothing of second lanes cannot read the longer form, and sends nothing of it.
pub(super) fn formats_text(first: ReferenceFormat, second: Option<&Via>) -> String {
    let first = format_text(first);
    match second {
        None => first,
        Some(Via { lane, format }) => format!("{first} {lane} {}", format_text(*format)),
    }
}

/// The inverse of [`formats_text`].
pub(super) fn parse_formats(text: &str) -> Result<(ReferenceFormat, Option<Via>), LedgerError> {
    let parts: Vec<&str> = text.split(' ').collect();
    match parts[..] {
        [first] => Ok((parse_format(first)?, None)),
        [first, lane, format] => {
            let second = Via { lane: lane_name(lane)?, format: parse_format(format)? };
            Ok((parse_format(first)?, Some(second)))
        }
        _ => Err(damaged("reference formats")),
    }
}

fn format_text(format: ReferenceFormat) -> String {
    match format {
        ReferenceFormat::Text { max_bytes } => format!("text{max_bytes}"),
        ReferenceFormat::Number => "number".to_owned(),
    }
}

fn parse_format(text: &str) -> Result<ReferenceFormat, LedgerError> {
    let text_of = |max: &str| max.parse().ok().map(|max_bytes| ReferenceFormat::Text { max_bytes });
    let format = match text.strip_prefix("text") {
        Some(max) => text_of(max),
        None => (text == "number").then_some(ReferenceFormat::Number),
    };
    format.ok_or_else(|| damaged("a reference format"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_formats_survive_their_text() {
        let second = Via { lane: LaneName::new("two").unwrap(), format: ReferenceFormat::Number };
        for format in [ReferenceFormat::Number, ReferenceFormat::Text { max_bytes: 255 }] {
            for second in [None, Some(second.clone())] {
                let text = formats_text(format, second.as_ref());
                assert_eq!(parse_formats(&text).unwrap(), (format, second));
            }
        }
        for text in ["text256", "", "number two", "number two number more"] {
            assert!(parse_formats(text).is_err(), "{text}");
        }
    }
}
