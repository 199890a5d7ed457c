//! One look-up before the step is announced, while no deadline runs.
//!
//! It opens the connection, so that names, TCP and TLS cost nothing of the second in which the
//! step must leave (S7). And what the provider already says otherwise of is not confirmed. An
//! answer that tells nothing keeps nothing back: the provider's answer to the step itself counts.

use super::ConfirmError;
use crate::provider::Line;
use domain::News;
use providers::{Found, LookUp, Payment};
use std::time::Duration;

/// Asks about the payments of a call, or as many of them as one look-up takes.
pub(super) async fn ask(line: &Line, payments: &[Payment]) -> Result<(), ConfirmError> {
    let most = line.provider.limits().rows_per_look_up;
    let asked: Vec<Payment> = payments.iter().take(usize::from(most)).cloned().collect();
    let question = LookUp { payments: asked, control: None, turns: line.turns() };
    let patience = Duration::from_millis(line.policy.request_timeout_ms);
    let Ok(told) = tokio::time::timeout(patience, line.provider.look_up(question)).await else {
        tracing::warn!(lane = %line.lane, "no answer to the look-up before the step");
        return Ok(());
    };
    let mut answers = payments.iter().zip(told.found);
    match answers.find_map(|(payment, found)| Some((payment, against(found)?))) {
        Some((payment, text)) => Err(ConfirmError::Otherwise {
            reference: payment.row.reference.as_str().to_owned(),
            text,
        }),
        None => Ok(()),
    }
}

/// What speaks against letting the provider pay it now.
fn against(found: Found) -> Option<String> {
    match found {
        Found::Is { news: News::Paid, .. } => Some("it is paid already".to_owned()),
        Found::Is { news: News::Returned, .. } => Some("it was paid and came back".to_owned()),
        Found::Is { news: News::Differs, text, .. } | Found::Differs { text } => {
            Some(format!("it is not what was sent: {text}"))
        }
        // Of a call of many, the others may still be paid; a failed one alone is refused.
        Found::Is { .. }
        | Found::StepDue { .. }
        | Found::Absent
        | Found::Unclear { .. }
        | Found::StopLane { .. } => None,
    }
}
