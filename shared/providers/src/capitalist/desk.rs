//! What a person may ask: balances, rates, fees, histories. Nothing here moves money, and no list
//! is asked for in pages of more than a thousand.

use super::Capitalist;
use super::data::{BATCH, BatchPage, DOCUMENTS};
use super::line::{Field, Line, Way};
use super::questions::QUESTIONS;
use super::search::written;
use super::sheet::{ACCOUNT_LIST, ANY, HISTORY_PAGE, sheet};
use super::wire::Shape;
use crate::api::{Desk, Question, Sheet};
use crate::settings::OFFLINE;
use crate::told::Told;
use futures::future::BoxFuture;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Entries of one page, at most.
const ENTRIES_MAX: u16 = 1_000;

impl Desk for Capitalist {
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
            let get = |key: &str| given.get(key).map(|text| text.trim()).filter(|t| !t.is_empty());
            let mut fields = Fields::default();
            let shape: Shape = match name {
                "balance" => ACCOUNT_LIST,
                "rates" => ANY,
                "fees" => {
                    fields.put("document_type", get("type"));
                    fields.put("source_account", get("account"));
                    fields.put("amount", get("amount"));
                    fields.put("dest_account", get("to"));
                    fields.put("wiretag", get("wiretag"));
                    ANY
                }
                "verified" | "cashin" => {
                    fields.put("account", get("account"));
                    ANY
                }
                "history" | "history-old" => {
                    fields.put("account", get("account"));
                    fields.put("external_account", get("external"));
                    fields.put_day("period_from", get("from"))?;
                    fields.put_day("period_to", get("to"))?;
                    if name == "history" {
                        fields.put("document_state", get("state").or(Some("any")));
                    }
                    fields.put("limit", limit(get("limit"))?);
                    fields.put("page", get("page"));
                    HISTORY_PAGE
                }
                "batch" => return self.show_batch(line, get("id"), get("offset")).await,
                "search" => {
                    fields.put("customNumber", get("number"));
                    fields.put_day("beginDate", get("from"))?;
                    fields.put_day("endDate", get("to"))?;
                    DOCUMENTS
                }
                other => return Err(format!("the provider has no \"{other}\"")),
            };
            let question = QUESTIONS.iter().find(|question| question.name == name);
            let operation = question.map_or(name, |question| question.operation);
            let told = line.tell(operation, &shape, &fields.pairs(), Way::Free).await;
            let told = told.map_err(|trouble| trouble.text)?;
            sheet(line, &told, &shape)
        })
    }
}

fn limit(given: Option<&str>) -> Result<Option<&str>, String> {
    let fits = |text: &str| text.parse().is_ok_and(|n: u16| (1..=ENTRIES_MAX).contains(&n));
    match given {
        Some(text) if !fits(text) => Err(format!("limit: expected 1 to {ENTRIES_MAX}")),
        good => Ok(good),
    }
}

/// Fields of a request, some of them made here.
#[derive(Default)]
struct Fields(Vec<(&'static str, String)>);

impl Fields {
    fn put(&mut self, field: &'static str, value: Option<&str>) {
        self.0.extend(value.map(|value| (field, value.to_owned())));
    }

    fn put_day(&mut self, field: &'static str, value: Option<&str>) -> Result<(), String> {
        let Some(text) = value else { return Ok(()) };
        let parts: Vec<&str> = text.split('.').collect();
        let date = match parts[..] {
            [day, month, year] => format!("{year}-{month}-{day}").parse::<Date>(),
            _ => text.parse::<Date>(),
        };
        let date = date
            .map_err(|_| "a day that is none; write it like 2026-01-31 or 31.01.2026".to_owned())?;
        self.0.push((field, written(date)));
        Ok(())
    }

    fn pairs(&self) -> Vec<Field<'_>> {
        self.0.iter().map(|(field, value)| (*field, value.as_str())).collect()
    }
}

impl Capitalist {
    async fn show_batch(
        &self,
        line: &Line,
        id: Option<&str>,
        offset: Option<&str>,
    ) -> Result<Sheet, String> {
        let offset = offset.unwrap_or("0").parse::<usize>();
        let offset = offset.map_err(|_| "offset: expected a number of records".to_owned())?;
        let page = self.page(line, id.unwrap_or_default(), offset, Way::Free).await;
        let told = page.map_err(|trouble| trouble.text)?;
        let mut sheet = sheet(line, &told, &BATCH)?;
        let page: BatchPage<'_> = told.data().unwrap_or_default();
        let total = page.total_count.and_then(Told::count).unwrap_or(0);
        let shown = offset + sheet.rows.len();
        if total > shown {
            sheet.more = Some(format!("{total} records in all; go on with offset={shown}"));
        }
        Ok(sheet)
    }

    /// Which of our source accounts the provider does not list; `None` where it lists all, or
    /// does not tell.
    pub(super) async fn missing_accounts(&self, line: &Line) -> Option<String> {
        let told = line.tell("get_accounts", &ACCOUNT_LIST, &[], Way::Free).await.ok()?;
        let list: BTreeMap<String, Told<'_>> = told.data()?;
        let accounts = list.get("accounts")?.items()?;
        let number =
            |account: &Told<'_>| Some(account.fields()?.get("number")?.text()?.into_owned());
        let known: Vec<String> = accounts.iter().filter_map(number).collect();
        let missing = self.accounts.iter().find(|(_, account)| {
            !known.iter().any(|known| known.trim().eq_ignore_ascii_case(account))
        });
        missing
            .map(|(code, _)| format!("check accounts: the provider lists no such {code} account"))
    }
}
