//! The account call, for people: what is there, what is on hold, what may be spent (in USDT, as
//! written), and which methods are on.

use super::Merchant;
use super::wire::Account;
use crate::api::{Desk, Question, Sheet};
use crate::http::RawAnswer;
use crate::settings::OFFLINE;
use crate::told::{Told, text};
use futures::future::BoxFuture;
use std::collections::BTreeMap;

const CURRENCY: &str = "USDT";

const QUESTIONS: &[Question] = &[
    Question {
        name: "balance",
        about: "what is there, what is on hold, what may be spent",
        operation: "status",
        parameters: &[],
        acts: false,
    },
    Question {
        name: "methods",
        about: "payment methods by currency, and whether they are on",
        operation: "status",
        parameters: &[],
        acts: false,
    },
];

impl Desk for Merchant {
    fn questions(&self) -> &'static [Question] {
        QUESTIONS
    }

    fn ask<'a>(
        &'a self,
        name: &'a str,
        _given: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Sheet, String>> {
        Box::pin(async move {
            let line = self.line.as_ref().ok_or(OFFLINE)?;
            let answer = line.http.send(line.get(&line.account_url), None).await;
            let answer = answer.map_err(|error| error.to_string())?;
            match name {
                "balance" => self.read_balance(&answer),
                "methods" => self.read_methods(&answer),
                other => Err(format!("the provider has no \"{other}\"")),
            }
        })
    }
}

impl Merchant {
    /// The account, or why it is not told. Pure.
    fn read_account<'a>(&self, raw: &'a RawAnswer) -> Result<Account<'a>, String> {
        let account: Account<'_> =
            serde_json::from_slice(&raw.body).map_err(|_| unreadable(raw))?;
        let ok = account.ok.and_then(Told::yes).ok_or_else(|| unreadable(raw))?;
        if !ok || !(200..300).contains(&raw.status) {
            let words = text(account.error).unwrap_or_default();
            return Err(format!("HTTP {} {}", raw.status, self.quote(&words, "")));
        }
        Ok(account)
    }

    pub(super) fn read_balance(&self, raw: &RawAnswer) -> Result<Sheet, String> {
        let account = self.read_account(raw)?;
        let lines = [
            ("balance", account.balance),
            ("hold", account.hold),
            ("available", account.available),
        ];
        let rows: Vec<_> = lines
            .into_iter()
            .filter_map(|(name, told)| {
                // A balance may be below zero, so this is no amount; it is shown, not counted.
                let amount = self.quote_amount(&text(told)?);
                Some(vec![name.to_owned(), amount, CURRENCY.to_owned()])
            })
            .collect();
        if rows.is_empty() {
            return Err(unreadable(raw));
        }
        Ok(Sheet { columns: vec!["name", "amount", "currency"], rows, more: None })
    }

    pub(super) fn read_methods(&self, raw: &RawAnswer) -> Result<Sheet, String> {
        let account = self.read_account(raw)?;
        let methods = account.payment_methods.unwrap_or_default();
        let rows = methods.iter().flat_map(|method| {
            let currency = self.quote(&text(method.currency).unwrap_or_default(), "");
            method.statuses.iter().flatten().map(move |(name, told)| {
                let status = match told.yes() {
                    Some(true) => "on".to_owned(),
                    Some(false) => "off".to_owned(),
                    None => self.quote(&told.text().unwrap_or_default(), ""),
                };
                vec![currency.clone(), self.quote(name, ""), status]
            })
        });
        let rows = rows.collect();
        Ok(Sheet { columns: vec!["currency", "method", "status"], rows, more: None })
    }
}

fn unreadable(raw: &RawAnswer) -> String {
    format!("HTTP {} with a body that cannot be read", raw.status)
}
