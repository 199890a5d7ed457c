//! Requests and answers as types; field names are the document's.
//!
//! Going out, every field has the one form that the document asks for. Coming in, numbers may be
//! strings and strings numbers, `null` and `""` are "not told", unknown fields are ignored, and an
//! amount is taken from the text as it stands: no float comes near it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The `type` of what we send.
pub(super) const PAY_OUT: &str = "pay_out";

/// `create_pay_out`. No `Debug`: it holds a whole destination.
#[derive(Serialize)]
pub(super) struct CreateRequest<'a> {
    pub(super) order_id: &'a str,
    pub(super) payment_method: &'static str,
    pub(super) fiat_amount: &'a str,
    pub(super) fiat_currency: &'a str,
    /// In minutes.
    pub(super) timeout: u32,
    #[serde(flatten)]
    pub(super) requisite: Requisite<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bank_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bik: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) full_name: Option<&'a str>,
    pub(super) success_callback_url: &'a str,
    pub(super) error_callback_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) customer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) order_description: Option<&'a str>,
    pub(super) sign: &'a str,
}

/// The one requisite of a create, under the name that its method asks for.
#[derive(Clone, Copy, Serialize)]
pub(super) enum Requisite<'a> {
    #[serde(rename = "number_card")]
    Card(&'a str),
    #[serde(rename = "phone_number")]
    Phone(&'a str),
    #[serde(rename = "number_score")]
    Score(&'a str),
    #[serde(rename = "iban_number")]
    Iban(&'a str),
}

/// `rejected_pay_out`.
#[derive(Serialize)]
pub(super) struct CancelRequest<'a> {
    pub(super) order_id: &'a str,
    pub(super) standart_sign: &'a str,
}

/// What the platform tells of one payout: the answer to a create, a look-up or a cancellation,
/// or a callback. Which fields must be there depends on which it is; the reader asks for them.
/// No `Debug`: it may hold a whole destination.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    pub(super) ok: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) error: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) internal_transaction_id: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) order_id: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) standart_sign: Option<Told<'a>>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) status: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) fiat_amount: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) usdt_amount: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) merchant_spent_usdt: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) fiat_currency: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) exchange_rate: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) payment_method: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) number_card: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) phone_number: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) number_score: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) iban_number: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) cheque_urls: Option<Told<'a>>,
}

/// The account call.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Account<'a> {
    #[serde(borrow)]
    pub(super) ok: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) error: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) balance: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) hold: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) available: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) payment_methods: Option<Vec<AccountMethod<'a>>>,
}

/// What the account may pay in one currency.
#[derive(Deserialize)]
pub(super) struct AccountMethod<'a> {
    #[serde(borrow)]
    pub(super) currency: Option<Told<'a>>,
    #[serde(borrow)]
    pub(super) statuses: Option<BTreeMap<Cow<'a, str>, Told<'a>>>,
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
        let text = self.text()?;
        let text = text.trim();
        let is_plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if is_plain { text.parse().ok() } else { None }
    }

    /// As yes or no.
    pub(super) fn yes(self) -> Option<bool> {
        match self.0.get() {
            "true" | "\"true\"" => Some(true),
            "false" | "\"false\"" => Some(false),
            _ => None,
        }
    }

    /// As a list of texts; what is none is left out.
    pub(super) fn texts(self) -> Vec<String> {
        let list: Vec<Told<'_>> = serde_json::from_str(self.0.get()).unwrap_or_default();
        list.into_iter().filter_map(|told| told.text().map(Cow::into_owned)).collect()
    }
}

/// The text of an optional field.
pub(super) fn text(told: Option<Told<'_>>) -> Option<Cow<'_, str>> {
    told.and_then(Told::text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(body: &str) -> Record<'_> {
        serde_json::from_str(body).unwrap()
    }

    #[test]
    fn strings_and_numbers_stand_for_each_other() {
        let r = record(r#"{"fiat_amount": 1500.10, "order_id": 17, "ok": "true", "x": [1]}"#);
        assert_eq!(text(r.order_id).unwrap(), "17");
        assert_eq!(r.fiat_amount.unwrap().amount(), Some(Decimal::new(150_010, 2)));
        assert_eq!(r.ok.unwrap().yes(), Some(true));
        let r = record(r#"{"fiat_amount": " 0090071992547409.93 ", "order_id": "a\u0062"}"#);
        assert_eq!(r.fiat_amount.unwrap().amount(), Some(Decimal::new(9_007_199_254_740_993, 2)));
        assert_eq!(text(r.order_id).unwrap(), "ab");
    }

    #[test]
    fn what_is_null_blank_or_something_else_is_not_told() {
        let r = record(
            r#"{"order_id": null, "status": " ", "kind": 1, "fiat_amount": {}, "ok": 1, "error": true}"#,
        );
        assert!(text(r.order_id).is_none() && text(r.status).is_none() && text(r.kind).is_none());
        assert!(r.fiat_amount.unwrap().amount().is_none());
        assert!(r.ok.unwrap().yes().is_none() && text(r.error).is_none());
    }

    #[test]
    fn an_amount_has_no_sign_no_exponent_and_no_separator() {
        for bad in
            ["\"-1\"", "-1", "1e3", "\"1,5\"", "\"1.2.3\"", "\"1_0\"", "\"+1\"", "\".\"", "\"NaN\""]
        {
            let body = format!("{{\"fiat_amount\": {bad}}}");
            assert_eq!(record(&body).fiat_amount.unwrap().amount(), None, "{bad}");
        }
    }

    #[test]
    fn a_create_has_exactly_the_documents_fields() {
        let request = CreateRequest {
            order_id: "order123",
            payment_method: "sbp",
            fiat_amount: "1500.00",
            fiat_currency: "rub",
            timeout: 30,
            requisite: Requisite::Phone("79161234567"),
            bank_name: Some("Sberbank"),
            bik: Some("044525225"),
            full_name: Some("Ivanov Ivan Ivanovich"),
            success_callback_url: "https://yourwebsite.com/success",
            error_callback_url: "https://yourwebsite.com/error",
            customer: Some("CUST12345"),
            order_description: Some("Reward payout for completed work"),
            sign: "53f49a84b929a1c6bf16fdf36ed151738def4b30a8088237ce480ffef538aa2f",
        };
        let ours: serde_json::Value = serde_json::to_value(&request).unwrap();
        let theirs: serde_json::Value =
            serde_json::from_str(include_str!("tests/create_request.json")).unwrap();
        assert_eq!(ours, theirs);
    }
}
