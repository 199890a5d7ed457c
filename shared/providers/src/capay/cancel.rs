//! Asks Capay to drop what is not paid yet, by its own id. Only a look-up tells what became of it;
//! a success that arrives afterwards makes the payout disputed (S14).

use super::line::{NoAnswer, Outgoing};
use super::refusal::Refusal;
use super::token::NoToken;
use super::{Capay, Line};
use crate::api::{Cancel, CancelAnswer, Payment};
use crate::http::{RawAnswer, SendError, StatusClass, class_of_status};
use bytes::Bytes;
use futures::future::BoxFuture;

/// The call has no fields; a body that is JSON all the same offends nobody.
const BODY: Bytes = Bytes::from_static(b"{}");

impl Cancel for Capay {
    fn cancel(&self, payment: Payment) -> BoxFuture<'_, CancelAnswer> {
        Box::pin(async move {
            let outgoing = match self.cancel_request(&payment) {
                Ok(outgoing) => outgoing,
                Err(text) => return CancelAnswer::Refused { text: format!("not sent: {text}") },
            };
            let (line, outgoing) = outgoing;
            match line.call(&outgoing).await {
                Ok(raw) => self.read_cancel(&raw, &payment),
                Err(NoAnswer::Token(NoToken::Refused(text))) => CancelAnswer::Refused { text },
                Err(NoAnswer::Send(error @ SendError::Unknown(_))) => {
                    CancelAnswer::Unknown { text: error.to_string() }
                }
                Err(error) => CancelAnswer::Refused { text: error.text() },
            }
        })
    }
}

impl Capay {
    fn cancel_request(&self, payment: &Payment) -> Result<(&Line, Outgoing<'static>), String> {
        let line = self.line.as_ref().ok_or_else(|| self.offline())?;
        let client_id = self.settings.client(&payment.row)?;
        let id = payment.past.provider_id.as_deref();
        let id =
            id.ok_or("Capay cancels by its own id, and told none; look the payout up first")?;
        let query: Vec<_> = self.client_query(client_id).into_iter().collect();
        let url = self.settings.profile.cancel_path.url_of(&line.base, id).with_query(&query);
        Ok((line, Outgoing::post(url, BODY)))
    }

    /// What the answer to a cancellation means. Pure.
    pub(super) fn read_cancel(&self, raw: &RawAnswer, payment: &Payment) -> CancelAnswer {
        let refusal = Refusal::read(&raw.body, &self.settings.profile.error);
        let text = self.words(raw.status, &refusal, payment.row.destination.reveal());
        match class_of_status(raw.status) {
            StatusClass::Told => CancelAnswer::Taken,
            StatusClass::Unknown => CancelAnswer::Unknown { text },
            StatusClass::Credentials
            | StatusClass::TooMany
            | StatusClass::Refused
            | StatusClass::Conflict => CancelAnswer::Refused { text },
        }
    }
}
