//! What the site offers: `test`, currencies, directions, and the calculator.

use hyper::header::HeaderName;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::config::EXCHANGER_PARTNER_ID;
use super::direction::{Currency, Direction, Field, Price, Side, amount};
use super::envelope::Envelope;
use super::form::Form;
use super::render::plain;
use super::site::{CLIENT_IP, Site};
use crate::server::Call;

const LANG_HEADER: HeaderName = HeaderName::from_static("api-lang");

impl Site {
    pub(super) fn test(&self, call: &Call) -> Envelope {
        Envelope::of(json!({
            "ip": CLIENT_IP,
            "user_id": self.config.user_id.to_string(),
            "locale": locale(call),
            "partner_id": EXCHANGER_PARTNER_ID,
        }))
    }

    pub(super) fn direction_currencies(&self, form: &Form) -> Envelope {
        let listed = |side: fn(&Direction) -> &Currency| {
            let mut ids = Vec::new();
            let mut currencies = Vec::new();
            for currency in self.offered(form).map(side) {
                if !ids.contains(&currency.id) {
                    ids.push(currency.id);
                    currencies.push(json!({ "id": currency.id, "title": currency.title(),
                        "logo": self.logo(currency) }));
                }
            }
            currencies
        };
        let give = listed(|direction| &direction.give);
        if give.is_empty() {
            return Envelope::of(json!({}));
        }
        Envelope::of(json!({ "give": give, "get": listed(|direction| &direction.get) }))
    }

    pub(super) fn directions(&self, form: &Form) -> Envelope {
        let line = |direction: &Direction| {
            let Direction { id, give, get, .. } = direction;
            json!({
                "direction_id": id.to_string(),
                "currency_give_id": give.id.to_string(),
                "currency_give_title": give.title(),
                "currency_give_logo": self.logo(give),
                "currency_get_id": get.id.to_string(),
                "currency_get_title": get.title(),
                "currency_get_logo": self.logo(get),
            })
        };
        Envelope::of(json!(self.offered(form).map(line).collect::<Vec<_>>()))
    }

    pub(super) fn direction_info(&self, form: &Form) -> Envelope {
        let Some(direction) = self.open_direction(form.number("direction_id")) else {
            return Envelope::refused(1, "Direction not found");
        };
        let least = Price { give: direction.give_for(direction.min_get), get: direction.min_get };
        let mut fields = quote(direction, least);
        let account = json!([form_field("account2", direction.account, true)]);
        let more: Vec<Value> = direction.fields.iter().map(extra_field).collect();
        fields.extend([
            ("id".to_owned(), json!(direction.id)),
            ("url".to_owned(), json!(format!("{}/exchange_{}/", self.base, direction.id))),
            (
                "info".to_owned(),
                json!({ "timeline_text": "", "frozen_text": "",
                "before_button_text": "" }),
            ),
            ("give_fields".to_owned(), json!([])),
            ("get_fields".to_owned(), account),
            ("dir_fields".to_owned(), json!(more)),
        ]);
        Envelope::of(Value::Object(fields))
    }

    pub(super) fn calc(&self, form: &Form) -> Envelope {
        let Some(direction) = self.open_direction(form.number("direction_id")) else {
            return Envelope::refused(1, "Direction not found");
        };
        let side = Side::of(form.text("calc_action"));
        // A wrong parameter is answered with nothing at all.
        let (Some(side), Some(asked)) = (side, amount(form.text("calc_amount"))) else {
            return Envelope::of(json!({}));
        };
        let price = direction.within_limits(direction.price(side, asked));
        let payable = if side == Side::Give { price.give } else { price.get };
        let mut fields = quote(direction, price);
        fields.insert("changed".to_owned(), json!(u8::from(payable != asked)));
        Envelope::of(Value::Object(fields))
    }

    /// The open directions that a call asks for.
    fn offered(&self, form: &Form) -> impl Iterator<Item = &Direction> {
        let (give, get) = (form.number("currency_id_give"), form.number("currency_id_get"));
        let matches =
            |asked: u64, currency: &Currency| asked == 0 || asked == u64::from(currency.id);
        self.directions.iter().filter(move |direction| {
            direction.is_open && matches(give, &direction.give) && matches(get, &direction.get)
        })
    }

    fn logo(&self, currency: &Currency) -> String {
        format!("{}/logo/{}.svg", self.base, currency.id)
    }
}

/// The language that a call asks for; the site has two.
fn locale(call: &Call) -> &'static str {
    let asked = call.headers().get(LANG_HEADER).map(|value| value.as_bytes());
    if asked == Some(b"ru_RU") { "ru_RU" } else { "en_US" }
}

/// What `get_direction` and `get_calc` share.
fn quote(direction: &Direction, price: Price) -> Map<String, Value> {
    let max = |most: Option<Decimal>| most.map_or("no".to_owned(), plain);
    let max_get = direction.max_get;
    let pairs = [
        ("currency_code_give", direction.give.code.to_owned()),
        ("currency_code_get", direction.get.code.to_owned()),
        ("reserve", plain(direction.get.reserve)),
        ("course_give", plain(direction.course_give)),
        ("course_get", plain(direction.course_get)),
        ("sum_give", plain(price.give)),
        ("sum_give_com", plain(price.give)),
        ("sum_get", plain(price.get)),
        ("sum_get_com", plain(price.get)),
        ("com_give", String::new()),
        ("com_get", String::new()),
        ("min_give", plain(direction.give_for(direction.min_get))),
        ("max_give", max(max_get.map(|most| direction.give_for(most)))),
        ("min_get", plain(direction.min_get)),
        ("max_get", max(max_get)),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn extra_field(field: &Field) -> Value {
    form_field(field.name, field.label, field.is_required)
}

fn form_field(name: &str, label: &str, is_required: bool) -> Value {
    json!({ "name": name, "type": "text", "label": label,
        "req": u8::from(is_required).to_string(), "tooltip": "", "options": [], "cd": 0 })
}
