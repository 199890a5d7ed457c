//! Does what the platform tells belong to our payout? One place for batches and documents.
//!
//! "Not told" and "told otherwise" are two things: the first leaves doubt, the second shows a
//! difference. No text made here holds a destination.

use super::formats::rub;
use super::states::States;
use crate::answer::Found;
use crate::api::Payment;
use crate::told::{Told, text};
use domain::News;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What is told of one payout, a record of a batch or a document.
pub(super) struct Item<'a> {
    pub(super) amount: Option<Told<'a>>,
    pub(super) currency: Option<Told<'a>>,
    pub(super) destination: Option<Told<'a>>,
    pub(super) state: Option<Told<'a>>,
    pub(super) id: Option<Told<'a>>,
    /// Why it was declined, without numbers.
    pub(super) reason: Option<String>,
    /// It was rejected at upload.
    pub(super) is_skipped: bool,
}

/// Ids that are longer are not kept.
const ID_BYTES_MAX: usize = 72;

/// What an item under our number says of the payout. Pure.
pub(super) fn judge(item: &Item<'_>, payment: &Payment, states: &States) -> Found {
    let word = text(item.state).unwrap_or_default();
    let word = word.trim();
    let unclear =
        |what: &str| Found::Unclear { text: format!("the answer lacks a readable {what}") };
    let differences = differences(item, payment);
    if !differences.is_empty() {
        return Found::Differs {
            text: format!("the provider tells another {}", differences.join(", ")),
        };
    }
    // What was rejected at upload may be so because it could not be read.
    if !item.is_skipped && item.amount.and_then(Told::amount).is_none() {
        return unclear("amount");
    }
    if !item.is_skipped && text(item.currency).is_none() {
        return unclear("currency");
    }
    // What was rejected at upload cannot be paid: a record that says both says nothing.
    let news = match states.news(word) {
        Some(News::Paid) if item.is_skipped => None,
        _ if item.is_skipped => Some(News::Failed),
        news => news,
    };
    let Some(news) = news else {
        return Found::Unclear { text: "it stands under a word that says nothing here".into() };
    };
    let word = if item.is_skipped { "rejected at upload" } else { word };
    let text = match (news, &item.reason) {
        (News::Waiting, _) => {
            format!("{word}: enter the code from the SMS with `producer confirm`")
        }
        (News::Failed, Some(reason)) => format!("{word}: {reason}"),
        _ => word.to_owned(),
    };
    Found::Is { news, provider_id: id(item.id), cost: None, receipts: Vec::new(), text }
}

fn id(told: Option<Told<'_>>) -> Option<String> {
    let id = text(told)?.trim().to_owned();
    let fits = id.len() <= ID_BYTES_MAX && !id.contains(char::is_control);
    fits.then_some(id)
}

