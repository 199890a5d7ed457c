//! What a provider can be asked, and what it answered.

use super::table::{plain, table, wrapped};
use crate::provider::payout::Known;
use crate::report::cells::time;
use crate::review::told::word;
use domain::LaneName;
use providers::{Found, Limits, Provider, Question, Sheet};
use serde_json::{Value, json};
use std::fmt::Write;

/// What a terminal shows without breaking lines.
const COLUMNS: usize = 100;

/// The name column of a list of questions.
fn width(questions: &[Question], limits: &Limits) -> usize {
    let own = questions.iter().map(|question| question.name.len());
    let always = always(limits).map(|(name, _)| name.len());
    own.chain(always).max().unwrap_or(0) + 2
}

/// What every lane can be asked beside the desk's own questions, where the provider offers it.
fn always(limits: &Limits) -> impl Iterator<Item = (&'static str, &'static str)> {
    let all = [
        (true, "look-up REFERENCE", "where one payout stands at the provider; changes nothing"),
        (limits.cancel, "cancel REFERENCE", "asks to cancel one payout; asks for a yes"),
        (limits.rules, "rules", "fetches the rules for rows, and keeps them for intake"),
    ];
    all.into_iter().filter_map(|(offered, name, about)| offered.then_some((name, about)))
}

/// A list of what a lane's provider can be asked.
pub fn questions(lane: &LaneName, provider: &dyn Provider) -> String {
    let limits = provider.limits();
    let list = provider.desk().map_or(&[][..], |desk| desk.questions());
    let width = width(list, limits);
    let mut out = format!("lane {lane} ({}) can be asked:\n", limits.provider);
    for question in list {
        let acts = if question.acts { "; changes something, asks for a yes" } else { "" };
        let about = format!("{}{acts} [{}]", question.about, question.operation);
        out.push_str(&wrapped(&format!("  {:<width$}", question.name), &about, COLUMNS));
        for parameter in question.parameters {
            let needed = if parameter.required { " (required)" } else { "" };
            let label = format!("  {:<width$}{}=…  ", "", parameter.name);
            out.push_str(&wrapped(&label, &format!("{}{needed}", parameter.about), COLUMNS));
        }
    }
    for (name, about) in always(limits) {
        out.push_str(&wrapped(&format!("  {name:<width$}"), about, COLUMNS));
    }
    let _ = writeln!(out, "ask with `producer provider {lane} QUESTION [KEY=VALUE …]`");
    out
}

/// The list for scripts.
pub fn questions_json(lane: &LaneName, provider: &dyn Provider) -> Value {
    let parameter = |p: &providers::Parameter| json!({ "name": p.name, "about": p.about, "required": p.required });
    let list = provider.desk().map_or(&[][..], |desk| desk.questions());
    let question = |question: &Question| {
        json!({
            "name": question.name,
            "about": question.about,
            "operation": question.operation,
            "acts": question.acts,
            "parameters": question.parameters.iter().map(parameter).collect::<Vec<_>>(),
        })
    };
    json!({
        "lane": lane.as_str(),
        "provider": provider.limits().provider,
        "questions": list.iter().map(question).collect::<Vec<_>>(),
    })
}

/// An answer.
pub fn sheet(sheet: &Sheet) -> String {
    if sheet.rows.is_empty() {
        return "nothing\n".to_owned();
    }
    let row = |cells: &Vec<String>| cells.iter().map(|cell| plain(cell)).collect();
    let mut out = table(&sheet.columns, &sheet.rows.iter().map(row).collect::<Vec<_>>());
    if let Some(more) = &sheet.more {
        let _ = writeln!(out, "{}", plain(more));
    }
    out
}

/// An answer for scripts.
pub fn sheet_json(sheet: &Sheet) -> Value {
    let row = |cells: &Vec<String>| -> Value {
        let pairs = sheet.columns.iter().zip(cells);
        Value::Object(pairs.map(|(name, cell)| ((*name).to_owned(), json!(cell))).collect())
    };
    json!({ "rows": sheet.rows.iter().map(row).collect::<Vec<_>>(), "more": sheet.more })
}

/// What a look-up said, in names and values.
pub(super) fn told(found: &Found) -> Vec<(&'static str, String)> {
    let id = |id: &Option<String>| id.clone().map(|id| ("provider's id", id));
    match found {
        Found::Is { news, provider_id, cost, receipts, text } => {
            let mut lines = vec![("provider says", format!("{}: {text}", word(*news)))];
            lines.extend(id(provider_id));
            lines.extend(cost.clone().map(|cost| ("cost", cost)));
            lines.extend(receipts.iter().map(|link| ("receipt", link.clone())));
            lines
        }
        Found::StepDue { provider_id } => {
            let words = "taken, and waiting for its second step".to_owned();
            [("provider says", words)].into_iter().chain(id(provider_id)).collect()
        }
        Found::Differs { text } => vec![("provider says", format!("not what was sent: {text}"))],
        Found::Absent => {
            let words = "not found; by itself this proves nothing, a worker judges it".to_owned();
            vec![("provider says", words)]
        }
        Found::Unclear { text } => vec![("provider says", format!("nothing clear: {text}"))],
        Found::StopLane { text } => vec![("provider says", format!("refuses to answer: {text}"))],
    }
}

/// One payout, here and at its provider.
pub fn look_up(known: &Known, found: &Found) -> String {
    let payout = &known.payout;
    let here =
        format!("{} since {}, attempt {}", payout.state, time(&payout.since), payout.attempt);
    let mut lines = vec![
        ("reference", known.row.reference.as_str().to_owned()),
        ("amount", format!("{} {}", known.row.money.amount(), known.row.money.currency())),
        ("here", here),
    ];
    lines.extend(told(found));
    let line =
        |(name, value): (&str, String)| wrapped(&format!("{name:<15}"), &plain(&value), COLUMNS);
    lines.into_iter().map(line).collect()
}

/// The same for scripts.
pub fn look_up_json(known: &Known, found: &Found) -> Value {
    let kind = match found {
        Found::Is { news, .. } => word(*news),
        Found::StepDue { .. } => "second step due",
        Found::Differs { .. } => "differs",
        Found::Absent => "not found",
        Found::Unclear { .. } => "unclear",
        Found::StopLane { .. } => "refused",
    };
    let of = |wanted: &str| -> Vec<String> {
        let all = told(found).into_iter().filter(|(name, _)| *name == wanted);
        all.map(|(_, value)| value).collect()
    };
    json!({
        "reference": known.row.reference.as_str(),
        "lane": known.lane.as_str(),
        "state": known.payout.state.name(),
        "attempt": known.payout.attempt,
        "found": kind,
        "text": of("provider says").first(),
        "provider_id": of("provider's id").first(),
        "cost": of("cost").first(),
        "receipts": of("receipt"),
    })
}
