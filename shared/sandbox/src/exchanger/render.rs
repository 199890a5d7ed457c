//! An order in the document's words: amounts as strings, ids now as numbers, now as strings.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::bid::{Bid, Change, Notified, Status};
use super::direction::{Direction, Pay};
use super::site::{CLIENT_IP, Site};
use crate::venue::LedgerEntry;

/// Where an order that is paid from outside says that the money must go.
const ADDRESS: &str = "TSandboxSandboxSandboxSandboxSand1";
/// Who made the orders: one browser for all.
pub(super) const USER_HASH: &str = "5f2c0d7a9be14c3388d1a6e0f4b7c219";

/// As the site writes amounts: no zeros at the end.
pub(super) fn plain(amount: Decimal) -> String {
    amount.normalize().to_string()
}

/// Whole seconds since 1970.
pub(super) fn seconds(ms: u64) -> u64 {
    ms / 1000
}

/// The site's clock is UTC.
pub(super) fn date(ms: u64) -> String {
    let at = i64::try_from(seconds(ms)).ok().and_then(|at| Timestamp::from_second(at).ok());
    at.unwrap_or(Timestamp::MAX).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

impl Site {
    /// The answer of `create_bid` and `bid_info`.
    pub(super) fn details(&self, bid: &Bid) -> Value {
        let order = &bid.order;
        let hash = self.hash_of(order.seq);
        let mut fields = self.sides(bid);
        fields.extend([
            ("url".to_owned(), json!(format!("{}/hst_{hash}/", self.base))),
            ("id".to_owned(), json!(Self::id_of(order.seq))),
            ("status".to_owned(), json!(bid.status().word())),
            ("status_title".to_owned(), json!(bid.status().title())),
            ("api_actions".to_owned(), self.actions(bid, &hash)),
            ("hash".to_owned(), json!(hash)),
        ]);
        Value::Object(fields)
    }

    fn actions(&self, bid: &Bid, hash: &str) -> Value {
        if bid.status() != Status::New {
            let off = "disabled";
            return json!({ "type": "finished", "cancel": off, "pay": off, "pay_amount": "0",
                "instruction": "" });
        }
        let (kind, pay) = match self.pay_of(bid.order.direction_id) {
            Pay::Api => ("mypaid", "api".to_owned()),
            Pay::Module => ("address", format!("{}/payment_{hash}/", self.base)),
        };
        let give = plain(bid.order.give);
        let instruction = format!("<p>Send <b>{give}</b> USDT to {ADDRESS}, then press Paid.</p>");
        json!({ "type": kind, "cancel": "api", "pay": pay, "pay_amount": give,
            "instruction": instruction, "address": ADDRESS, "dest_tag": "" })
    }

    /// A line of `get_exchanges`.
    pub(super) fn line(&self, bid: &Bid, with_history: bool) -> Map<String, Value> {
        let last = bid.last();
        let mut fields = self.sides(bid);
        fields.extend([
            ("id".to_owned(), json!(Self::id_of(bid.order.seq).to_string())),
            ("api_id".to_owned(), json!(bid.order.api_id)),
            ("time".to_owned(), json!(seconds(last.at_ms))),
            ("date".to_owned(), json!(date(last.at_ms))),
            // The document has it the other way round; sites answer like this.
            ("exchange_success".to_owned(), json!(u8::from(last.status == Status::Success))),
            ("user_hash".to_owned(), json!(USER_HASH)),
            ("user_ip".to_owned(), json!(CLIENT_IP)),
            ("status".to_owned(), json!(last.status.word())),
        ]);
        if with_history {
            let change = |change: &Change| {
                let Change { at_ms, status, .. } = *change;
                json!({ "time": seconds(at_ms).to_string(), "date": date(at_ms),
                    "status": status.word() })
            };
            let history: Vec<Value> = bid.changes.iter().map(change).collect();
            fields.insert("statuses".to_owned(), json!(history));
        }
        fields
    }

    /// What both sides of an order are.
    fn sides(&self, bid: &Bid) -> Map<String, Value> {
        let direction = self.direction_of(bid);
        let pairs = [
            ("psys_give", direction.map_or("", |it| it.give.psys).to_owned()),
            ("psys_get", direction.map_or("", |it| it.get.psys).to_owned()),
            ("currency_code_give", direction.map_or("", |it| it.give.code).to_owned()),
            ("currency_code_get", direction.map_or("", |it| it.get.code).to_owned()),
            ("course_give", direction.map_or(String::new(), |it| plain(it.course_give))),
            ("course_get", direction.map_or(String::new(), |it| plain(it.course_get))),
            ("amount_give", plain(bid.order.give)),
            ("amount_get", plain(bid.order.get)),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
    }

    fn direction_of(&self, bid: &Bid) -> Option<&Direction> {
        self.directions.iter().find(|direction| direction.id == bid.order.direction_id)
    }

    /// How tests and people see it.
    pub(super) fn entry(&self, bid: &Bid) -> LedgerEntry {
        let (order, last) = (&bid.order, bid.last());
        let direction = self.direction_of(bid);
        let mut amount = order.get;
        amount.rescale(direction.map_or(2, |direction| direction.get.decimals));
        LedgerEntry {
            provider: super::NAME.to_owned(),
            order_id: order.api_id.to_string(),
            internal_transaction_id: Self::id_of(order.seq).to_string(),
            amount: amount.to_string(),
            currency: direction.map_or("", |direction| direction.get.code).to_lowercase(),
            destination: order.account2.to_string(),
            status: last.status.word().to_owned(),
            paid: last.status == Status::Success,
            created_ms: order.created_ms,
            updated_ms: last.at_ms,
            acknowledged: last.status.is_final() && last.notified == Notified::Acknowledged,
        }
    }
}