fn differences(item: &Item<'_>, payment: &Payment) -> Vec<&'static str> {
    let row = &payment.row;
    let mut names = Vec::new();
    if item.amount.and_then(Told::amount).is_some_and(|told| told != row.money.amount()) {
        names.push("amount");
    }
    if text(item.currency).is_some_and(|told| rub(&told) != row.money.currency().code()) {
        names.push("currency");
    }
    if text(item.destination).is_some_and(|told| !is_same_number(&told, row.destination.reveal())) {
        names.push("destination");
    }
    names
}

/// Spaces and a leading plus do not count. A number that is told with its middle masked is the
/// same if all that is shown of it is.
fn is_same_number(told: &str, ours: &str) -> bool {
    let is_mask = |c: char| matches!(c, '*' | '•' | '…');
    let told: String = told.trim().trim_start_matches('+').chars().filter(|c| *c != ' ').collect();
    let ours = ours.trim_start_matches('+');
    match (told.find(is_mask), told.rfind(is_mask)) {
        (Some(first), Some(last)) => {
            let head = &told[..first];
            let tail = told[last..].trim_start_matches(is_mask);
            let shown = head.len() + tail.len();
            shown > 0
                && shown <= ours.len()
                && ours.get(..head.len()).is_some_and(|ours| ours.eq_ignore_ascii_case(head))
                && ours
                    .get(ours.len() - tail.len()..)
                    .is_some_and(|ours| ours.eq_ignore_ascii_case(tail))
        }
        _ => told.eq_ignore_ascii_case(ours),
    }
}

/// Of all items that one place tells under one number, the one that may have moved money (S3).
/// Two that are paid under ids of their own are a payout that was paid twice.
pub(super) fn gravest(items: Vec<Found>) -> Found {
    let paid = items.iter().filter_map(|found| match found {
        Found::Is { news: News::Paid, provider_id, .. } => provider_id.as_deref(),
        _ => None,
    });
    let ids: BTreeSet<&str> = paid.collect();
    if ids.len() > 1 {
        return Found::Differs { text: format!("paid {} times under this number", ids.len()) };
    }
    items.into_iter().fold(Found::Absent, graver)
}

/// Of what two places tell of a payout, that by which money may have moved. Their ids are not
/// compared: each place has ids of its own.
pub(super) fn graver(one: Found, other: Found) -> Found {
    if weight(&other) > weight(&one) { other } else { one }
}

fn weight(found: &Found) -> u8 {
    match found {
        Found::Is { news: News::Paid, .. } => 6,
        Found::Differs { .. } => 5,
        Found::Is { news: News::InProgress, .. } | Found::StepDue { .. } => 4,
        Found::Unclear { .. } | Found::StopLane { .. } => 3,
        Found::Is { news: News::Waiting, .. } => 2,
        Found::Is { .. } => 1,
        Found::Absent => 0,
    }
}

/// Whether a text is our number, letter for letter: references that differ by case are two.
pub(super) fn number(told: Option<Told<'_>>) -> Option<Cow<'_, str>> {
    match text(told)? {
        Cow::Borrowed(text) => Some(Cow::Borrowed(text.trim())),
        Cow::Owned(text) => Some(Cow::Owned(text.trim().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_agrees_as_far_as_it_is_shown() {
        for same in ["4111111111111111", "4111 1111 1111 1111", "411111******1111", "4111…1111"] {
            assert!(is_same_number(same, "4111111111111111"), "{same}");
        }
        assert!(is_same_number("+79161234567", "79161234567"));
        assert!(is_same_number("u0000001", "U0000001"));
        for other in [
            "4111111111111112",
            "411112******1111",
            "*1112",
            "****",
            "",
            "…",
            "41111111111111111*11111",
        ] {
            assert!(!is_same_number(other, "4111111111111111"), "{other}");
        }
    }

    #[test]
    fn two_payments_under_one_number_are_a_difference_whatever_stands_beside_them() {
        let is = |news, id: Option<&str>| Found::Is {
            news,
            provider_id: id.map(str::to_owned),
            cost: None,
            receipts: vec![],
            text: String::new(),
        };
        let paid = |id| is(News::Paid, Some(id));
        let differs = || Found::Differs { text: "amount".to_owned() };
        let twice = Found::Differs { text: "paid 2 times under this number".to_owned() };
        assert_eq!(gravest(vec![paid("1"), differs(), paid("2"), paid("1")]), twice);
        assert_eq!(gravest(vec![paid("1"), is(News::Failed, Some("2"))]), paid("1"));
        assert_eq!(gravest(vec![paid("1"), paid("1"), is(News::Paid, None)]), paid("1"));
        assert_eq!(gravest(vec![]), Found::Absent);
    }

    #[test]
    fn of_several_items_the_one_that_may_have_moved_money_wins() {
        let is = |news| Found::Is {
            news,
            provider_id: None,
            cost: None,
            receipts: vec![],
            text: String::new(),
        };
        let unclear = || Found::Unclear { text: String::new() };
        let differs = || Found::Differs { text: String::new() };
        let order = [
            is(News::Failed),
            is(News::Waiting),
            unclear(),
            is(News::InProgress),
            differs(),
            is(News::Paid),
        ];
        for pair in order.windows(2) {
            let [less, more] = pair else { panic!("a pair") };
            assert_eq!(graver(less.clone(), more.clone()), *more);
            assert_eq!(graver(more.clone(), less.clone()), *more);
        }
    }
}
