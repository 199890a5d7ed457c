//! Where payouts stand.
//!
//! ```text
//!   id known ──▶ bid_info ──────────────┐ knows none        ┌─▶ found
//!   (many: one list answers all but     ├──────▶ the list ──┤
//!    those that wait for money)         │                   └─▶ absent
//!   our reference ──▶ api_id filter ────┘ nothing of ours
//! ```
//!
//! The filter by `api_id` is not believed: every item's own `api_id` is compared, and nothing
//! found by it is only a reason to read the list. That reaches from before the intent to now,
//! because nobody says whether the site's window means the creation or the last change. Absent is
//! what a whole, well-formed list does not have; whether that list is live shows the control,
//! looked for in the same list. Where the id is known, another order with our reference is no
//! answer: it is a difference.

use super::Exchanger;
use super::ask::Trouble;
use super::line::Line;
use super::list::{Listing, Window};
use super::pay::info_form;
use super::php::Php;
use super::status::Meaning;
use super::which::{another, choose};
use super::wire::{BidId, Form, Order};
use crate::answer::Found;
use crate::api::{LookUp, LookedUp, Payment, Turns};
use crate::settings::OFFLINE;
use std::time::{SystemTime, UNIX_EPOCH};

/// Up to so many payments are asked for one by one; a list of several pages costs more.
const FEW: usize = 3;
/// After so many questions in a row without a clear answer the rest is not asked: the site is
/// away, and each question may take the whole time of a request.
const TROUBLES_MAX: u32 = 3;

/// One round of questions.
pub(super) struct Seeker<'a> {
    pub(super) adapter: &'a Exchanger,
    line: &'a Line,
    turns: &'a dyn Turns,
    /// Of all that are asked about: no words of the site are told with one.
    accounts: Vec<&'a str>,
    troubles: u32,
    /// Why nothing more is asked.
    ended: Option<Trouble>,
}

impl Exchanger {
    pub(super) async fn look_up_all(&self, question: LookUp) -> LookedUp {
        let LookUp { payments, control, turns } = question;
        let Some(line) = &self.line else {
            let text = OFFLINE.to_owned();
            return vec![Found::Unclear { text }; payments.len()].into();
        };
        let asked_about = payments.iter().chain(&control);
        let accounts = asked_about.map(|payment| payment.row.destination.reveal()).collect();
        let mut seeker =
            Seeker { adapter: self, line, turns: &*turns, accounts, troubles: 0, ended: None };
        let known = payments.iter().filter(|payment| bid_of(payment).is_some()).count();
        let mut listing = None;
        if known > FEW || payments.len() - known > FEW {
            listing = seeker.list_for(payments.iter().chain(&control)).await;
        }
        let mut found: Vec<Option<Found>> = Vec::with_capacity(payments.len());
        for payment in &payments {
            found.push(seeker.direct(payment, listing.as_ref()).await);
        }
        let missing = payments.iter().zip(&found).filter(|(_, found)| found.is_none());
        let missing: Vec<&Payment> = missing.map(|(payment, _)| payment).collect();
        if !missing.is_empty() && listing.is_none() {
            listing = seeker.list_for(missing.into_iter().chain(&control)).await;
        }
        let mut answers = Vec::with_capacity(found.len());
        for (payment, found) in payments.iter().zip(found) {
            answers.push(match found {
                Some(found) => found,
                None => seeker.listed(payment, listing.as_ref()).await,
            });
        }
        for found in &answers {
            if let Found::StepDue { provider_id: Some(id) } = found
                && let Some(hash) = BidId::read(id).and_then(|bid| bid.hash)
            {
                self.step_is_due(&hash);
            }
        }
        let control_found = match (&control, &listing) {
            (Some(control), Some(Ok(listing))) => {
                Some(!listing.by_reference(control.reference.as_str()).is_empty())
            }
            (Some(_), Some(Err(_))) => Some(false),
            _ => None,
        };
        LookedUp { found: answers, control_found }
    }

    /// From before the earliest of these may have been sent until now, with a margin on both
    /// sides; `None` if that is not known of any.
    fn window<'p>(&self, payments: impl Iterator<Item = &'p Payment>) -> Option<Window> {
        let from = payments.filter_map(|payment| payment.past.sent).map(|sent| sent.from).min()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let margin = self.settings.window_margin_s;
        let from_s = from.0 / 1000;
        Some(Window {
            from_s: from_s.saturating_sub(margin),
            until_s: now.max(from_s).saturating_add(margin),
        })
    }
}

impl<'a> Seeker<'a> {
    /// For questions that are about no account.
    pub(super) fn new(adapter: &'a Exchanger, line: &'a Line, turns: &'a dyn Turns) -> Seeker<'a> {
        Seeker { adapter, line, turns, accounts: Vec::new(), troubles: 0, ended: None }
    }
}

impl Seeker<'_> {
    /// Asks one question, in its turn.
    pub(super) async fn ask(&mut self, method: &str, form: Form) -> Result<Php, Trouble> {
        if let Some(ended) = &self.ended {
            return Err(ended.clone());
        }
        self.turns.next().await;
        let answer = self.adapter.ask_site(self.line, method, form, &self.accounts).await;
        match &answer {
            Ok(_) | Err(Trouble::Missing(_)) => self.troubles = 0,
            Err(trouble @ Trouble::Stop(_)) => self.ended = Some(trouble.clone()),
            Err(trouble @ Trouble::Unclear(_)) => {
                self.troubles += 1;
                if self.troubles >= TROUBLES_MAX {
                    self.ended = Some(trouble.clone());
                }
            }
        }
        answer
    }

