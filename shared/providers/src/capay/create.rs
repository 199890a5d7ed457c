//! A create: one row, sent once, and what its answer means.
//!
//! ```text
//!   no token ──▶ StopLane, Later       not sent ──▶ NotSent (gate), Later (no connection)
//!   200 201 ──▶ Accepted, Differs      2xx else, 3xx 5xx 408 425 499, unreadable ──▶ Unknown
//!   409, "exists" ──▶ Exists           401 twice, 403, 4xx about credentials ──▶ StopLane
//!   400 about a property ──▶ Refused   429 ──▶ Later        any other 4xx ──▶ a person
//! ```

use super::agree::Expected;
use super::line::{NoAnswer, Outgoing, PAUSE_MS};
use super::refusal::Refusal;
use super::token::NoToken;
use super::wire::{Record, create_body};
use super::{Capay, Line};
use crate::answer::Answer;
use crate::api::{Payment, SendGate};
use crate::http::{RawAnswer, SendError, StatusClass, class_of_status};
use reqwest::header::HeaderValue;
use std::sync::Arc;

impl Capay {
    pub(super) async fn create(&self, payment: &Payment, gate: Arc<dyn SendGate>) -> Answer {
        let Some(line) = &self.line else {
            let text = self.offline().to_owned();
            return Answer::StopLane { text, retry_after_ms: None };
        };
        let outgoing = match self.create_request(line, payment, gate) {
            Ok(outgoing) => outgoing,
            // Intake refuses such rows; the lane's settings may have changed since.
            Err(text) => return Answer::Unlisted { text: format!("not sent: {text}") },
        };
        let is_about_payout = |raw: &RawAnswer| self.is_about(raw, payment);
        match line.call(&Outgoing { ends: Some(&is_about_payout), ..outgoing }).await {
            Ok(raw) => self.read_create(&raw, payment),
            Err(NoAnswer::Token(NoToken::Refused(text))) => {
                Answer::StopLane { text, retry_after_ms: None }
            }
            Err(NoAnswer::Token(NoToken::Later { text, retry_after_ms })) => {
                Answer::Later { text, retry_after_ms }
            }
            Err(NoAnswer::Send(SendError::GateClosed)) => Answer::NotSent,
            Err(NoAnswer::Send(error @ SendError::NotSent(_))) => {
                Answer::Later { text: error.to_string(), retry_after_ms: Some(PAUSE_MS) }
            }
            Err(NoAnswer::Send(error @ SendError::Unknown(_))) => {
                Answer::Unknown { text: error.to_string() }
            }
        }
    }

    fn create_request(
        &self,
        line: &Line,
        payment: &Payment,
        gate: Arc<dyn SendGate>,
    ) -> Result<Outgoing<'static>, String> {
        let profile = &self.settings.profile;
        let client_id = self.settings.client(&payment.row)?;
        let body = create_body(payment, client_id, &profile.request, profile.amount_as)?;
        let outgoing = Outgoing::post(profile.create_path.url(&line.base), body);
        let mut outgoing = Outgoing { gate: Some(gate), ..outgoing };
        if let Some(header) = profile.idempotency()? {
            let reference = HeaderValue::from_str(payment.reference.as_str());
            outgoing.headers.push((header, reference.map_err(|_| "the reference is no header")?));
        }
        Ok(outgoing)
    }

    /// Whether a 401 may be about a payout that was made: then a new token is no answer to it.
    fn is_about(&self, raw: &RawAnswer, payment: &Payment) -> bool {
        let (profile, reference) = (&self.settings.profile, payment.reference.as_str());
        raw.body.windows(reference.len().max(1)).any(|part| part == reference.as_bytes())
            || Refusal::read(&raw.body, &profile.error).is_of_existing(profile, reference)
    }

    /// What the answer to a create means. Pure.
    pub(super) fn read_create(&self, raw: &RawAnswer, payment: &Payment) -> Answer {
        let status = raw.status;
        let unknown = |text: &str| Answer::Unknown { text: format!("HTTP {status} {text}") };
        let record = Record::of_body(&raw.body, &self.settings.profile.created);
        match (status, class_of_status(status)) {
            (200 | 201, _) => match record {
                Some(record) => self.taken(status, &record, payment),
                None => unknown("with a body that cannot be read"),
            },
            (_, StatusClass::Told | StatusClass::Unknown) => {
                unknown("says nothing about the payout")
            }
            (_, class) => {
                let ours = |record: &Record<'_>| {
                    record.id().is_some() && self.expected(payment).is_ours(record)
                };
                if record.as_ref().is_some_and(ours) {
                    return unknown("contradicts the payout in its body");
                }
                self.refused(class, raw, payment)
            }
        }
    }

    /// 200, 201: ours, if nothing in it is told otherwise.
    fn taken(&self, status: u16, record: &Record<'_>, payment: &Payment) -> Answer {
        let expected: Expected<'_> = self.expected(payment);
        if let Some(text) = expected.differences(record) {
            return Answer::Differs { text };
        }
        match record.id() {
            Some(id) => Answer::Accepted { provider_id: Some(id), cost: None },
            None => Answer::Unknown { text: format!("HTTP {status} without a readable id") },
        }
    }

    fn refused(&self, class: StatusClass, raw: &RawAnswer, payment: &Payment) -> Answer {
        let profile = &self.settings.profile;
        let refusal = Refusal::read(&raw.body, &profile.error);
        let text = self.words(raw.status, &refusal, payment.row.destination.reveal());
        let stop = |text: String| Answer::StopLane {
            text: format!(
                "{text}; check api_key, the certificate and the account's rights with Capay, then \
                 start the lane"
            ),
            retry_after_ms: None,
        };
        let is_about_us = class == StatusClass::Credentials || refusal.names_credentials();
        let may_exist = if is_about_us {
            refusal.is_of_existing(profile, payment.reference.as_str())
        } else {
            refusal.may_be_of_existing(profile)
        };
        match class {
            // Before all that says "nothing was created".
            StatusClass::Conflict => Answer::Exists { text },
            _ if may_exist => Answer::Exists { text },
            StatusClass::TooMany => {
                let retry_after_ms = Some(raw.retry_after_ms.unwrap_or(PAUSE_MS));
                Answer::Later { text, retry_after_ms }
            }
            _ if is_about_us => stop(text),
            _ if raw.status == 400 && !refusal.properties.is_empty() => {
                Answer::Refused { text, created_nothing: true }
            }
            _ if refusal.speaks_of_credentials() => stop(text),
            _ => Answer::Unlisted { text },
        }
    }
}
