//! A payout in the document's words: the body of a callback and of a look-up's answer.

use std::borrow::Cow;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::gateway::Gateway;
use super::order::{Method, Order, Payout, Status};
use super::sign::Field;
use super::wire::PayoutBody;
use crate::dial::Fault;

/// The `type` of every genuine callback.
const PAY_OUT: &str = "pay_out";
/// The `type` of what the same platform sends for incoming payments.
const PAY_IN: &str = "pay_in";
/// A well-formed signature of nothing.
const WRONG_SIGN: &str = "00000000000000000000000000000000ffffffffffffffffffffffffffffffff";

/// A callback, ready to send.
pub(super) struct Post {
    pub(super) url: Box<str>,
    pub(super) body: Vec<u8>,
}

/// What a callback tells; in a forged one a single thing is untrue.
struct Telling<'a> {
    order_id: Cow<'a, str>,
    kind: &'static str,
    status: Status,
    fiat: Decimal,
    is_signed: bool,
}

/// Exactly `places` decimals.
pub(super) fn decimals(mut value: Decimal, places: u32) -> String {
    value.rescale(places);
    value.to_string()
}

/// ISO 8601 in UTC, whole seconds, as in the document's examples.
fn iso(ms: u64) -> String {
    let seconds = i64::try_from(ms / 1000).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).to_string()
}

impl Gateway {
    /// The body of a look-up's answer.
    pub(super) fn render_status(&self, payout: &Payout) -> Vec<u8> {
        let telling = Telling::truth(payout);
        let texts = Texts::of(payout, &telling);
        let receipt =
            || [format!("{}/cheques/{}.pdf", self.base, self.internal_id(payout.order.seq))];
        let body = PayoutBody {
            ok: Some(true),
            cheque_urls: (payout.status == Status::Successful).then(receipt),
            ..body(&payout.order, &telling, &texts)
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }

    /// The callback of a final payout, or a forgery of it.
    pub(super) fn render_callback(&self, payout: &Payout, forgery: Option<Fault>) -> Post {
        let mut telling = Telling::truth(payout);
        if let Some(fault) = forgery {
            telling.twist(fault);
        }
        let texts = Texts::of(payout, &telling);
        let sign = self.callback_sign(&payout.order, &telling, &texts);
        let body =
            PayoutBody { standart_sign: Some(&sign), ..body(&payout.order, &telling, &texts) };
        let url = match telling.status {
            Status::Successful => &payout.order.success_url,
            _ => &payout.order.error_url,
        };
        Post { url: url.clone(), body: serde_json::to_vec(&body).unwrap_or_default() }
    }

    fn callback_sign(&self, order: &Order, telling: &Telling<'_>, texts: &Texts) -> String {
        match &self.callback_sign {
            None => String::new(),
            Some(_) if !telling.is_signed => WRONG_SIGN.to_owned(),
            Some(template) => template.sign(|field| match field {
                Field::SignKey => &self.config.sign_key,
                Field::OrderId => &telling.order_id,
                Field::Type => telling.kind,
                Field::Status => telling.status.word(),
                Field::FiatAmount => &texts.fiat,
                Field::UsdtAmount => &texts.usdt,
                Field::MerchantSpentUsdt => &texts.spent,
                Field::FiatCurrency => &order.currency,
                Field::ExchangeRate => &texts.rate,
                Field::PaymentMethod => order.method.word(),
                Field::Requisite => &order.requisite,
            }),
        }
    }

    /// What a cancellation of this payout must be signed with; `None` if it is not checked.
    pub(super) fn cancel_sign(&self, payout: &Payout) -> Option<String> {
        self.callback_sign.as_ref()?;
        let telling = Telling::truth(payout);
        let texts = Texts::of(payout, &telling);
        Some(self.callback_sign(&payout.order, &telling, &texts))
    }
}

/// The formatted fields that a body borrows.
struct Texts {
    fiat: String,
    usdt: String,
    spent: String,
    rate: String,
    created_at: String,
    updated_at: String,
}

impl Texts {
    fn of(payout: &Payout, telling: &Telling<'_>) -> Self {
        let order = &payout.order;
        Self {
            fiat: decimals(telling.fiat, 2),
            usdt: decimals(order.usdt, 4),
            spent: decimals(order.spent, 4),
            rate: decimals(order.rate, 4),
            created_at: iso(order.created_ms),
            updated_at: iso(payout.updated_ms),
        }
    }
}

impl<'a> Telling<'a> {
    fn truth(payout: &'a Payout) -> Self {
        Self {
            order_id: Cow::Borrowed(&payout.order.order_id),
            kind: PAY_OUT,
            status: payout.status,
            fiat: payout.order.fiat,
            is_signed: true,
        }
    }

    fn twist(&mut self, fault: Fault) {
        match fault {
            Fault::ForgedSignature => self.is_signed = false,
            Fault::ForgedOrder => self.order_id = Cow::Owned(format!("{}-other", self.order_id)),
            Fault::ForgedAmount => self.fiat += Decimal::ONE,
            Fault::ForgedType => self.kind = PAY_IN,
            Fault::ForgedStatus => {
                self.status = match self.status {
                    Status::Successful => Status::RejectedGate,
                    _ => Status::Successful,
                };
            }
            _ => {}
        }
    }
}

fn body<'a>(order: &'a Order, telling: &'a Telling<'_>, texts: &'a Texts) -> PayoutBody<'a> {
    let requisite = |method| (order.method == method).then_some(&*order.requisite);
    PayoutBody {
        ok: None,
        order_id: &telling.order_id,
        standart_sign: None,
        kind: telling.kind,
        status: telling.status.word(),
        fiat_amount: &texts.fiat,
        usdt_amount: &texts.usdt,
        merchant_spent_usdt: &texts.spent,
        fiat_currency: &order.currency,
        exchange_rate: &texts.rate,
        payment_method: order.method.word(),
        created_at: &texts.created_at,
        updated_at: &texts.updated_at,
        number_card: requisite(Method::Card),
        phone_number: requisite(Method::Sbp),
        number_score: requisite(Method::Score),
        iban_number: requisite(Method::Iban),
        full_name: &order.full_name,
        bank_name: &order.bank_name,
        cheque_urls: None,
    }
}
