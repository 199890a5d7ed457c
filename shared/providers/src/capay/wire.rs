//! What Capay tells, read through the profile; what is asked of it, written through the profile.
//!
//! "Not told" is a value of its own: nothing is made up for a field that is missing, `null`,
//! blank, or not of its kind.

use super::path::is_dots;
use super::pointer::{Node, Pointer, whole};
use super::profile::{AmountAs, Fields, Request};
use crate::api::Payment;
use crate::told::Told;
use bytes::Bytes;
use domain::Method;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The longest id that is kept.
const ID_BYTES_MAX: usize = 128;
/// What a body takes as a rule: longer purposes make it grow once.
const BODY_BYTES: usize = 512;

/// One payout, as an answer, an item of a list or a webhook tells it.
pub(super) struct Record<'a> {
    whole: &'a RawValue,
    fields: &'a Fields,
}

impl<'a> Record<'a> {
    /// A body that is an object.
    pub(super) fn of_body(body: &'a [u8], fields: &'a Fields) -> Option<Record<'a>> {
        Self::of(whole(body)?, fields)
    }

    /// A value that is an object.
    pub(super) fn of(whole: &'a RawValue, fields: &'a Fields) -> Option<Record<'a>> {
        whole.get().starts_with('{').then_some(Record { whole, fields })
    }

    /// Capay's id, if it can stand in a path.
    pub(super) fn id(&self) -> Option<String> {
        let id = self.fields.id.text(self.whole)?;
        let fits = id.len() <= ID_BYTES_MAX && id.bytes().all(|b| b.is_ascii_graphic());
        (fits && !is_dots(&id)).then(|| id.into_owned())
    }

    pub(super) fn ticket_id(&self) -> Option<Cow<'a, str>> {
        self.fields.ticket_id.text(self.whole)
    }

    pub(super) fn status(&self) -> Option<Cow<'a, str>> {
        self.fields.status.text(self.whole)
    }

    pub(super) fn reference(&self) -> Option<Cow<'a, str>> {
        self.fields.reference.text(self.whole)
    }

    pub(super) fn amount(&self) -> Option<Told<'a>> {
        self.fields.amount.find(self.whole).filter(|told| told.text().is_some())
    }

    pub(super) fn currency(&self) -> Option<Cow<'a, str>> {
        self.fields.currency.text(self.whole)
    }

    pub(super) fn client_id(&self) -> Option<Cow<'a, str>> {
        self.fields.client_id.text(self.whole)
    }

    /// The destination, whatever the method is; `None` where several are told.
    pub(super) fn any_destination(&self) -> Option<String> {
        let Fields { beneficiary_id, card, iban, score, wallet, .. } = self.fields;
        let slots = [beneficiary_id, card, iban, score, wallet];
        let told = slots.into_iter().filter_map(|slot| slot.text(self.whole));
        let mut told: Vec<String> = told.map(|text| text.trim().to_owned()).collect();
        told.dedup();
        if told.len() == 1 { told.pop() } else { None }
    }

    /// The destination, where it stands for this method.
    pub(super) fn destination(&self, method: Method, is_registered: bool) -> Option<Cow<'a, str>> {
        let slot = match method {
            _ if is_registered => &self.fields.beneficiary_id,
            Method::Card => &self.fields.card,
            Method::Iban => &self.fields.iban,
            Method::Score => &self.fields.score,
            Method::Wallet => &self.fields.wallet,
            Method::Sbp => return None,
        };
        slot.text(self.whole)
    }
}

/// The body of a create, or why the row cannot be written as one.
pub(super) fn create_body(
    payment: &Payment,
    client_id: Option<&str>,
    request: &Request,
    amount_as: AmountAs,
) -> Result<Bytes, String> {
    let row = &payment.row;
    let destination =
        request.destination(row.method).ok_or("the lane does not offer the method")?;
    let amount = row.money.amount().to_string();
    let amount = match amount_as {
        AmountAs::String => Node::Text(amount),
        AmountAs::Number => {
            let number = RawValue::from_string(amount);
            Node::Number(number.map_err(|_| "the amount cannot be written as a number")?)
        }
    };
    let mut body = Node::empty();
    let mut put = |at: &Pointer, text: &str| body.put(at, Node::Text(text.to_owned()));
    put(&request.reference, payment.reference.as_str())?;
    put(&request.currency, row.money.currency().code())?;
    put(destination, row.destination.reveal())?;
    if let Some((at, word)) = request.kind_of(row.method) {
        put(at, word)?;
    }
    if let (Some(at), Some(client_id)) = (request.client_id.pointer(), client_id) {
        put(at, client_id)?;
    }
    for (column, at) in request.columns_of(row.method) {
        if let Some(value) = row.field(column) {
            put(at, value)?;
        }
    }
    for (at, text) in &request.fixed {
        put(&Pointer::try_from(at.clone())?, text)?;
    }
    body.put(&request.amount, amount)?;
    let mut bytes = Vec::with_capacity(BODY_BYTES);
    serde_json::to_writer(&mut bytes, &body).map_err(|_| "it cannot be written as JSON")?;
    Ok(bytes.into())
}
