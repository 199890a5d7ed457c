//! `create_pay_out`: once `accept` has returned, the money is promised, whatever the client is told.

use std::sync::Arc;

use bytes::Bytes;
use hyper::StatusCode;
use rust_decimal::Decimal;
use tokio::sync::oneshot;

use super::book::{AcceptError, Draft, Price};
use super::callback::Delivery;
use super::check::{Checked, check};
use super::config::{BadSign, Currency};
use super::gateway::Gateway;
use super::magic::{self, Magic};
use super::order::Order;
use super::render::decimals;
use super::sign::create_sign;
use super::wire::{CreateAnswer, CreateRequest};
use crate::clock::{lock, unix_ms};
use crate::dial::Fault;
use crate::server::{BodyError, Call, Reply};

impl Gateway {
    pub(super) async fn create(&self, mut call: Call) -> Reply {
        self.counters.create.add();
        lock(&self.arrivals).add(call.arrived_ns);
        if let Err(reply) = self.admit_create(&call) {
            call.discard().await;
            return reply;
        }
        let body = match self.read_json(&mut call).await {
            Ok(body) => body,
            Err(reply) => return reply,
        };
        if let Some(reply) = self.fault_before() {
            return reply;
        }
        match self.take(&body) {
            Ok(order) => {
                self.after_accept(&order).await;
                let spoilt = self.fault_after();
                if spoilt.is_some() {
                    lock(&self.reasons).call_for(&order.order_id);
                }
                spoilt.unwrap_or_else(|| self.answer(&order))
            }
            Err(reply) => reply,
        }
    }

