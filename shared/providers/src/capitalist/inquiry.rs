//! What has been found out in one look-up, and what is still open.

use super::agree::graver;
use super::batch_info::Wanted;
use super::search::ByNumber;
use crate::answer::Found;
use crate::api::{Payment, Sent, Turns};
use domain::News;
use std::collections::{BTreeMap, BTreeSet};

/// What has been found out so far.
pub(super) struct Inquiry<'a> {
    pub(super) payments: &'a [Payment],
    pub(super) control: Option<&'a Payment>,
    pub(super) turns: &'a dyn Turns,
    pub(super) found: Vec<Option<Found>>,
    pub(super) control_found: Option<bool>,
    /// The batches that payments were found in, and those that were found in none that is told:
    /// to be followed, for what else was in them.
    pub(super) leads: BTreeSet<(usize, Option<String>)>,
    /// The longest number that a search is known to find, in bytes.
    pub(super) longest: usize,
}

/// The longest time that one import may have left in: send window, clock and request together are
/// minutes. Of what may have left in a longer one, nobody knows the import.
const IMPORT_MS_MAX: u64 = 24 * 60 * 60 * 1_000;

fn is_one_import(payment: &Payment) -> bool {
    payment.past.sent.is_none_or(|sent| sent.until.0.saturating_sub(sent.from.0) <= IMPORT_MS_MAX)
}

/// At most `most` of what is wanted: the first of each import, which left within one window of
/// time, and others evenly between. `None` where there are more imports than that, or nobody knows
/// how many: then none speaks for another.
pub(super) fn sample<'a>(wanted: &Wanted<'a>, most: usize) -> Option<BTreeMap<usize, &'a Payment>> {
    let mut all: Vec<(usize, &Payment)> = wanted.values().copied().collect();
    if all.len() <= most {
        return Some(all.into_iter().collect());
    }
    if !all.iter().all(|(_, payment)| is_one_import(payment)) {
        return None;
    }
    all.sort_by_key(|(at, _)| *at);
    let mut chosen = BTreeMap::new();
    let mut imports: Vec<Option<Sent>> = Vec::new();
    for (at, payment) in &all {
        if !imports.contains(&payment.past.sent) {
            imports.push(payment.past.sent);
            chosen.insert(*at, *payment);
        }
    }
    let spare = most.checked_sub(chosen.len())?;
    // The last one is always among them: a list is cut at its ends.
    let even = (1..=spare).map(|nth| nth * all.len() / spare - 1);
    chosen.extend(even.filter_map(|at| all.get(at)).copied());
    Some(chosen)
}

impl<'a> Inquiry<'a> {
    /// The payments whose batch is known, by batch.
    pub(super) fn by_batch(&self) -> Vec<(&'a str, Wanted<'a>)> {
        let mut batches: BTreeMap<&'a str, Wanted<'a>> = BTreeMap::new();
        for (at, payment) in self.payments.iter().enumerate() {
            if let Some(handle) = &payment.past.shipment {
                let wanted = batches.entry(handle).or_default();
                wanted.insert(payment.reference.as_str(), (at, payment));
            }
        }
        batches.into_iter().collect()
    }

