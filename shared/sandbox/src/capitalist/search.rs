//! `documents_search`: by the client's number, by days, or by both. It covers the whole login.

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
use crate::clock::lock;
use crate::dial::Fault;

#[derive(Serialize)]
struct SearchData {
    documents: Vec<Document>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(rename = "type")]
    kind: String,
    source_account: String,
    destination_account: String,
    batch_id: String,
    timestamp: String,
    currency: &'static str,
    amount: Numeral,
    description: String,
    custom_number: String,
    document_number: String,
    comment: String,
    document_state: &'static str,
    localized_document_state: &'static str,
}

/// What is looked for. Moments in milliseconds since 1970.
pub(super) struct Wanted<'a> {
    pub(super) number: &'a str,
    pub(super) from_ms: u64,
    /// Not included.
    pub(super) until_ms: u64,
}

/// The window between two fields that name days, both included; a missing one is no bound.
pub(super) fn window(form: &Form, first: &str, last: &str) -> Result<(u64, u64), No> {
    let bounds = |name: &str| match form.get(name) {
        "" => Ok((0, u64::MAX)),
        text => day::bounds(text).ok_or_else(|| {
            Refusal::because(Code::PARAMS, format!("{name}: must be a day, dd.mm.yyyy"))
        }),
    };
    Ok((bounds(first)?.0, bounds(last)?.1))
}

impl Office {
    pub(super) fn search(&self, form: &Form) -> Result<Told, No> {
        if let Some(order) = self.script.take(Operation::DocumentsSearch) {
            return Err(order.refusal(&[]));
        }
        let (from_ms, until_ms) = window(form, "beginDate", "endDate")?;
        let mut wanted = Wanted { number: form.get("customNumber"), from_ms, until_ms };
        if self.dial.strikes(Fault::StatusFilterIgnored) {
            wanted = Wanted { number: "", from_ms: 0, until_ms: u64::MAX };
        }
        let book = lock(&self.book);
        let picture = book.picture();
        let mut found = if self.dial.strikes(Fault::StatusBlind) {
            Vec::new()
        } else if self.dial.strikes(Fault::StatusOtherPage) {
            others(picture, &wanted)
        } else {
            entries(picture, &wanted)
        };
        if !self.config.unconfirmed_documents {
            found.retain(|entry| self.stage(picture, entry) != Stage::Ready);
        }
        let cut = found.len().saturating_sub(self.config.search_max);
        let documents = found[cut..].iter().filter_map(|entry| self.document(picture, entry));
        let (documents, mut lines): (Vec<_>, Vec<_>) = documents.unzip();
        // The code stands alone on the first line: nobody says what follows it there.
        lines.insert(0, Vec::new());
        Told::new(&SearchData { documents }, lines)
    }

    fn document(&self, picture: &Picture, entry: &Entry) -> Option<(Document, Vec<String>)> {
        let line = entry.line()?;
        let stage = self.stage(picture, entry);
        let document = Document {
            kind: line.kind.to_string(),
            source_account: entry.source().to_owned(),
            destination_account: line.destination.to_string(),
            batch_id: entry.import.id.to_string(),
            timestamp: day::show(entry.import.at_ms),
            currency: line.currency.word(),
            amount: self.config.amount(line.currency, line.amount),
            description: line.description.to_string(),
            custom_number: line.number.to_string(),
            document_number: document_number(entry.seq),
            comment: if stage == Stage::Declined { DECLINED.to_owned() } else { String::new() },
            document_state: stage.document_word(),
            localized_document_state: stage.localized(),
        };
        let csv = vec![
            document.kind.clone(),
            document.source_account.clone(),
            document.destination_account.clone(),
            document.batch_id.clone(),
            document.timestamp.clone(),
            document.currency.to_owned(),
            line.currency.show(line.amount),
            document.description.clone(),
            document.custom_number.clone(),
            document.document_number.clone(),
            document.comment.clone(),
            document.document_state.to_owned(),
            document.localized_document_state.to_owned(),
        ];
        Some((document, csv))
    }
}

/// What is wanted, oldest first.
pub(super) fn entries<'a>(picture: &'a Picture, wanted: &Wanted<'_>) -> Vec<&'a Entry> {
    let at = |entry: &Entry| entry.import.at_ms;
    let in_window = |entry: &&Entry| (wanted.from_ms..wanted.until_ms).contains(&at(entry));
    let all = picture.entries();
    if wanted.number.is_empty() {
        return all.iter().filter(in_window).collect();
    }
    let under = picture.under(wanted.number).iter().filter_map(|seq| all.get(*seq));
    under.filter(in_window).collect()
}

/// One document that is not wanted, as from another's question.
fn others<'a>(picture: &'a Picture, wanted: &Wanted<'_>) -> Vec<&'a Entry> {
    let is_other = |entry: &&Entry| entry.line().is_some_and(|line| *line.number != *wanted.number);
    picture.entries().iter().find(is_other).into_iter().collect()
}
