//! `get_batch_info`: where the rows of one batch stand, page by page.
//!
//! A listing is whole, or it is none: it ends where the provider's own count of records says so,
//! and nowhere else. Part of a batch would make the rest of it look as if it were not there.
//!
//! A row that its batch does not list is not absent: what the provider took with an id is there
//! in some way, and a person finds out in which.

use super::Capitalist;
use super::agree::{Item, judge, number};
use super::data::{BATCH, BatchPage, Record};
use super::line::{Line, Way};
use super::rest::Trouble;
use super::wire::Envelope;
use crate::answer::Found;
use crate::api::{Payment, Turns};
use crate::told::{Told, text};
use std::collections::BTreeMap;

/// Pages of one batch; a thousand records make 100 of the smallest.
const PAGES_MAX: usize = 101;
/// What a record that was rejected at upload says of its payment.
const SKIPPED: &str = "SKIP";

/// Our payments by number.
pub(super) type Wanted<'a> = BTreeMap<&'a str, (usize, &'a Payment)>;

/// All that is told of each payment, by its place in what was asked.
pub(super) type Items = BTreeMap<usize, Vec<Found>>;

impl Capitalist {
    /// What a batch says of the payments that are wanted; those that it does not list are not in
    /// the answer. Every page is read: a number may stand on two.
    pub(super) async fn batch_info(
        &self,
        line: &Line,
        handle: &str,
        wanted: &Wanted<'_>,
        turns: &dyn Turns,
    ) -> Result<Items, Trouble> {
        let mut items = Items::new();
        let mut listing = Listing::default();
        for _ in 0..PAGES_MAX {
            let page = self.page(line, handle, listing.read, Way::Paced(turns)).await?;
            let page: BatchPage<'_> = page.data().unwrap_or_default();
            let is_other = |id: &str| !id.trim().eq_ignore_ascii_case(handle);
            if text(page.id).is_some_and(|id| is_other(&id)) {
                return Err(Trouble::passing("the answer tells of another batch".to_owned()));
            }
            let ended = listing.take(&page).map_err(|text| Trouble::passing(text.to_owned()))?;
            for record in page.records.iter().flatten() {
                let Some(told) = number(record.internal_number) else { continue };
                let Some((at, payment)) = wanted.get(told.as_ref()) else { continue };
                let judged = judge(&self.item(line, record, payment), payment, &self.states);
                items.entry(*at).or_default().push(judged);
            }
            if ended {
                return Ok(items);
            }
        }
        Err(Trouble::passing(format!("the batch does not end within {PAGES_MAX} pages")))
    }

    /// One page. Always one page: code 25 forbids to ask for a large batch whole.
    pub(super) async fn page(
        &self,
        line: &Line,
        handle: &str,
        offset: usize,
        way: Way<'_>,
    ) -> Result<Envelope, Trouble> {
        let (size, offset) = (self.page_size.to_string(), offset.to_string());
        let fields =
            [("batch_id", handle), ("page_size", size.as_str()), ("start_offset", offset.as_str())];
        line.tell("get_batch_info", &BATCH, &fields, way).await
    }

    fn item<'a>(&self, line: &Line, record: &Record<'a>, payment: &Payment) -> Item<'a> {
        let kind = text(record.payment_type);
        Item {
            amount: record.amount,
            currency: record.currency,
            destination: record.beneficiary,
            state: record.state,
            id: record.document_id,
            reason: text(record.error_details).map(|words| line.quote_about(&words, payment)),
            is_skipped: kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case(SKIPPED)),
        }
    }
}

/// How far a batch has been read.
#[derive(Default)]
struct Listing {
    /// Records so far: where the next page begins.
    read: usize,
    /// How many there are, as the first page told.
    total: Option<usize>,
}

impl Listing {
    /// Counts a page in, and says whether it was the last one. An error says why the pages do not
    /// make a whole batch.
    fn take(&mut self, page: &BatchPage<'_>) -> Result<bool, &'static str> {
        let records = page.records.as_ref().ok_or("the answer has no readable list of records")?;
        let count = page.total_count.and_then(Told::count);
        let count = count.ok_or("the batch does not tell how many records it has")?;
        if *self.total.get_or_insert(count) != count {
            return Err("the batch has changed while it was read");
        }
        match page.offset.and_then(Told::count) {
            Some(offset) if offset != self.read => return Err("the answer is another page"),
            // The first page is the one that is told if nobody asks for any.
            None if self.read > 0 => return Err("the answer does not tell which page it is"),
            _ => {}
        }
        self.read += records.len();
        if self.read > count {
            return Err("the batch lists more records than it has");
        }
        if records.is_empty() && self.read < count {
            return Err("the batch lists fewer records than it has");
        }
        Ok(self.read == count)
    }
}
