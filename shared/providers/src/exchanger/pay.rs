//! `pay_bid`: tells the site that an order was funded. What became of it is a look-up's to say.
//!
//! The engine asks for it where the lane is prepaid and a look-up of this adapter has just seen
//! the order wait; a person asks for it after funding an order. Without such a look-up the order
//! is looked at first: it must be ours, wait for money, and take this call.

use super::Exchanger;
use super::ask::Trouble;
use super::errors::{Reply, Stop, words};
use super::line::Line;
use super::php::Php;
use super::status::{By, Meaning};
use super::wire::{BidId, Form, Order};
use crate::api::{Confirm, Payment, SendGate, Step, StepAnswer};
use crate::http::{RawAnswer, SendError};
use crate::settings::OFFLINE;
use futures::future::BoxFuture;
use std::sync::{Arc, PoisonError};

const METHOD: &str = "pay_bid";
/// Orders that are remembered as waiting; any further one costs a question of its own.
const STEPS_DUE_MAX: usize = 10_000;

/// What an act on an order came to, where it did not come off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotDone {
    /// The site refused, and nothing happened.
    Refused(String),
    /// No readable answer.
    Unknown(String),
    /// Certainly not sent.
    NotSent(String),
}

impl Confirm for Exchanger {
    fn confirm(&self, step: Step) -> BoxFuture<'_, StepAnswer> {
        Box::pin(async move {
            let Some(line) = &self.line else {
                return StepAnswer::NotSent { text: OFFLINE.to_owned() };
            };
            // One order a step, as the engine sends them; of several, the first that is not
            // taken ends it, and a look-up tells which were.
            let mut done = 0_usize;
            for payment in &step.payments {
                let error = match self.pay(line, payment, Arc::clone(&step.gate)).await {
                    Ok(()) => {
                        done += 1;
                        continue;
                    }
                    Err(error) => error,
                };
                return match error {
                    NotDone::Refused(text) | NotDone::NotSent(text) if done > 0 => {
                        StepAnswer::Unknown { text: format!("{done} taken, then: {text}") }
                    }
                    NotDone::Refused(text) => StepAnswer::Refused { text },
                    NotDone::Unknown(text) => StepAnswer::Unknown { text },
                    NotDone::NotSent(text) => StepAnswer::NotSent { text },
                };
            }
            StepAnswer::Taken
        })
    }
}

impl Exchanger {
    async fn pay(
        &self,
        line: &Line,
        payment: &Payment,
        gate: Arc<dyn SendGate>,
    ) -> Result<(), NotDone> {
        let known = payment.past.provider_id.as_deref().and_then(BidId::read);
        let hash = match known.and_then(|bid| bid.hash) {
            Some(hash) if self.is_step_due(&hash) => hash,
            _ => self.payable(line, payment).await?,
        };
        let body = Form::new().with("hash", &hash).finish();
        match line.post_gated(METHOD, body, gate).await {
            Ok(raw) => self.read_act(METHOD, &raw, payment.row.destination.reveal()),
            Err(error @ SendError::Unknown(_)) => Err(NotDone::Unknown(error.to_string())),
            Err(error) => Err(NotDone::NotSent(error.to_string())),
        }
    }

    /// Remembers that a look-up saw an order wait for `pay_bid`, on a lane that may call it.
    pub(super) fn step_is_due(&self, hash: &str) {
        let mut due = self.steps_due.lock().unwrap_or_else(PoisonError::into_inner);
        if due.len() < STEPS_DUE_MAX {
            due.insert(hash.to_owned());
        }
    }

    /// Whether one did; it counts for one call.
    fn is_step_due(&self, hash: &str) -> bool {
        self.steps_due.lock().unwrap_or_else(PoisonError::into_inner).remove(hash)
    }

    /// The hash of an order that may be paid by this call.
    async fn payable(&self, line: &Line, payment: &Payment) -> Result<String, NotDone> {
        let refused = |text: String| Err(NotDone::Refused(text));
        let order = match self.order_of(line, payment).await {
            Ok(order) => order,
            Err(text) => return Err(NotDone::NotSent(text)),
        };
        if let Err(doubt) = self.check(&order, payment) {
            return refused(format!("the order is not what was ordered: {doubt}"));
        }
        let (meaning, _) = self.settings.statuses.meaning(&order.status);
        if meaning != Meaning::Created {
            return refused("the order does not wait for money".to_owned());
        }
        match order.actions.as_ref().map(|actions| &actions.pay) {
            Some(By::Api) => {}
            Some(By::Link(link)) => return refused(format!("the site wants it paid at {link}")),
            _ => return refused("the site sees the money by itself".to_owned()),
        }
        order.hash.ok_or_else(|| NotDone::Refused("the site tells no hash of it".to_owned()))
    }

