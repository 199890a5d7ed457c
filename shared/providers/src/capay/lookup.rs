//! Where one payout stands: by Capay's id where it told one, else in the list by our reference.
//!
//! "Absent" is said of one form alone (S11): 200, and a well-formed list by our reference that is
//! empty on its first page. A server that shows others has ignored `reference=`: its list is read
//! on for ours, but what it lacks proves nothing, because nobody promised that it is whole. A bare
//! 404, another page, an item without a reference say nothing either.

use super::line::{NoAnswer, Outgoing};
use super::refusal::Refusal;
use super::token::NoToken;
use super::wire::Record;
use super::{Capay, Line};
use crate::answer::Found;
use crate::api::{Payment, Turns};
use crate::http::{RawAnswer, StatusClass, class_of_status};
use crate::quote::quote;
use bytes::Bytes;
use domain::News;
use std::collections::BTreeSet;

/// Pages that one look-up reads at most: with the usual page, 5,000 payouts at one a second.
const PAGES_MAX: u32 = 50;
/// The longest status name that is repeated to people.
const STATUS_CHARS_MAX: usize = 64;
const FILTER_IGNORED: &str = "the list shows payouts of other references only: the parameter \
                              profile.reference_parameter is ignored";

/// A page of the list, as far as it is about one payment.
pub(super) struct Page {
    /// Items of all payouts.
    pub(super) items: usize,
    /// What the items under our reference say.
    ours: Vec<Ours>,
    /// Whether every item told its reference.
    is_whole: bool,
}

/// One item under our reference.
struct Ours {
    /// Capay's id, where it is told.
    id: Option<String>,
    found: Found,
}

impl Capay {
    pub(super) async fn look_up_one(&self, payment: &Payment, turns: &dyn Turns) -> Found {
        let Some(line) = &self.line else {
            return Found::Unclear { text: self.offline().to_owned() };
        };
        let client_id = match self.settings.client(&payment.row) {
            Ok(client_id) => client_id,
            Err(text) => return Found::Unclear { text: format!("not asked: client_id is {text}") },
        };
        let said = match payment.past.provider_id.as_deref() {
            Some(id) => self.by_id(line, id, client_id, payment, turns).await,
            None => self.by_reference(line, client_id, payment, turns).await,
        };
        said.unwrap_or_else(|found| found)
    }

    async fn by_id(
        &self,
        line: &Line,
        id: &str,
        client_id: Option<&str>,
        payment: &Payment,
        turns: &dyn Turns,
    ) -> Result<Found, Found> {
        let profile = &self.settings.profile;
        let query: Vec<_> = self.client_query(client_id).into_iter().collect();
        let url = profile.status_path.url_of(&line.base, id).with_query(&query);
        let raw = ask(line, Outgoing { turns: Some(turns), ..Outgoing::get(url) }).await?;
        self.read_status(&raw, id, payment)
    }

    async fn by_reference(
        &self,
        line: &Line,
        client_id: Option<&str>,
        payment: &Payment,
        turns: &dyn Turns,
    ) -> Result<Found, Found> {
        let profile = &self.settings.profile;
        let limit = profile.page_size.to_string();
        let mut ours = Vec::new();
        let mut skip = 0_usize;
        let mut last: Option<Bytes> = None;
        for _ in 0..PAGES_MAX {
            let from = skip.to_string();
            let mut query = vec![(&*profile.reference_parameter, payment.reference.as_str())];
            query
                .extend([(&*profile.skip_parameter, &*from), (&*profile.limit_parameter, &*limit)]);
            query.extend(self.client_query(client_id));
            let url = profile.list_path.url(&line.base).with_query(&query);
            let raw = ask(line, Outgoing { turns: Some(turns), ..Outgoing::get(url) }).await?;
            let page = self.read_page(&raw, skip, payment)?;
            if last.as_ref() == Some(&raw.body) {
                let text = "the list gives the same page again, whatever is skipped";
                return strongest(ours).ok_or_else(|| unclear(text));
            }
            let is_short = page.items < usize::from(profile.page_size);
            ours.extend(page.ours);
            if page.items == 0 || (is_short && !ours.is_empty()) {
                // Behind the first page there were payouts, and none was ours.
                let nothing = if skip == 0 { Found::Absent } else { unclear(FILTER_IGNORED) };
                return Ok(strongest(ours).unwrap_or(nothing));
            }
            if !page.is_whole && ours.is_empty() {
                return Err(unclear("the list has payouts that do not tell their reference"));
            }
            last = Some(raw.body);
            skip = skip.saturating_add(page.items);
        }
        strongest(ours).ok_or_else(|| unclear("the list of other references did not end"))
    }

