//! Batches, one batch, and its totals.

use super::table::table;
use super::terms;
use crate::progress::counts;
use crate::report::Summary;
use crate::report::cells::put_time;
use crate::report::late::LateCounts;
use domain::batch::{CurrencyTotal, Totals};
use domain::money::minor_to_text;
use domain::{Batch, State};
use serde_json::{Value, json};

/// A table of batches, the newest first.
pub fn list(batches: &[Batch]) -> String {
    if batches.is_empty() {
        return "no batches\n".to_owned();
    }
    let row = |batch: &Batch| {
        vec![
            batch.id.to_string(),
            batch.name.clone(),
            batch.state.to_string(),
            batch.totals.rows().to_string(),
            totals(batch),
            if batch.reason.is_empty() { counts(batch) } else { batch.reason.clone() },
        ]
    };
    let rows: Vec<_> = batches.iter().map(row).collect();
    let to_do: String = batches.iter().map(to_do).collect();
    table(&["batch", "file", "state", ">rows", ">total", "payouts"], &rows) + &to_do
}

/// One batch at length.
pub fn one(batch: &Batch) -> String {
    let mut created = String::new();
    put_time(&mut created, batch.created.0);
    let mut rows = vec![
        pair("batch", batch.id.to_string()),
        pair("file", batch.name.clone()),
        pair("state", batch.state.to_string()),
        pair("taken", created),
        pair("rows", batch.totals.rows().to_string()),
        pair("total", totals(batch)),
    ];
    let terms = terms::words(&batch.terms);
    if !terms.is_empty() {
        rows.push(pair("terms", terms));
    }
    if !batch.reason.is_empty() {
        rows.push(pair("reason", batch.reason.clone()));
    }
    let some = |state: &State| batch.counts.get(*state) > 0;
    let states = State::ALL.into_iter().filter(some);
    rows.extend(states.map(|state| pair(state.name(), batch.counts.get(state).to_string())));
    if let Some(changes) = batch.reported {
        let current = if changes == batch.changes { "written" } else { "older than the batch" };
        rows.push(pair("result", current.to_owned()));
    }
    aligned(&rows) + &to_do(batch)
}

/// What a person has to do about a batch, where anything is: nothing else moves these payouts.
pub fn to_do(batch: &Batch) -> String {
    waiting(batch) + &review(batch)
}

fn review(batch: &Batch) -> String {
    let id = batch.id;
    let command = format!("`producer review list {id}` shows what is known");
    match batch.counts.get(State::Review) {
        0 => String::new(),
        1 => format!("batch {id}: 1 payout waits for a decision; {command}\n"),
        n => format!("batch {id}: {n} payouts wait for a decision; {command}\n"),
    }
}

fn waiting(batch: &Batch) -> String {
    let id = batch.id;
    match batch.counts.get(State::Waiting) {
        0 => String::new(),
        1 => format!(
            "batch {id}: 1 payout waits for a person at the provider; `producer waiting {id}` \
             says for what\n"
        ),
        n => format!(
            "batch {id}: {n} payouts wait for a person at the provider; `producer waiting {id}` \
             says for what\n"
        ),
    }
}

/// That money came back, or went out after all: somebody must act on it (S14).
pub fn late(late: &LateCounts) -> String {
    let mut out = String::new();
    if late.returned > 0 {
        out += &format!("{} paid, and the money came back; the result says which\n", late.returned);
    }
    if late.disputed > 0 {
        out += &format!(
            "{} disputed: reported as paid after they had failed or been cancelled; the result \
             says which, and a person must close them\n",
            late.disputed
        );
    }
    out
}

/// The same for scripts.
pub fn late_to_json(late: &LateCounts) -> Value {
    json!({ "returned": late.returned, "disputed": late.disputed })
}

fn pair(name: &str, value: String) -> (String, String) {
    (name.to_owned(), value)
}

fn aligned(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("{name:<width$}  {value}\n")).collect()
}

/// `1500.00 EUR, 20.00 RUB`.
pub fn totals(batch: &Batch) -> String {
    let one = |(code, total): (&String, &domain::batch::CurrencyTotal)| {
        format!("{} {code}", minor_to_text(total.minor, total.exponent))
    };
    batch.totals.0.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The totals of a report, one line per currency and state.
pub fn summary(summary: &Summary) -> String {
    let mut rows = Vec::new();
    for (code, sums) in &summary.currencies {
        let line = |name: &str, sum: crate::report::summary::Sum| {
            vec![code.clone(), name.to_owned(), sum.0.rows.to_string(), sum.amount()]
        };
        rows.push(line("file", sums.file));
        let parts = sums.parts().into_iter().filter(|(_, sum)| sum.0.rows > 0);
        rows.extend(parts.map(|(name, sum)| line(name, sum)));
        if sums.returned.0.rows > 0 {
            rows.push(line("of those paid, returned", sums.returned));
        }
        if sums.disputed.0.rows > 0 {
            rows.push(line("of those in review, disputed", sums.disputed));
        }
    }
    for (code, sum) in &summary.left_out.amounts {
        let cells = [code.clone(), "left out".to_owned(), sum.0.rows.to_string(), sum.amount()];
        rows.push(cells.into());
    }
    if summary.left_out.unreadable > 0 {
        let rows_out = summary.left_out.unreadable.to_string();
        rows.push(vec![String::new(), "left out, no amount".to_owned(), rows_out, String::new()]);
    }
    table(&["currency", "payouts", ">rows", ">amount"], &rows)
}

/// Rows and amount per currency, for scripts.
pub fn totals_to_json(totals: &Totals) -> Value {
    let one = |(code, total): (&String, &CurrencyTotal)| {
        let amount = minor_to_text(total.minor, total.exponent);
        (code.clone(), json!({ "rows": total.rows, "amount": amount }))
    };
    Value::Object(totals.0.iter().map(one).collect())
}

/// A batch for scripts.
pub fn to_json(batch: &Batch) -> Value {
    let totals = totals_to_json(&batch.totals);
    let counts: serde_json::Map<String, Value> = State::ALL
        .into_iter()
        .map(|state| (state.name().to_owned(), batch.counts.get(state).into()))
        .collect();
    let mut created = String::new();
    put_time(&mut created, batch.created.0);
    json!({
        "batch": batch.id.to_string(),
        "name": batch.name,
        "file_sha256": batch.file_sha256,
        "state": batch.state.name(),
        "created": created,
        "not_before": terms::not_before_json(&batch.terms),
        "priority": batch.terms.priority.name(),
        "rows": batch.totals.rows(),
        "totals": totals,
        "payouts": counts,
        "open": batch.counts.open(),
        "changes": batch.changes,
        "reported": batch.reported,
        "reason": batch.reason,
    })
}
