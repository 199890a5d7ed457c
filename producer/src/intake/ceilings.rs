//! Ceilings (S23): a slip of the payer's program or hand does not become a payment.
//!
//! One payout is judged as its row is read, a batch when all of it was read, and a day right before
//! the seal: what is to be taken in is reserved in a register by compare-and-set, and given back if
//! the batch is rejected after all. *Crash between*: the day has that much less left, never more.

use super::IntakeError;
use crate::audit::told::{Sums, sums};
use crate::report::summary::Sum;
use crate::rules::{Lane, Rules};
use domain::batch::{CurrencyTotal, Totals};
use domain::money::minor_to_text;
use domain::{LaneName, Millis};
use ledger::{Ledger, register};

/// No lane that moves real money is without a ceiling for one payout.
pub fn are_set(rules: &Rules) -> Result<(), IntakeError> {
    let lacks = |lane: &&Lane| !lane.sandbox && lane.payout_max.is_empty();
    match rules.lanes.iter().find(lacks) {
        None => Ok(()),
        Some(lane) => Err(IntakeError::NoCeiling(lane.name.clone())),
    }
}

/// What a batch holds for each lane is below the lane's ceiling for a batch, and can be sent under the
/// lane's caps on spending before its rows are too old.
pub fn check_batch(rules: &Rules, by_lane: &[(usize, Totals)]) -> Result<(), IntakeError> {
    for (at, totals) in by_lane {
        let lane = &rules.lanes[*at];
        for (code, total) in &totals.0 {
            if let Some(max) = lane.batch_max.get(code).filter(|max| total.minor > **max) {
                let amount = |minor| minor_to_text(minor, total.exponent);
                return Err(IntakeError::Ceiling(format!(
                    "the file has {} {code} for lane {}, above its ceiling for one batch, {} \
                     {code}; split it, or ask whoever keeps [lanes.{}.ceilings]",
                    amount(total.minor),
                    lane.name,
                    amount(*max),
                    lane.name
                )));
            }
            fits_in_time(lane, code, total)?;
        }
    }
    Ok(())
}

/// Refuses what could not be sent by its `give_up_at` if the lane did nothing else. A time of so long
/// touches one window more than it is long, rounded up: what is refused here has surely no chance.
fn fits_in_time(lane: &Lane, code: &str, total: &CurrencyTotal) -> Result<(), IntakeError> {
    let ms = lane.policy.unsent_give_up_ms;
    for (cap, span, whose) in lane.caps(code) {
        let windows = ms.div_ceil(span.ms()).saturating_add(1);
        if total.minor <= cap.saturating_mul(windows.into()) {
            continue;
        }
        let amount = |minor| minor_to_text(minor, total.exponent);
        return Err(IntakeError::Ceiling(format!(
            "the file has {} {code} for lane {name}, and {whose} {name} may spend {} {code} in one {}: \
             in the {ms} ms after which what was never sent fails (policy.unsent_give_up_ms) not all of \
             it could be sent; split it, or ask whoever keeps [lanes.{name}.brakes]",
            amount(total.minor),
            amount(cap),
            span.name(),
            name = lane.name,
        )));
    }
    Ok(())
}

/// What was reserved of the days.
#[derive(Debug, Default)]
pub struct Reserved(Vec<(String, Totals)>);

/// Reserves what a batch takes of each lane's day. Refused, nothing stays reserved.
pub async fn reserve(
    ledger: &dyn Ledger,
    rules: &Rules,
    by_lane: &[(usize, Totals)],
) -> Result<Reserved, IntakeError> {
    let mut reserved = Reserved::default();
    for (at, totals) in by_lane {
        let lane = &rules.lanes[*at];
        if lane.day_max.is_empty() {
            continue;
        }
        let name = name_of_day(&lane.name, ledger.about().await?.now);
        match change(ledger, &name, totals, Some(lane)).await {
            Ok(()) => reserved.0.push((name, totals.clone())),
            Err(error) => {
                reserved.give_back(ledger).await;
                return Err(error);
            }
        }
    }
    Ok(reserved)
}

impl Reserved {
    /// The batch was rejected after all.
    pub async fn give_back(self, ledger: &dyn Ledger) {
        for (name, totals) in self.0 {
            if let Err(error) = change(ledger, &name, &totals, None).await {
                tracing::warn!(%name, %error, "not given back: the day has that much less left");
            }
        }
    }
}

/// `day/main/2026-11-21`.
fn name_of_day(lane: &LaneName, now: Millis) -> String {
    let moment =
        i64::try_from(now.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let day: String = moment.unwrap_or_default().to_string().chars().take(10).collect();
    format!("day/{lane}/{day}")
}

/// Adds to a day, up to the lane's ceiling; without a lane, takes away.
async fn change(
    ledger: &dyn Ledger,
    name: &str,
    totals: &Totals,
    lane: Option<&Lane>,
) -> Result<(), IntakeError> {
    register::change(ledger, name, |day: &mut Sums| {
        for (code, more) in sums(totals) {
            let sum = day.entry(code.clone()).or_insert(Sum::zero(more.0.exponent));
            match lane {
                Some(lane) => add(sum, more, &code, lane)?,
                None => {
                    sum.0.rows = sum.0.rows.saturating_sub(more.0.rows);
                    sum.0.minor = (sum.0.minor - more.0.minor).max(0);
                }
            }
        }
        Ok::<_, IntakeError>(true)
    })
    .await
    .map(drop)
}

fn add(sum: &mut Sum, more: Sum, code: &str, lane: &Lane) -> Result<(), IntakeError> {
    let before = sum.amount();
    sum.0.rows += more.0.rows;
    sum.0.minor += more.0.minor;
    match lane.day_max.get(code) {
        Some(max) if sum.0.minor > *max => Err(IntakeError::Ceiling(format!(
            "the file has {} {code} for lane {}, and {before} {code} were taken in for it today; \
             its ceiling for one day is {} {code}. Drop it again tomorrow (UTC), or ask whoever \
             keeps [lanes.{}.ceilings]",
            more.amount(),
            lane.name,
            minor_to_text(*max, sum.0.exponent),
            lane.name
        ))),
        _ => Ok(()),
    }
}
