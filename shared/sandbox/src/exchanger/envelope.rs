//! The envelope of every answer, with PHP's habits: what is empty is `[]`, and `error` is now a
//! number, now a string.

use hyper::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::server::Reply;

/// Also of JSON answers that break off: PHP names the type before it writes.
pub(super) const JSON: &str = "application/json; charset=UTF-8";
pub(super) const HTML: &str = "text/html; charset=UTF-8";

#[derive(Serialize)]
pub(super) struct Envelope {
    error: Value,
    error_text: String,
    data: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_fields: Option<Value>,
}

impl Envelope {
    /// It went well.
    pub(super) fn of(data: Value) -> Self {
        Self { error: json!(0), error_text: String::new(), data: php(data), error_fields: None }
    }

    /// A list under `items`, which is absent when there is nothing in it.
    pub(super) fn list(items: Vec<Value>) -> Self {
        let data = if items.is_empty() { json!({}) } else { json!({ "items": items }) };
        Self { error: json!("0"), ..Self::of(data) }
    }

    /// It did not.
    pub(super) fn refused(code: u8, text: &str) -> Self {
        Self { error: json!(code), error_text: text.to_owned(), ..Self::of(json!({})) }
    }

    /// The same with `error_fields`, which `create_bid` and `bid_info` always have.
    pub(super) fn with_fields(self, fields: Map<String, Value>) -> Self {
        let error = Value::String(self.error.to_string().replace('"', ""));
        Self { error, error_fields: Some(php(Value::Object(fields))), ..self }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn reply(&self) -> Reply {
        Reply::text(StatusCode::OK, JSON, self.bytes())
    }
}

/// An empty array of PHP is a list, whatever it would hold.
fn php(value: Value) -> Value {
    match value {
        Value::Object(fields) if fields.is_empty() => json!([]),
        other => other,
    }
}

/// Not an answer of the API: the site behind it failed.
pub(super) fn broken() -> Reply {
    let page = "<html><body><h1>500 Internal Server Error</h1></body></html>";
    Reply::text(StatusCode::INTERNAL_SERVER_ERROR, HTML, page)
}

/// What every caller gets whom the API does not know.
pub(super) fn disabled() -> Reply {
    Reply::text(StatusCode::OK, HTML, "Api disabled")
}