    /// The list that must have these; `None` where nobody knows when they were sent.
    async fn list_for<'p>(
        &mut self,
        payments: impl Iterator<Item = &'p Payment>,
    ) -> Option<Result<Listing, Trouble>> {
        let window = self.adapter.window(payments)?;
        Some(self.list(window).await)
    }

    /// What can be said without a further list; `None` if the site shows nothing of it.
    async fn direct(
        &mut self,
        payment: &Payment,
        listing: Option<&Result<Listing, Trouble>>,
    ) -> Option<Found> {
        if let Some(bid) = bid_of(payment) {
            let listing = listing.and_then(|listing| listing.as_ref().ok());
            if let Some(twin) = listing.and_then(|listing| self.twin(&bid, payment, listing)) {
                return Some(twin);
            }
            let listed = listing.and_then(|listing| listing.by_id(&bid.id));
            return match listed.filter(|order| !self.adapter.needs_info(order)) {
                Some(order) => Some(self.adapter.judge(order, payment)),
                None => self.by_id(&bid, payment).await,
            };
        }
        match listing {
            Some(Ok(_)) => None,
            // A list that could not be read tells nothing: the filter may.
            Some(Err(_)) | None => self.by_filter(payment).await,
        }
    }

    /// Another order than the one that was created for us carries our reference, and may have
    /// moved money.
    fn twin(&self, bid: &BidId, payment: &Payment, listing: &Listing) -> Option<Found> {
        let ours = listing.by_reference(payment.reference.as_str());
        let mut others = ours.into_iter().filter(|o| o.id != bid.id && !self.is_given_up(o));
        others.next().map(|other| another(bid, other))
    }

    fn is_given_up(&self, order: &Order) -> bool {
        self.adapter.settings.statuses.meaning(&order.status).0 == Meaning::Cancelled
    }

    async fn by_id(&mut self, bid: &BidId, payment: &Payment) -> Option<Found> {
        match self.info(bid).await {
            Ok(order) => Some(self.adapter.judge(&order, payment)),
            Err(Trouble::Missing(_)) => None,
            Err(trouble) => Some(trouble.found()),
        }
    }

    async fn by_filter(&mut self, payment: &Payment) -> Option<Found> {
        let reference = payment.reference.as_str();
        let form = Form::new()
            .with("api_id", reference)
            .with("limit", &self.adapter.settings.page_size.to_string());
        let page = match self.ask("get_exchanges", form).await {
            Ok(data) => self.adapter.read_page(&data).map_err(Trouble::Unclear),
            Err(trouble) => Err(trouble),
        };
        match page {
            // A page with others among them was not filtered: it may lack one of ours that
            // matters more, and the list decides.
            Ok(orders) if orders.iter().any(|o| o.api_id.as_deref() != Some(reference)) => None,
            Ok(orders) => self.of_reference(orders.iter().collect(), payment).await,
            // An empty answer is weak evidence: the list decides.
            Err(Trouble::Missing(_)) => None,
            Err(trouble) => Some(trouble.found()),
        }
    }

    /// What the list says.
    async fn listed(
        &mut self,
        payment: &Payment,
        listing: Option<&Result<Listing, Trouble>>,
    ) -> Found {
        let listing = match listing {
            Some(Ok(listing)) => listing,
            Some(Err(trouble)) => return trouble.clone().found(),
            None => {
                let text = "not found, and it is not known when it was sent";
                return Found::Unclear { text: text.to_owned() };
            }
        };
        let ours = listing.by_reference(payment.reference.as_str());
        if let Some(found) = self.of_reference(ours, payment).await {
            return found;
        }
        if payment.past.sent.is_none() {
            let text = "not in the list, and it is not known when it was sent";
            return Found::Unclear { text: text.to_owned() };
        }
        Found::Absent
    }

    /// What the orders with our reference say; `None` if there are none.
    async fn of_reference(&mut self, orders: Vec<&Order>, payment: &Payment) -> Option<Found> {
        let known = bid_of(payment);
        let order = match choose(orders, known.as_ref(), |order| self.is_given_up(order))? {
            Ok(order) => order,
            Err(text) => return Some(Found::Differs { text }),
        };
        if let Some(bid) = known.filter(|bid| bid.id != order.id) {
            // Whoever hides the one that we know cannot pass off another for it.
            return Some(another(&bid, order));
        }
        if !self.adapter.needs_info(order) {
            return Some(self.adapter.judge(order, payment));
        }
        let bid = BidId { id: order.id.clone(), hash: order.hash.clone() };
        Some(match self.info(&bid).await {
            Ok(order) => self.adapter.judge(&order, payment),
            Err(trouble) => trouble.found(),
        })
    }

    /// `bid_info`, which must be about the order that was asked for.
    async fn info(&mut self, bid: &BidId) -> Result<Order, Trouble> {
        let data = self.ask("bid_info", info_form(bid)).await?;
        if data.values().is_some_and(|values| values.is_empty()) {
            return Err(Trouble::Missing("bid_info: an empty answer".to_owned()));
        }
        self.adapter.order_in(&data, bid).map_err(Trouble::Unclear)
    }
}

fn bid_of(payment: &Payment) -> Option<BidId> {
    payment.past.provider_id.as_deref().and_then(BidId::read)
}
