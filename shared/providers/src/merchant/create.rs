//! `create_pay_out`: one row, sent once, and what its answer means.
//!
//! ```text
//!   not sent ──▶ NotSent (gate), Later (no connection)
//!   3xx 5xx 408 425 499, unreadable, incomplete ──▶ Unknown
//!   ok: true  ──▶ Accepted, or Differs
//!   ok: false ──▶ listed text ▶ may exist (look up) ▶ 429 ▶ credentials ▶ a person
//! ```

use super::agree::{Expected, Field};
use super::errors::{Class, is_about_credentials, may_exist};
use super::rules::{METHODS, two_decimals};
use super::wire::{CreateRequest, Record, Requisite};
use super::{Line, Merchant, auth};
use crate::answer::Answer;
use crate::api::{CallbackKind, Payment, SendGate};
use crate::http::{RawAnswer, SendError, StatusClass, class_of_status};
use crate::settings::OFFLINE;
use crate::told::{Told, text};
use bytes::Bytes;
use domain::{LaneName, Method};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How long the lane waits after a 429 that names no time, or when no connection comes about.
const PAUSE_MS: u64 = 1_000;
/// What a body takes as a rule: longer descriptions make it grow once.
const BODY_BYTES: usize = 1_024;
/// Texts of the provider that we keep as they are, such as ids and rates.
const TOLD_BYTES_MAX: usize = 72;

impl Merchant {
    pub(super) async fn create(
        &self,
        lane: &LaneName,
        payment: &Payment,
        gate: Arc<dyn SendGate>,
    ) -> Answer {
        let Some(line) = &self.line else {
            let text = OFFLINE.to_owned();
            return Answer::StopLane { text, retry_after_ms: None };
        };
        let body = match line.create_body(lane, payment) {
            Ok(body) => body,
            // Intake refuses such rows; the lane's settings may have changed since.
            Err(text) => return Answer::Unlisted { text: format!("not sent: {text}") },
        };
        match line.http.send_gated(line.post(&line.create_url), body, gate).await {
            Ok(raw) => self.read_create(&raw, payment),
            Err(SendError::GateClosed) => Answer::NotSent,
            Err(error @ SendError::NotSent(_)) => {
                Answer::Later { text: error.to_string(), retry_after_ms: Some(PAUSE_MS) }
            }
            Err(error @ SendError::Unknown(_)) => Answer::Unknown { text: error.to_string() },
        }
    }

    /// What the answer to a create means. Pure.
    pub(super) fn read_create(&self, raw: &RawAnswer, payment: &Payment) -> Answer {
        let status = raw.status;
        let unknown = |text: &str| Answer::Unknown { text: format!("HTTP {status} {text}") };
        let class = class_of_status(status);
        if class == StatusClass::Unknown {
            return unknown("says nothing about the payout");
        }
        let record: Option<Record<'_>> = serde_json::from_slice(&raw.body).ok();
        let ok = record.as_ref().and_then(|record| record.ok).and_then(Told::yes);
        match (class, ok, record) {
            (StatusClass::Told, Some(true), Some(record)) => accepted(&record, payment),
            (StatusClass::Told, None, _) => unknown("with a body that cannot be read"),
            (_, Some(true), _) => unknown("contradicts the ok: true in its body"),
            (_, _, record) => {
                let words = record.and_then(|record| text(record.error)).unwrap_or_default();
                self.refused(class, &words, raw, payment)
            }
        }
    }

    fn refused(
        &self,
        class: StatusClass,
        words: &str,
        raw: &RawAnswer,
        payment: &Payment,
    ) -> Answer {
        let quoted = match words {
            "" => format!("HTTP {} without a text", raw.status),
            words => self.quote(words, payment.row.destination.reveal()),
        };
        let stop = |quoted: String| Answer::StopLane {
            text: format!(
                "{quoted}; check the merchant's name, sign_key, api_key and the account with the \
                 provider, then start the lane"
            ),
            retry_after_ms: None,
        };
        match self.errors.class(words) {
            Some(Class::Later) => {
                return Answer::Later { text: quoted, retry_after_ms: raw.retry_after_ms };
            }
            Some(Class::Balance) => {
                return Answer::StopLane {
                    text: format!("{quoted}; top up the account, the lane tries again by itself"),
                    retry_after_ms: Some(self.low_balance_retry_ms),
                };
            }
            Some(Class::Refused) => {
                self.warn_once(payment.row.method, &quoted);
                return Answer::Refused { text: quoted, created_nothing: true };
            }
            Some(Class::StopLane) => return stop(quoted),
            Some(Class::LookUp) => return Answer::Exists { text: quoted },
            None => {}
        }
        if may_exist(words) || class == StatusClass::Conflict {
            return Answer::Exists { text: quoted };
        }
        match class {
            StatusClass::TooMany => Answer::Later {
                text: quoted,
                retry_after_ms: Some(raw.retry_after_ms.unwrap_or(PAUSE_MS)),
            },
            StatusClass::Credentials => stop(quoted),
            _ if is_about_credentials(words) => stop(quoted),
            _ => Answer::Unlisted { text: quoted },
        }
    }

