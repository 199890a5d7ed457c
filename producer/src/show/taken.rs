//! What an intake did, or why it did nothing.

use super::batches::totals_to_json;
use crate::intake::size::{Compared, LargeRow};
use crate::intake::{IntakeError, Problems, Taken};
use domain::batch::Totals;
use domain::money::minor_to_text;
use serde_json::{Value, json};
use std::fmt::Write;

/// What was taken, for people.
pub fn taken(taken: &Taken) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = match taken.batch {
        Some(batch) => writeln!(out, "{}: taken as batch {batch}", taken.name),
        None => writeln!(out, "{}: would be taken; nothing was written (dry run)", taken.name),
    };
    let _ = writeln!(out, "  {} rows, {}", taken.rows, amounts(&taken.totals));
    for (lane, rows) in &taken.lanes {
        let _ = writeln!(out, "  lane {lane}: {rows} rows");
    }
    for row in &taken.largest {
        let LargeRow { line, reference, amount, destination } = row;
        let _ = writeln!(out, "  large: line {line}, {reference}, {amount} to {destination}");
    }
    for Compared { currency, total, median, batches, is_unusual } in &taken.compared {
        let warning = if *is_unusual { "BEWARE, ten times as much or more: " } else { "" };
        let _ = writeln!(
            out,
            "  {warning}{total} {currency}; the last {batches} batches had {median} in the middle"
        );
    }
    let terms = super::terms::words(&taken.terms);
    if !terms.is_empty() {
        let _ = writeln!(out, "  {terms}");
    }
    let _ = writeln!(out, "  read as {} with profile \"{}\"", taken.encoding, taken.profile);
    if taken.rejected > 0 {
        let _ = writeln!(out, "  {} rows left out:\n{}", taken.rejected, taken.problems);
    }
    if let Some(file) = &taken.rejected_file {
        let _ = writeln!(out, "  they are in {}", file.display());
    }
    out
}

fn amounts(totals: &Totals) -> String {
    let one = |(code, total): (&String, &domain::batch::CurrencyTotal)| {
        format!("{} {code}", minor_to_text(total.minor, total.exponent))
    };
    totals.0.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// What was taken, for scripts.
pub fn to_json(taken: &Taken) -> Value {
    let totals = totals_to_json(&taken.totals);
    json!({
        "batch": taken.batch.map(|batch| batch.to_string()),
        "name": taken.name,
        "rows": taken.rows,
        "totals": totals,
        "lanes": taken.lanes.iter().map(|(lane, rows)| (lane.to_string(), Value::from(*rows)))
            .collect::<serde_json::Map<_, _>>(),
        "largest": taken.largest.iter().map(|row| json!({
            "line": row.line,
            "reference": row.reference,
            "amount": row.amount,
            "destination": row.destination,
        })).collect::<Vec<_>>(),
        "compared": taken.compared.iter().map(|with| json!({
            "currency": with.currency,
            "total": with.total,
            "median": with.median,
            "batches": with.batches,
            "unusual": with.is_unusual,
        })).collect::<Vec<_>>(),
        "not_before": super::terms::not_before_json(&taken.terms),
        "priority": taken.terms.priority.name(),
        "rejected": taken.rejected,
        "rejected_file": taken.rejected_file,
        "problems": problems(&taken.problems),
    })
}

/// Why nothing was taken, for scripts.
pub fn refused_json(error: &IntakeError) -> Value {
    let list = match error {
        IntakeError::BadRows { problems: list, .. } => problems(list),
        _ => Value::Array(Vec::new()),
    };
    let first = match error {
        IntakeError::SameFile { batch, .. } | IntakeError::Busy { batch } => {
            Value::from(batch.to_string())
        }
        _ => Value::Null,
    };
    json!({ "refused": error.brief(), "first_batch": first, "problems": list })
}

fn problems(problems: &Problems) -> Value {
    let one = |problem: &crate::rules::Problem| {
        json!({
            "line": problem.line,
            "column": problem.column,
            "value": problem.value,
            "problem": problem.text,
        })
    };
    problems.list.iter().map(one).collect()
}
