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
//! proves nothing about the others. A number that the platform has cut is not found by itself: one
//! that is longer than all that were found is not absent.

use super::Capitalist;
use super::agree::{graver, gravest};
use super::batch_info::{Items, Wanted};
use super::inquiry::{Inquiry, sample};
use super::line::Line;
use super::rest::Trouble;
use super::search::Searched;
use crate::answer::Found;
use crate::api::{LookUp, LookedUp};
use crate::settings::OFFLINE;
use std::collections::{BTreeMap, BTreeSet};

/// Batches that one search leads to; rows of one chunk are in few.
const BATCHES_MAX: usize = 4;
/// Numbers of so many bytes are surely kept whole: those of a UUID without its dashes.
const SURE_NUMBER_BYTES: usize = 32;

impl Capitalist {
    pub(super) async fn look_up_all(&self, question: &LookUp) -> LookedUp {
        let mut inquiry = Inquiry {
            payments: &question.payments,
            control: question.control.as_ref(),
            turns: &*question.turns,
            found: vec![None; question.payments.len()],
            control_found: None,
            leads: BTreeSet::new(),
            longest: SURE_NUMBER_BYTES,
        };
        let ended = match &self.line {
            Some(line) => {
                let inquired = self.inquire(line, &mut inquiry).await;
                self.confirm_failures(line, &mut inquiry, inquired).await
            }
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
                Ok(items) => {
                    let found = items.into_iter().map(|(at, items)| (at, gravest(items)));
                    inquiry.take(found.collect());
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

    /// A number that was sent again may be refused for what the platform already has under it: its
    /// newest batch alone does not make it fail, a search by its number must not say otherwise.
    async fn confirm_failures(
        &self,
        line: &Line,
        inquiry: &mut Inquiry<'_>,
        inquired: Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        // Where no search proves an absence, nothing that may have been taken is ever sent again.
        if !self.limits.idempotency.absence.proves {
            return inquired;
        }
        let failures = inquiry.doubt_failures();
        if matches!(&inquired, Err(trouble) if trouble.stop.is_some()) {
            return inquired;
        }
        let more = failures.len() > self.numbers_per_look_up;
        for (at, payment, failed) in failures.into_iter().take(self.numbers_per_look_up) {
            let told = self.by_number(line, payment, inquiry.turns).await?;
            inquiry.take(BTreeMap::from([(at, graver(failed, told.found))]));
        }
        if more { Err(later()) } else { inquired }
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
        inquiry.follow(batches);
        self.by_their_batches(line, inquiry).await?;
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
            inquiry.settle_absent(&wanted);
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
            if told.found != Found::Absent {
                inquiry.learn(at, told);
                return self.one_by_one(line, inquiry).await;
            }
        }
        inquiry.control_found = Some(true);
        inquiry.settle_absent(&wanted);
        Ok(())
    }

    /// The batches of what a search found know more than the search: which records were rejected
    /// at upload, and which wait for a code. Without them, a row of theirs cannot be called absent.
    async fn by_their_batches(
        &self,
        line: &Line,
        inquiry: &mut Inquiry<'_>,
    ) -> Result<(), Trouble> {
        let leads = std::mem::take(&mut inquiry.leads);
        let mut wanted = inquiry.undecided();
        if wanted.is_empty() {
            return Ok(());
        }
        let mut batches: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for (at, handle) in &leads {
            if let (Some(handle), Some(payment)) = (handle, inquiry.payments.get(*at)) {
                batches.entry(handle).or_default().insert(*at);
                wanted.insert(payment.reference.as_str(), (*at, payment));
            }
        }
        if batches.len() > BATCHES_MAX {
            return Err(Trouble::passing(format!("they are in {} batches", batches.len())));
        }
        let mut told = Items::new();
        for (handle, in_it) in &batches {
            let items = self.batch_info(line, handle, &wanted, inquiry.turns).await?;
            // A list without what is known to be in it is no list of it.
            if in_it.iter().any(|at| !items.contains_key(at)) {
                let text = "a batch does not list what a search has found in it";
                return Err(Trouble::passing(text.to_owned()));
            }
            for (at, items) in items {
                told.entry(at).or_default().extend(items);
            }
        }
        for (at, items) in told {
            let is_own =
                batches.values().any(|in_it| in_it.contains(&at)) && !leads.contains(&(at, None));
            inquiry.hear(at, gravest(items), is_own);
        }
        for (at, _) in leads.iter().filter(|(_, handle)| handle.is_none()) {
            inquiry.settle_siblings(*at);
        }
        Ok(())
    }

    /// By number: the control first, then as many as one look-up may ask for. What one request
    /// cannot tell ends it: the provider is not to be asked in vain a thousand times.
    async fn one_by_one(&self, line: &Line, inquiry: &mut Inquiry<'_>) -> Result<(), Trouble> {
        if let Some(control) = inquiry.control {
            let told = self.by_number(line, control, inquiry.turns).await?;
            let is_found = told.found != Found::Absent;
            inquiry.control_found = Some(is_found);
            if is_found {
                inquiry.keeps(control);
            }
        }
        let mut wanted: Vec<_> = inquiry.open().into_iter().collect();
        wanted.sort_by_key(|(_, (at, _))| *at);
        let more = wanted.len() > self.numbers_per_look_up;
        let mut missing = Wanted::new();
        for (number, (at, payment)) in wanted.into_iter().take(self.numbers_per_look_up) {
            let told = self.by_number(line, payment, inquiry.turns).await?;
            if told.found == Found::Absent {
                missing.insert(number, (at, payment));
            } else {
                inquiry.learn(at, told);
            }
        }
        self.by_their_batches(line, inquiry).await?;
        inquiry.settle_absent(&missing);
        if more { Err(later()) } else { Ok(()) }
    }
}

fn later() -> Trouble {
    Trouble::passing("asked for by number, some at a time: not yet".to_owned())
}
