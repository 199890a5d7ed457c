//! `add_partner_payout`: a person withdraws what the partner earned.
//!
//! It has no amount and no reference: it takes the whole balance of its moment, and nobody could
//! look it up. So it is never a row of a file; it is done only with the balance that the person
//! was shown, and never while an earlier one is undecided.

use super::Exchanger;
use super::ask::Trouble;
use super::errors::{Reply, words};
use super::line::Line;
use super::php::Php;
use super::wire::Form;
use crate::api::Sheet;
use std::collections::{BTreeMap, BTreeSet};

const METHOD: &str = "add_partner_payout";
/// What is asked for; the site gives no more, and there is no `offset`.
const PAGE: &str = "500";
/// Windows that are read back in time: 10,000 withdrawals.
const WINDOWS_MAX: usize = 20;
/// The `status` of a withdrawal that is not decided.
const PENDING: &str = "0";

impl Exchanger {
    pub(super) async fn partner_payout(
        &self,
        line: &Line,
        given: &BTreeMap<String, String>,
    ) -> Result<Sheet, String> {
        let parameter = |name: &str| given.get(name).map(|text| text.trim()).unwrap_or_default();
        let (method_id, account) = (parameter("method_id"), parameter("account"));
        let info = self.ask_site(line, "get_partner_info", Form::new()).await;
        let info = info.map_err(Trouble::text)?;
        let balance = info.text_of("balance").ok_or("get_partner_info: no balance is told")?;
        let items = info.get("items").and_then(Php::values).unwrap_or_default();
        let item = items.iter().find(|item| item.text_of("id") == Some(method_id));
        let item = item.ok_or_else(|| format!("there is no way of withdrawal {method_id}"))?;
        if let Some(id) = self.pending_payout(line).await? {
            return Err(format!(
                "withdrawal {id} is not decided yet; wait until partner-payouts shows it as paid \
                 or cancelled"
            ));
        }
        let agreed = given.get("balance").map(|text| text.trim());
        match agreed {
            None => Ok(self.preview(balance, &info, item)),
            Some(agreed) if agreed != balance => Err(format!(
                "the balance is {} now; look at it again before you withdraw",
                self.quote(balance, "")
            )),
            Some(_) => self.withdraw(line, method_id, account).await,
        }
    }

    /// What it would do.
    fn preview(&self, balance: &str, info: &Php, item: &Php) -> Sheet {
        let cell = |name: &str| self.cell(name, item.get(name));
        // One seen version spells it with one m.
        let commission = match cell("commission") {
            none if none.is_empty() => cell("comission"),
            told => told,
        };
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        Sheet {
            columns: vec!["name", "value"],
            rows: vec![
                row("balance", self.quote(balance, "")),
                row("min_payout", self.cell("min_payout", info.get("min_payout"))),
                row("method", cell("title")),
                row("commission", commission),
                row("amount", cell("amount")),
            ],
            more: Some(format!(
                "nothing was withdrawn; give balance={} to withdraw all of it",
                self.quote(balance, "")
            )),
        }
    }

    /// An earlier withdrawal that is not decided, by its id.
    async fn pending_payout(&self, line: &Line) -> Result<Option<String>, String> {
        let mut seen = BTreeSet::new();
        let mut until: Option<u64> = None;
        for _ in 0..WINDOWS_MAX {
            let end = until.map(|time| time.to_string());
            let form = Form::new().maybe("end_time", end.as_deref()).with("limit", PAGE);
            let data = self.ask_site(line, "get_partner_payouts", form).await;
            let data = data.map_err(Trouble::text)?;
            let unreadable = || "get_partner_payouts: the answer cannot be read".to_owned();
            if !data.is_record() {
                return Err(unreadable());
            }
            let Some(items) = data.get("items") else { return Ok(None) };
            let before = seen.len();
            for item in items.values().ok_or_else(unreadable)? {
                let id = item.text_of("id").ok_or_else(unreadable)?;
                let status = item.text_of("status").ok_or_else(unreadable)?;
                if status == PENDING {
                    return Ok(Some(self.quote(id, "")));
                }
                let time = item.text_of("time").and_then(|time| time.parse().ok());
                let time: u64 = time.ok_or_else(unreadable)?;
                until = Some(until.map_or(time, |earliest| earliest.min(time)));
                seen.insert(id.to_owned());
            }
            if seen.len() == before {
                return Ok(None);
            }
        }
        Err("get_partner_payouts: too many withdrawals to be sure that none is undecided".into())
    }

    async fn withdraw(&self, line: &Line, method_id: &str, account: &str) -> Result<Sheet, String> {
        let form = Form::new().with("method_id", method_id).with("account", account);
        let unknown = |text: String| {
            format!("{text}; it may have been done: look at partner-payouts before you try again")
        };
        let raw = match line.post(METHOD, form).await {
            Ok(raw) => raw,
            Err(error @ crate::http::SendError::Unknown(_)) => {
                return Err(unknown(error.to_string()));
            }
            Err(error) => return Err(error.to_string()),
        };
        match self.settings.errors.reply(&raw) {
            Reply::Done(envelope) => match envelope.data {
                Some(data) if data.text_of("payout_id").is_some() => Ok(self.record(&data)),
                _ => Err(unknown(format!("{METHOD}: the answer has no payout_id"))),
            },
            Reply::Said(said) => {
                let text = format!("{METHOD}: {}", self.quote(&words(&said), account));
                match self.settings.errors.stop(&said) {
                    Some(why) => Err(format!("{text}; {}", why.advice(METHOD))),
                    // The document lists no error of this call.
                    None => Err(unknown(text)),
                }
            }
            Reply::Disabled | Reply::Forbidden => Err(format!("{METHOD}: the API is off")),
            Reply::TooMany => Err(format!("{METHOD}: too many requests")),
            Reply::Empty => Err(unknown(format!("{METHOD}: an empty answer"))),
            Reply::Unreadable(text) => Err(unknown(format!("{METHOD}: {text}"))),
        }
    }
}
