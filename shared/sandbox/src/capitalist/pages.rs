//! `get_batch_info`: a batch, page by page.

use serde::Serialize;

use super::answer::{No, Numeral, Refusal, Told};
use super::code::Code;
use super::form::Form;
use super::import::no_batch;
use super::office::Office;
use super::operation::Operation;
use super::picture::Picture;
use super::record::{Batch, Stage};
use crate::clock::lock;
use crate::dial::Fault;

/// The `paymentType` of a record that was rejected at the upload.
const SKIP: &str = "SKIP";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageData {
    id: String,
    offset: Numeral,
    page: Numeral,
    page_size: Numeral,
    page_count: Numeral,
    total_count: Numeral,
    records: Vec<RecordData>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordData {
    /// From 1.
    line_number: Numeral,
    /// The client's number.
    internal_number: String,
    beneficiary: String,
    amount: Numeral,
    currency: &'static str,
    description: String,
    document_id: Option<String>,
    state: &'static str,
    payment_type: String,
    error_details: Option<String>,
}

/// A stretch of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Page {
    offset: usize,
    /// At least 1.
    size: usize,
}

impl Page {
    fn asked(form: &Form, total: usize, most: usize) -> Result<Self, No> {
        let size = form.number("page_size")?;
        let size = match size {
            Some(0) => return Err(Refusal::because(Code::PARAMS, "page_size")),
            Some(size) => size,
            None => total.max(1),
        };
        if size > most {
            return Err(Refusal::of(Code::UNPAGED));
        }
        let offset = match form.number("start_offset")? {
            Some(offset) => offset,
            None => form.number("page")?.unwrap_or(0).saturating_mul(size),
        };
        Ok(Self { offset, size })
    }

    /// Another page than this one: the next, or the first, or the rest of the only one.
    fn other(self, total: usize) -> Self {
        let next = self.offset.saturating_add(self.size);
        let offset = match self.offset {
            _ if next < total => next,
            0 => 1,
            _ => 0,
        };
        Self { offset, ..self }
    }
}

impl Office {
    pub(super) fn batch_info(&self, form: &Form) -> Result<Told, No> {
        if let Some(order) = self.script.take(Operation::GetBatchInfo) {
            return Err(order.refusal(&[]));
        }
        if let Some(size) = form.number("page_size")? {
            self.count_page(size);
        }
        let book = lock(&self.book);
        let picture = book.picture();
        let place = picture.batch_place(form.get("batch_id"));
        let batch = place.and_then(|place| picture.batch(place)).ok_or_else(no_batch)?;
        let total = batch.entries.len();
        let page = Page::asked(form, total, self.config.page_max)?;
        if self.dial.strikes(Fault::StatusBlind) {
            return self.page(picture, batch, page, 0);
        }
        let is_other = self.dial.strikes(Fault::StatusOtherPage);
        let page = if is_other { page.other(total) } else { page };
        self.page(picture, batch, page, total)
    }

    /// `total` is how many records the batch is said to have.
    fn page(&self, picture: &Picture, batch: &Batch, page: Page, total: usize) -> Result<Told, No> {
        let Page { offset, size } = page;
        let count = |number| self.config.count(number);
        let until = offset.saturating_add(size).min(total);
        let records: Vec<_> =
            (offset..until).filter_map(|index| self.record(picture, batch, index)).collect();
        let (page, pages) = (offset / size, total.div_ceil(size));
        let mut lines = vec![vec![batch.import.id.to_string()]];
        let numbers = [offset, size, total, pages, page];
        lines[0].extend(numbers.iter().map(ToString::to_string));
        let records = records.into_iter().map(|(data, line)| {
            lines.push(line);
            data
        });
        let data = PageData {
            id: batch.import.id.to_string(),
            records: records.collect(),
            offset: count(offset),
            page: count(page),
            page_size: count(size),
            page_count: count(pages),
            total_count: count(total),
        };
        Told::new(&data, lines)
    }

    /// One record, for JSON and for CSV.
    fn record(
        &self,
        picture: &Picture,
        batch: &Batch,
        index: usize,
    ) -> Option<(RecordData, Vec<String>)> {
        let line = batch.import.lines.get(index)?;
        let entry = batch.entries.get(index)?.and_then(|seq| picture.entries().get(seq));
        let stage = entry.map_or(Stage::Declined, |entry| self.stage(picture, entry));
        let payment_type = entry.map_or(SKIP, |_| &line.kind);
        let document_id = entry.map(|entry| document_number(entry.seq));
        let error = match (&line.rejected, stage) {
            (Some(why), _) => Some(why.to_string()),
            (None, Stage::Declined) => Some(DECLINED.to_owned()),
            (None, _) => None,
        };
        let csv = vec![
            (index + 1).to_string(),
            line.number.to_string(),
            line.destination.to_string(),
            line.currency.show(line.amount),
            line.currency.word().to_owned(),
            line.description.to_string(),
            document_id.clone().unwrap_or_default(),
            stage.record_word().to_owned(),
            payment_type.to_owned(),
            error.clone().unwrap_or_default(),
        ];
        let data = RecordData {
            line_number: self.config.count(index + 1),
            internal_number: line.number.to_string(),
            beneficiary: line.destination.to_string(),
            amount: self.config.amount(line.currency, line.amount),
            currency: line.currency.word(),
            description: line.description.to_string(),
            document_id,
            state: stage.record_word(),
            payment_type: payment_type.to_owned(),
            error_details: error,
        };
        Some((data, csv))
    }
}

/// What a declined record says.
pub(super) const DECLINED: &str = "Declined by the recipient's bank";

/// The platform's number of an entry: unique for ever in this ledger.
pub(super) fn document_number(seq: usize) -> String {
    format!("{}", 10_000_001 + seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_page_is_never_the_one_that_was_asked_for() {
        for total in 1..6 {
            for size in 1..6 {
                for offset in 0..total {
                    let page = Page { offset, size };
                    assert_ne!(page.other(total).offset, offset, "{page:?} of {total}");
                }
            }
        }
    }
}
