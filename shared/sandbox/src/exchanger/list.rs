//! `get_exchanges` and `bid_info`: where orders stand, and the ways in which a look-up may lie
//! about it.

use std::sync::atomic::Ordering;

use hyper::StatusCode;
use serde_json::{Map, Value};

use super::bid::Bid;
use super::config::WindowBy;
use super::envelope::{Envelope, broken};
use super::form::Form;
use super::render::seconds;
use super::site::{CLIENT_IP, Site};
use crate::clock::lock;
use crate::dial::Fault;
use crate::server::Reply;

/// Records a page where no `limit` is asked for.
const PAGE: usize = 100;
/// However many are asked for.
pub(super) const PAGE_MAX: usize = 500;

/// What a list is narrowed down to.
pub(super) struct Filter<'f> {
    start: Option<u64>,
    end: Option<u64>,
    ip: Option<&'f str>,
    id: Option<u64>,
    api_id: Option<&'f str>,
    by: WindowBy,
}

impl<'f> Filter<'f> {
    pub(super) fn of(form: &'f Form, by: WindowBy) -> Self {
        let number = |name| form.filter(name).map(|_| form.number(name));
        Self {
            start: number("start_time"),
            end: number("end_time"),
            ip: form.filter("ip"),
            id: number("id"),
            api_id: form.filter("api_id"),
            by,
        }
    }

    /// Both ends of the window belong to it, in whole seconds.
    pub(super) fn is_within(&self, at_ms: u64) -> bool {
        let at = seconds(at_ms);
        self.start.is_none_or(|start| start <= at) && self.end.is_none_or(|end| at <= end)
    }

    pub(super) fn is_from(&self, ip: &str) -> bool {
        self.ip.is_none_or(|asked| asked == ip)
    }

    pub(super) fn is_id(&self, id: usize) -> bool {
        self.id.is_none_or(|asked| usize::try_from(asked).is_ok_and(|asked| asked == id))
    }

    pub(super) fn takes(&self, bid: &Bid) -> bool {
        let at_ms = match self.by {
            WindowBy::Changed => bid.last().at_ms,
            WindowBy::Created => bid.order.created_ms,
        };
        self.is_within(at_ms)
            && self.is_from(CLIENT_IP)
            && self.is_id(Site::id_of(bid.order.seq))
            && self.api_id.is_none_or(|asked| *bid.order.api_id == *asked)
    }
}

impl Site {
    pub(super) fn exchanges(&self, form: &Form) -> Reply {
        let most = self.page_size(form);
        if let Some(reply) = self.fault_of_lookup() {
            return reply;
        }
        let mut filter = Filter::of(form, self.config.window_by);
        if filter.api_id.is_some() && self.dial.strikes(Fault::StatusFilterIgnored) {
            filter.api_id = None;
        }
        let mut skipped = usize::try_from(form.number("offset")).unwrap_or(usize::MAX);
        if self.dial.strikes(Fault::StatusOtherPage) {
            // The next page; behind the first one the page before it.
            skipped = if skipped == 0 { most } else { skipped.saturating_sub(most) };
        }
        let with_history = form.number("status_history") == 1;
        let book = lock(&self.book);
        let found = book.picture().newest_first().filter(|bid| filter.takes(bid));
        let page = found.skip(skipped).take(most);
        let items: Vec<Value> =
            page.map(|bid| Value::Object(self.line(bid, with_history))).collect();
        drop(book);
        if !items.is_empty() && self.dial.strikes(Fault::StatusBlind) {
            return Envelope::list(Vec::new()).reply();
        }
        Envelope::list(items).reply()
    }

    /// How many records a page will have at most; counts what was asked for.
    pub(super) fn page_size(&self, form: &Form) -> usize {
        let asked = form.number("limit");
        self.max_page.fetch_max(asked, Ordering::Relaxed);
        match usize::try_from(asked) {
            Ok(0) => PAGE,
            asked => asked.unwrap_or(PAGE_MAX).min(PAGE_MAX),
        }
    }

    pub(super) fn bid_info(&self, form: &Form) -> Reply {
        if let Some(reply) = self.fault_of_lookup() {
            return reply;
        }
        let seq = match form.filter("hash") {
            Some(hash) => self.seq_of_hash(hash),
            None => Self::seq_of_id(form.number("id")),
        };
        let found = seq.and_then(|seq| lock(&self.book).get(seq).cloned());
        match found {
            Some(bid) if !self.dial.strikes(Fault::StatusBlind) => {
                Envelope::of(self.details(&bid)).with_fields(Map::new()).reply()
            }
            _ => Envelope::refused(1, "No bid exists").with_fields(Map::new()).reply(),
        }
    }

    fn fault_of_lookup(&self) -> Option<Reply> {
        if self.dial.strikes(Fault::StatusHang) {
            return Some(Reply::Hang);
        }
        if self.dial.strikes(Fault::StatusError) {
            return Some(broken());
        }
        if self.dial.strikes(Fault::StatusEmpty) {
            return Some(Reply::empty(StatusCode::OK));
        }
        self.dial.strikes(Fault::StatusBare404).then(|| Reply::empty(StatusCode::NOT_FOUND))
    }
}
