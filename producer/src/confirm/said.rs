//! What a person says by confirming orders that people fund: that the money is there, for so many
//! payouts and so much. Said of several at once, it is asked for; said of any, it is noted.

use super::Call;
use crate::provider::act::Act;
use domain::money::minor_to_text;
use domain::{BatchId, LaneName};
use ledger::{Ledger, LedgerError};
use std::collections::BTreeMap;

/// The calls of one lane that are said to be funded.
struct Said<'a> {
    lane: &'a LaneName,
    calls: Vec<&'a Call>,
}

impl Said<'_> {
    /// `3 payouts, 30.00 EUR`.
    fn words(&self) -> String {
        let payouts: usize = self.calls.iter().map(|call| call.rows.len()).sum();
        let word = if payouts == 1 { "payout" } else { "payouts" };
        format!("{payouts} {word}, {}", totals(&self.calls))
    }

    /// Payouts of which it was said before.
    fn again(&self) -> usize {
        let rows = self.calls.iter().flat_map(|call| &call.rows);
        rows.filter(|row| row.payout.stepped).count()
    }
}

/// By lane, in the order in which they come.
fn by_lane<'a>(calls: &[&'a Call]) -> Vec<Said<'a>> {
    let mut all: Vec<Said<'a>> = Vec::new();
    for call in calls {
        match all.iter_mut().find(|said| *said.lane == call.lane) {
            Some(said) => said.calls.push(call),
            None => all.push(Said { lane: &call.lane, calls: vec![call] }),
        }
    }
    all
}

/// What calls add up to, per currency: `30.00 EUR, 5.00 USD`.
pub fn totals(calls: &[&Call]) -> String {
    let mut totals: BTreeMap<&str, (i128, u8)> = BTreeMap::new();
    for row in calls.iter().flat_map(|call| &call.rows) {
        let money = &row.what.money;
        let currency = money.currency();
        totals.entry(currency.code()).or_insert((0, currency.exponent())).0 += money.minor_units();
    }
    let one = |(code, (minor, exponent)): (&&str, &(i128, u8))| {
        format!("{} {code}", minor_to_text(*minor, *exponent))
    };
    totals.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// What is asked before several orders are said to be funded at once.
pub fn question(batch: BatchId, calls: &[&Call]) -> String {
    let mut text = format!(
        "this tells the provider that {} orders of batch {batch} are funded, and lets it pay them:",
        calls.len()
    );
    for said in by_lane(calls) {
        text.push_str(&format!("\n  lane {}: {}", said.lane, said.words()));
        match said.again() {
            0 => {}
            again => text.push_str(&format!("; of {again} of them somebody has said so before")),
        }
    }
    text
}

/// Notes on each lane what is said, before it is said.
pub async fn begin<'a>(
    ledger: &'a dyn Ledger,
    batch: BatchId,
    calls: &[&'a Call],
) -> Result<Vec<Noted<'a>>, LedgerError> {
    let mut all = Vec::new();
    for said in by_lane(calls) {
        let what = match &said.calls[..] {
            [only] if only.rows.len() == 1 => {
                format!(
                    "confirm {batch}: payout {} said to be funded, {}",
                    only.first(),
                    totals(&[only])
                )
            }
            _ => format!("confirm {batch}: said to be funded: {}", said.words()),
        };
        let act = Act::begin(ledger, said.lane, what).await?;
        all.push(Noted { act, lane: said.lane, calls: said.calls.len() });
    }
    Ok(all)
}

/// A note that waits for its end.
pub struct Noted<'a> {
    act: Act<'a>,
    lane: &'a LaneName,
    calls: usize,
}

impl Noted<'_> {
    /// Notes of how many orders the provider took it. `taken` holds the lane of each of them.
    pub async fn end(self, taken: &[LaneName]) {
        let count = taken.iter().filter(|lane| *lane == self.lane).count();
        self.act.end(&format!("taken for {count} of {}", self.calls)).await;
    }
}
