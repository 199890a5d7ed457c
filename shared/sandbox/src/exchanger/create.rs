//! `create_bid`: once the order is in the book it stands, whatever the client is told. Nothing is
//! paid by it.

use std::sync::Arc;

use hyper::StatusCode;
use rust_decimal::Decimal;
use serde_json::Map;

use super::bid::{Bid, Order};
use super::book::CreateError;
use super::check::Wrong;
use super::envelope::{Envelope, JSON, broken};
use super::form::Form;
use super::magic::{self, Magic};
use super::site::Site;
use crate::clock::lock;
use crate::dial::Fault;
use crate::server::Reply;

impl Site {
    pub(super) fn create(&self, form: &Form) -> Reply {
        if let Some(reply) = self.fault_before() {
            return reply;
        }
        match self.take(form) {
            Ok(order) => {
                self.cancel_later(&order);
                self.fault_after().unwrap_or_else(|| self.answer_create(&order))
            }
            Err(reply) => reply,
        }
    }

    fn take(&self, form: &Form) -> Result<Arc<Order>, Reply> {
        let order = self.check(form).map_err(|refusal| refusal.reply())?;
        self.check_magic(&order).map_err(|refusal| refusal.reply())?;
        let may_repeat = !self.config.refuse_repeated_api_id;
        lock(&self.book).create(order, may_repeat).map_err(|error| match error {
            CreateError::NotUnique => not_unique().reply(),
            CreateError::Write(error) => Self::not_written(&error),
        })
    }

    fn check_magic(&self, order: &Order) -> Result<(), Envelope> {
        if self.dial.strikes(Fault::Refused) {
            return Err(not_this_account());
        }
        if !self.config.magic {
            return Ok(());
        }
        match magic::of(order.get) {
            Magic::Refused => Err(not_this_account()),
            Magic::MaintenanceOnce if lock(&self.put_off).insert(identity(order)) => {
                Err(Envelope::refused(2, "Maintenance").with_fields(Map::new()))
            }
            Magic::Undocumented => {
                let text = "<b>The exchange was put aside, code 7741</b>";
                Err(Envelope::refused(7, text).with_fields(Map::new()))
            }
            Magic::MaintenanceOnce | Magic::Cancelled | Magic::Settles(_) => Ok(()),
        }
    }

    fn fault_before(&self) -> Option<Reply> {
        if self.dial.strikes(Fault::HangBefore) {
            return Some(Reply::Hang);
        }
        if self.dial.strikes(Fault::ResetBefore) {
            return Some(Reply::Reset);
        }
        self.dial.strikes(Fault::ErrorBefore).then(broken)
    }

    fn fault_after(&self) -> Option<Reply> {
        if self.dial.strikes(Fault::HangAfter) {
            return Some(Reply::Hang);
        }
        if self.dial.strikes(Fault::ResetAfter) {
            return Some(Reply::Reset);
        }
        self.dial.strikes(Fault::ErrorAfter).then(broken)
    }

    fn answer_create(&self, order: &Arc<Order>) -> Reply {
        // Told as it was created, whatever happened to it in the meantime.
        let mut told = Bid { order: Arc::clone(order), changes: Vec::new() };
        if self.dial.strikes(Fault::AnswerDiffers) {
            told.order = Arc::new(Order { get: order.get + Decimal::ONE, ..Order::clone(order) });
        }
        let mut data = self.details(&told);
        if self.dial.strikes(Fault::AnswerIncomplete)
            && let Some(fields) = data.as_object_mut()
        {
            fields.remove("hash");
            fields.remove("amount_get");
        }
        let mut body = Envelope::of(data).with_fields(Map::new()).bytes();
        if self.dial.strikes(Fault::AnswerMalformed) {
            body.truncate(body.len() / 2);
        }
        Reply::text(StatusCode::OK, JSON, body)
    }
}

/// The text is all that tells it from other refusals.
fn not_unique() -> Envelope {
    Envelope::refused(3, "Error! API ID is not unique").with_fields(Map::new())
}

/// What makes the second try of an order its second.
fn identity(order: &Order) -> String {
    format!("{} {} {}", order.api_id, order.account2, order.get)
}

fn not_this_account() -> Envelope {
    Wrong::default().field("account2", "the account cannot be paid to").refusal()
}
