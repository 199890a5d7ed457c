//! The benchmark's gateway: reads, does not parse. Nothing is checked, written or called back;
//! what was accepted is counted, and repeated order ids are still noticed.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;

use bytes::Bytes;
use hyper::StatusCode;

use crate::clock::lock;
use crate::counters::{Count, Counters, CountersSnapshot};
use crate::server::{Call, Reply};
use crate::window::Window;

pub(super) struct Fast {
    reject_url: String,
    id_prefix: String,
    accepted: Count,
    counters: Counters,
    arrivals: Mutex<Window>,
    /// 64 bits of each order id: enough to notice a double pay in a benchmark.
    seen: Mutex<HashSet<u64>>,
    duplicates: Count,
    hasher: RandomState,
}

impl Fast {
    pub(super) fn new(reject_url: String, sandbox_id: &str) -> Self {
        Self {
            reject_url,
            id_prefix: format!("fast-{}-", sandbox_id.get(..8).unwrap_or(sandbox_id)),
            accepted: Count::default(),
            counters: Counters::default(),
            arrivals: Mutex::default(),
            seen: Mutex::default(),
            duplicates: Count::default(),
            hasher: RandomState::new(),
        }
    }

    pub(super) async fn create(&self, mut call: Call) -> Reply {
        self.counters.create.add();
        lock(&self.arrivals).add(call.arrived_ns);
        let Ok(body) = call.read_body().await else { return Reply::Reset };
        match Found::in_body(&body) {
            Some(found) => self.accept(&found),
            None => Reply::empty(StatusCode::BAD_REQUEST),
        }
    }

    pub(super) fn snapshot(&self) -> CountersSnapshot {
        CountersSnapshot {
            max_per_second: lock(&self.arrivals).most(),
            accepted: self.accepted.get(),
            paid: self.accepted.get(),
            duplicates: self.duplicates.get(),
            ..self.counters.snapshot()
        }
    }

    fn accept(&self, found: &Found<'_>) -> Reply {
        if !lock(&self.seen).insert(self.hasher.hash_one(found.order_id)) {
            self.duplicates.add();
        }
        let number = self.accepted.next().to_string();
        // One fiat unit is one USDT: no arithmetic, and four decimals by two zeros.
        let mut body = Vec::with_capacity(384);
        let pieces: [&[u8]; 16] = [
            b"{\"ok\":true,\"internal_transaction_id\":\"",
            self.id_prefix.as_bytes(),
            number.as_bytes(),
            b"\",\"fiat_amount\":\"",
            found.fiat_amount,
            b"\",\"usdt_amount\":\"",
            found.fiat_amount,
            b"00\",\"merchant_spent_usdt\":\"",
            found.fiat_amount,
            b"00\",\"fiat_currency\":\"",
            found.fiat_currency,
            b"\",\"exchange_rate\":\"1.0000\",\"payment_method\":\"",
            found.payment_method,
            b"\",\"reject_callback_url\":\"",
            self.reject_url.as_bytes(),
            b"\"}",
        ];
        for piece in pieces {
            body.extend_from_slice(piece);
        }
        Reply::text(StatusCode::OK, "application/json", Bytes::from(body))
    }
}

/// The four values that the answer and the counts need, as they stand in the body.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found<'a> {
    order_id: &'a [u8],
    fiat_amount: &'a [u8],
    fiat_currency: &'a [u8],
    payment_method: &'a [u8],
}

impl<'a> Found<'a> {
    /// One pass over the quoted strings; each that follows one of the names is its value.
    fn in_body(body: &'a [u8]) -> Option<Self> {
        let mut found = Self::default();
        let mut name: &[u8] = b"";
        for text in body.split(|byte| *byte == b'"').skip(1).step_by(2) {
            match name {
                b"order_id" => found.order_id = text,
                b"fiat_amount" => found.fiat_amount = text,
                b"fiat_currency" => found.fiat_currency = text,
                b"payment_method" => found.payment_method = text,
                _ => {
                    name = text;
                    continue;
                }
            }
            name = b"";
        }
        let all = [found.order_id, found.fiat_amount, found.fiat_currency, found.payment_method];
        all.iter().all(|value| !value.is_empty()).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_values_are_found_in_any_order() {
        let body = br#"{"timeout":30,"fiat_amount": "1.50","payment_method":"sbp",
            "bank_name":null,"order_id":"o1","bik":"0445","fiat_currency":"rub","sign":"x"}"#;
        let found = Found::in_body(body).unwrap();
        let expected = Found {
            order_id: b"o1",
            fiat_amount: b"1.50",
            fiat_currency: b"rub",
            payment_method: b"sbp",
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_body_that_lacks_one_is_no_create() {
        assert_eq!(Found::in_body(br#"{"order_id":"o1","fiat_amount":"1.00"}"#), None);
        assert_eq!(Found::in_body(b""), None);
    }
}
