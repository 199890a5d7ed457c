//! Payouts that wait for a person, with what to do and the command to go on with.

use super::table::{plain, quoted, table, wrapped};
use crate::report::cells::time;
use crate::waiting::{WaitingBatch, Waits};
use providers::SecondStep;
use serde_json::{Value, json};
use std::fmt::Write;

/// What a terminal shows without breaking lines.
const COLUMNS: usize = 100;

/// For people. What to do stands once for all payouts in a row that are told the same.
pub fn list(batches: &[WaitingBatch]) -> String {
    if batches.is_empty() {
        return "nothing waits for a person\n".to_owned();
    }
    batches.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn one(batch: &WaitingBatch) -> String {
    let waits = if batch.count == 1 { "payout waits" } else { "payouts wait" };
    let mut out = format!("batch {} ({}): {} {waits}\n", batch.id, plain(&batch.name), batch.count);
    let alike =
        |a: &Waits, b: &Waits| a.to_do() == b.to_do() && a.lane == b.lane && advice(a) == advice(b);
    for group in batch.payouts.chunk_by(alike) {
        let row = |waits: &Waits| {
            vec![
                waits.row.reference.as_str().to_owned(),
                waits.lane.to_string(),
                format!("{} {}", waits.row.money.amount(), waits.row.money.currency()),
                time(&waits.since),
            ]
        };
        let rows: Vec<_> = group.iter().map(row).collect();
        out.push_str(&table(&["reference", "lane", ">amount", "since"], &rows));
        let Some(first) = group.first() else { continue };
        out.push_str(&wrapped("  to do: ", &plain(&first.to_do()), COLUMNS));
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  then:  {}", then(batch, first));
        if let Some(advice) = advice(first) {
            out.push_str(&wrapped("  but:   ", &advice, COLUMNS));
        }
    }
    let shown = u64::try_from(batch.payouts.len()).unwrap_or(u64::MAX);
    if batch.count > shown {
        let _ = writeln!(
            out,
            "and {} more; `producer report {}` lists all",
            batch.count - shown,
            batch.id
        );
    }
    out
}

/// The command to go on with. A step is offered only where nothing speaks against it.
fn then(batch: &WaitingBatch, waits: &Waits) -> String {
    let reference = quoted(waits.row.reference.as_str());
    let is_offered =
        waits.step != SecondStep::None && waits.hold.is_none() && !waits.is_said_to_be_funded();
    match is_offered {
        true => format!("producer confirm {} --reference {reference}", batch.id),
        false => format!("producer provider {} look-up {reference}", waits.lane),
    }
}

fn advice(waits: &Waits) -> Option<String> {
    let until = time(&waits.step_until?);
    Some(format!("a confirmation is under way; a look-up after {until} tells what became of it"))
}

/// For scripts.
pub fn to_json(batches: &[WaitingBatch]) -> Value {
    let payout = |batch: &WaitingBatch, waits: &Waits| {
        json!({
            "reference": waits.row.reference.as_str(),
            "lane": waits.lane.as_str(),
            "amount": waits.row.money.amount().to_string(),
            "currency": waits.row.money.currency().code(),
            "since": time(&waits.since),
            "what": waits.to_do(),
            "said_to_be_funded": waits.is_said_to_be_funded(),
            "hold": waits.hold,
            "step_under_way_until": waits.step_until.as_ref().map(time),
            "command": then(batch, waits),
        })
    };
    let one = |batch: &WaitingBatch| {
        json!({
            "batch": batch.id.to_string(),
            "name": batch.name,
            "waiting": batch.count,
            "payouts": batch.payouts.iter().map(|w| payout(batch, w)).collect::<Vec<_>>(),
        })
    };
    batches.iter().map(one).collect()
}
