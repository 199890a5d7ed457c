//! `status_pay_out`: where one payout stands.
//!
//! "Absent" is said only in the configured form: readable JSON with `ok: false` and one of the
//! configured texts, under a status that speaks of the payout. A bare 404, an empty body, a
//! missing `ok`, 429, 3xx and 5xx say nothing (S11).

use super::agree::{Expected, Field};
use super::create::cost;
use super::errors::{Class, fold, is_about_credentials};
use super::settings::StatusId;
use super::wire::Record;
use super::{Line, Merchant};
use crate::answer::Found;
use crate::api::Payment;
use crate::http::{RawAnswer, StatusClass, class_of_status};
use crate::settings::OFFLINE;
use crate::told::{Told, text};
use domain::News;
use std::borrow::Cow;

/// Links to receipts that are kept, and how long one may be.
const RECEIPTS_MAX: usize = 16;
const RECEIPT_BYTES_MAX: usize = 2_048;

impl Merchant {
    pub(super) async fn look_up_one(&self, payment: &Payment) -> Found {
        let id = match self.status_id {
            StatusId::OrderId => Some(payment.reference.as_str()),
            StatusId::InternalTransactionId => payment.past.provider_id.as_deref(),
        };
        let Some(id) = id else {
            let text = "the provider looks up by its own id alone (status_id = \
                        \"internal_transaction_id\"), and told none";
            return Found::Unclear { text: text.to_owned() };
        };
        let Some(line) = &self.line else {
            return Found::Unclear { text: OFFLINE.to_owned() };
        };
        match line.ask(id).await {
            Ok(raw) => self.read_look_up(&raw, payment),
            Err(text) => Found::Unclear { text },
        }
    }

    /// What the answer to a look-up means. Pure.
    pub(super) fn read_look_up(&self, raw: &RawAnswer, payment: &Payment) -> Found {
        let status = raw.status;
        let unclear = |text: &str| Found::Unclear { text: format!("HTTP {status} {text}") };
        let class = class_of_status(status);
        let record: Option<Record<'_>> = serde_json::from_slice(&raw.body).ok();
        let ok = record.as_ref().and_then(|record| record.ok).and_then(Told::yes);
        match (class, ok, record) {
            (StatusClass::Credentials, _, record) => {
                let words = record.and_then(|record| text(record.error)).unwrap_or_default();
                self.stop_look_ups(&format!("HTTP {status} {words}"), payment)
            }
            (StatusClass::Unknown | StatusClass::TooMany, _, _) => {
                unclear("says nothing about the payout")
            }
            (StatusClass::Told, Some(true), Some(record)) => found(&record, payment),
            (_, Some(false), Some(record)) => {
                let words = text(record.error).unwrap_or_default();
                self.not_found(status, &words, payment)
            }
            _ => unclear("with a body that cannot be read"),
        }
    }

    fn not_found(&self, status: u16, words: &str, payment: &Payment) -> Found {
        if self.absent_texts.contains(&fold(words)) {
            return Found::Absent;
        }
        let listed = self.errors.class(words);
        if listed == Some(Class::StopLane) || (listed.is_none() && is_about_credentials(words)) {
            return self.stop_look_ups(words, payment);
        }
        let quoted = self.quote(words, payment.row.destination.reveal());
        Found::Unclear { text: format!("HTTP {status}: \"{quoted}\"") }
    }

    fn stop_look_ups(&self, words: &str, payment: &Payment) -> Found {
        let quoted = self.quote(words, payment.row.destination.reveal());
        Found::StopLane {
            text: format!("{quoted}; a look-up was refused: check the merchant's name and api_key"),
        }
    }
}

/// `ok: true`: ours, if all that is told agrees.
fn found(record: &Record<'_>, payment: &Payment) -> Found {
    const ALL: &[Field] = &[
        Field::OrderId,
        Field::Type,
        Field::Amount,
        Field::Currency,
        Field::Method,
        Field::Requisite,
    ];
    const NEEDED: &[Field] = &[Field::OrderId, Field::Amount, Field::Currency];
    let expected = Expected::of(payment);
    if let Some(text) = expected.differences(ALL, record) {
        return Found::Differs { text };
    }
    if let Some(name) = expected.missing(NEEDED, record) {
        return Found::Unclear { text: format!("the answer lacks a readable {name}") };
    }
    let word = text(record.status).unwrap_or_default();
    let Some(news) = news(word.trim()) else {
        return Found::Unclear { text: "the answer has a status that no document lists".into() };
    };
    Found::Is {
        news,
        provider_id: None,
        cost: cost(record),
        receipts: receipts(record),
        text: word.trim().to_owned(),
    }
}

/// Every status of the document.
pub(super) fn news(word: &str) -> Option<News> {
    match word {
        "expectation" => Some(News::InProgress),
        "successful" => Some(News::Paid),
        "rejected_timeout" | "rejected_gate" => Some(News::Failed),
        "rejected_merchant" => Some(News::Cancelled),
        _ => None,
    }
}

/// Links only: these are shown to people.
fn receipts(record: &Record<'_>) -> Vec<String> {
    let links = record.cheque_urls.and_then(Told::items).unwrap_or_default();
    let is_link = |link: &str| {
        let is_web = link.starts_with("https://") || link.starts_with("http://");
        is_web && link.len() <= RECEIPT_BYTES_MAX && link.bytes().all(|b| b.is_ascii_graphic())
    };
    let links = links.into_iter().filter_map(Told::text).filter(|link| is_link(link));
    links.map(Cow::into_owned).take(RECEIPTS_MAX).collect()
}

impl Line {
    async fn ask(&self, id: &str) -> Result<RawAnswer, String> {
        let url = self.status_url.below(&[id]);
        self.http.send(self.get(&url), None).await.map_err(|error| error.to_string())
    }
}