    /// The payments of which nothing is known yet.
    pub(super) fn open(&self) -> Wanted<'a> {
        let all = self.payments.iter().enumerate().zip(&self.found);
        let open = all.filter(|(_, found)| found.is_none());
        open.map(|((at, payment), _)| (payment.reference.as_str(), (at, payment))).collect()
    }

    /// The payments without a known batch that are not settled by what is found so far.
    pub(super) fn undecided(&self) -> Wanted<'a> {
        let is_open = |found: &Option<Found>| match found {
            None => true,
            Some(Found::Is { news, .. }) => matches!(news, News::InProgress | News::Waiting),
            Some(_) => false,
        };
        let all = self.payments.iter().enumerate().zip(&self.found);
        all.filter(|((_, payment), found)| payment.past.shipment.is_none() && is_open(found))
            .map(|((at, payment), _)| (payment.reference.as_str(), (at, payment)))
            .collect()
    }

    /// Where the control stands: behind all payments, unless it is one of them.
    pub(super) fn control_at(&self) -> Option<usize> {
        let control = self.control?;
        let is_control = |payment: &Payment| payment.reference == control.reference;
        Some(self.payments.iter().position(is_control).unwrap_or(self.payments.len()))
    }

    /// `wanted` and the control.
    pub(super) fn with_control(&self, wanted: &Wanted<'a>) -> Wanted<'a> {
        let mut all = wanted.clone();
        if let (Some(control), Some(at)) = (self.control, self.control_at()) {
            all.entry(control.reference.as_str()).or_insert((at, control));
        }
        all
    }

    /// Without days there is nothing to search.
    pub(super) fn settle_undated(&mut self) {
        let mut undated = self.open();
        undated.retain(|_, (_, payment)| payment.past.sent.is_none());
        self.settle(&undated, "nobody knows when it may have been sent");
    }

    /// What a search says of payments that nothing is known of yet.
    pub(super) fn take(&mut self, found: BTreeMap<usize, Found>) {
        for (at, found) in found {
            if let Some(place @ None) = self.found.get_mut(at) {
                *place = Some(found);
            }
        }
    }

    /// The batches that a search led to; the control's own is known, and so is all that is in it.
    pub(super) fn follow(&mut self, batches: BTreeSet<(usize, Option<String>)>) {
        for (at, _) in &batches {
            if let Some(found) = self.payments.get(*at).or(self.control) {
                self.keeps(found);
            }
        }
        let ours = batches.into_iter().filter(|(at, _)| *at < self.payments.len());
        self.leads.extend(ours);
    }

    /// A search has found this one, under its whole number.
    pub(super) fn keeps(&mut self, found: &Payment) {
        self.longest = self.longest.max(found.reference.as_str().len());
    }

    /// What a search by its number says of the payment at `at`.
    pub(super) fn learn(&mut self, at: usize, told: ByNumber) {
        self.take(BTreeMap::from([(at, told.found)]));
        self.follow(told.batches.into_iter().map(|batch| (at, batch)).collect());
    }

    /// What a batch says of a payment, `is_own` where the search says that it is in this batch: of
    /// what is under way there, the batch knows more.
    pub(super) fn hear(&mut self, at: usize, told: Found, is_own: bool) {
        let Some(place) = self.found.get_mut(at) else { return };
        let is_known = self.payments.get(at).is_some_and(|p| p.past.shipment.is_some());
        let is_own = is_own && !is_known;
        *place = Some(match place.take() {
            None => told,
            Some(Found::Is { news: News::InProgress | News::Waiting, .. }) if is_own => told,
            Some(before @ Found::Is { .. }) => graver(before, told),
            // Nothing that a batch says makes a difference undone.
            Some(before) => before,
        });
    }

    /// Takes back what is said to have failed of payments that were sent more than once: it is to
    /// be confirmed.
    pub(super) fn doubt_failures(&mut self) -> Vec<(usize, &'a Payment, Found)> {
        let is_failure = |found: &mut Found| matches!(found, Found::Is { news: News::Failed, .. });
        let all = self.payments.iter().enumerate().zip(&mut self.found);
        all.filter(|((_, payment), _)| payment.past.resent)
            .filter_map(|((at, payment), place)| Some((at, payment, place.take_if(is_failure)?)))
            .collect()
    }

    /// What was sent with a payment that stands in no batch may be there as well, unseen.
    pub(super) fn settle_siblings(&mut self, at: usize) {
        let Some(found) = self.payments.get(at) else { return };
        let may_be_one = |payment: &Payment| {
            payment.past.sent == found.past.sent
                || !(is_one_import(found) && is_one_import(payment))
        };
        let mut siblings = self.open();
        siblings.retain(|_, (_, payment)| may_be_one(payment));
        self.settle(&siblings, "another of its import was found, in a batch that is not told");
    }

    pub(super) fn settle(&mut self, wanted: &Wanted<'_>, text: &str) {
        self.settle_as(wanted, &Found::Unclear { text: text.to_owned() });
    }

    /// Absent is what a search would have found: under a longer number than any that was found, it
    /// may be there with its number cut short.
    pub(super) fn settle_absent(&mut self, wanted: &Wanted<'_>) {
        let mut surely = wanted.clone();
        surely.retain(|number, _| number.len() <= self.longest);
        self.settle_as(&surely, &Found::Absent);
        self.settle(wanted, "not found, and no number as long as this one was");
    }

    /// What `wanted` is left as, where nothing else was found.
    fn settle_as(&mut self, wanted: &Wanted<'_>, found: &Found) {
        for (at, _) in wanted.values() {
            if let Some(place @ None) = self.found.get_mut(*at) {
                *place = Some(found.clone());
            }
        }
    }
}
