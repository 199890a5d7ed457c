//! `create_bid`: one row, sent once, and what its answer means. No money moves by it.
//!
//! What must be asked before it (whose key, which amount) is asked once and remembered: a create
//! that missed its moment because of a question leaves in the next one without any.
//!
//! ```text
//!   not sent ──▶ NotSent (gate), Later (no connection)
//!   error 0, ours ──▶ Begun            error 0, another amount ──▶ cancel_bid, Differs
//!   a listed error ──▶ Exists, Refused, Later, StopLane
//!   everything else ──▶ Unknown
//! ```

use super::Exchanger;
use super::agree::Doubt;
use super::ask::Trouble;
use super::direction::{self, Direction};
use super::errors::{Class, Reply, Stop, words};
use super::line::Line;
use super::php::Php;
use super::status::By;
use super::wire::{Envelope, Form, Order};
use crate::answer::Answer;
use crate::api::{CallbackKind, Payment, SendGate};
use crate::http::{RawAnswer, SendError};
use crate::settings::OFFLINE;
use domain::LaneName;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

/// How long the lane waits when no connection comes about, or after a 429 that names no time.
const PAUSE_MS: u64 = 1_000;
pub(super) const METHOD: &str = "create_bid";

/// A create's answer, and an order that is to be cancelled because it is not what was ordered.
pub(super) struct Read {
    pub(super) answer: Answer,
    pub(super) cancel: Option<String>,
}

impl From<Answer> for Read {
    fn from(answer: Answer) -> Read {
        Read { answer, cancel: None }
    }
}

