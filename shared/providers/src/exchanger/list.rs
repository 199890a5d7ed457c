//! `get_exchanges` page by page: all orders of a window of time, or none.
//!
//! The site shows the newest change first, and orders that change while we read move to the top
//! and push the others down. So pages overlap, what comes twice counts once, an end is believed
//! only where a page behind it shows nothing but what was seen, and at the end the first page is
//! read again: what moved is there. Whatever does not fit makes the whole list unclear; a list
//! that may have holes would prove absences that are none (S11).

use super::Exchanger;
use super::ask::Trouble;
use super::lookup::Seeker;
use super::php::Php;
use super::wire::{Form, Order};
use std::collections::BTreeMap;

/// Orders that a page has in common with the one before it, at most.
pub(super) const OVERLAP_MAX: usize = 20;
/// The most pages of one list: 20,000 orders of 500 each.
const PAGES_MAX: usize = 40;

/// A window of time, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from_s: u64,
    pub(super) until_s: u64,
}

/// All orders of a window.
#[derive(Default)]
pub(super) struct Listing(BTreeMap<String, Order>);

impl Listing {
    pub(super) fn by_id(&self, id: &str) -> Option<&Order> {
        self.0.get(id)
    }

    pub(super) fn by_reference(&self, reference: &str) -> Vec<&Order> {
        self.0.values().filter(|order| order.api_id.as_deref() == Some(reference)).collect()
    }

    /// Takes the orders of a page; says how many were new. The later word on an order counts.
    fn take(&mut self, page: Vec<Order>) -> usize {
        let before = self.0.len();
        self.0.extend(page.into_iter().map(|order| (order.id.clone(), order)));
        self.0.len() - before
    }
}

impl Exchanger {
    /// The orders of a page, which must be well formed; `items` is absent where nothing matched.
    pub(super) fn read_page(&self, data: &Php) -> Result<Vec<Order>, String> {
        let wrong = |what: &str| Err(format!("get_exchanges: {what}"));
        if !data.is_record() {
            return wrong("the answer is no list");
        }
        let Some(items) = data.get("items") else { return Ok(Vec::new()) };
        let Some(items) = items.values() else { return wrong("items is no list") };
        let mut orders = Vec::with_capacity(items.len());
        for item in items {
            // An order that does not say whose it is could be any.
            let order = Order::read(item, &self.settings.expiry_field);
            match order.filter(|_| item.get("api_id").is_some()) {
                Some(order) => orders.push(order),
                None => return wrong("an item lacks id, status or api_id"),
            }
        }
        Ok(orders)
    }
}

impl Seeker<'_> {
    /// All orders of a window.
    pub(super) async fn list(&mut self, window: Window) -> Result<Listing, Trouble> {
        let mut listing = Listing::default();
        let first = self.page(window, 0).await?;
        let Some(head) = first.first().map(|order| order.id.clone()) else { return Ok(listing) };
        let top: Vec<_> = first.iter().map(trace).collect();
        // A site may give far fewer than asked for. A page that has room for nothing but what it
        // shares with the one before would look like the end.
        let overlap = OVERLAP_MAX.min(first.len() / 2);
        listing.take(first);
        for _ in 1..PAGES_MAX {
            let offset = listing.0.len() - overlap;
            let page = self.page(window, offset).await?;
            if page.iter().any(|order| order.id == head) {
                return unclear("a later page shows the first one's orders: is offset ignored?");
            }
            let known = page.iter().filter(|order| listing.0.contains_key(&order.id)).count();
            if known < listing.0.len() - offset {
                return unclear("orders left the list while it was read");
            }
            if listing.take(page) > 0 {
                continue;
            }
            let again = self.page(window, 0).await?;
            if !again.iter().any(|order| top.contains(&trace(order))) {
                return unclear("more changed while it was read than one page shows");
            }
            listing.take(again);
            return Ok(listing);
        }
        unclear("the list has too many pages; make window_margin_minutes smaller")
    }

    /// One page of a window, well formed.
    pub(super) async fn page(
        &mut self,
        window: Window,
        offset: usize,
    ) -> Result<Vec<Order>, Trouble> {
        let form = Form::new()
            .with("start_time", &window.from_s.to_string())
            .with("end_time", &window.until_s.to_string())
            .with("limit", &self.adapter.settings.page_size.to_string())
            .with("offset", &offset.to_string());
        let data = self.ask("get_exchanges", form).await?;
        self.adapter.read_page(&data).map_err(Trouble::Unclear)
    }
}

/// What an order was like when it was seen: it moves when one of these changes.
pub(super) fn trace(order: &Order) -> (String, Option<String>, String) {
    (order.id.clone(), order.time.clone(), order.status.clone())
}

fn unclear<T>(text: &str) -> Result<T, Trouble> {
    Err(Trouble::Unclear(format!("get_exchanges: {text}")))
}
