//! Codes to order: the next call of an operation is answered with one, before or after its deed.
//!
//! `PUT /sandbox/capitalist/next_code` puts one into the row, `DELETE` empties it.

use std::collections::VecDeque;
use std::sync::Mutex;

use hyper::StatusCode;
use serde::{Deserialize, Serialize};

use super::answer::{No, Refusal};
use super::batch::Line;
use super::code::Code;
use super::office::Office;
use super::operation::Operation;
use crate::clock::lock;
use crate::control;
use crate::server::Reply;

/// Orders that wait; more are refused.
const ORDERS_MAX: usize = 1_000;

/// Is the deed done?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum When {
    /// Nothing is taken.
    #[default]
    Before,
    /// The batch is taken (without the record that 185, 187 or 188 names) or confirmed.
    After,
}

/// One order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NextCode {
    code: u16,
    #[serde(default)]
    when: When,
    #[serde(default = "import")]
    operation: Operation,
    /// Which record 185, 187 and 188 name, counted from 0.
    #[serde(default)]
    record: usize,
    /// In place of the document's words.
    #[serde(default)]
    message: Option<String>,
    #[serde(default = "once")]
    times: u32,
}

fn import() -> Operation {
    Operation::ImportBatchAdvanced
}

fn once() -> u32 {
    1
}

#[derive(Default)]
pub(super) struct Script(Mutex<VecDeque<NextCode>>);

impl Script {
    /// Takes the first order for this operation.
    pub(super) fn take(&self, operation: Operation) -> Option<NextCode> {
        let mut orders = lock(&self.0);
        let place = orders.iter().position(|order| order.operation == operation)?;
        let order = orders.get_mut(place)?;
        order.times = order.times.saturating_sub(1);
        if order.times > 0 { Some(order.clone()) } else { orders.remove(place) }
    }

    fn add(&self, order: NextCode) -> Result<(), &'static str> {
        if order.code == 0 || order.times == 0 {
            return Err("code and times must be above 0");
        }
        if !order.operation.is_look_up() && !order.operation.moves_money() {
            return Err("operation must be an import, a confirmation or a look-up");
        }
        let mut orders = lock(&self.0);
        if orders.len() >= ORDERS_MAX {
            return Err("1000 orders wait already");
        }
        orders.push_back(order);
        Ok(())
    }
}

impl NextCode {
    pub(super) fn is_after(&self) -> bool {
        self.when == When::After
    }

    /// The index of the record that the code names.
    pub(super) fn record(&self) -> Option<usize> {
        Code(self.code).names_a_record().then_some(self.record)
    }

    /// The answer; `lines` are those of the batch, where there is one.
    pub(super) fn refusal(self, lines: &[Line]) -> No {
        let code = Code(self.code);
        // 187 counts records, 185 and 188 tell the client's own number.
        let name = |index: usize| match code {
            Code::TYPE_AWAY => index.to_string(),
            _ => lines.get(index).map_or(String::new(), |line| line.number.to_string()),
        };
        let record = self.record().map(name);
        No::Refused(Refusal::new(code, record).with_message(self.message))
    }
}

impl Office {
    /// Puts one order into the row; no body, as of a DELETE, empties it.
    pub(super) fn next_code(&self, body: &[u8]) -> Reply {
        if body.is_empty() {
            lock(&self.script.0).clear();
            return Reply::empty(StatusCode::NO_CONTENT);
        }
        let order: NextCode = match serde_json::from_slice(body) {
            Ok(order) => order,
            Err(error) => return control::problem(StatusCode::BAD_REQUEST, error),
        };
        match self.script.add(order.clone()) {
            Ok(()) => Reply::json(StatusCode::OK, &order),
            Err(why) => control::problem(StatusCode::BAD_REQUEST, why),
        }
    }
}
