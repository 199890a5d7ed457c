//! `get_batch_info`: where the rows of one batch stand, page by page.
//!
//! A row that its batch does not list is not absent: what the provider took with an id is there
//! in some way, and a person finds out in which.

use super::Capitalist;
use super::agree::{Item, graver, judge, number};
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

impl Capitalist {
    /// What a batch says of the payments that are wanted; those that it does not list are not in
    /// the answer. Every page is read: a number may stand on two.
    pub(super) async fn batch_info(
        &self,
        line: &Line,
        handle: &str,
        wanted: &Wanted<'_>,
        turns: &dyn Turns,
    ) -> Result<BTreeMap<usize, Found>, Trouble> {
        let mut found = BTreeMap::new();
        let mut offset = 0;
        for _ in 0..PAGES_MAX {
            let page = self.page(line, handle, offset, Way::Paced(turns)).await?;
            let page: BatchPage<'_> = page.data().unwrap_or_default();
            let is_other = |id: &str| !id.trim().eq_ignore_ascii_case(handle);
            if text(page.id).is_some_and(|id| is_other(&id)) {
                return Err(Trouble::passing("the answer tells of another batch".to_owned()));
            }
            let records = page.records.ok_or_else(|| {
                Trouble::passing("the answer has no readable list of records".to_owned())
            })?;
            for record in &records {
                let Some(told) = number(record.internal_number) else { continue };
                let Some((at, payment)) = wanted.get(told.as_ref()) else { continue };
                let judged = judge(&self.item(line, record), payment, &self.states);
                let kept = match found.remove(at) {
                    Some(before) => graver(before, judged),
                    None => judged,
                };
                found.insert(*at, kept);
            }
            offset += records.len();
            let total = page.total_count.and_then(Told::count);
            let is_last = match total {
                Some(total) => offset >= total,
                None => records.len() < usize::from(self.page_size),
            };
            if is_last || records.is_empty() {
                return Ok(found);
            }
        }
        Ok(found)
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

    fn item<'a>(&self, line: &Line, record: &Record<'a>) -> Item<'a> {
        let kind = text(record.payment_type);
        Item {
            amount: record.amount,
            currency: record.currency,
            destination: record.beneficiary,
            state: record.state,
            id: record.document_id,
            reason: text(record.error_details).map(|words| line.quote(&words)),
            is_skipped: kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case(SKIPPED)),
        }
    }
}
