//! The partner's side: what it earned, and withdrawals, each of the whole balance of its moment.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::bid::{Bid, Status, Withdrawal};
use super::config::{EXCHANGER_PARTNER_ID, WindowBy};
use super::envelope::Envelope;
use super::form::Form;
use super::list::Filter;
use super::render::{USER_HASH, date, plain, seconds};
use super::site::{CLIENT_IP, Site};
use crate::clock::{lock, unix_ms};

/// A way to withdraw.
struct Method {
    id: u64,
    title: &'static str,
    code: &'static str,
    /// How much of it one USD is.
    course: i64,
    /// In its currency.
    commission: i64,
}

const METHODS: [Method; 2] = [
    Method { id: 11, title: "Tether TRC20 USDT", code: "USDT", course: 1, commission: 1 },
    Method { id: 21, title: "Card RUB", code: "RUB", course: 100, commission: 50 },
];
/// USD.
const MIN_PAYOUT: Decimal = Decimal::TEN;
/// The partner's part of what is given, in thousandths.
const REWARD_PER_MILLE: i64 = 5;

impl Method {
    /// What a balance comes to.
    fn amount(&self, balance: Decimal) -> Decimal {
        let amount = balance * Decimal::from(self.course) - Decimal::from(self.commission);
        amount.max(Decimal::ZERO)
    }
}

impl Site {
    pub(super) fn partner_info(&self) -> Envelope {
        let balance = self.partner_balance();
        let item = |method: &Method| {
            json!({ "id": method.id.to_string(), "title": method.title,
                "commission": method.commission.to_string(),
                "amount": plain(method.amount(balance)) })
        };
        Envelope::of(json!({
            "partner_id": EXCHANGER_PARTNER_ID.to_string(),
            "balance": plain(balance),
            "min_payout": plain(MIN_PAYOUT),
            "items": METHODS.iter().map(item).collect::<Vec<_>>(),
        }))
    }

    fn partner_balance(&self) -> Decimal {
        self.config.partner_balance - lock(&self.book).withdrawn()
    }

    /// Two visits at the turn of 2024, the later one first.
    pub(super) fn partner_links(&self, form: &Form) -> Envelope {
        let filter = Filter::of(form, WindowBy::Changed);
        let visits = [1_704_067_260_000u64, 1_704_067_200_000];
        let visits = visits.into_iter().filter(|at| filter.is_within(*at));
        let visits = visits.filter(|_| filter.is_from(CLIENT_IP)).take(self.page_size(form));
        let item = |at_ms| {
            json!({ "time": seconds(at_ms).to_string(), "date": date(at_ms), "browser": "Firefox",
                "ip": CLIENT_IP, "referrer": "http://partner.example/", "user_hash": USER_HASH,
                "query_string": format!("rid={EXCHANGER_PARTNER_ID}") })
        };
        Envelope::list(visits.map(item).collect())
    }

    /// The orders that name the partner. There is no `offset`.
    pub(super) fn partner_exchanges(&self, form: &Form) -> Envelope {
        let (most, filter) = (self.page_size(form), Filter::of(form, self.config.window_by));
        let with_history = form.number("status_history") == 1;
        let book = lock(&self.book);
        let of_partner = |bid: &&Bid| bid.order.partner_id == EXCHANGER_PARTNER_ID;
        let bids = book.picture().newest_first().filter(of_partner);
        let bids = bids.filter(|bid| filter.takes(bid)).take(most);
        Envelope::list(bids.map(|bid| self.partner_line(bid, with_history)).collect())
    }

    fn partner_line(&self, bid: &Bid, with_history: bool) -> Value {
        let mut fields = self.line(bid, with_history);
        fields.remove("api_id");
        let is_accrued = u8::from(bid.status() == Status::Success);
        let reward = bid.order.give * Decimal::new(REWARD_PER_MILLE, 3);
        fields.insert("accrued".to_owned(), json!(is_accrued.to_string()));
        fields.insert("partner_reward".to_owned(), json!(plain(reward.round_dp(2))));
        Value::Object(fields)
    }

    /// Newest first. There is no `offset`.
    pub(super) fn partner_payouts(&self, form: &Form) -> Envelope {
        let (most, filter) = (self.page_size(form), Filter::of(form, WindowBy::Created));
        let book = lock(&self.book);
        let all = book.withdrawals().iter().enumerate().rev();
        let found = all.filter(|(place, withdrawal)| {
            filter.is_within(withdrawal.at_ms) && filter.is_id(place + 1)
        });
        let items = found.take(most).map(|(place, withdrawal)| payout_line(place, withdrawal));
        Envelope::list(items.collect())
    }

    /// Takes the whole balance of this moment.
    pub(super) fn add_partner_payout(&self, form: &Form) -> Envelope {
        let asked = form.number("method_id");
        let Some(method) = METHODS.iter().find(|method| method.id == asked) else {
            return Envelope::refused(1, "Payout method not found");
        };
        let Some(account) = form.filter("account") else {
            return Envelope::refused(2, "Account is not specified");
        };
        // One lock from the balance to the withdrawal: two calls never take the same money.
        let mut book = lock(&self.book);
        let balance = self.config.partner_balance - book.withdrawn();
        if balance < MIN_PAYOUT {
            return Envelope::refused(3, "Balance is below the minimum payout");
        }
        let withdrawal = Withdrawal {
            at_ms: unix_ms(),
            method_id: method.id,
            account: account.into(),
            original: balance,
            pay: method.amount(balance),
            is_paid: false,
        };
        match book.withdraw(withdrawal) {
            Ok(place) => {
                drop(book);
                self.pay_withdrawal_later(place);
                Envelope::of(json!({ "payout_id": place + 1 }))
            }
            Err(error) => {
                tracing::error!(%error, "a partner payout was not written");
                Envelope::refused(4, "Maintenance")
            }
        }
    }
}

fn payout_line(place: usize, withdrawal: &Withdrawal) -> Value {
    let Withdrawal { at_ms, method_id, account, original, pay, is_paid } = withdrawal;
    let code = METHODS.iter().find(|method| method.id == *method_id).map_or("", |it| it.code);
    json!({
        "id": (place + 1).to_string(),
        "time": seconds(*at_ms),
        "date": date(*at_ms),
        "method_id": method_id.to_string(),
        "account": account,
        "pay_amount": plain(*pay),
        "pay_currency_code": code,
        "original_amount": plain(*original),
        "original_currency_code": "USD",
        "status": u8::from(*is_paid),
    })
}