impl Exchanger {
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
        let Some(direction) = direction::of(&self.settings.directions, &payment.row) else {
            // Intake refuses such rows; the lane's settings may have changed since.
            let text = "not sent: no direction of the lane pays this method and currency";
            return Answer::Unlisted { text: text.to_owned() };
        };
        if let Err(trouble) = self.refuse_system(line).await {
            return nothing_sent(trouble);
        }
        let reference = payment.reference.as_str();
        if self.settings.quote_before_create
            && !self.checked.has(reference, Instant::now())
            && let Err(answer) = self.quote_first(line, direction, payment).await
        {
            return answer;
        }
        let body = self.create_body(line, lane, direction, payment);
        let raw = match line.post_gated(METHOD, body, gate).await {
            Ok(raw) => raw,
            Err(SendError::GateClosed) => return Answer::NotSent,
            Err(error @ SendError::NotSent(_)) => {
                return Answer::Later { text: error.to_string(), retry_after_ms: Some(PAUSE_MS) };
            }
            Err(error @ SendError::Unknown(_)) => {
                self.checked.forget(reference);
                return Answer::Unknown { text: error.to_string() };
            }
        };
        self.checked.forget(reference);
        let Read { answer, cancel } = self.read_create(&raw, payment);
        match (answer, cancel) {
            (Answer::Differs { text }, Some(hash)) => {
                let account = payment.row.destination.reveal();
                // Nobody has funded it; what became of the cancellation is for the person to see.
                let cancelled = self.act_on(line, "cancel_bid", &hash, account).await.is_ok();
                let what = if cancelled { "; it was cancelled" } else { "; cancel it at the site" };
                Answer::Differs { text: text + what }
            }
            (answer, _) => answer,
        }
    }

    /// The body of a create; a field without a value is left out.
    pub(super) fn create_body(
        &self,
        line: &Line,
        lane: &LaneName,
        direction: &Direction,
        payment: &Payment,
    ) -> String {
        let row = &payment.row;
        let callback = line.callbacks.as_ref().map(|callbacks| {
            callbacks.url(lane, payment.place, payment.attempt, CallbackKind::Status)
        });
        let mut form = self
            .amount_form(direction, payment)
            .maybe("account1", direction.value("account1", row))
            .with("account2", row.destination.reveal());
        for (field, _) in direction.fields.iter().filter(|(field, _)| field != "account1") {
            form = form.maybe(field, direction.value(field, row));
        }
        let partner = self.settings.partner_id.map(|id| id.to_string());
        form.maybe("partner_id", partner.as_deref())
            .with("api_id", payment.reference.as_str())
            .maybe("callback_url", callback.as_deref())
            .finish()
    }

    fn amount_form(&self, direction: &Direction, payment: &Payment) -> Form {
        Form::new()
            .with("direction_id", &direction.id.to_string())
            .with("calc_amount", &payment.row.money.amount().to_string())
            .with("calc_action", &self.settings.calc_action.to_string())
    }

    /// `get_calc`: would the site take the amount as it is?
    async fn quote_first(
        &self,
        line: &Line,
        direction: &Direction,
        payment: &Payment,
    ) -> Result<(), Answer> {
        let rules = self.rules();
        let rule = rules.as_ref().and_then(|rules| rules.of(direction.id));
        let cd = rule.and_then(|rule| rule.cd(direction, &payment.row));
        let form = self.amount_form(direction, payment).maybe("cd", cd.as_deref());
        let account = payment.row.destination.reveal();
        match self.ask_site(line, "get_calc", form, &[account]).await {
            Ok(quote) => match quote.text_of("changed") {
                Some("0") => {
                    self.checked.remember(payment.reference.as_str(), Instant::now());
                    Ok(())
                }
                Some(_) => Err(Answer::Refused {
                    text: "get_calc: the site does not take the amount as it is".to_owned(),
                    created_nothing: true,
                }),
                None => Err(nothing_sent(Trouble::Unclear(
                    "get_calc: the answer has no readable \"changed\"".to_owned(),
                ))),
            },
            Err(trouble) => Err(nothing_sent(trouble)),
        }
    }

    /// What the answer to a create means. Pure, but for a warning in the log.
    pub(super) fn read_create(&self, raw: &RawAnswer, payment: &Payment) -> Read {
        let unknown = |text: String| Answer::Unknown { text }.into();
        match self.settings.errors.reply(raw) {
            Reply::Done(envelope) => match &envelope.data {
                Some(data) => self.created(data, payment),
                None => unknown("the answer has no data".to_owned()),
            },
            Reply::Said(said) => self.refused(&said, payment).into(),
            Reply::Disabled => stop("\"Api disabled\"", Stop::Disabled).into(),
            Reply::Forbidden => stop(&format!("HTTP {}", raw.status), Stop::Disabled).into(),
            Reply::TooMany => Answer::Later {
                text: "too many requests".to_owned(),
                retry_after_ms: Some(raw.retry_after_ms.unwrap_or(PAUSE_MS)),
            }
            .into(),
            Reply::Empty => unknown("an empty answer".to_owned()),
            Reply::Unreadable(text) => unknown(text),
        }
    }

    /// `error: 0`: ours, if amount and currency are.
    fn created(&self, data: &Php, payment: &Payment) -> Read {
        let Some(order) = Order::read(data, &self.settings.expiry_field) else {
            return Answer::Unknown { text: "the answer has no id or no status".to_owned() }.into();
        };
        if order.api_id.as_deref().is_some_and(|told| told != payment.reference.as_str()) {
            // Nothing is said of ours, and a stranger's order is not ours to cancel.
            let text = "the answer is about an order with another api_id".to_owned();
            return Answer::Unknown { text }.into();
        }
        match self.check(&order, payment) {
            Ok(()) => {}
            Err(doubt @ Doubt::Missing(_)) => {
                return Answer::Unknown { text: doubt.to_string() }.into();
            }
            Err(Doubt::Differs(text)) => {
                let by_api = order.actions.as_ref().is_some_and(|a| a.cancel == By::Api);
                let cancel = order.hash.filter(|_| by_api);
                return Read { answer: Answer::Differs { text }, cancel };
            }
        }
        Answer::Begun { provider_id: Some(order.provider_id()), cost: order.cost() }.into()
    }

    fn refused(&self, said: &Envelope, payment: &Payment) -> Answer {
        let text = self.quote(&words(said), payment.row.destination.reveal());
        match self.settings.errors.of_create(said) {
            Class::Exists => Answer::Exists { text },
            Class::Refused => Answer::Refused { text, created_nothing: true },
            Class::DirectionClosed => {
                self.warn_once(payment, &text);
                Answer::Refused { text, created_nothing: true }
            }
            Class::Later => {
                Answer::Later { text, retry_after_ms: Some(self.settings.maintenance_retry_ms) }
            }
            Class::Stop(why) => stop(&text, why),
            Class::Unlisted => Answer::Unknown { text },
        }
    }

    /// Tells the log of a refusal that will meet every row of the direction, once.
    fn warn_once(&self, payment: &Payment, text: &str) {
        let direction = direction::of(&self.settings.directions, &payment.row);
        let Some(id) = direction.map(|direction| direction.id) else { return };
        if self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(id) {
            tracing::warn!(lane = %self.lane, direction = id, text, "payouts are refused");
        }
    }
}

fn stop(words: &str, why: Stop) -> Answer {
    let text = format!("{words}; {}, then start the lane", why.advice(METHOD));
    Answer::StopLane { text, retry_after_ms: None }
}

/// A question that comes before the create was not answered: the create was never sent.
fn nothing_sent(trouble: Trouble) -> Answer {
    match trouble {
        Trouble::Stop(text) => Answer::StopLane { text, retry_after_ms: None },
        Trouble::Missing(text) | Trouble::Unclear(text) => {
            Answer::Later { text, retry_after_ms: Some(PAUSE_MS) }
        }
    }
}
