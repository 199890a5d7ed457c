//! Callbacks: trusted for *which payout*, and for *which way* only towards "paid" (S16).
//!
//! `successful` is a fact if the signature, the kind of URL, type, reference, amount, currency,
//! method and requisite all agree. Every `rejected_*`, and everything in which anything is missing
//! or disagrees, is a hint: one look-up decides (S15). Nothing documents that the signature covers
//! status or amount, so agreement is asked for field by field.

use super::Merchant;
use super::agree::{Expected, Field, Said};
use super::auth;
use super::create::cost;
use super::wire::Record;
use crate::answer::Heard;
use crate::api::{CallbackKind, CallbackRequest, Callbacks, Payment};
use crate::told::text;
use domain::News;
use std::borrow::Cow;

const SUCCESSFUL: &str = "successful";
const REJECTED: [&str; 3] = ["rejected_timeout", "rejected_merchant", "rejected_gate"];

impl Callbacks for Merchant {
    fn read(&self, request: &CallbackRequest, payment: &Payment) -> Heard {
        let Ok(record) = serde_json::from_slice::<Record<'_>>(&request.body) else {
            return Heard::Hint { text: "a callback that cannot be read".to_owned() };
        };
        let status = text(record.status).unwrap_or_default();
        // Only the document's own words are repeated.
        let word = REJECTED.iter().chain([&SUCCESSFUL]).find(|word| **word == status.trim());
        let Some(word) = word else {
            return Heard::Hint { text: "a callback with a status that no document lists".into() };
        };
        let mut doubts = self.doubts(&record, payment);
        if (*word == SUCCESSFUL) != (request.kind == CallbackKind::Success) {
            doubts.push(Cow::Borrowed("the URL that was called is the one for the opposite"));
        }
        if !doubts.is_empty() {
            return Heard::Hint { text: format!("{word}, but {}", doubts.join("; ")) };
        }
        if *word == SUCCESSFUL {
            return Heard::Fact { news: News::Paid, provider_id: None, cost: cost(&record) };
        }
        Heard::Hint { text: (*word).to_owned() }
    }
}

impl Merchant {
    /// Everything that does not agree. All checks are made, whatever the first one says.
    fn doubts(&self, record: &Record<'_>, payment: &Payment) -> Vec<Cow<'static, str>> {
        const ALL: [Field; 6] = [
            Field::Type,
            Field::OrderId,
            Field::Amount,
            Field::Currency,
            Field::Method,
            Field::Requisite,
        ];
        let expected = Expected::of(payment);
        let mut doubts: Vec<_> = self.signature_doubt(record).into_iter().map(Cow::from).collect();
        for field in ALL {
            let name = field.name();
            match expected.compare(field, record) {
                Said::Same => {}
                Said::Other => doubts.push(format!("{name} differs").into()),
                Said::Nothing => doubts.push(format!("{name} is not told").into()),
            }
        }
        doubts
    }

    fn signature_doubt(&self, record: &Record<'_>) -> Option<&'static str> {
        let (Some(template), Some(line)) = (&self.callback_sign, &self.line) else {
            return Some("signatures are not checked on this lane (callback_sign = \"off\")");
        };
        let right = template.sign(&line.keys.sign, |field| value(field, record));
        let (Some(right), Some(told)) = (right, text(record.standart_sign)) else {
            return Some("standart_sign, or a field that it covers, is not told");
        };
        (!right.verifies(told.trim())).then_some("standart_sign is wrong")
    }
}

/// A field of the template as the callback tells it.
fn value<'a>(field: auth::Field, record: &Record<'a>) -> Option<Cow<'a, str>> {
    use auth::Field;
    let told = match field {
        Field::OrderId => record.order_id,
        Field::Type => record.kind,
        Field::Status => record.status,
        Field::FiatAmount => record.fiat_amount,
        Field::UsdtAmount => record.usdt_amount,
        Field::MerchantSpentUsdt => record.merchant_spent_usdt,
        Field::FiatCurrency => record.fiat_currency,
        Field::ExchangeRate => record.exchange_rate,
        Field::PaymentMethod => record.payment_method,
        Field::Requisite => {
            let all =
                [record.number_card, record.phone_number, record.number_score, record.iban_number];
            return all.into_iter().find_map(text);
        }
    };
    text(told)
}
