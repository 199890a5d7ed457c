//! Is this order ours, and what does it tell? One place for creates, look-ups and pages.
//!
//! "Not told" and "told otherwise" are two things: the first leaves doubt, the second shows a
//! difference. No text made here holds a destination.

use super::Exchanger;
use super::settings::Funding;
use super::status::{By, Meaning, is_link};
use super::wire::{BidId, Order};
use super::{direction, html::plain};
use crate::answer::Found;
use crate::api::Payment;
use domain::News;

/// The longest text of the site that is shown to people as it is.
const SHOWN_CHARS_MAX: usize = 600;

/// What speaks against an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It is told otherwise.
    Differs(String),
    /// It is not told.
    Missing(&'static str),
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Doubt::Differs(text) => f.write_str(text),
            Doubt::Missing(name) => write!(f, "the answer lacks a readable {name}"),
        }
    }
}

impl Exchanger {
    /// Whether an order is what was ordered, as far as it tells; amount and currency it must.
    pub(super) fn check(&self, order: &Order, payment: &Payment) -> Result<(), Doubt> {
        let row = &payment.row;
        let differs = |what: &str| Err(Doubt::Differs(format!("order {}: {what}", order.id)));
        let Some(direction) = direction::of(&self.settings.directions, row) else {
            return differs("no direction of the lane pays such rows any more");
        };
        let gives = self.settings.orders_give();
        let (ordered, other) =
            if gives { (&order.give, &order.get) } else { (&order.get, &order.give) };
        let side = if gives { "amount_give" } else { "amount_get" };
        if order.api_id.as_deref().is_some_and(|told| told != payment.reference.as_str()) {
            return differs("api_id is another");
        }
        let Some(amount) = ordered.amount else { return Err(Doubt::Missing(side)) };
        if amount != row.money.amount() {
            return differs(&format!("{side} is {amount}, ordered was {}", row.money.amount()));
        }
        let Some(currency) = &ordered.currency else {
            return Err(Doubt::Missing("currency_code"));
        };
        if !is_same_currency(currency, &direction.code) {
            return differs(&format!("the currency of {side} is another"));
        }
        let rules = self.rules();
        let rule = rules.as_ref().and_then(|rules| rules.of(direction.id));
        let known =
            rule.and_then(|rule| if gives { rule.get.as_ref() } else { rule.give.as_ref() });
        if let (Some(known), Some(told)) = (known, &other.currency)
            && !is_same_currency(known, told)
        {
            return differs("it is in another direction");
        }
        if let Some(told) = &order.account2
            && !is_same_account(told, row.destination.reveal())
        {
            return differs("account2 is another");
        }
        Ok(())
    }

    /// What an order says of its payment. Of one that still waits for money, `actions` must be
    /// known: [`Exchanger::needs_info`].
    pub(super) fn judge(&self, order: &Order, payment: &Payment) -> Found {
        match self.check(order, payment) {
            Ok(()) => {}
            Err(Doubt::Differs(text)) => return Found::Differs { text },
            Err(doubt @ Doubt::Missing(_)) => {
                return Found::Unclear { text: format!("order {}: {doubt}", order.id) };
            }
        }
        let (meaning, is_listed) = self.settings.statuses.meaning(&order.status);
        let word = self.quote(&plain(&order.status), payment.row.destination.reveal());
        let is = |news, text: String| Found::Is {
            news,
            provider_id: Some(kept_id(order, payment)),
            cost: order.cost(),
            receipts: Vec::new(),
            text,
        };
        let review = |why: &str| Found::Differs {
            text: format!("order {}: status {word}, {why}", order.id),
        };
        match meaning {
            Meaning::Paid => is(News::Paid, word),
            Meaning::InProgress => is(News::InProgress, word),
            Meaning::Returned => is(News::Returned, word),
            Meaning::Created => {
                let by_api = order.actions.as_ref().is_some_and(|actions| actions.pay == By::Api);
                if by_api && self.settings.funding == Funding::Prepaid {
                    return Found::StepDue { provider_id: Some(kept_id(order, payment)) };
                }
                is(News::Waiting, self.what_to_do(order, payment, &word))
            }
            Meaning::Cancelled if payment.past.stepped => {
                review("but the site was told that it is funded: ask it where the money is")
            }
            Meaning::Cancelled if self.may_be_funded(payment) => review(
                "but it may have been funded while it waited: ask the site and whoever funded it",
            ),
            Meaning::Cancelled => is(News::Failed, word),
            Meaning::Review if is_listed => review("which staff often finish by hand"),
            Meaning::Review => review("which statuses in the lane's settings does not list"),
        }
    }

