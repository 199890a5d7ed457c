//! `get_documents_history_ext` as a statement: what left our source accounts, page by page.
//!
//! Documents never move in this list [assumed: it is ordered by their time of making]; those that
//! are made while it is read push others to the next page, where they are told again. So a page
//! that says it is another one, or has no list, ends the reading: what follows would have holes.

use super::Capitalist;
use super::formats::rub;
use super::line::{Line, Way};
use super::search::written;
use super::sheet::HISTORY_PAGE;
use super::wire::Form;
use crate::api::Turns;
use crate::settings::OFFLINE;
use crate::statement::{Entry, Period, Standing, Statement, StatementPage};
use crate::told::{Told, text};
use domain::{Destination, Millis};
use futures::future::BoxFuture;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use rust_decimal::Decimal;
use serde::Deserialize;

/// So many digits (or masks) at least make a correspondent a number; anything else is a name, and
/// says nothing of where the money went.
const NUMBER_DIGITS_MIN: usize = 4;

#[derive(Default, Deserialize)]
#[serde(default)]
struct History<'a> {
    #[serde(borrow)]
    pages: Option<Pages<'a>>,
    #[serde(borrow)]
    history: Option<Vec<Operation<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Pages<'a> {
    #[serde(borrow)]
    item_count: Option<Told<'a>>,
    #[serde(borrow)]
    page_count: Option<Told<'a>>,
    #[serde(borrow)]
    current_page: Option<Told<'a>>,
}

/// One document of a history. No `Debug`: it may hold a whole destination.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Operation<'a> {
    /// Our number.
    #[serde(borrow)]
    number: Option<Told<'a>>,
    #[serde(borrow)]
    id: Option<Told<'a>>,
    #[serde(borrow)]
    timestamp: Option<Told<'a>>,
    #[serde(borrow)]
    state: Option<Told<'a>>,
    #[serde(borrow)]
    correspondent: Option<Told<'a>>,
    #[serde(borrow)]
    amount: Option<Told<'a>>,
    #[serde(borrow)]
    currency: Option<Told<'a>>,
    #[serde(borrow)]
    dest_amount: Option<Told<'a>>,
    #[serde(borrow)]
    dest_currency: Option<Told<'a>>,
    #[serde(borrow)]
    outgoing: Option<Told<'a>>,
}

impl Statement for Capitalist {
    fn page<'a>(
        &'a self,
        period: Period,
        cursor: Option<&'a str>,
        turns: &'a dyn Turns,
    ) -> BoxFuture<'a, Result<StatementPage, String>> {
        Box::pin(async move {
            let line = self.line.as_ref().ok_or(OFFLINE)?;
            let at = Place::read(cursor).ok_or("no cursor of this list")?;
            self.history_page(line, period, at, turns).await
        })
    }
}

impl Capitalist {
    async fn history_page(
        &self,
        line: &Line,
        period: Period,
        at: Place,
        turns: &dyn Turns,
    ) -> Result<StatementPage, String> {
        let (_, account) = self.accounts.get(at.account).ok_or("no such account")?;
        let day = |at| self.day(at).map(written).ok_or("a time that has no day");
        let (from, until) = (day(period.from)?, day(period.until)?);
        let (limit, page) = (self.page_size.to_string(), at.page.to_string());
        let fields = [
            ("account", account.as_str()),
            ("period_from", &from),
            ("period_to", &until),
            ("document_state", "any"),
            ("limit", &limit),
            ("page", &page),
        ];
        let told = line
            .tell("get_documents_history_ext", &HISTORY_PAGE, &fields, Way::Paced(turns))
            .await
            .map_err(|trouble| format!("get_documents_history_ext: {}", trouble.text))?;
        if told.form == Form::Csv {
            return Err("get_documents_history_ext: nobody tells the form of its CSV; set \
                        response_format = \"json\""
                .to_owned());
        }
        let data: History<'_> = told.data().unwrap_or_default();
        let wrong = |what: &str| format!("get_documents_history_ext: {what}");
        let operations = data.history.ok_or_else(|| wrong("the answer has no readable list"))?;
        let pages = data.pages.ok_or_else(|| wrong("the answer does not say which page it is"))?;
        let count = |told: Option<Told<'_>>| told.and_then(Told::count);
        if count(pages.current_page) != Some(at.page) {
            return Err(wrong("the answer is another page than was asked for"));
        }
        let page_count =
            count(pages.page_count).ok_or_else(|| wrong("it does not say how many pages"))?;
        if operations.is_empty() && at.page < page_count {
            return Err(wrong("a page before the last one is empty"));
        }
        let outgoing = operations.iter().filter(|one| one.outgoing.and_then(yes) != Some(false));
        Ok(StatementPage {
            entries: outgoing.map(|one| self.entry(one)).collect(),
            next: at.next(page_count, self.accounts.len()).map(|next| next.written()),
            total: count(pages.item_count).and_then(|count| u64::try_from(count).ok()),
        })
    }