    /// The order of a payment as `bid_info` tells it now: by its id, else by our reference.
    pub(super) async fn order_of(&self, line: &Line, payment: &Payment) -> Result<Order, String> {
        let account = payment.row.destination.reveal();
        let known = payment.past.provider_id.as_deref().and_then(BidId::read);
        let bid = match known {
            Some(bid) => bid,
            None => {
                let reference = payment.reference.as_str();
                let form = Form::new().with("api_id", reference);
                let data = self.ask_site(line, "get_exchanges", form, &[account]).await;
                let orders = self.read_page(&data.map_err(Trouble::text)?)?;
                let mut ours =
                    orders.into_iter().filter(|o| o.api_id.as_deref() == Some(reference));
                match (ours.next(), ours.next()) {
                    (Some(order), None) => BidId { id: order.id, hash: order.hash },
                    (Some(_), Some(_)) => return Err("several orders carry our id".to_owned()),
                    (None, _) => return Err("the site shows no order with our id".to_owned()),
                }
            }
        };
        let data = self.ask_site(line, "bid_info", info_form(&bid), &[account]).await;
        self.order_in(&data.map_err(Trouble::text)?, &bid)
    }

    /// The order in an answer of `bid_info`, which must be about the one that was asked for.
    pub(super) fn order_in(&self, data: &Php, bid: &BidId) -> Result<Order, String> {
        let Some(order) = Order::read(data, &self.settings.expiry_field) else {
            return Err("bid_info: the answer has no id or no status".to_owned());
        };
        let is_same_hash = match (&order.hash, &bid.hash) {
            (Some(told), Some(asked)) => told == asked,
            _ => true,
        };
        if order.id != bid.id || !is_same_hash {
            return Err("bid_info: the answer is about another order".to_owned());
        }
        Ok(order)
    }

    /// An act that moves no money, such as `cancel_bid`; told without `account`.
    pub(super) async fn act_on(
        &self,
        line: &Line,
        method: &str,
        hash: &str,
        account: &str,
    ) -> Result<(), NotDone> {
        match line.post(method, Form::new().with("hash", hash)).await {
            Ok(raw) => self.read_act(method, &raw, account),
            Err(error @ SendError::Unknown(_)) => Err(NotDone::Unknown(error.to_string())),
            Err(error) => Err(NotDone::NotSent(error.to_string())),
        }
    }

    /// What the answer to an act means. Pure.
    pub(super) fn read_act(
        &self,
        method: &str,
        raw: &RawAnswer,
        account: &str,
    ) -> Result<(), NotDone> {
        let refused = |words: &str, advice: &str| {
            Err(NotDone::Refused(format!("{method}: {words}; {advice}")))
        };
        match self.settings.errors.reply(raw) {
            Reply::Done(_) => Ok(()),
            Reply::Said(said) => {
                let text = self.quote(&words(&said), account);
                match (self.settings.errors.stop(&said), said.code.as_str()) {
                    (Some(why), _) => refused(&text, &why.advice(method)),
                    (None, "1") => refused(&text, "the site does not know the order"),
                    (None, "2") => refused(&text, "maintenance, or the action is switched off"),
                    (None, _) => Err(NotDone::Unknown(format!("{method}: {text}"))),
                }
            }
            Reply::Disabled => refused("\"Api disabled\"", &Stop::Disabled.advice(method)),
            Reply::Forbidden => {
                refused(&format!("HTTP {}", raw.status), &Stop::Disabled.advice(method))
            }
            Reply::TooMany => refused("too many requests", "try again later"),
            Reply::Empty => Err(NotDone::Unknown(format!("{method}: an empty answer"))),
            Reply::Unreadable(text) => Err(NotDone::Unknown(format!("{method}: {text}"))),
        }
    }
}

/// By its hash where that is known: nobody guesses one.
pub(super) fn info_form(bid: &BidId) -> Form {
    match &bid.hash {
        Some(hash) => Form::new().with("hash", hash),
        None => Form::new().with("id", &bid.id),
    }
}
