//! `add_partner_payout`: a person withdraws what the partner earned.
//!
//! It has no amount and no reference: it takes the whole balance of its moment, and nobody could
//! look it up. So it is never a row of a file; it is done only with the balance that the person
//! was shown, and never while an earlier one is undecided, or this process does not know what
//! became of its last one.

use super::Exchanger;
use super::ask::Trouble;
use super::errors::{Reply, words};
use super::line::Line;
use super::pay::NotDone;
use super::php::Php;
use super::wire::Form;
use crate::api::Sheet;
use crate::http::SendError;
use std::collections::{BTreeMap, BTreeSet};

const METHOD: &str = "add_partner_payout";
/// What is asked for; the site gives no more, and there is no `offset`.
const PAGE: &str = "500";
/// Windows that are read back in time: 10,000 withdrawals.
const WINDOWS_MAX: usize = 20;
/// The `status` of a withdrawal that is decided: paid, cancelled. Whatever else there is may be on
/// its way.
const DECIDED: [&str; 2] = ["1", "2"];
/// From so many on, a page may be full: the site's own default for its lists.
const FULL_FROM: usize = 100;
/// What a person does who does not know whether the site took a withdrawal.
const FIND_OUT: &str = "look at partner-payouts and at the balance in partner-info before you try \
                        again; if they do not tell, ask the site";

impl Exchanger {
    pub(super) async fn partner_payout(
        &self,
        line: &Line,
        given: &BTreeMap<String, String>,
    ) -> Result<Sheet, String> {
        // Held to the end: no other one starts between this one's look and its act.
        let mut is_unknown = self.withdrawal_unknown.lock().await;
        if *is_unknown {
            return Err(format!(
                "it is not known what became of the last withdrawal of this process: {FIND_OUT}, \
                 and start anew"
            ));
        }
        let parameter = |name: &str| given.get(name).map(|text| text.trim()).unwrap_or_default();
        let (method_id, account) = (parameter("method_id"), parameter("account"));
        let info = self.ask_site(line, "get_partner_info", Form::new(), &[account]).await;
        let info = info.map_err(Trouble::text)?;
        let balance = info.text_of("balance").ok_or("get_partner_info: no balance is told")?;
        let items = info.get("items").and_then(Php::values).unwrap_or_default();
        let item = items.iter().find(|item| item.text_of("id") == Some(method_id));
        let item = item.ok_or_else(|| format!("there is no way of withdrawal {method_id}"))?;
        if let Some(id) = self.pending_payout(line, account).await? {
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
            Some(_) => {
                // Also if nobody waits for the answer any more.
                *is_unknown = true;
                let outcome = self.withdraw(line, method_id, account).await;
                *is_unknown = matches!(outcome, Err(NotDone::Unknown(_)));
                outcome.map_err(|error| match error {
                    NotDone::Unknown(text) => format!("{text}; it may have been done: {FIND_OUT}"),
                    NotDone::Refused(text) | NotDone::NotSent(text) => text,
                })
            }
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
    async fn pending_payout(&self, line: &Line, account: &str) -> Result<Option<String>, String> {
        let mut seen = BTreeSet::new();
        let mut until: Option<u64> = None;
        for _ in 0..WINDOWS_MAX {
            let end = until.map(|time| time.to_string());
            let form = Form::new().maybe("end_time", end.as_deref()).with("limit", PAGE);
            let data = self.ask_site(line, "get_partner_payouts", form, &[account]).await;
            let data = data.map_err(Trouble::text)?;
            let unreadable = || "get_partner_payouts: the answer cannot be read".to_owned();
            if !data.is_record() {
                return Err(unreadable());
            }
            let Some(items) = data.get("items") else { return Ok(None) };
            let items = items.values().ok_or_else(unreadable)?;
            let (before, mut newest_left) = (seen.len(), u64::MAX);
            let may_be_full = items.len() >= FULL_FROM;
            for item in items {
                let id = item.text_of("id").ok_or_else(unreadable)?;
                let status = item.text_of("status").ok_or_else(unreadable)?;
                if !DECIDED.contains(&status) {
                    return Ok(Some(self.quote(id, "")));
                }
                let time = item.text_of("time").and_then(|time| time.parse().ok());
                let time: u64 = time.ok_or_else(unreadable)?;
                if may_be_full && time > newest_left {
                    // What was left out is newer than all of this, and looking further back
                    // would never come to it.
                    return Err(
                        "get_partner_payouts: the site does not list the newest first, so \
                                one that is undecided may be missing"
                            .to_owned(),
                    );
                }
                newest_left = time;
                until = Some(until.map_or(time, |earliest| earliest.min(time)));
                seen.insert(id.to_owned());
            }
            if seen.len() == before {
                return Ok(None);
            }
        }
        Err("get_partner_payouts: too many withdrawals to be sure that none is undecided".into())
    }

    async fn withdraw(
        &self,
        line: &Line,
        method_id: &str,
        account: &str,
    ) -> Result<Sheet, NotDone> {
        let form = Form::new().with("method_id", method_id).with("account", account);
        let raw = match line.post(METHOD, form).await {
            Ok(raw) => raw,
            Err(error @ SendError::Unknown(_)) => return Err(NotDone::Unknown(error.to_string())),
            Err(error) => return Err(NotDone::NotSent(error.to_string())),
        };
        let unknown = |text: &str| Err(NotDone::Unknown(format!("{METHOD}: {text}")));
        let refused = |text: &str| Err(NotDone::Refused(format!("{METHOD}: {text}")));
        match self.settings.errors.reply(&raw) {
            Reply::Done(envelope) => match envelope.data {
                Some(data) if data.text_of("payout_id").is_some() => Ok(self.record(&data)),
                _ => unknown("the answer has no payout_id"),
            },
            Reply::Said(said) => {
                let text = self.quote(&words(&said), account);
                match self.settings.errors.stop(&said) {
                    Some(why) => refused(&format!("{text}; {}", why.advice(METHOD))),
                    // The document lists no error of this call.
                    None => unknown(&text),
                }
            }
            Reply::Disabled | Reply::Forbidden => refused("the API is off"),
            Reply::TooMany => refused("too many requests"),
            Reply::Empty => unknown("an empty answer"),
            Reply::Unreadable(text) => unknown(&text),
        }
    }
}