    /// The parameter that names the client, where there is one.
    pub(super) fn client_query<'a>(
        &'a self,
        client_id: Option<&'a str>,
    ) -> Option<(&'a str, &'a str)> {
        let name = self.settings.profile.client_parameter.as_str();
        client_id.filter(|_| !name.is_empty()).map(|id| (name, id))
    }

    /// What the answer about one payout means. Pure.
    pub(super) fn read_status(
        &self,
        raw: &RawAnswer,
        id: &str,
        payment: &Payment,
    ) -> Result<Found, Found> {
        self.must_tell(raw, payment)?;
        let record = Record::of_body(&raw.body, &self.settings.profile.payout);
        let record = record.ok_or_else(|| unreadable(raw))?;
        match record.id() {
            Some(told) if told != id => {
                Err(unclear("the answer is about another payout than was asked for"))
            }
            None if record.reference().is_none() => {
                Err(unclear("the answer tells neither the id nor the reference of a payout"))
            }
            _ => Ok(self.stands(&record, payment)),
        }
    }

    /// What a page of the list says about one payment. Pure.
    pub(super) fn read_page(
        &self,
        raw: &RawAnswer,
        skip: usize,
        payment: &Payment,
    ) -> Result<Page, Found> {
        self.must_tell(raw, payment)?;
        let profile = &self.settings.profile;
        let whole = super::pointer::whole(&raw.body).ok_or_else(|| unreadable(raw))?;
        let items = profile.list_items.find(whole).and_then(|told| told.items());
        let items =
            items.ok_or_else(|| unclear("the answer has no list where the profile says"))?;
        if profile.list_skip.text(whole).is_some_and(|told| told.trim() != skip.to_string()) {
            return Err(unclear("the answer is another page than was asked for"));
        }
        let has_more = || profile.list_total.text(whole).is_some_and(|told| told.trim() != "0");
        if skip == 0 && items.is_empty() && has_more() {
            return Err(unclear("the list is empty, and tells a total that is not 0"));
        }
        let expected = self.expected(payment);
        let mut page = Page { items: items.len(), ours: Vec::new(), is_whole: true };
        for item in items {
            match Record::of(item.raw(), &profile.item) {
                Some(record) if expected.is_ours(&record) => {
                    page.ours.push(Ours { id: record.id(), found: self.stands(&record, payment) });
                }
                Some(record) if record.reference().is_some() => {}
                _ => page.is_whole = false,
            }
        }
        Ok(page)
    }

    /// Whether the status lets the body speak of the payout.
    fn must_tell(&self, raw: &RawAnswer, payment: &Payment) -> Result<(), Found> {
        let status = raw.status;
        let words = || {
            let refusal = Refusal::read(&raw.body, &self.settings.profile.error);
            self.words(status, &refusal, payment.row.destination.reveal())
        };
        match class_of_status(status) {
            StatusClass::Told => Ok(()),
            StatusClass::Credentials => Err(Found::StopLane {
                text: format!(
                    "{}; a look-up was refused: check api_key, the certificate and the account's \
                     rights with Capay",
                    words()
                ),
            }),
            _ => Err(Found::Unclear { text: words() }),
        }
    }

    /// A record under our id or our reference: ours, if nothing in it is told otherwise.
    fn stands(&self, record: &Record<'_>, payment: &Payment) -> Found {
        if let Some(text) = self.expected(payment).differences(record) {
            return Found::Differs { text };
        }
        let Some(told) = record.status() else {
            return unclear("the answer has no status");
        };
        let (news, text) = match self.settings.profile.statuses.meaning(&told) {
            Some((name, news)) => (news, name.to_owned()),
            None => {
                let name: String = told.chars().take(STATUS_CHARS_MAX).collect();
                let name = quote(&name, [payment.row.destination.reveal()]);
                self.warn_once(&format!("profile.statuses lacks the name {name}"));
                (News::InProgress, format!("{name} (not in profile.statuses)"))
            }
        };
        Found::Is { news, provider_id: record.id(), cost: None, receipts: Vec::new(), text }
    }
}

/// Of several records under one reference, what must be known first: a difference, then what may
/// have moved money (S3). Two that may have moved it are for a person. One that pages show twice,
/// because the list moved meanwhile, is one; without an id nobody can tell, and it counts as two.
fn strongest(ours: Vec<Ours>) -> Option<Found> {
    let is_dead =
        |found: &Found| matches!(found, Found::Is { news: News::Failed | News::Cancelled, .. });
    let is_alive = |found: &Found| !is_dead(found) && !matches!(found, Found::Differs { .. });
    let alive = || ours.iter().filter(|one| is_alive(&one.found));
    let ids: BTreeSet<&str> = alive().filter_map(|one| one.id.as_deref()).collect();
    let nameless = alive().filter(|one| one.id.is_none()).count();
    let several = (ids.len() + nameless > 1).then(|| {
        let names = ids.into_iter().chain(std::iter::repeat_n("no id", nameless));
        let text = names.collect::<Vec<_>>().join(", ");
        Found::Differs { text: format!("several payouts carry our reference: {text}") }
    });
    several.or_else(|| {
        ours.into_iter().map(|one| one.found).min_by_key(|found| match found {
            Found::Differs { .. } => 0,
            Found::Is { .. } if is_dead(found) => 3,
            Found::Is { .. } => 1,
            _ => 2,
        })
    })
}

async fn ask(line: &Line, outgoing: Outgoing<'_>) -> Result<RawAnswer, Found> {
    line.call(&outgoing).await.map_err(|error| match error {
        NoAnswer::Token(NoToken::Refused(text)) => Found::StopLane { text },
        error => Found::Unclear { text: error.text() },
    })
}

fn unclear(text: &str) -> Found {
    Found::Unclear { text: text.to_owned() }
}

fn unreadable(raw: &RawAnswer) -> Found {
    Found::Unclear { text: format!("HTTP {} with a body that cannot be read", raw.status) }
}
