//! What a person asks the site, as tables. Shown, not counted; destinations masked.

use super::Exchanger;
use super::ask::Trouble;
use super::html::plain;
use super::line::Line;
use super::pay::NotDone;
use super::php::Php;
use super::questions::QUESTIONS;
use super::wire::Form;
use crate::api::{Desk, Question, Sheet};
use crate::settings::OFFLINE;
use domain::row::mask;
use futures::future::BoxFuture;
use std::collections::BTreeMap;

/// Rows of one table.
const ROWS_MAX: usize = 1_000;
/// The longest cell.
const CELL_CHARS_MAX: usize = 300;

const DIRECTIONS: &[&str] = &[
    "direction_id",
    "currency_give_id",
    "currency_give_title",
    "currency_give_logo",
    "currency_get_id",
    "currency_get_title",
    "currency_get_logo",
];
const EXCHANGES: &[&str] = &[
    "id",
    "api_id",
    "time",
    "date",
    "psys_give",
    "psys_get",
    "currency_code_give",
    "currency_code_get",
    "course_give",
    "course_get",
    "amount_give",
    "amount_get",
    "exchange_success",
    "user_hash",
    "user_ip",
    "status",
    "statuses",
];
const PARTNER_LINKS: &[&str] =
    &["time", "date", "browser", "ip", "referrer", "user_hash", "query_string"];
const PARTNER_EXCHANGES: &[&str] = &[
    "id",
    "time",
    "date",
    "psys_give",
    "psys_get",
    "currency_code_give",
    "currency_code_get",
    "course_give",
    "course_get",
    "amount_give",
    "amount_get",
    "exchange_success",
    "accrued",
    "partner_reward",
    "user_hash",
    "user_ip",
    "status",
    "statuses",
];
const PARTNER_PAYOUTS: &[&str] = &[
    "id",
    "time",
    "date",
    "method_id",
    "account",
    "pay_amount",
    "pay_currency_code",
    "original_amount",
    "original_currency_code",
    "status",
];

impl Desk for Exchanger {
    fn questions(&self) -> &'static [Question] {
        QUESTIONS
    }

    fn ask<'a>(
        &'a self,
        name: &'a str,
        given: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Sheet, String>> {
        Box::pin(async move {
            let line = self.line.as_ref().ok_or(OFFLINE)?;
            let question = QUESTIONS.iter().find(|question| question.name == name);
            let question = question.ok_or_else(|| format!("the provider has no \"{name}\""))?;
            match name {
                "partner-payout" => return self.partner_payout(line, given).await,
                "success" | "cancel-bid" => return self.act(line, question, given).await,
                "bid" if !given.contains_key("hash") && !given.contains_key("id") => {
                    return Err("bid: give hash or id".to_owned());
                }
                _ => {}
            }
            let form = question.parameters.iter().fold(Form::new(), |form, parameter| {
                form.maybe(parameter.name, given.get(parameter.name).map(String::as_str))
            });
            let data = self.ask_site(line, question.operation, form, &[]).await;
            self.sheet(question.operation, &data.map_err(Trouble::text)?)
        })
    }
}

impl Exchanger {
    async fn act(
        &self,
        line: &Line,
        question: &Question,
        given: &BTreeMap<String, String>,
    ) -> Result<Sheet, String> {
        let hash = given.get("hash").map(String::as_str).unwrap_or_default();
        match self.act_on(line, question.operation, hash, "").await {
            Ok(()) => Ok(Sheet {
                columns: vec!["done"],
                rows: vec![vec![question.operation.to_owned()]],
                more: Some("bid shows where the order stands now".to_owned()),
            }),
            Err(NotDone::Refused(text) | NotDone::NotSent(text)) => Err(text),
            Err(NotDone::Unknown(text)) => {
                Err(format!("{text}; it may have been done: ask with bid"))
            }
        }
    }

    /// The table of an answer. Pure.
    pub(super) fn sheet(&self, operation: &str, data: &Php) -> Result<Sheet, String> {
        match operation {
            "get_directions" => self.table(DIRECTIONS, Some(data)),
            "get_direction_currencies" => self.currencies(data),
            "get_exchanges" => self.table(EXCHANGES, data.get("items")),
            "get_partner_links" => self.table(PARTNER_LINKS, data.get("items")),
            "get_partner_exchanges" => self.table(PARTNER_EXCHANGES, data.get("items")),
            "get_partner_payouts" => self.table(PARTNER_PAYOUTS, data.get("items")),
            _ => Ok(self.record(data)),
        }
    }

    /// A list; where nothing matched, the site leaves it out.
    fn table(&self, columns: &[&'static str], list: Option<&Php>) -> Result<Sheet, String> {
        let items = match list {
            None => Vec::new(),
            Some(list) => list.values().ok_or("the answer is no list")?,
        };
        let row =
            |item: &&Php| columns.iter().map(|name| self.cell(name, item.get(name))).collect();
        let rows = items.iter().take(ROWS_MAX).map(row).collect();
        let more = columns.contains(&"status").then_some(
            "there may be more: narrow start_time and end_time, or use offset where there is one",
        );
        let more = more.filter(|_| !items.is_empty()).map(str::to_owned);
        Ok(Sheet { columns: columns.to_vec(), rows, more })
    }

    fn currencies(&self, data: &Php) -> Result<Sheet, String> {
        let mut rows = Vec::new();
        for side in ["give", "get"] {
            let Some(list) = data.get(side) else { continue };
            for item in list.values().ok_or("the answer is no list")? {
                let cell = |name| self.cell(name, item.get(name));
                rows.push(vec![side.to_owned(), cell("id"), cell("title"), cell("logo")]);
            }
        }
        Ok(Sheet { columns: vec!["side", "id", "title", "logo"], rows, more: None })
    }

    /// Names and values, lists within by their place: `get_fields.0.label`.
    pub(super) fn record(&self, data: &Php) -> Sheet {
        let mut rows = Vec::new();
        self.flatten("", data, &mut rows);
        Sheet { columns: vec!["name", "value"], rows, more: None }
    }

    fn flatten(&self, path: &str, php: &Php, rows: &mut Vec<Vec<String>>) {
        for (name, value) in php.pairs() {
            if rows.len() >= ROWS_MAX {
                return;
            }
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match value {
                Php::List(_) | Php::Map(_) => self.flatten(&path, value, rows),
                _ => rows.push(vec![self.quote(&path, ""), self.cell(&name, Some(value))]),
            }
        }
    }

    /// One value, as the site wrote it, fit for a screen.
    pub(super) fn cell(&self, name: &str, value: Option<&Php>) -> String {
        let text = match value {
            None => return String::new(),
            Some(list @ (Php::List(_) | Php::Map(_))) => {
                let changes = list.values().unwrap_or_default();
                let change = |one: &&Php| {
                    let word = |name| self.quote(one.text_of(name).unwrap_or_default(), "");
                    format!("{} {}", word("date"), word("status")).trim().to_owned()
                };
                return changes.iter().map(change).collect::<Vec<_>>().join(", ");
            }
            Some(value) => plain(value.text().unwrap_or_default()),
        };
        match name {
            "account" | "account1" | "account2" => mask(&text),
            // Our own numbers and the site's, which are long and no accounts.
            "api_id" | "id" | "hash" | "user_hash" | "url" | "logo" | "pay" | "cancel"
            | "address" | "dest_tag" | "instruction" => {
                text.replace(char::is_control, " ").chars().take(CELL_CHARS_MAX).collect()
            }
            _ => self.quote(&text, ""),
        }
    }
}
