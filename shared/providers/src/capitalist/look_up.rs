//! Where payouts stand, with as few requests as that takes.
//!
//! ```text
//!   its batch is known ──▶ get_batch_info, page by page
//!   else ──▶ one search over the days of all of them
//!              ├─ found ──▶ its batch answers for what is open, and for the rest of its rows
//!              └─ not found ──▶ the control was found, and a sample is missing by number too
//!                 │             ──▶ absent
//!                 └─ else ──▶ by number, one by one, the control first; a few at a time
//! ```
//!
//! A search without a number may be cut short without a word, at either end. So the control must be
//! in it, and of the payments that it lacks a sample is asked for by number as well, all of them
//! where they are few, and at least one of each import: if one is found, the search was cut, and
//! proves nothing about the others.

use super::Capitalist;
use super::agree::graver;
use super::batch_info::Wanted;
use super::line::Line;
use super::rest::Trouble;
use super::search::Searched;
use crate::answer::Found;
use crate::api::{LookUp, LookedUp, Payment, Sent, Turns};
use crate::settings::OFFLINE;
use domain::News;
use std::collections::{BTreeMap, BTreeSet};

/// Batches that one search leads to; rows of one chunk are in few.
const BATCHES_MAX: usize = 4;

/// What has been found out so far.
struct Inquiry<'a> {
    payments: &'a [Payment],
    control: Option<&'a Payment>,
    turns: &'a dyn Turns,
    found: Vec<Option<Found>>,
    control_found: Option<bool>,
}

impl Capitalist {
    pub(super) async fn look_up_all(&self, question: &LookUp) -> LookedUp {
        let mut inquiry = Inquiry {
            payments: &question.payments,
            control: question.control.as_ref(),
            turns: &*question.turns,
            found: vec![None; question.payments.len()],
            control_found: None,
        };
        let ended = match &self.line {
            Some(line) => self.inquire(line, &mut inquiry).await,
            None => Err(Trouble::passing(OFFLINE.to_owned())),
        };
        let rest = match ended {
            Ok(()) => Found::Unclear { text: "not told by the provider".to_owned() },
            // A stop from here would wait for a person. A locked login opens by itself, and until
            // then the line sends nothing and the next import stops the lane for what is left.
            Err(Trouble { text, stop: Some(None), .. }) => {
                Found::StopLane { text: format!("a look-up was refused: {text}") }
            }
            Err(Trouble { text, .. }) => Found::Unclear { text },
        };
        let found = inquiry.found.into_iter().map(|found| found.unwrap_or_else(|| rest.clone()));
        LookedUp { found: found.collect(), control_found: inquiry.control_found }
    }

    /// Asks until all is known or nothing more can be; what is left over is not known, for the
    /// reason that an error gives.
    async fn inquire(&self, line: &Line, inquiry: &mut Inquiry<'_>) -> Result<(), Trouble> {
        let mut doubt: Result<(), Trouble> = Ok(());
        for (handle, wanted) in inquiry.by_batch() {
            match self.batch_info(line, handle, &wanted, inquiry.turns).await {
                Ok(found) => {
                    inquiry.take(found);
                    inquiry.settle(&wanted, "its batch does not list it");
                }
                Err(trouble) if trouble.stop.is_some() => return Err(trouble),
                Err(trouble) => {
                    inquiry.settle(&wanted, &trouble.text);
                    doubt = Err(trouble);
                }
            }
        }
        inquiry.settle_undated();
        let wanted = inquiry.open();
        if wanted.is_empty() {
            return doubt;
        }
        let with_control = inquiry.with_control(&wanted);
        let days = wanted.values().filter_map(|(_, payment)| payment.past.sent);
        match self.window(line, &with_control, days, inquiry.turns).await {
            Ok(searched) => self.after_window(line, inquiry, searched).await,
            Err(trouble) if trouble.stop.is_some() => Err(trouble),
            // Too long an answer, or none: by number it may be told yet.
            Err(_) => self.one_by_one(line, inquiry).await,
        }
    }

    async fn after_window(
        &self,
        line: &Line,
        inquiry: &mut Inquiry<'_>,
        searched: Searched,
    ) -> Result<(), Trouble> {
        let Searched { mut found, batches, proves, .. } = searched;
        let has_control = inquiry.control_at().is_some_and(|at| found.contains_key(&at));
        found.remove(&inquiry.payments.len());
        inquiry.take(found);
        // The control's own batch is known, and so is all that is in it.
        let ours = batches.into_iter().filter(|(at, _)| *at < inquiry.payments.len());
        let batches: BTreeSet<String> = ours.map(|(_, id)| id).collect();
        self.by_their_batches(line, inquiry, &batches).await?;
        let wanted = inquiry.open();
        if wanted.is_empty() {
            return Ok(());
        }
        if !proves {
            let text = "not found, which proves nothing: see response_format and \
                        search_shows_unconfirmed";
            return Err(Trouble::passing(text.to_owned()));
        }
        if inquiry.control.is_none() {
            // It is for the engine to say that an absence without a control proves nothing.
            inquiry.settle_as(&wanted, &Found::Absent);
            return Ok(());
        }
        if !has_control {
            return self.one_by_one(line, inquiry).await;
        }
        let Some(sample) = sample(&wanted, self.numbers_per_look_up) else {
            return self.one_by_one(line, inquiry).await;
        };
        for (at, payment) in sample {
            let told = self.by_number(line, payment, inquiry.turns).await?;
            if told != Found::Absent {
                inquiry.take(BTreeMap::from([(at, told)]));
                return self.one_by_one(line, inquiry).await;
            }
        }
        inquiry.control_found = Some(true);
        inquiry.settle_as(&wanted, &Found::Absent);
        Ok(())
    }

