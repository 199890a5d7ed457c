//! `documents_search`: the payouts of some days, or of one number.
//!
//! "Not found" is worth something only in a well-formed answer: code 0, in JSON, with a list. An
//! error, an empty body, a missing list say nothing (S11), and neither does CSV, of whose lists
//! nobody tells the form.

use super::Capitalist;
use super::agree::{Item, gravest, judge, number};
use super::batch_info::{Items, Wanted};
use super::data::{DOCUMENTS, Document, Documents};
use super::line::{Line, Way};
use super::rest::Trouble;
use super::wire::Form;
use crate::answer::Found;
use crate::api::{Payment, Sent, Turns};
use crate::told::text;
use domain::Millis;
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use std::collections::{BTreeMap, BTreeSet};

/// What a search told.
pub(super) struct Searched {
    /// By place in what was wanted.
    pub(super) found: BTreeMap<usize, Found>,
    /// The batches that they are in, likewise: what is sent together is in one.
    pub(super) batches: BTreeSet<(usize, Option<String>)>,
    /// How many documents it told.
    pub(super) documents: usize,
    /// Whether what it did not tell may be called absent.
    pub(super) proves: bool,
}

/// What a search told of one number.
pub(super) struct ByNumber {
    pub(super) found: Found,
    /// The batches that its documents are in; `None` for those that tell none.
    pub(super) batches: BTreeSet<Option<String>>,
}

impl Capitalist {
    /// Everything of the days in question, in which `wanted` are looked for.
    pub(super) async fn window(
        &self,
        line: &Line,
        wanted: &Wanted<'_>,
        sent: impl Iterator<Item = Sent>,
        turns: &dyn Turns,
    ) -> Result<Searched, Trouble> {
        let sent = sent.reduce(|one, other| Sent {
            from: one.from.min(other.from),
            until: one.until.max(other.until),
        });
        self.search(line, wanted, sent, None, turns).await
    }

    /// One payment by its number.
    pub(super) async fn by_number(
        &self,
        line: &Line,
        payment: &Payment,
        turns: &dyn Turns,
    ) -> Result<ByNumber, Trouble> {
        let reference = payment.reference.as_str();
        let wanted = Wanted::from([(reference, (0, payment))]);
        let mut searched =
            self.search(line, &wanted, payment.past.sent, Some(reference), turns).await?;
        let found = match searched.found.remove(&0) {
            Some(found) => found,
            None if searched.proves && searched.documents == 0 => Found::Absent,
            // Other numbers than the one that was asked for: it was not asked as we mean it.
            None => {
                return Err(Trouble::passing("a search by number told other documents".to_owned()));
            }
        };
        let batches = searched.batches.into_iter().map(|(_, batch)| batch).collect();
        Ok(ByNumber { found, batches })
    }

    async fn search(
        &self,
        line: &Line,
        wanted: &Wanted<'_>,
        sent: Option<Sent>,
        reference: Option<&str>,
        turns: &dyn Turns,
    ) -> Result<Searched, Trouble> {
        let days = sent.and_then(|sent| self.days(sent));
        let (begin, end) = days.ok_or_else(|| {
            Trouble::passing("nobody knows when it may have been sent".to_owned())
        })?;
        let mut fields = Vec::with_capacity(3);
        fields.extend(reference.map(|reference| ("customNumber", reference)));
        fields.extend([("beginDate", begin.as_str()), ("endDate", end.as_str())]);
        let told = line.tell("documents_search", &DOCUMENTS, &fields, Way::Paced(turns)).await?;
        let data: Documents<'_> = told.data().unwrap_or_default();
        let documents = data.documents.ok_or_else(|| {
            Trouble::passing("the answer has no readable list of documents".to_owned())
        })?;
        let proves = told.form == Form::Json && self.limits.idempotency.absence.proves;
        let (mut items, mut batches) = (Items::new(), BTreeSet::new());
        for document in &documents {
            let Some(told) = number(document.custom_number) else { continue };
            let Some((at, payment)) = wanted.get(told.as_ref()) else { continue };
            let batch = text(document.batch_id).map(|id| id.trim().to_owned());
            batches.insert((*at, batch));
            let judged = judge(&self.document(line, document, payment), payment, &self.states);
            items.entry(*at).or_default().push(judged);
        }
        let found = items.into_iter().map(|(at, items)| (at, gravest(items))).collect();
        Ok(Searched { found, batches, documents: documents.len(), proves })
    }

    fn document<'a>(&self, line: &Line, document: &Document<'a>, payment: &Payment) -> Item<'a> {
        Item {
            amount: document.amount,
            currency: document.currency,
            destination: document.destination_account,
            state: document.document_state,
            id: document.document_number,
            reason: text(document.comment).map(|words| line.quote_about(&words, payment)),
            is_skipped: false,
        }
    }

    /// Whole days of the provider's zone, `search_days` wider at both ends.
    fn days(&self, sent: Sent) -> Option<(String, String)> {
        let margin = i64::from(self.search_days).days();
        let first = self.day(sent.from)?.checked_sub(margin).ok()?;
        let last = self.day(sent.until)?.checked_add(margin).ok()?;
        Some((written(first), written(last)))
    }

    pub(super) fn day(&self, at: Millis) -> Option<Date> {
        let at = Timestamp::from_millisecond(i64::try_from(at.0).ok()?).ok()?;
        let offset = Offset::from_seconds(self.utc_offset_minutes * 60).ok()?;
        Some(offset.to_datetime(at).date())
    }
}

/// A date as the provider writes it.
pub(super) fn written(date: Date) -> String {
    format!("{:02}.{:02}.{:04}", date.day(), date.month(), date.year())
}
