//! `GET /transactions/payouts…`: where payouts stand, and the ways in which a look-up may lie.
//!
//! The list shows one owner's payouts only: the `clientId` that is asked for or, without it, the
//! caller itself. A Program Manager who leaves it out sees nothing of its clients, which looks like
//! absence and is none.

use std::ops::RangeInclusive;

use hyper::{StatusCode, Uri};
use jiff::Timestamp;

use super::check::Wrong;
use super::gateway::Gateway;
use super::order::Payout;
use super::page::{Paging, parameter};
use super::wire::{Page, PayoutBody, iso};
use crate::clock::lock;
use crate::dial::Fault;
use crate::server::{Call, Reply};

/// Without `createdFrom` and `createdTo`.
const ALL_TIMES: RangeInclusive<u64> = 0..=u64::MAX;

/// `createdFrom` and `createdTo`, both included, whole seconds counting to their end.
fn made_within(uri: &Uri) -> Result<RangeInclusive<u64>, Wrong> {
    let moment = |name: &'static str| match parameter(uri, name) {
        None => Ok(None),
        Some(text) => {
            let at = text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
            let at = at.and_then(|ms| u64::try_from(ms).ok());
            at.map(Some).ok_or_else(|| Wrong::new(name, "must be a moment in RFC 3339"))
        }
    };
    let (from, to) = (moment("createdFrom")?, moment("createdTo")?);
    Ok(from.unwrap_or(0)..=to.map_or(u64::MAX, |to| to.saturating_add(999)))
}

impl Gateway {
    pub(super) fn status(&self, call: &Call, id: &str) -> Result<Reply, Reply> {
        self.admit_lookup(call)?;
        self.fault_of_lookup()?;
        let found = self.seq_of(id).and_then(|seq| lock(&self.book).get(seq).cloned());
        match found {
            Some(payout) if !self.dial.strikes(Fault::StatusBlind) => {
                Ok(Reply::json(StatusCode::OK, &self.body(&payout)))
            }
            _ => Err(self.not_found()),
        }
    }

    /// Oldest first, so that pages do not shift while payouts are added.
    pub(super) fn list(&self, call: &Call) -> Result<Reply, Reply> {
        self.admit_lookup(call)?;
        let asked = Paging::of(call.uri()).map_err(|wrong| self.refuse(&wrong))?;
        self.calls.asked_for(asked.limit);
        self.fault_of_lookup()?;
        let reference = parameter(call.uri(), "reference")
            .filter(|_| !self.dial.strikes(Fault::StatusFilterIgnored));
        let made = made_within(call.uri()).map_err(|wrong| self.refuse(&wrong))?;
        let mut found = self.matching(reference.as_deref(), parameter(call.uri(), "clientId"));
        if made != ALL_TIMES && !self.dial.strikes(Fault::StatusFilterIgnored) {
            let book = lock(&self.book);
            let is_within = |seq: &usize| {
                book.get(*seq).is_some_and(|payout| made.contains(&payout.order.created_ms))
            };
            found.retain(is_within);
        }
        let is_blind = !found.is_empty() && self.dial.strikes(Fault::StatusBlind);
        let found = if is_blind { Vec::new() } else { found };
        let given = if self.dial.strikes(Fault::StatusOtherPage) { asked.next() } else { asked };
        let Page { data, skip, limit, total } = given.cut(&found, |seq| *seq);
        let payouts: Vec<Payout> = {
            let book = lock(&self.book);
            data.into_iter().filter_map(|seq| book.get(seq).cloned()).collect()
        };
        let data = payouts.iter().map(|payout| self.body(payout)).collect();
        Ok(Reply::json(StatusCode::OK, &Page { data, skip, limit, total }))
    }

    /// The places of one owner's payouts, with this reference if one is given.
    fn matching(&self, reference: Option<&str>, client_id: Option<String>) -> Vec<usize> {
        let book = lock(&self.book);
        let is_owned = |payout: &&Payout| payout.order.client_id.as_deref() == client_id.as_deref();
        let place = |payout: &Payout| payout.order.seq;
        match reference {
            None => book.from(0).iter().filter(is_owned).map(place).collect(),
            Some(reference) => {
                let all = book.under(reference).iter().filter_map(|seq| book.get(*seq));
                all.filter(is_owned).map(place).collect()
            }
        }
    }

    pub(super) fn not_found(&self) -> Reply {
        self.error(StatusCode::NOT_FOUND, "payout not found")
    }

    fn body<'a>(&self, payout: &'a Payout) -> PayoutBody<'a> {
        let order = &payout.order;
        PayoutBody {
            id: self.id(order.seq),
            ticket_id: self.ticket_id(order.seq),
            status: payout.state().word(),
            reference: &order.reference,
            amount: order.amount.to_string(),
            currency: &order.currency,
            purpose: order.purpose.as_deref(),
            client_id: order.client_id.as_deref(),
            payee: &order.payee,
            created_at: iso(order.created_ms),
            updated_at: iso(payout.updated_ms()),
        }
    }

    fn fault_of_lookup(&self) -> Result<(), Reply> {
        if self.dial.strikes(Fault::StatusHang) {
            return Err(Reply::Hang);
        }
        if self.dial.strikes(Fault::StatusError) {
            return Err(self.internal_error());
        }
        if self.dial.strikes(Fault::StatusEmpty) {
            return Err(Reply::empty(StatusCode::OK));
        }
        if self.dial.strikes(Fault::StatusBare404) {
            return Err(Reply::empty(StatusCode::NOT_FOUND));
        }
        Ok(())
    }
}
