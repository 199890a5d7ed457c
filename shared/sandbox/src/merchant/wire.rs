//! What goes over the wire, as types. Field names are the document's.

use std::borrow::Cow;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// Text borrowed from the body unless it holds an escape. A type of its own, because serde does
/// not borrow a `Cow` inside an `Option`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A create as it came; `check` makes sense of it. Unknown fields are ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct CreateRequest<'a> {
    pub(super) timeout: Option<u32>,
    pub(super) order_id: Option<Text<'a>>,
    pub(super) payment_method: Option<Text<'a>>,
    pub(super) fiat_amount: Option<Text<'a>>,
    pub(super) fiat_currency: Option<Text<'a>>,
    pub(super) number_score: Option<Text<'a>>,
    pub(super) number_card: Option<Text<'a>>,
    pub(super) phone_number: Option<Text<'a>>,
    pub(super) iban_number: Option<Text<'a>>,
    pub(super) bank_name: Option<Text<'a>>,
    pub(super) bik: Option<Text<'a>>,
    pub(super) full_name: Option<Text<'a>>,
    pub(super) success_callback_url: Option<Text<'a>>,
    pub(super) error_callback_url: Option<Text<'a>>,
    pub(super) customer: Option<Text<'a>>,
    pub(super) order_description: Option<Text<'a>>,
    pub(super) sign: Option<Text<'a>>,
}

/// The answer of an accepted create.
#[derive(Debug, Serialize)]
pub(super) struct CreateAnswer<'a> {
    pub(super) ok: bool,
    pub(super) internal_transaction_id: &'a str,
    /// Always there, but for the fault `answer_incomplete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fiat_amount: Option<&'a str>,
    pub(super) usdt_amount: &'a str,
    pub(super) merchant_spent_usdt: &'a str,
    pub(super) fiat_currency: &'a str,
    pub(super) exchange_rate: &'a str,
    pub(super) payment_method: &'a str,
    pub(super) reject_callback_url: &'a str,
}

/// A payout as a callback and as a look-up's answer tell it.
#[derive(Debug, Serialize)]
pub(super) struct PayoutBody<'a> {
    /// Look-up only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ok: Option<bool>,
    pub(super) order_id: &'a str,
    /// Callback only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) standart_sign: Option<&'a str>,
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    pub(super) status: &'a str,
    pub(super) fiat_amount: &'a str,
    pub(super) usdt_amount: &'a str,
    pub(super) merchant_spent_usdt: &'a str,
    pub(super) fiat_currency: &'a str,
    pub(super) exchange_rate: &'a str,
    pub(super) payment_method: &'a str,
    pub(super) created_at: &'a str,
    pub(super) updated_at: &'a str,
    pub(super) number_card: Option<&'a str>,
    pub(super) phone_number: Option<&'a str>,
    pub(super) number_score: Option<&'a str>,
    pub(super) iban_number: Option<&'a str>,
    pub(super) full_name: &'a str,
    pub(super) bank_name: &'a str,
    /// Look-up of a paid one only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cheque_urls: Option<[String; 1]>,
}

/// A cancellation by the merchant.
#[derive(Debug, Deserialize)]
pub(super) struct CancelRequest<'a> {
    #[serde(borrow)]
    pub(super) order_id: Text<'a>,
    #[serde(borrow)]
    pub(super) standart_sign: Option<Text<'a>>,
}

/// The answer of the account call; amounts in USDT.
#[derive(Debug, Serialize)]
pub(super) struct AccountAnswer<'a> {
    pub(super) ok: bool,
    /// All that is there, what is on hold included.
    pub(super) balance: String,
    /// Promised to payouts that are not final.
    pub(super) hold: String,
    pub(super) available: String,
    pub(super) payment_methods: Vec<PaymentMethods<'a>>,
}

/// What one currency can be paid out by.
#[derive(Debug, Serialize)]
pub(super) struct PaymentMethods<'a> {
    pub(super) currency: &'a str,
    pub(super) statuses: Statuses,
}

#[derive(Debug, Serialize)]
pub(super) struct Statuses {
    pub(super) card: bool,
    pub(super) sbp: bool,
    pub(super) score: bool,
    pub(super) iban: bool,
}

/// An envelope with nothing in it.
#[derive(Debug, Serialize)]
pub(super) struct Done {
    pub(super) ok: bool,
}

/// `ok: false`.
#[derive(Debug, Serialize)]
pub(super) struct Refusal<'a> {
    pub(super) ok: bool,
    pub(super) error: &'a str,
}
