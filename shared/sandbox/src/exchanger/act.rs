//! `pay_bid`, `cancel_bid`, `success_bid`, and money that arrives: what changes an order's status.
//!
//! An act whose status already stands changes nothing and is told so as if it had.

use std::io;

use serde_json::json;

use super::bid::{Bid, Status};
use super::direction::Pay;
use super::envelope::{Envelope, broken};
use super::form::Form;
use super::site::Site;
use crate::clock::{lock, unix_ms};
use crate::dial::Fault;
use crate::server::Reply;

impl Site {
    /// The client says that it paid. It is believed.
    pub(super) fn pay(&self, form: &Form) -> Reply {
        if self.dial.strikes(Fault::StepResetBefore) {
            return Reply::Reset;
        }
        let is_allowed = |bid: &Bid| self.pay_of(bid.order.direction_id) == Pay::Api;
        let answer = self.act(form, Status::Payed, &[Status::New], is_allowed);
        if self.dial.strikes(Fault::StepHangAfter) {
            return Reply::Hang;
        }
        if self.dial.strikes(Fault::StepErrorAfter) {
            return broken();
        }
        answer.reply()
    }

    pub(super) fn cancel(&self, form: &Form) -> Envelope {
        self.act(form, Status::Cancel, &[Status::New], |_| true)
    }

    /// An administrator's act: it completes whatever there is, a cancelled order too.
    pub(super) fn succeed(&self, form: &Form) -> Envelope {
        let from = [Status::New, Status::Payed, Status::Cancel];
        self.act(form, Status::Success, &from, |_| true)
    }

    fn act(
        &self,
        form: &Form,
        to: Status,
        from: &[Status],
        is_allowed: impl Fn(&Bid) -> bool,
    ) -> Envelope {
        let no_bid = || Envelope::refused(1, "No bid exists");
        let Some(seq) = self.seq_of_hash(form.text("hash")) else { return no_bid() };
        let Some(bid) = lock(&self.book).get(seq).cloned() else { return no_bid() };
        if !is_allowed(&bid) {
            return Envelope::refused(2, "Action disabled");
        }
        match self.change(seq, from, to) {
            Ok(true) => Envelope::of(json!({ "status": to.word() })),
            Ok(false) if self.status_of(seq) == Some(to) => {
                Envelope::of(json!({ "status": to.word() }))
            }
            Ok(false) => Envelope::refused(2, "Action disabled"),
            Err(error) => {
                tracing::error!(%error, "an act was not written");
                Envelope::refused(2, "Maintenance")
            }
        }
    }

    /// Changes an order's status, has the change told, and lets it take its course.
    pub(super) fn change(&self, seq: usize, from: &[Status], to: Status) -> io::Result<bool> {
        let change = lock(&self.book).change(seq, from, to, unix_ms())?;
        if let Some(change) = change {
            self.tell(seq, change);
            if to == Status::Payed {
                self.settle_later(seq);
            }
        }
        Ok(change.is_some())
    }

    /// Money arrives for an order. One that does not wait for any is paid for twice: a second
    /// entry in the ledger. Returns the status then; `None` without the order.
    pub(super) fn fund(&self, id: u64) -> io::Result<Option<Status>> {
        let Some(seq) = Self::seq_of_id(id).filter(|seq| self.status_of(*seq).is_some()) else {
            return Ok(None);
        };
        if !self.change(seq, &[Status::New], Status::Payed)? {
            lock(&self.book).overpaid(seq, unix_ms())?;
        }
        Ok(self.status_of(seq))
    }

    pub(super) fn status_of(&self, seq: usize) -> Option<Status> {
        lock(&self.book).get(seq).map(Bid::status)
    }

    pub(super) fn pay_of(&self, direction_id: u32) -> Pay {
        let found = self.directions.iter().find(|direction| direction.id == direction_id);
        found.map_or(Pay::Module, |direction| direction.pay)
    }
}