    /// Whether an order as a list tells it leaves open what can be done with it.
    pub(super) fn needs_info(&self, order: &Order) -> bool {
        let (meaning, _) = self.settings.statuses.meaning(&order.status);
        meaning == Meaning::Created && order.actions.is_none()
    }

    /// Whether a person was ever shown where to send money for it, and may have sent it without a
    /// word to us. The id is known of every order that was answered for or seen before.
    fn may_be_funded(&self, payment: &Payment) -> bool {
        self.settings.funding == Funding::Person && payment.past.provider_id.is_some()
    }

    /// How a person funds an order. The site's requisite is shown whole: that is its use.
    fn what_to_do(&self, order: &Order, payment: &Payment, word: &str) -> String {
        let mut text = format!("order {} ({word}) is not funded", order.id);
        let mut say = |part: String| {
            text.push_str("; ");
            text.push_str(&part);
        };
        let Some(actions) = &order.actions else { return text };
        let currency = order.give.currency.as_deref().unwrap_or_default();
        match (&actions.pay_amount, &actions.address) {
            (Some(amount), Some(address)) => say(format!("send {amount} {currency} to {address}")),
            (Some(amount), None) => say(format!("send {amount} {currency}")),
            (None, Some(address)) => say(format!("send to {address}")),
            (None, None) => {}
        }
        if let Some(tag) = &actions.dest_tag {
            say(format!("with the tag {tag}"));
        }
        if let Some(expiry) = &actions.expiry {
            say(format!("until {expiry}"));
        }
        match &actions.pay {
            By::Api => say("when it is sent, confirm it".to_owned()),
            By::Link(link) => say(format!("see {link}")),
            By::Nobody => say("the site sees the money by itself".to_owned()),
        }
        if let Some(link) = order.url.as_deref().filter(|link| is_link(link)) {
            say(format!("its page is {link}"));
        }
        if let Some(instruction) = &actions.instruction {
            say(instruction.clone());
        }
        let text = text.replace(char::is_control, " ");
        let text = match payment.row.destination.reveal() {
            "" => text,
            account => text.replace(account, "…"),
        };
        match text.char_indices().nth(SHOWN_CHARS_MAX) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }
}

/// The id of an order; a hash that was known is not forgotten because a list does not tell it.
fn kept_id(order: &Order, payment: &Payment) -> String {
    let known = payment.past.provider_id.as_deref();
    let same = known.filter(|known| BidId::read(known).is_some_and(|bid| bid.id == order.id));
    match (same, &order.hash) {
        (Some(known), None) => known.to_owned(),
        _ => order.provider_id(),
    }
}

fn is_same_currency(told: &str, expected: &str) -> bool {
    let name = |code: &str| match code.trim().to_ascii_uppercase().as_str() {
        "RUR" => "RUB".to_owned(),
        other => other.to_owned(),
    };
    name(told) == name(expected)
}

fn is_same_account(told: &str, expected: &str) -> bool {
    let bare = |text: &str| -> String {
        let kept = text.chars().filter(|c| !matches!(c, ' ' | '-' | '+' | '(' | ')'));
        kept.collect()
    };
    bare(told).eq_ignore_ascii_case(&bare(expected))
}
