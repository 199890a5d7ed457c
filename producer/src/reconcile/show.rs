//! What a comparison found, for people and for scripts.

use super::Reconciled;
use crate::report::cells::time;
use crate::show::provider::{sheet, sheet_json};
use crate::show::table::{plain, table};
use ::reconcile::{Difference, Outcome, Spent, Sum, Sums};
use domain::LaneName;
use providers::Period;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Findings in the table; `--json` has a thousand.
const LINES_MAX: usize = 40;

/// For people.
pub fn text(lane: &LaneName, period: Period, found: &Reconciled) -> String {
    let mut out = format!("lane {lane}, {} to {}\n\n", time(&period.from), time(&period.until));
    match found {
        Reconciled::Compared { outcome, .. } => compared(&mut out, outcome),
        Reconciled::Spent { spent, balance } => {
            out += "the provider has no list: explain the balance by what was spent\n\n";
            out += &spent_table(spent);
            out.push('\n');
            match balance {
                Ok(balance) => out += &sheet(balance),
                Err(error) => put(&mut out, format_args!("no balance: {}\n", plain(error))),
            }
        }
    }
    out
}

fn compared(out: &mut String, outcome: &Outcome) {
    let Outcome { entries, ours, agree, others, unplaced, there, here, .. } = outcome;
    *out += &totals(there, here);
    put(
        out,
        format_args!(
            "\n{entries} entries in the list: {ours} payouts of ours, {agree} of them paid alike; \
             {others} of others\n"
        ),
    );
    for (currency, Sum { rows, amount }) in &unplaced.0 {
        put(
            out,
            format_args!(
                "{rows} entries, {amount} {currency}, under numbers that this ledger does not \
                 know: a number does not tell whose it is, so explain them\n"
            ),
        );
    }
    let not_compared = [
        (outcome.elsewhere, "payouts were sent under another account: its own list has them"),
        (outcome.untold, "paid ones are in the list without an amount that can be compared"),
        (outcome.destroyed, "cannot be compared: rows were destroyed at retention"),
    ];
    for (count, words) in not_compared.into_iter().filter(|(count, _)| *count > 0) {
        put(out, format_args!("{count} {words}\n"));
    }
    if outcome.counts.is_empty() {
        *out += "nothing differs\n";
        return;
    }
    out.push('\n');
    let counts = outcome.counts.iter().map(|(kind, count)| {
        let stops = if kind.is_difference() { "differs" } else { "to be known" };
        vec![kind.words().to_owned(), count.to_string(), stops.to_owned()]
    });
    *out += &table(&["finding", ">payouts", ""], &counts.collect::<Vec<_>>());
    out.push('\n');
    let shown: Vec<_> = outcome.shown.iter().take(LINES_MAX).map(line).collect();
    *out += &table(&["finding", "reference", "amount", "provider's id", ""], &shown);
    let all: u64 = outcome.counts.values().sum();
    let more = all.saturating_sub(u64::try_from(shown.len()).unwrap_or(u64::MAX));
    if more > 0 {
        put(out, format_args!("and {more} more; --json shows up to a thousand\n"));
    }
}

fn line(found: &Difference) -> Vec<String> {
    let text = |text: Option<&str>| plain(text.unwrap_or_default());
    vec![
        found.kind.words().to_owned(),
        plain(&found.reference),
        text(found.amount.as_deref()),
        text(found.provider_id.as_deref()),
        plain(&found.words),
    ]
}

fn totals(there: &Sums, here: &Sums) -> String {
    let currencies: BTreeSet<&String> = there.0.keys().chain(here.0.keys()).collect();
    let of = |sums: &Sums, currency: &str| sums.0.get(currency).copied().unwrap_or_default();
    let row = |currency: &&String| {
        let (there, here) = (of(there, currency), of(here, currency));
        let cells = [there.rows.to_string(), there.amount.to_string(), here.rows.to_string()];
        let amount = here.amount.to_string();
        [vec![(*currency).clone()], cells.to_vec(), vec![amount]].concat()
    };
    let rows: Vec<_> = currencies.iter().map(row).collect();
    let headers = ["currency", ">paid there", ">amount", ">paid here", ">amount"];
    // The list is read a day wider than the period.
    format!("{}(the list is read a day wider at both ends)\n", table(&headers, &rows))
}

fn spent_table(spent: &Spent) -> String {
    let parts = [
        ("paid", &spent.paid),
        ("cost, as the provider told", &spent.cost),
        ("open", &spent.open),
        ("in review", &spent.review),
    ];
    let rows = parts.iter().flat_map(|(name, sums)| {
        sums.0.iter().map(move |(currency, sum)| {
            vec![(*name).to_owned(), sum.rows.to_string(), sum.amount.to_string(), currency.clone()]
        })
    });
    let rows: Vec<_> = rows.collect();
    let mut out = table(&["", ">payouts", ">amount", "currency"], &rows);
    if spent.destroyed > 0 {
        let count = spent.destroyed;
        put(&mut out, format_args!("{count} not added: rows were destroyed at retention\n"));
    }
    if spent.without_cost > 0 {
        put(&mut out, format_args!("{} paid ones without a cost\n", spent.without_cost));
    }
    out
}

/// For scripts.
pub fn json(lane: &LaneName, period: Period, found: &Reconciled) -> Value {
    let mut told = json!({
        "lane": lane.as_str(),
        "from": time(&period.from),
        "until": time(&period.until),
    });
    let more = match found {
        Reconciled::Compared { outcome, stopped } => {
            let Outcome { entries, ours, agree, others, unplaced, there, here, shown, .. } =
                &**outcome;
            let differences = outcome.differences();
            json!({
                "list": true, "entries": entries, "ours": ours, "agree": agree, "others": others,
                "unplaced": unplaced, "paid_there": there, "paid_here": here,
                "differences": differences, "counts": outcome.counts, "findings": shown,
                "elsewhere": outcome.elsewhere, "untold": outcome.untold,
                "destroyed": outcome.destroyed, "stopped": stopped,
            })
        }
        Reconciled::Spent { spent, balance } => json!({
            "list": false,
            "paid": spent.paid,
            "cost": spent.cost,
            "open": spent.open,
            "review": spent.review,
            "without_cost": spent.without_cost,
            "destroyed": spent.destroyed,
            "balance": balance.as_ref().ok().map(sheet_json),
        }),
    };
    if let (Value::Object(told), Value::Object(more)) = (&mut told, more) {
        told.extend(more);
    }
    told
}

fn put(out: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing into a String cannot fail.
    let _ = out.write_fmt(words);
}
