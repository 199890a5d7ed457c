//! `rejected_pay_out`: asks the platform to drop what is not paid yet. Only a look-up tells what
//! became of it; a success that arrives afterwards makes the payout disputed (S14).
//!
//! The documented call is used, not the `reject_callback_url` of the create answer: it needs
//! nothing that a crash could have lost.

use super::agree::Expected;
use super::rules::two_decimals;
use super::wire::{CancelRequest, PAY_OUT, Record};
use super::{Line, Merchant, auth};
use crate::api::{Cancel, CancelAnswer, Payment};
use crate::http::{RawAnswer, StatusClass, class_of_status};
use crate::settings::OFFLINE;
use crate::told::{Told, text};
use bytes::Bytes;
use futures::future::BoxFuture;
use std::borrow::Cow;

impl Cancel for Merchant {
    fn cancel(&self, payment: Payment) -> BoxFuture<'_, CancelAnswer> {
        Box::pin(async move {
            let Some(line) = &self.line else {
                return CancelAnswer::Refused { text: OFFLINE.to_owned() };
            };
            let body = match self.cancel_body(line, &payment) {
                Ok(body) => body,
                Err(text) => return CancelAnswer::Refused { text: format!("not sent: {text}") },
            };
            match line.http.send(line.post(&line.cancel_url), Some(body)).await {
                Ok(raw) => self.read_cancel(&raw, &payment),
                Err(error) => CancelAnswer::Unknown { text: error.to_string() },
            }
        })
    }
}

impl Merchant {
    fn cancel_body(&self, line: &Line, payment: &Payment) -> Result<Bytes, &'static str> {
        let template = self.callback_sign.as_ref().ok_or(
            "a cancellation carries standart_sign, and callback_sign = \"off\" says that nobody \
             knows how it is made",
        )?;
        let sign = template
            .sign(&line.keys.sign, |field| value(field, payment))
            .ok_or("callback_sign names a field that only a callback has")?;
        let order_id = payment.reference.as_str();
        let request = CancelRequest { order_id, standart_sign: sign.as_str() };
        let body = serde_json::to_vec(&request).map_err(|_| "it cannot be written as JSON")?;
        Ok(body.into())
    }

    /// What the answer to a cancellation means. Pure.
    pub(super) fn read_cancel(&self, raw: &RawAnswer, payment: &Payment) -> CancelAnswer {
        let class = class_of_status(raw.status);
        let record: Option<Record<'_>> = serde_json::from_slice(&raw.body).ok();
        let ok = record.as_ref().and_then(|record| record.ok).and_then(Told::yes);
        let words = record.and_then(|record| text(record.error)).unwrap_or_default();
        let quoted = self.quote(&words, Expected::of(payment).requisite);
        let text = format!("HTTP {} {quoted}", raw.status).trim_end().to_owned();
        match (class, ok) {
            (StatusClass::Unknown, _) => CancelAnswer::Unknown { text },
            (StatusClass::Told, Some(true)) => CancelAnswer::Taken,
            (StatusClass::Told, None) | (_, Some(true)) => CancelAnswer::Unknown { text },
            (_, _) => CancelAnswer::Refused { text },
        }
    }
}

/// A field of the template as we know it before anything is settled.
fn value(field: auth::Field, payment: &Payment) -> Option<Cow<'_, str>> {
    use auth::Field;
    let row = &payment.row;
    match field {
        Field::OrderId => Some(payment.reference.as_str().into()),
        Field::Type => Some(PAY_OUT.into()),
        Field::FiatAmount => two_decimals(&row.money).map(|amount| amount.to_string().into()),
        Field::FiatCurrency => Some(row.money.currency().code().to_ascii_lowercase().into()),
        Field::PaymentMethod => Some(row.method.name().into()),
        Field::Requisite => Some(row.destination.reveal().into()),
        Field::Status | Field::UsdtAmount | Field::MerchantSpentUsdt | Field::ExchangeRate => None,
    }
}
