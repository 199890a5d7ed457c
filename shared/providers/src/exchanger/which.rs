//! Of the orders that carry our reference, which one is the payout's? Never a guess: what is not
//! clear is for a person.

use super::wire::{BidId, Order};
use crate::answer::Found;

/// An order with our reference that is not the one that was created for the payout.
pub(super) fn another(known: &BidId, found: &Order) -> Found {
    let text = format!(
        "order {} carries our id, but the one that was created for this payout is {}",
        found.id, known.id
    );
    Found::Differs { text }
}

/// Of several orders under one reference, the one that may have moved money: given-up ones do not
/// count beside another, and of those alone the known one speaks. Two others are for a person.
pub(super) fn choose<'a>(
    orders: Vec<&'a Order>,
    known: Option<&BidId>,
    is_given_up: impl Fn(&Order) -> bool,
) -> Option<Result<&'a Order, String>> {
    let ours = orders.iter().find(|order| known.is_some_and(|bid| bid.id == order.id));
    let first = *ours.or(orders.first())?;
    let mut alive = orders.iter().copied().filter(|order| !is_given_up(order));
    Some(match (alive.next(), alive.next()) {
        (None, _) => Ok(first),
        (Some(order), None) => Ok(order),
        (Some(one), Some(other)) => {
            Err(format!("several orders carry our id: {} and {}", one.id, other.id))
        }
    })
}
