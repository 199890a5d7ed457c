//! `get_documents_history_ext` and its deprecated elder: everything that left an account, newest
//! first, page by page.

use serde::Serialize;

use super::answer::{No, Numeral, Refusal, Told};
use super::code::Code;
use super::day;
use super::form::Form;
use super::office::Office;
use super::operation::Operation;
use super::pages::{DECLINED, document_number};
use super::picture::Picture;
use super::record::{Entry, Stage};
use super::search::{Wanted, entries, window};
use crate::clock::lock;
use crate::dial::Fault;

/// Documents on a page, unless asked otherwise.
const LIMIT: usize = 30;

#[derive(Serialize)]
struct HistoryData {
    #[serde(skip_serializing_if = "Option::is_none")]
    pages: Option<Pages>,
    history: Vec<Item>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pages {
    item_count: Numeral,
    page_count: Numeral,
    page_size: Numeral,
    current_page: Numeral,
    current_page_count: Numeral,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    /// The client's number.
    number: String,
    /// The platform's.
    id: String,
    batch: String,
    timestamp: String,
    state: &'static str,
    channel: &'static str,
    correspondent: String,
    comment: String,
    account: String,
    amount: Numeral,
    tax: Numeral,
    currency: &'static str,
    dest_amount: Numeral,
    dest_currency: &'static str,
    description: String,
    outgoing: bool,
    self_exchange: bool,
}

/// The words of `document_state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    Any,
    InProcess,
    Executed,
    Declined,
}

impl Filter {
    fn of(word: &str) -> Option<Self> {
        match word {
            "" | "any" => Some(Self::Any),
            "inprocess" => Some(Self::InProcess),
            "executed" => Some(Self::Executed),
            "declined" => Some(Self::Declined),
            _ => None,
        }
    }

    fn takes(self, stage: Stage) -> bool {
        match stage {
            _ if self == Self::Any => true,
            Stage::Processed => self == Self::Executed,
            Stage::Declined => self == Self::Declined,
            Stage::New | Stage::Ready | Stage::InProcess => self == Self::InProcess,
        }
    }
}

impl Office {
    pub(super) fn history(&self, form: &Form, operation: Operation) -> Result<Told, No> {
        if let Some(order) = self.script.take(operation) {
            return Err(order.refusal(&[]));
        }
        let limit = form.number("limit")?.unwrap_or(LIMIT);
        let page = form.number("page")?.unwrap_or(1);
        self.count_page(limit);
        if limit > self.config.page_max {
            return Err(Refusal::of(Code::UNPAGED));
        }
        if limit == 0 || page == 0 {
            return Err(Refusal::because(Code::PARAMS, "limit and page must be above 0"));
        }
        let book = lock(&self.book);
        let picture = book.picture();
        let found = self.found(picture, form)?;
        let is_other = self.dial.strikes(Fault::StatusOtherPage);
        let page = match page {
            _ if !is_other => page,
            1 => 2,
            _ => page - 1,
        };
        let from = (page - 1).saturating_mul(limit);
        let items = found.iter().skip(from).take(limit);
        let (history, mut lines): (Vec<_>, Vec<_>) =
            items.filter_map(|entry| self.item(picture, entry)).unzip();
        let (count, all) = (|number| self.config.count(number), found.len());
        let pages = Pages {
            item_count: count(all),
            page_count: count(all.div_ceil(limit)),
            page_size: count(limit),
            current_page: count(page),
            current_page_count: count(history.len()),
        };
        let numbers = [all, all.div_ceil(limit), limit, page, history.len()];
        let is_new = operation == Operation::GetDocumentsHistoryExt;
        let first = numbers.iter().filter(|_| is_new).map(ToString::to_string).collect();
        lines.insert(0, first);
        Told::new(&HistoryData { pages: is_new.then_some(pages), history }, lines)
    }

    /// All that the filters let through, newest first.
    fn found<'a>(&self, picture: &'a Picture, form: &Form) -> Result<Vec<&'a Entry>, No> {
        if self.dial.strikes(Fault::StatusBlind) {
            return Ok(Vec::new());
        }
        let (from_ms, until_ms) = window(form, "period_from", "period_to")?;
        let filter = Filter::of(form.get("document_state"))
            .ok_or_else(|| Refusal::because(Code::PARAMS, "document_state"))?;
        let is_open = self.dial.strikes(Fault::StatusFilterIgnored);
        let (account, other) = (form.get("account"), form.get("external_account"));
        let wanted = |entry: &&Entry| {
            let destination = entry.line().map_or("", |line| &line.destination);
            (account.is_empty() || entry.source() == account)
                && (other.is_empty() || destination == other)
                && filter.takes(self.stage(picture, entry))
        };
        let all = if is_open { (0, u64::MAX) } else { (from_ms, until_ms) };
        let in_window = entries(picture, &Wanted { number: "", from_ms: all.0, until_ms: all.1 });
        Ok(in_window.into_iter().rev().filter(|entry| is_open || wanted(entry)).collect())
    }

    fn item(&self, picture: &Picture, entry: &Entry) -> Option<(Item, Vec<String>)> {
        let line = entry.line()?;
        let stage = self.stage(picture, entry);
        let currency = line.currency;
        let item = Item {
            number: line.number.to_string(),
            id: document_number(entry.seq),
            batch: entry.import.id.to_string(),
            timestamp: day::show(entry.import.at_ms),
            state: stage.document_word(),
            channel: "API",
            correspondent: line.destination.to_string(),
            comment: if stage == Stage::Declined { DECLINED.to_owned() } else { String::new() },
            account: entry.source().to_owned(),
            amount: self.config.amount(currency, line.amount),
            tax: self.config.amount(currency, line.fee),
            currency: currency.word(),
            dest_amount: self.config.amount(currency, line.amount),
            dest_currency: currency.word(),
            description: line.description.to_string(),
            outgoing: true,
            self_exchange: false,
        };
        let amount = currency.show(line.amount);
        let csv = vec![
            item.number.clone(),
            item.id.clone(),
            item.batch.clone(),
            item.timestamp.clone(),
            item.state.to_owned(),
            item.channel.to_owned(),
            item.correspondent.clone(),
            item.comment.clone(),
            item.account.clone(),
            amount.clone(),
            currency.show(line.fee),
            item.currency.to_owned(),
            amount,
            item.dest_currency.to_owned(),
            item.description.clone(),
            "1".to_owned(),
            "0".to_owned(),
        ];
        Some((item, csv))
    }
}
