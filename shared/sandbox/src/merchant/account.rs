//! `status`: what the merchant has, and what it may pay out by.

use hyper::StatusCode;

use super::gateway::Gateway;
use super::order::Method;
use super::render::decimals;
use super::wire::{AccountAnswer, PaymentMethods, Statuses};
use crate::clock::lock;
use crate::server::{Call, Reply};

impl Gateway {
    pub(super) fn account(&self, call: &Call) -> Reply {
        self.counters.account.add();
        if let Err(reply) = self.check_key(call).and_then(|()| self.admit(false)) {
            return reply;
        }
        let money = lock(&self.book).money();
        let is_on = |method| !self.config.disabled_methods.contains(&method);
        let statuses = || Statuses {
            card: is_on(Method::Card),
            sbp: is_on(Method::Sbp),
            score: is_on(Method::Score),
            iban: is_on(Method::Iban),
        };
        let currencies = self.config.currencies.iter();
        let answer = AccountAnswer {
            ok: true,
            balance: decimals(money.balance, 4),
            hold: decimals(money.hold, 4),
            available: decimals(money.available(), 4),
            payment_methods: currencies
                .map(|currency| PaymentMethods { currency: &currency.code, statuses: statuses() })
                .collect(),
        };
        Reply::json(StatusCode::OK, &answer)
    }
}
