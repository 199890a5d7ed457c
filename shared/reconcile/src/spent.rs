//! What was paid in a period, and what it cost as the provider told: where there is no list, a
//! person holds it against the balance.

use crate::found::Sums;
use crate::walk::{BATCH_AGE_MAX_MS, Walk, rows_if_kept};
use domain::{LaneName, Millis, Payout, State};
use ledger::{Ledger, LedgerError, NoteKind};
use providers::Period;
use std::collections::BTreeMap;

/// What a lane spent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Paid within the period.
    pub paid: Sums,
    /// Sent and not final: it may have been paid.
    pub open: Sums,
    /// Waits for a person: it may have been paid.
    pub review: Sums,
    /// What the provider told that the paid ones cost.
    pub cost: Sums,
    /// Paid ones of which it told no cost.
    pub without_cost: u64,
    /// Sent ones of the period whose rows, and so amounts, were destroyed at retention (S24).
    pub destroyed: u64,
}

/// Adds up.
pub async fn spent(
    ledger: &dyn Ledger,
    lane: &LaneName,
    period: Period,
) -> Result<Spent, LedgerError> {
    let oldest = Millis(period.from.0.saturating_sub(BATCH_AGE_MAX_MS));
    let mut walk = Walk::new(ledger, lane, oldest);
    let mut spent = Spent::default();
    while let Some(chunk) = walk.next().await? {
        let is_of_it = |p: &&Payout| p.was_ever_sent() && period.has(p.since);
        let count = chunk.payouts.iter().filter(is_of_it).count();
        if count == 0 {
            continue;
        }
        let Some(rows) = rows_if_kept(ledger, &chunk).await? else {
            spent.destroyed += u64::try_from(count).unwrap_or(u64::MAX);
            continue;
        };
        let mut costs: BTreeMap<u16, String> = BTreeMap::new();
        for (row, note) in ledger.notes(chunk.id).await? {
            if note.kind == NoteKind::Cost {
                costs.insert(row, note.text);
            }
        }
        for (at, (row, payout)) in (0_u16..).zip(rows) {
            if !is_of_it(&&payout) {
                continue;
            }
            match payout.state {
                State::Paid => {
                    spent.paid.add_money(&row.money);
                    match costs.get(&at).and_then(|text| cost(text)) {
                        Some((amount, currency)) => spent.cost.add(currency, amount),
                        None => spent.without_cost += 1,
                    }
                }
                State::Review => spent.review.add_money(&row.money),
                state if state.is_open() => spent.open.add_money(&row.money),
                _ => {}
            }
        }
    }
    Ok(spent)
}

/// `49.2500 USDT`, and what else an adapter says behind it: ` at 100.2472`.
fn cost(text: &str) -> Option<(rust_decimal::Decimal, &str)> {
    let mut words = text.split_whitespace();
    let (amount, currency) = (words.next()?, words.next()?);
    let is_code = currency.len() <= 8 && currency.bytes().all(|b| b.is_ascii_alphanumeric());
    is_code.then_some((amount.parse().ok()?, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_read_as_the_adapters_write_it() {
        let told = cost("49.2500 USDT at 100.2472").unwrap();
        assert_eq!((told.0.to_string().as_str(), told.1), ("49.2500", "USDT"));
        assert_eq!(cost("101.5 USD").unwrap().1, "USD");
        assert!(cost("nothing").is_none() && cost("").is_none());
    }
}