    /// The batches of what a search found know more than the search: which records were rejected
    /// at upload, and which wait for a code. Without them, a row of theirs cannot be called absent.
    async fn by_their_batches(
        &self,
        line: &Line,
        inquiry: &mut Inquiry<'_>,
        batches: &BTreeSet<String>,
    ) -> Result<(), Trouble> {
        let wanted = inquiry.undecided();
        if wanted.is_empty() || batches.is_empty() {
            return Ok(());
        }
        if batches.len() > BATCHES_MAX {
            return Err(Trouble::passing(format!("they are in {} batches", batches.len())));
        }
        let mut told: BTreeMap<usize, Found> = BTreeMap::new();
        for handle in batches {
            for (at, found) in self.batch_info(line, handle, &wanted, inquiry.turns).await? {
                let kept = match told.remove(&at) {
                    Some(before) => graver(before, found),
                    None => found,
                };
                told.insert(at, kept);
            }
        }
        inquiry.take(told);
        Ok(())
    }

    /// By number: the control first, then as many as one look-up may ask for. What one request
    /// cannot tell ends it: the provider is not to be asked in vain a thousand times.
    async fn one_by_one(&self, line: &Line, inquiry: &mut Inquiry<'_>) -> Result<(), Trouble> {
        if let Some(control) = inquiry.control {
            let told = self.by_number(line, control, inquiry.turns).await?;
            inquiry.control_found = Some(told != Found::Absent);
        }
        let mut wanted: Vec<_> = inquiry.open().into_values().collect();
        wanted.sort_by_key(|(at, _)| *at);
        let more = wanted.len() > self.numbers_per_look_up;
        for (at, payment) in wanted.into_iter().take(self.numbers_per_look_up) {
            let told = self.by_number(line, payment, inquiry.turns).await?;
            inquiry.take(BTreeMap::from([(at, told)]));
        }
        let later = || Trouble::passing("asked for by number, some at a time: not yet".to_owned());
        if more { Err(later()) } else { Ok(()) }
    }
}

/// At most `most` of what is wanted: the first of each import, which left within one window of
/// time, and others evenly between. `None` where there are more imports than that.
fn sample<'a>(wanted: &Wanted<'a>, most: usize) -> Option<BTreeMap<usize, &'a Payment>> {
    let mut all: Vec<(usize, &Payment)> = wanted.values().copied().collect();
    if all.len() <= most {
        return Some(all.into_iter().collect());
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
    fn by_batch(&self) -> Vec<(&'a str, Wanted<'a>)> {
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
    fn open(&self) -> Wanted<'a> {
        let all = self.payments.iter().enumerate().zip(&self.found);
        let open = all.filter(|(_, found)| found.is_none());
        open.map(|((at, payment), _)| (payment.reference.as_str(), (at, payment))).collect()
    }

    /// The payments without a known batch that are not settled by what is found so far.
    fn undecided(&self) -> Wanted<'a> {
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
    fn control_at(&self) -> Option<usize> {
        let control = self.control?;
        let is_control = |payment: &Payment| payment.reference == control.reference;
        Some(self.payments.iter().position(is_control).unwrap_or(self.payments.len()))
    }

    /// `wanted` and the control.
    fn with_control(&self, wanted: &Wanted<'a>) -> Wanted<'a> {
        let mut all = wanted.clone();
        if let (Some(control), Some(at)) = (self.control, self.control_at()) {
            all.entry(control.reference.as_str()).or_insert((at, control));
        }
        all
    }

    /// Without days there is nothing to search.
    fn settle_undated(&mut self) {
        let mut undated = self.open();
        undated.retain(|_, (_, payment)| payment.past.sent.is_none());
        self.settle(&undated, "nobody knows when it may have been sent");
    }

    fn take(&mut self, found: BTreeMap<usize, Found>) {
        for (at, found) in found {
            if let Some(place) = self.found.get_mut(at) {
                *place = Some(found);
            }
        }
    }

    fn settle(&mut self, wanted: &Wanted<'_>, text: &str) {
        self.settle_as(wanted, &Found::Unclear { text: text.to_owned() });
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
