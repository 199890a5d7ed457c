//! `get_exchanges` as a statement: the orders of this key, page by page.
//!
//! The newest change stands first, and an order that changes moves to the top. So each page
//! overlaps the one before, whose end it must show again; and the first page is read once more at
//! the end: what moved to the top meanwhile is there. A list that does not fit together is an
//! error, because it may have holes.

use super::Exchanger;
use super::list::{OVERLAP_MAX, Window, trace};
use super::lookup::Seeker;
use super::status::Meaning;
use super::wire::Order;
use crate::api::Turns;
use crate::settings::OFFLINE;
use crate::statement::{Entry, Period, Standing, Statement, StatementPage};
use domain::{Destination, Millis};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

/// Orders of the first page that are remembered: one of them must still stand there at the end.
const TOP: usize = 20;

/// Where the reading stands.
#[derive(Serialize, Deserialize)]
struct Cursor {
    /// Where the next page begins; `None` reads the first one again.
    offset: Option<usize>,
    /// The first pages' newest orders, as they were.
    top: Vec<(String, Option<String>, String)>,
    /// The ids at the end of the page before, which the next one must show.
    tail: Vec<String>,
}

impl Statement for Exchanger {
    fn page<'a>(
        &'a self,
        period: Period,
        cursor: Option<&'a str>,
        turns: &'a dyn Turns,
    ) -> BoxFuture<'a, Result<StatementPage, String>> {
        Box::pin(async move {
            let line = self.line.as_ref().ok_or(OFFLINE)?;
            let margin = self.settings.window_margin_s;
            let window = Window {
                from_s: (period.from.0 / 1000).saturating_sub(margin),
                until_s: (period.until.0 / 1000).saturating_add(margin),
            };
            let cursor: Option<Cursor> = cursor
                .map(serde_json::from_str)
                .transpose()
                .map_err(|_| "no cursor of this list".to_owned())?;
            let offset = cursor.as_ref().and_then(|cursor| cursor.offset).unwrap_or(0);
            let mut seeker = Seeker::new(self, line, turns);
            let orders = seeker.page(window, offset).await.map_err(|trouble| trouble.text())?;
            let next = follow(cursor, &orders)?;
            let next = next.map(|next| serde_json::to_string(&next)).transpose();
            Ok(StatementPage {
                entries: orders.iter().map(|order| self.entry(order)).collect(),
                next: next.map_err(|error| error.to_string())?,
                total: None,
            })
        })
    }
}

/// What is to be read after a page that was asked for with `before`. Pure.
fn follow(before: Option<Cursor>, orders: &[Order]) -> Result<Option<Cursor>, String> {
    let wrong = |what: &str| Err(format!("get_exchanges: {what}"));
    // A site may give far fewer than asked for. A page that has room for nothing but what it
    // shares with the one before would look like the end.
    let overlap = OVERLAP_MAX.min(orders.len() / 2);
    let tail = || orders[orders.len() - overlap..].iter().map(|o| o.id.clone()).collect();
    let Some(Cursor { offset, top, tail: shown }) = before else {
        let top = orders.iter().take(TOP).map(trace).collect();
        let offset = Some(orders.len() - overlap);
        return Ok((!orders.is_empty()).then(|| Cursor { offset, top, tail: tail() }));
    };
    let Some(offset) = offset else {
        if orders.iter().any(|order| top.contains(&trace(order))) {
            return Ok(None);
        }
        return wrong("more changed while it was read than one page shows");
    };
    if top.first().is_some_and(|(head, ..)| orders.iter().any(|order| order.id == *head)) {
        return wrong("a later page shows the first one's orders: is offset ignored?");
    }
    let is_there = |id: &&String| orders.iter().any(|order| order.id == **id);
    if shown.iter().filter(is_there).count() < shown.len() {
        return wrong("orders left the list while it was read");
    }
    if orders.len() <= shown.len() {
        return Ok(Some(Cursor { offset: None, top, tail: Vec::new() }));
    }
    let offset = Some(offset + orders.len() - overlap);
    Ok(Some(Cursor { offset, top, tail: tail() }))
}

impl Exchanger {
    fn entry(&self, order: &Order) -> Entry {
        let side = if self.settings.orders_give() { &order.give } else { &order.get };
        let code = side.currency.as_deref();
        // The site's word for a currency may be another than the rows'.
        let ours = |code: &str| {
            let known = self.settings.directions.iter().find(|d| d.code.eq_ignore_ascii_case(code));
            known.map_or_else(|| code.to_owned(), |direction| direction.currency.clone())
        };
        Entry {
            reference: order.api_id.clone().unwrap_or_default(),
            provider_id: Some(order.id.clone()),
            amount: side.amount,
            currency: code.map(ours),
            destination: order.account2.clone().map(Destination::new),
            standing: match self.settings.statuses.meaning(&order.status).0 {
                Meaning::Paid => Standing::Paid,
                Meaning::Created | Meaning::InProgress => Standing::Open,
                Meaning::Cancelled => Standing::Failed,
                Meaning::Returned => Standing::Returned,
                Meaning::Review => Standing::Unclear,
            },
            at: order.time.as_deref().and_then(seconds),
        }
    }
}

/// Seconds since 1970, as the site writes a moment.
fn seconds(text: &str) -> Option<Millis> {
    let seconds: u64 = text.trim().parse().ok()?;
    Some(Millis(seconds.checked_mul(1000)?))
}

#[cfg(test)]
mod tests {
    use super::super::php::Php;
    use super::*;

    fn orders(ids: impl IntoIterator<Item = u32>) -> Vec<Order> {
        let order = |id: u32| {
            let text = format!(r#"{{"id": {id}, "api_id": 7, "status": "success", "time": {id}}}"#);
            Order::read(&Php::parse(text.as_bytes()).unwrap(), "expiry").unwrap()
        };
        ids.into_iter().map(order).collect()
    }

    fn after(ids: impl IntoIterator<Item = u32>, before: Option<Cursor>) -> Cursor {
        follow(before, &orders(ids)).unwrap().unwrap()
    }

    #[test]
    fn a_list_is_read_with_an_overlap_and_its_first_page_once_more() {
        let first = after((60..100).rev(), None);
        assert_eq!((first.offset, first.tail.len()), (Some(20), 20));
        let second = after((40..80).rev(), Some(first));
        assert_eq!(second.offset, Some(40));
        let last = after((40..60).rev(), Some(second));
        assert_eq!(last.offset, None, "nothing but what is known: now the first page again");
        let end = follow(Some(last), &orders([200].into_iter().chain((61..100).rev())));
        assert!(end.unwrap().is_none());
        assert!(follow(None, &[]).unwrap().is_none(), "an empty list is one");
    }

    #[test]
    fn a_list_that_may_have_holes_is_none() {
        let first = || Some(after((60..100).rev(), None));
        assert!(follow(first(), &orders((20..60).rev())).is_err(), "no overlap");
        assert!(follow(first(), &orders((60..100).rev())).is_err(), "offset is ignored");
        let end = Cursor { offset: None, ..first().unwrap() };
        assert!(follow(Some(end), &orders(200..240)).is_err(), "all has moved");
    }
}
