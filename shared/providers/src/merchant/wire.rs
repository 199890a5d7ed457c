//! Requests and answers as types; field names are the document's.
//!
//! Going out, every field has the one form that the document asks for. Coming in, a value may have
//! any form (`told`), and unknown fields are ignored.

use crate::told::Told;
use serde::{Deserialize, Serialize};
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

#[cfg(test)]
mod tests {
    use super::*;

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
