//! The provider's own list of payouts, to be held against the ledger (S22) and to be looked
//! through for another ledger's (S5).
//!
//! An entry is the provider's word, read and not judged: "not told" stays not told. A list may show
//! an entry twice where pages overlap; it never leaves one out, or the page is an error.

use crate::api::Turns;
#[cfg(feature = "adapters")]
use domain::News;
use domain::{Destination, Millis, Row};
use futures::future::BoxFuture;
use rust_decimal::Decimal;

/// A provider whose account can be listed.
pub trait Statement: Send + Sync {
    /// One page of what the account paid in `period`, or more around it; in the provider's order.
    /// `cursor` is that of the page before; `None` begins. An error says that the list cannot be
    /// read: nothing follows from it.
    fn page<'a>(
        &'a self,
        period: Period,
        cursor: Option<&'a str>,
        turns: &'a dyn Turns,
    ) -> BoxFuture<'a, Result<StatementPage, String>>;
}

/// A time on everybody's clock; both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Not before.
    pub from: Millis,
    /// Not after.
    pub until: Millis,
}

impl Period {
    /// Whether a moment lies in it.
    pub fn has(&self, at: Millis) -> bool {
        (self.from..=self.until).contains(&at)
    }

    /// The same, `ms` wider at both ends.
    pub fn wider(&self, ms: u64) -> Period {
        Period { from: Millis(self.from.0.saturating_sub(ms)), until: self.until.plus(ms) }
    }
}

/// One page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatementPage {
    /// At most a thousand entries.
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
    /// Entries of the whole list, where that is told.
    pub total: Option<u64>,
}

/// One payout, as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Our reference, or whatever stands in its place.
    pub reference: String,
    /// The provider's own id.
    pub provider_id: Option<String>,
    /// What the beneficiary gets; `None` if it is not told or not readable.
    pub amount: Option<Decimal>,
    /// In our words: `RUB`, also where the provider writes `RUR`.
    pub currency: Option<String>,
    /// As told: whole, or masked by the provider.
    pub destination: Option<Destination>,
    /// Where it stands.
    pub standing: Standing,
    /// The provider's time of it.
    pub at: Option<Millis>,
}

/// Where a payout stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The beneficiary was paid.
    Paid,
    /// It may still be paid.
    Open,
    /// It was not paid.
    Failed,
    /// It was paid, and the money came back.
    Returned,
    /// Under a word that says nothing here.
    Unclear,
}

impl Standing {
    /// What a provider's word means, where it means anything.
    #[cfg(feature = "adapters")]
    pub(crate) fn of(news: Option<News>) -> Standing {
        match news {
            Some(News::Paid) => Standing::Paid,
            Some(News::InProgress | News::Waiting) => Standing::Open,
            Some(News::Failed | News::Cancelled) => Standing::Failed,
            Some(News::Returned) => Standing::Returned,
            Some(News::Differs) | None => Standing::Unclear,
        }
    }

    /// In the middle of a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Standing::Paid => "paid",
            Standing::Open => "in progress",
            Standing::Failed => "failed",
            Standing::Returned => "returned",
            Standing::Unclear => "unclear",
        }
    }
}

impl Entry {
    /// Whether amount and currency are told: else they cannot be compared, and are not known to
    /// agree.
    pub fn tells_money(&self) -> bool {
        self.amount.is_some() && self.currency.is_some()
    }

    /// What is told otherwise than the row has it. What is not told differs in nothing.
    pub fn differences(&self, row: &Row) -> Vec<&'static str> {
        let mut names = Vec::new();
        if self.amount.is_some_and(|told| told != row.money.amount()) {
            names.push("amount");
        }
        let currency = row.money.currency().code();
        if self.currency.as_ref().is_some_and(|told| !told.eq_ignore_ascii_case(currency)) {
            names.push("currency");
        }
        let ours = row.destination.reveal();
        if self.destination.as_ref().is_some_and(|told| !shows(told.reveal(), ours)) {
            names.push("destination");
        }
        names
    }
}

/// Whether `told` may be `ours`: signs between the characters do not count, and of a number that is
/// masked in its middle only what is shown does.
fn shows(told: &str, ours: &str) -> bool {
    let is_mask = |c: char| matches!(c, '*' | '•' | '…');
    let plain = |text: &str| -> String {
        let kept = text.chars().filter(|c| c.is_alphanumeric() || is_mask(*c));
        kept.map(|c| c.to_ascii_uppercase()).collect()
    };
    let (told, ours) = (plain(told), plain(ours));
    match told.split_once(is_mask) {
        None => told == ours,
        Some((head, rest)) => {
            let tail = rest.rsplit(is_mask).next().unwrap_or_default();
            ours.len() >= head.len() + tail.len() && ours.starts_with(head) && ours.ends_with(tail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Currencies, Method, Money, PayerReference};

    fn row() -> Row {
        let rub = Currencies::default().find("RUB").unwrap();
        Row {
            ordinal: 1,
            line: 2,
            reference: PayerReference::new("INV-1").unwrap(),
            money: Money::parse("1500.00", &rub, '.').unwrap(),
            method: Method::Card,
            destination: Destination::new("4111111111111111".to_owned()),
            fields: [].into(),
        }
    }

    fn entry() -> Entry {
        Entry {
            reference: "abcd-INV-1".to_owned(),
            provider_id: Some("7".to_owned()),
            amount: Some(Decimal::new(1500, 0)),
            currency: Some("rub".to_owned()),
            destination: Some(Destination::new("4111 11** **** 1111".to_owned())),
            standing: Standing::Paid,
            at: None,
        }
    }

    #[test]
    fn what_agrees_as_far_as_it_is_told_differs_in_nothing() {
        assert!(entry().differences(&row()).is_empty());
        assert!(Entry { destination: None, ..entry() }.differences(&row()).is_empty());
    }

    #[test]
    fn each_field_that_is_told_otherwise_is_named() {
        let other = Entry {
            amount: Some(Decimal::new(150_001, 2)),
            currency: Some("EUR".to_owned()),
            destination: Some(Destination::new("4111…1112".to_owned())),
            ..entry()
        };
        assert_eq!(other.differences(&row()), ["amount", "currency", "destination"]);
    }

    #[test]
    fn money_that_is_not_told_differs_in_nothing_and_is_not_known_to_agree() {
        assert!(entry().tells_money());
        for silent in [Entry { amount: None, ..entry() }, Entry { currency: None, ..entry() }] {
            assert!(silent.differences(&row()).is_empty() && !silent.tells_money());
        }
    }

    #[test]
    fn a_masked_number_is_compared_as_far_as_it_is_shown() {
        for same in ["4111-1111-1111-1111", "411111******1111", "*1111", "4111…", "****"] {
            assert!(shows(same, "4111111111111111"), "{same}");
        }
        assert!(shows("+7 (916) 123-45-67", "79161234567"));
        for other in ["4111", "*1112", "5*", "", "41111111*111111111"] {
            assert!(!shows(other, "4111111111111111"), "{other}");
        }
    }
}