    /// Tells the log of a refusal that will meet every row of the method, once.
    fn warn_once(&self, method: Method, text: &str) {
        let bit = METHODS.iter().position(|m| *m == method).map_or(0, |place| 1u8 << place);
        if self.warned.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
            tracing::warn!(lane = %self.lane, method = method.name(), text, "payouts are refused");
        }
    }
}

/// `ok: true`: ours, if amount and currency are, and the rest as far as it is told. Whatever was
/// taken under another id or for another requisite is for a person: ours could be looked up in
/// vain, and sent again.
fn accepted(record: &Record<'_>, payment: &Payment) -> Answer {
    const MONEY: &[Field] = &[Field::Amount, Field::Currency];
    const TOLD: &[Field] =
        &[Field::OrderId, Field::Type, Field::Amount, Field::Currency, Field::Requisite];
    let expected = Expected::of(payment);
    if let Some(text) = expected.differences(TOLD, record) {
        return Answer::Differs { text };
    }
    if let Some(name) = expected.missing(MONEY, record) {
        return Answer::Unknown { text: format!("the answer lacks a readable {name}") };
    }
    Answer::Accepted { provider_id: short(record.internal_transaction_id), cost: cost(record) }
}

/// What was spent and at which rate, in the platform's words.
pub(super) fn cost(record: &Record<'_>) -> Option<String> {
    let spent = short(record.merchant_spent_usdt)?;
    Some(match short(record.exchange_rate) {
        Some(rate) => format!("{spent} USDT at {rate}"),
        None => format!("{spent} USDT"),
    })
}

/// A text that is kept: an id or a number, on one line and within the document's length.
fn short(told: Option<Told<'_>>) -> Option<String> {
    let told = text(told)?;
    let fits = told.len() <= TOLD_BYTES_MAX && !told.contains(char::is_control);
    fits.then(|| told.into_owned())
}

impl Line {
    /// The signed body of a create, or why the row cannot be written as one.
    pub(super) fn create_body(&self, lane: &LaneName, payment: &Payment) -> Result<Bytes, String> {
        let row = &payment.row;
        let number = row.destination.reveal();
        let requisite = match row.method {
            Method::Card => Requisite::Card(number),
            Method::Sbp => Requisite::Phone(number),
            Method::Score => Requisite::Score(number),
            Method::Iban => Requisite::Iban(number),
            Method::Wallet => return Err("the provider pays to no wallets".to_owned()),
        };
        let amount = two_decimals(&row.money).ok_or("the amount has more than two decimals")?;
        let amount = amount.to_string();
        let currency = row.money.currency().code().to_ascii_lowercase();
        let order_id = payment.reference.as_str();
        let sign = auth::create_sign(order_id, &amount, number, &currency, &self.keys.sign)
            .ok_or("a signed field holds a colon")?;
        let callback = |kind| self.callbacks.url(lane, payment.place, payment.attempt, kind);
        let request = CreateRequest {
            order_id,
            payment_method: row.method.name(),
            fiat_amount: &amount,
            fiat_currency: &currency,
            timeout: self.timeout_minutes,
            requisite,
            bank_name: row.field("bank_name"),
            bik: row.field("bank_code"),
            full_name: row.field("full_name"),
            success_callback_url: &callback(CallbackKind::Success),
            error_callback_url: &callback(CallbackKind::Error),
            customer: row.field("customer"),
            order_description: row.field("description"),
            sign: sign.as_str(),
        };
        let mut body = Vec::with_capacity(BODY_BYTES);
        serde_json::to_writer(&mut body, &request).map_err(|_| "it cannot be written as JSON")?;
        Ok(body.into())
    }
}
