//! Requests and answers as types; names are the document's.

use super::php::Php;
use super::status::Actions;
use rust_decimal::Decimal;
use url::form_urlencoded::byte_serialize;

/// The longest id, hash or other word of the site that is kept.
const WORD_BYTES_MAX: usize = 128;

/// The body of a call, `application/x-www-form-urlencoded`; a value that is not there is left out.
#[derive(Default)]
pub(super) struct Form(String);

impl Form {
    pub(super) fn new() -> Form {
        Form::default()
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Form {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.extend(byte_serialize(name.as_bytes()));
        self.0.push('=');
        self.0.extend(byte_serialize(value.as_bytes()));
        self
    }

    pub(super) fn maybe(self, name: &str, value: Option<&str>) -> Form {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// `{error, error_text, error_fields, data}`.
pub(super) struct Envelope {
    /// The digits of `error`; `0` is success.
    pub(super) code: String,
    /// `error_text`, as it came.
    pub(super) text: String,
    /// `error_fields`: fragments of HTML by field.
    pub(super) fields: Vec<(String, String)>,
    pub(super) data: Option<Php>,
}

impl Envelope {
    /// `None` for what has not even an `error`.
    pub(super) fn read(body: &[u8]) -> Option<Envelope> {
        let Php::Map(top) = Php::parse(body)? else { return None };
        let mut envelope =
            Envelope { code: String::new(), text: String::new(), fields: Vec::new(), data: None };
        for (name, value) in top {
            match name.as_str() {
                "error" => envelope.code = value.text()?.to_owned(),
                "error_text" => envelope.text = value.text().unwrap_or_default().to_owned(),
                "error_fields" => {
                    let told = |(name, text): (String, &Php)| Some((name, text.text()?.to_owned()));
                    envelope.fields = value.pairs().into_iter().filter_map(told).collect();
                }
                "data" => envelope.data = Some(value),
                _ => {}
            }
        }
        (!envelope.code.is_empty()).then_some(envelope)
    }
}

/// An order as a create, `bid_info` or a list tells it. No `Debug`: it may hold a destination.
#[derive(Clone)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) hash: Option<String>,
    /// Our reference; lists tell it, `bid_info` does not.
    pub(super) api_id: Option<String>,
    pub(super) status: String,
    /// When it changed last, as it was written.
    pub(super) time: Option<String>,
    pub(super) give: Side,
    pub(super) get: Side,
    /// Not documented; some versions tell it.
    pub(super) account2: Option<String>,
    pub(super) url: Option<String>,
    /// `None` in lists.
    pub(super) actions: Option<Actions>,
}

/// What is exchanged on one side.
#[derive(Clone)]
pub(super) struct Side {
    pub(super) amount: Option<Decimal>,
    pub(super) currency: Option<String>,
}

impl Order {
    /// Reads an order; `None` without an id and a status.
    pub(super) fn read(php: &Php, expiry_field: &str) -> Option<Order> {
        let side = |amount: &str, currency: &str| Side {
            amount: php.amount_of(amount),
            currency: php.text_of(currency).map(str::to_owned),
        };
        let owned = |name: &str| php.text_of(name).map(str::to_owned);
        Some(Order {
            id: word(php.text_of("id")?)?,
            hash: php.text_of("hash").and_then(word),
            api_id: owned("api_id"),
            status: owned("status")?,
            time: owned("time"),
            give: side("amount_give", "currency_code_give"),
            get: side("amount_get", "currency_code_get"),
            account2: owned("account2"),
            url: owned("url"),
            actions: php
                .get("api_actions")
                .map(|actions| Actions::read(actions, php.text_of(expiry_field), expiry_field)),
        })
    }

    /// What a later question needs: the id, and the hash where it is known.
    pub(super) fn provider_id(&self) -> String {
        format!("{}:{}", self.id, self.hash.as_deref().unwrap_or_default())
    }

    /// What it cost, as the site wrote it.
    pub(super) fn cost(&self) -> Option<String> {
        let amount = self.give.amount?;
        let currency = self.give.currency.as_deref().and_then(word)?;
        Some(format!("{amount} {currency}"))
    }
}

/// The id and hash of an order, as [`Order::provider_id`] wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BidId {
    pub(super) id: String,
    pub(super) hash: Option<String>,
}

impl BidId {
    pub(super) fn read(text: &str) -> Option<BidId> {
        let (id, hash) = text.split_once(':')?;
        Some(BidId { id: word(id)?, hash: word(hash) })
    }
}

/// A word that is safe to keep, to show and to send back: no separator of ours in it.
fn word(text: &str) -> Option<String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let fits = !text.is_empty() && text.len() <= WORD_BYTES_MAX && text.bytes().all(good);
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_written_as_browsers_do() {
        let form = Form::new().with("a b", "1&2=ё").maybe("x", None).maybe("y", Some("+"));
        assert_eq!(form.finish(), "a+b=1%262%3D%D1%91&y=%2B");
    }

    #[test]
    fn an_envelope_needs_an_error_and_takes_php_arrays() {
        let read = |text: &str| Envelope::read(text.as_bytes());
        for none in ["", "[]", "{}", "Api disabled", r#"{"error": null}"#, r#"{"error": []}"#] {
            assert!(read(none).is_none(), "{none}");
        }
        let envelope =
            read(r#"{"error":"3","error_text":"x","error_fields":[],"data":[]}"#).unwrap();
        assert_eq!((envelope.code.as_str(), envelope.fields.len()), ("3", 0));
        let envelope = read(r#"{"error":3,"error_fields":{"cf6":"<b>wrong</b>"}}"#).unwrap();
        assert_eq!(envelope.fields, [("cf6".to_owned(), "<b>wrong</b>".to_owned())]);
        assert!(envelope.data.is_none());
    }

    #[test]
    fn ids_survive_the_way_through_the_ledger() {
        let id = |hash: Option<&str>| BidId { id: "17".into(), hash: hash.map(str::to_owned) };
        assert_eq!(BidId::read("17:abc"), Some(id(Some("abc"))));
        assert_eq!(BidId::read("17:"), Some(id(None)));
        for none in ["", "17", ":abc", "1/7:a", "1&2:"] {
            assert_eq!(BidId::read(none), None, "{none}");
        }
    }
}