    fn entry(&self, told: &Operation<'_>) -> Entry {
        let owned = |told| text(told).map(|text| text.trim().to_owned());
        let word = owned(told.state).unwrap_or_default();
        let (amount, currency) = arrives(told);
        let destination = owned(told.correspondent).filter(|text| is_number(text));
        Entry {
            reference: owned(told.number).unwrap_or_default(),
            provider_id: owned(told.id),
            amount,
            currency,
            destination: destination.map(Destination::new),
            standing: Standing::of(self.states.news(&word)),
            at: owned(told.timestamp).and_then(|text| self.moment(&text)),
        }
    }

    /// `dd.mm.yyyy hh:mm:ss` in the provider's zone.
    fn moment(&self, text: &str) -> Option<Millis> {
        let at = DateTime::strptime("%d.%m.%Y %H:%M:%S", text).ok()?;
        let offset = Offset::from_seconds(self.utc_offset_minutes * 60).ok()?;
        let ms = offset.to_timestamp(at).ok()?.as_millisecond();
        u64::try_from(ms).ok().map(Millis)
    }
}

/// What arrives is what the row ordered; the fee is told apart. What leaves the account is as much
/// only if it is said to arrive in the same currency: an account in dollars may pay roubles.
fn arrives(told: &Operation<'_>) -> (Option<Decimal>, Option<String>) {
    let code = |told| text(told).map(|code| rub(&code)).filter(|code| !code.is_empty());
    let currency = code(told.dest_currency);
    let leaves = || told.amount.filter(|_| code(told.currency) == currency);
    let amount = currency.as_ref().and_then(|_| told.dest_amount.or_else(leaves));
    (amount.and_then(Told::amount), currency)
}

fn yes(told: Told<'_>) -> Option<bool> {
    told.yes().or(match told.text()?.trim() {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    })
}

fn is_number(text: &str) -> bool {
    let counts = |c: &char| c.is_ascii_digit() || matches!(c, '*' | '•' | '…');
    text.chars().filter(counts).count() >= NUMBER_DIGITS_MIN
}

/// Which page of which account's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    account: usize,
    /// From 1.
    page: usize,
}

impl Place {
    fn read(cursor: Option<&str>) -> Option<Place> {
        let Some(text) = cursor else { return Some(Place { account: 0, page: 1 }) };
        let (account, page) = text.split_once(':')?;
        Some(Place { account: account.parse().ok()?, page: page.parse().ok()? })
    }

    fn written(self) -> String {
        format!("{}:{}", self.account, self.page)
    }

    fn next(self, page_count: usize, accounts: usize) -> Option<Place> {
        let Place { account, page } = self;
        if page < page_count {
            return Some(Place { account, page: page + 1 });
        }
        (account + 1 < accounts).then_some(Place { account: account + 1, page: 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_of_all_accounts_are_read_one_account_after_the_other() {
        let mut seen = Vec::new();
        let mut at = Place::read(None);
        while let Some(place) = at {
            seen.push((place.account, place.page));
            let page_count = if place.account == 0 { 2 } else { 0 };
            at = place.next(page_count, 2).and_then(|next| Place::read(Some(&next.written())));
        }
        assert_eq!(seen, [(0, 1), (0, 2), (1, 1)]);
    }

    #[test]
    fn what_leaves_the_account_is_what_arrives_only_in_the_same_currency() {
        let money = |json: &str| {
            let (amount, currency) = arrives(&serde_json::from_str(json).unwrap());
            (amount.map(|amount| amount.to_string()), currency)
        };
        let roubles = |amount: Option<&str>| (amount.map(str::to_owned), Some("RUB".to_owned()));
        let leaves = r#""amount": "12.5", "currency": "USD""#;
        let both = format!(r#"{{{leaves}, "destAmount": "1000", "destCurrency": "RUR"}}"#);
        assert_eq!(money(&both), roubles(Some("1000")));
        let dollars = format!(r#"{{{leaves}, "destCurrency": "RUR"}}"#);
        assert_eq!(money(&dollars), roubles(None), "an account in dollars");
        let same = r#"{"amount": "1000", "currency": "RUR", "destCurrency": "RUB"}"#;
        assert_eq!(money(same), roubles(Some("1000")));
        assert_eq!(money(&format!("{{{leaves}}}")), (None, None), "nobody says what arrives");
    }

    #[test]
    fn a_name_is_no_destination() {
        assert!(is_number("4111 **** 1111") && is_number("+7916…4567") && is_number("U0000001"));
        assert!(!is_number("Sberbank") && !is_number(""));
    }
}
