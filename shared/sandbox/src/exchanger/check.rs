//! Is a `create_bid` in order? What is wrong is told field by field, in the site's HTML.

use hyper::Uri;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::bid::Order;
use super::direction::{Direction, Price, Side, amount};
use super::envelope::Envelope;
use super::form::Form;
use super::site::Site;
use crate::clock::unix_ms;

/// The longest `api_id`.
const API_ID_CHARS_MAX: usize = 100;
/// What an account may be long: the shortest card and the longest wallet.
const ACCOUNT_CHARS: std::ops::RangeInclusive<usize> = 10..=100;

/// The fields that are wrong, each with what is wrong with it.
#[derive(Default)]
pub(super) struct Wrong(Map<String, Value>);

impl Wrong {
    pub(super) fn field(mut self, name: &str, text: &str) -> Self {
        self.add(name, text);
        self
    }

    fn add(&mut self, name: &str, text: &str) {
        let html = format!("<span class=\"field_error\">{text}</span>");
        self.0.insert(name.to_owned(), html.into());
    }

    pub(super) fn refusal(self) -> Envelope {
        Envelope::refused(3, "<b>Error!</b> The form is filled in wrongly").with_fields(self.0)
    }
}

impl Site {
    /// The order that is asked for, or why it is none.
    pub(super) fn check(&self, form: &Form) -> Result<Order, Envelope> {
        let Some(direction) = self.open_direction(form.number("direction_id")) else {
            let refusal = Envelope::refused(1, "Direction not found");
            return Err(refusal.with_fields(Map::new()));
        };
        let mut wrong = Wrong::default();
        let price = check_amount(direction, form, &mut wrong);
        check_accounts(direction, form, &mut wrong);
        if form.text("api_id").chars().count() > API_ID_CHARS_MAX {
            wrong.add("api_id", "at most 100 characters");
        }
        if !is_callback_url(form.text("callback_url")) {
            wrong.add("callback_url", "must be an http URL");
        }
        let Some(price) = price.filter(|_| wrong.0.is_empty()) else {
            return Err(wrong.refusal());
        };
        Ok(Order {
            seq: 0,
            created_ms: unix_ms(),
            direction_id: direction.id,
            api_id: form.text("api_id").into(),
            partner_id: form.number("partner_id"),
            give: price.give,
            get: price.get,
            account1: form.text("account1").into(),
            account2: form.text("account2").into(),
            callback_url: form.text("callback_url").into(),
        })
    }
}

fn check_amount(direction: &Direction, form: &Form, wrong: &mut Wrong) -> Option<Price> {
    let Some(side) = Side::of(form.text("calc_action")) else {
        wrong.add("calc_action", "must be 1, 2, 3 or 4");
        return None;
    };
    let field = if side == Side::Give { "sum1" } else { "sum2" };
    let Some(amount) = amount(form.text("calc_amount")) else {
        wrong.add(field, "the amount is not a number");
        return None;
    };
    let price = direction.price(side, amount);
    let limited = direction.within_limits(price);
    if limited != price {
        let word = if price.get < limited.get { "min" } else { "max" };
        let (sum, code) = match side {
            Side::Give => (limited.give, direction.give.code),
            Side::Get => (limited.get, direction.get.code),
        };
        wrong.add(field, &limit(word, sum, code));
    }
    Some(price)
}

/// As the site's form shows it: a link that fills the amount in.
fn limit(word: &str, sum: Decimal, code: &str) -> String {
    format!("{word}.: <span class=\"js_amount\">{}</span> {code}", sum.normalize())
}

fn check_accounts(direction: &Direction, form: &Form, wrong: &mut Wrong) {
    let account = form.text("account2");
    let is_plain = account.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ');
    if account.is_empty() {
        wrong.add("account2", "the field must be filled in");
    } else if !is_plain || !ACCOUNT_CHARS.contains(&account.len()) {
        wrong.add("account2", "the field is filled in wrongly");
    }
    for field in direction.fields.iter().filter(|field| field.is_required) {
        if form.text(field.name).is_empty() {
            wrong.add(field.name, "the field must be filled in");
        }
    }
}

/// There is no TLS here, and a callback that can never be sent would be a silent loss.
fn is_callback_url(text: &str) -> bool {
    let is_http = |uri: Uri| uri.scheme_str() == Some("http") && uri.authority().is_some();
    text.is_empty() || text.parse().is_ok_and(is_http)
}