    /// A JSON body, read whole.
    pub(super) async fn read_json(&self, call: &mut Call) -> Result<Bytes, Reply> {
        match call.read_body().await {
            Ok(body) if call.is_json() => Ok(body),
            Ok(_) => Err(self.refuse("Content-Type: must be application/json")),
            Err(BodyError::TooLong) => {
                Err(self.error(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long"))
            }
            // Nobody is there to read an answer.
            Err(BodyError::Gone) => Err(Reply::Reset),
        }
    }

    fn take(&self, body: &[u8]) -> Result<Arc<Order>, Reply> {
        let request: CreateRequest<'_> = serde_json::from_slice(body)
            .map_err(|error| self.refuse(&format!("the body is not a create: {error}")))?;
        let order = check(&request).map_err(|text| self.refuse(&text))?;
        let currency = self.currency(order.currency)?;
        self.check_sign(&order)?;
        self.check_magic(&order)?;
        let price = price(order.fiat, currency.rate, self.config.fee_per_mille);
        let draft = Draft::new(&order, price, unix_ms()).map_err(AcceptError::Write);
        let refuse_repeated = self.config.refuse_repeated_order_id;
        draft
            .and_then(|draft| lock(&self.book).accept(draft, refuse_repeated))
            .map_err(|error| self.not_accepted(order.order_id, &error))
    }

    fn not_accepted(&self, order_id: &str, error: &AcceptError) -> Reply {
        if matches!(error, AcceptError::Repeated) {
            lock(&self.reasons).call_for(order_id);
        }
        match error {
            AcceptError::LowBalance | AcceptError::Repeated => self.refuse(&error.to_string()),
            AcceptError::Write(_) => {
                tracing::error!(%error, "create refused");
                self.internal_error()
            }
        }
    }

    fn currency(&self, code: &str) -> Result<&Currency, Reply> {
        let known = self.config.currencies.iter().find(|currency| currency.code == code);
        known.ok_or_else(|| self.refuse("fiat_currency: not in the list of regions"))
    }

    fn check_sign(&self, order: &Checked<'_>) -> Result<(), Reply> {
        let Checked { order_id, fiat_amount, requisite, currency, sign, .. } = order;
        let right = create_sign(order_id, fiat_amount, requisite, currency, &self.config.sign_key);
        if *sign == right && !self.dial.strikes(Fault::WrongSignKey) {
            return Ok(());
        }
        self.counters.bad_signatures.add();
        Err(match self.config.bad_sign {
            BadSign::Unauthorized => self.error(StatusCode::UNAUTHORIZED, "invalid sign"),
            BadSign::Refusal => self.refuse("invalid sign"),
        })
    }

    fn check_magic(&self, order: &Checked<'_>) -> Result<(), Reply> {
        let is_off = self.config.disabled_methods.contains(&order.method);
        if is_off || self.dial.strikes(Fault::Refused) {
            return Err(self.refuse(magic::DISABLED));
        }
        if !self.config.magic {
            return Ok(());
        }
        match magic::of(order.fiat) {
            Magic::Refused(text) => Err(self.refuse(text)),
            Magic::OverloadedOnce if lock(&self.overloaded).insert(order.order_id.into()) => {
                Err(self.refuse(magic::OVERLOADED))
            }
            Magic::OverloadedOnce | Magic::Settles(_) => Ok(()),
        }
    }

    /// Promised: now it takes its course, also if the client is gone.
    async fn after_accept(&self, order: &Order) {
        if self.dial.strikes(Fault::CallbackEarly)
            && let [seq] = self.settle(&[order.seq])[..]
        {
            // The sending is the pool's: it goes on if the client hangs up and this is dropped.
            let (done, called_back) = oneshot::channel();
            self.deliveries.push(Delivery::reported(seq, done));
            let _ = called_back.await;
            return;
        }
        self.settle_later(order);
    }

    fn fault_before(&self) -> Option<Reply> {
        if self.dial.strikes(Fault::HangBefore) {
            return Some(Reply::Hang);
        }
        if self.dial.strikes(Fault::ResetBefore) {
            return Some(Reply::Reset);
        }
        self.dial.strikes(Fault::ErrorBefore).then(|| self.internal_error())
    }

    fn fault_after(&self) -> Option<Reply> {
        if self.dial.strikes(Fault::HangAfter) {
            return Some(Reply::Hang);
        }
        if self.dial.strikes(Fault::ResetAfter) {
            return Some(Reply::Reset);
        }
        self.dial.strikes(Fault::ErrorAfter).then(|| self.internal_error())
    }

    /// The same before and after paying, and `ok: false`: only the status says that it is no refusal.
    pub(super) fn internal_error(&self) -> Reply {
        self.error(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
    }

    fn answer(&self, order: &Order) -> Reply {
        let told = if self.dial.strikes(Fault::AnswerDiffers) {
            order.fiat + Decimal::ONE
        } else {
            order.fiat
        };
        let fiat = decimals(told, 2);
        let is_whole = !self.dial.strikes(Fault::AnswerIncomplete);
        let body = serde_json::to_vec(&CreateAnswer {
            ok: true,
            internal_transaction_id: &self.internal_id(order.seq),
            fiat_amount: is_whole.then_some(&*fiat),
            usdt_amount: &decimals(order.usdt, 4),
            merchant_spent_usdt: &decimals(order.spent, 4),
            fiat_currency: &order.currency,
            exchange_rate: &decimals(order.rate, 4),
            payment_method: order.method.word(),
            reject_callback_url: &self.reject_url,
        });
        let Ok(mut body) = body else { return self.internal_error() };
        let is_malformed = self.dial.strikes(Fault::AnswerMalformed);
        if is_malformed {
            body.truncate(body.len() / 2);
        }
        if is_malformed || !is_whole || told != order.fiat {
            lock(&self.reasons).call_for(&order.order_id);
        }
        Reply::text(StatusCode::OK, "application/json", body)
    }
}

/// In USDT, rounded to the 4 decimals that the answers have.
fn price(fiat: Decimal, rate: Decimal, fee_per_mille: u32) -> Price {
    let usdt = (fiat / rate).round_dp(4);
    let spent = (usdt * Decimal::new(i64::from(1000 + fee_per_mille), 3)).round_dp(4);
    Price { usdt, spent, rate }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_has_four_decimals_and_the_fee_on_top() {
        let price = price(Decimal::new(500_000, 2), Decimal::new(1_002_472, 4), 10);
        assert_eq!(decimals(price.usdt, 4), "49.8767");
        assert_eq!(decimals(price.spent, 4), "50.3755");
    }
}
