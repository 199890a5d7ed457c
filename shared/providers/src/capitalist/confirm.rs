//! `process_batch`: the code from the SMS, for one batch. What became of the batch is told by a
//! look-up alone: `READY` means that it was not confirmed.

use super::Capitalist;
use super::auth::MOBILE;
use super::data::{PROCESS, Processed};
use super::errors::{self, Class};
use super::line::{Line, Way};
use super::rest::Failure;
use super::wire::Reply;
use crate::api::{Confirm, Step, StepAnswer};
use crate::http::{SendError, StatusClass};
use crate::settings::OFFLINE;
use crate::told::text;
use futures::future::BoxFuture;

/// A code is short; what is longer was pasted by mistake.
const CODE_BYTES_MAX: usize = 32;

impl Confirm for Capitalist {
    fn ready(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Some(line) = &self.line {
                line.ready().await;
            }
        })
    }

    fn confirm(&self, step: Step) -> BoxFuture<'_, StepAnswer> {
        Box::pin(async move {
            let refused = |text: &str| StepAnswer::Refused { text: text.to_owned() };
            let Some(line) = &self.line else { return refused(OFFLINE) };
            let code = step.code.as_deref().map(str::trim).unwrap_or_default();
            if code.is_empty() {
                return refused("not sent: the batch waits for the code from the SMS");
            }
            if code.len() > CODE_BYTES_MAX || !code.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return refused("not sent: a code has letters and digits, at most 32");
            }
            let mut handles = step.payments.iter().map(|payment| payment.past.shipment.as_deref());
            let Some(Some(handle)) = handles.next() else {
                return refused("not sent: the provider told no batch id of these payouts");
            };
            if handles.any(|other| other != Some(handle)) {
                return refused("not sent: these payouts are of more than one batch");
            }
            let fields =
                [("batch_id", handle), ("verification_type", MOBILE), ("verification_data", code)];
            match line.ask("process_batch", &PROCESS, &fields, Way::Gated(&step.gate)).await {
                Ok(reply) => read_confirm(line, &reply, code),
                Err(Failure::NoToken(trouble)) => StepAnswer::NotSent { text: trouble.text },
                Err(Failure::Send(error @ SendError::Unknown(_))) => {
                    StepAnswer::Unknown { text: error.to_string() }
                }
                Err(Failure::Send(error)) => StepAnswer::NotSent { text: error.to_string() },
            }
        })
    }
}

/// What the answer to a code means; the code is in no text. Pure.
fn read_confirm(line: &Line, reply: &Reply, code: &str) -> StepAnswer {
    let status = reply.status;
    let unknown = |text: &str| StepAnswer::Unknown { text: format!("HTTP {status} {text}") };
    let told = match (reply.class, &reply.told) {
        (StatusClass::Unknown, _) | (_, None) => return unknown("says nothing about the code"),
        (_, Some(told)) => told,
    };
    if told.code == 0 {
        let data: Processed<'_> = told.data().unwrap_or_default();
        let success = text(data.verification_success);
        return match (reply.class, success.as_deref().map(str::trim)) {
            (StatusClass::Told, Some("1")) => StepAnswer::Taken,
            (StatusClass::Told, Some("2")) => {
                StepAnswer::Refused { text: "the code is wrong; enter the right one".to_owned() }
            }
            _ => unknown("without a readable verificationSuccess"),
        };
    }
    let text = line.refusal_hiding(told, [code]);
    match errors::class(told.code) {
        // Given before the batch was looked at, or about the code itself.
        Class::Unread | Class::Locked | Class::Token | Class::Setup | Class::Code => {
            StepAnswer::Refused { text }
        }
        _ => StepAnswer::Unknown { text },
    }
}
