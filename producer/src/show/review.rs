//! What a person must decide about, and all that is known of one payout.

use super::provider;
use super::table::{plain, quoted, table, wrapped};
use crate::report::cells::time;
use crate::review::list::{InReview, Page, Sums};
use crate::review::{Asked, Consent, Decision, Says, Story, judge, told};
use domain::Payout;
use domain::money::minor_to_text;
use ledger::shipment::Shipment;
use ledger::{Note, NoteKind};
use providers::Found;
use serde_json::{Value, json};
use std::fmt::Write;

/// What a terminal shows without breaking lines.
const COLUMNS: usize = 100;

/// What is said where nothing is in review.
pub const NOTHING: &str = "nothing waits for a decision\n";

/// A page of the list. Why stands once for all payouts in a row that have the same story.
pub fn page(page: &Page) -> String {
    let mut out = format!("batch {} ({}), lane {}\n", page.batch, plain(&page.name), page.lane);
    let alike =
        |a: &InReview, b: &InReview| a.payout.cause == b.payout.cause && a.reason == b.reason;
    for group in page.payouts.chunk_by(alike) {
        let row = |one: &InReview| {
            vec![
                one.row.reference.as_str().to_owned(),
                one.row.money.to_string(),
                one.row.destination.to_string(),
                one.row.line.to_string(),
                time(&one.payout.since),
                one.seen.to_string(),
            ]
        };
        let rows: Vec<_> = group.iter().map(row).collect();
        let headers = ["reference", ">amount", "destination", ">line", "since", "version"];
        out.push_str(&table(&headers, &rows));
        let Some(first) = group.first() else { continue };
        out.push_str(&wrapped("  why:  ", first.payout.cause.sentence(), COLUMNS));
        if let Some(reason) = &first.reason {
            out.push_str(&wrapped("  last: ", &plain(reason), COLUMNS));
        }
    }
    out.push('\n');
    out
}

/// What the list adds up to, and how to go on.
pub fn sums(sums: &Sums) -> String {
    let row = |((code, cause), sum): (&(String, &str), &domain::batch::CurrencyTotal)| {
        let amount = minor_to_text(sum.minor, sum.exponent);
        vec![code.clone(), sum.rows.to_string(), amount, (*cause).to_owned()]
    };
    let rows: Vec<_> = sums.iter().map(row).collect();
    let all = table(&["currency", ">payouts", ">amount", "why"], &rows);
    format!("{all}`producer review show REFERENCE` tells all of one, and how it can be decided\n")
}

/// A page for scripts.
pub fn page_json(page: &Page) -> Vec<Value> {
    let one = |one: &InReview| {
        json!({
            "reference": one.row.reference.as_str(),
            "batch": page.batch.to_string(),
            "name": page.name,
            "line": one.row.line,
            "lane": page.lane.as_str(),
            "amount": one.row.money.amount().to_string(),
            "currency": one.row.money.currency().code(),
            "destination": one.row.destination.to_string(),
            "since": time(&one.payout.since),
            "cause": one.payout.cause,
            "why": one.payout.cause.sentence(),
            "reason": one.reason,
            "version": one.seen.to_string(),
        })
    };
    page.payouts.iter().map(one).collect()
}

/// The sums for scripts.
pub fn sums_json(sums: &Sums) -> Value {
    let one = |((code, cause), sum): (&(String, &str), &domain::batch::CurrencyTotal)| {
        let amount = minor_to_text(sum.minor, sum.exponent);
        json!({ "currency": code, "payouts": sum.rows, "amount": amount, "why": cause })
    };
    sums.iter().map(one).collect()
}

/// Where a payout stands, and why.
pub fn stands(payout: &Payout) -> String {
    let since = time(&payout.since);
    match payout.cause.sentence() {
        "" => format!("{} since {since}", payout.state),
        why => format!("{} since {since}: {why}", payout.state),
    }
}

/// All that is known of one payout.
pub fn story(story: &Story, asked: &[Asked]) -> String {
    let (row, payout) = (&story.known.row, &story.known.payout);
    let mut lines = vec![
        ("reference", story.reference().to_owned()),
        ("batch", format!("{} ({}), {}", story.batch.id, story.batch.name, story.batch.state)),
        ("row", format!("line {}, {} {}", row.line, row.method.name(), row.destination)),
        ("amount", row.money.to_string()),
        ("lane", story.known.lane.to_string()),
        ("state", stands(payout)),
        ("version", story.seen().to_string()),
        ("requests", requests(payout)),
    ];
    let attempts = story.attempts();
    lines.extend(attempts.map(|(no, name)| ("attempt", format!("{no}: {}", name.as_str()))));
    lines.extend(story.provider_id.iter().map(|id| ("provider's id", id.to_string())));
    lines.extend(story.calls.iter().map(|call| ("call", call.clone())));
    lines.extend(story.notes.iter().map(|note| ("note", words(note))));
    lines.extend(answers(asked));
    let line =
        |(name, value): (&str, String)| wrapped(&format!("{name:<15}"), &plain(&value), COLUMNS);
    lines.into_iter().map(line).collect()
}

/// What each decision would do, and the command for it.
pub fn decisions(story: &Story, asked: &[Asked]) -> String {
    let mut out = "what can be decided:\n".to_owned();
    for decision in Decision::ALL {
        let label = format!("  --{:<7}", decision.name());
        let text = match judge(decision, story, asked) {
            Ok(Consent::Given) => does(decision, story),
            Ok(Consent::Typed) => {
                format!("{}; amount and reference are typed", does(decision, story))
            }
            Err(why) => format!("not possible: {why}"),
        };
        out.push_str(&wrapped(&label, &text, COLUMNS));
    }
    let twice = asked.iter().filter(|asked| asked.says() == Says::Paid).count();
    if twice > 1 {
        let text =
            format!("the provider says that {twice} attempts were paid: ask for one of them back");
        out.push_str(&wrapped("beware: ", &text, COLUMNS));
    }
    let possible = Decision::ALL.into_iter().filter(|one| judge(*one, story, asked).is_ok());
    for decision in possible {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{}", command(decision, story));
    }
    out
}

fn does(decision: Decision, story: &Story) -> String {
    match decision {
        Decision::Paid => "it counts as paid, for good; nothing is sent".to_owned(),
        Decision::Failed => "it counts as not paid; nothing is sent".to_owned(),
        Decision::Again if story.known.payout.past_lost => format!(
            "attempt {} is begun; it and all later ones are looked up first, since the ledger may have \
             forgotten them, and it is sent only when none is found: this moves money",
            story.known.payout.attempt.saturating_add(1)
        ),
        Decision::Again => format!(
            "it is sent again as attempt {}, under a provider reference of its own: this moves money",
            story.known.payout.attempt.saturating_add(1)
        ),
    }
}

fn command(decision: Decision, story: &Story) -> String {
    let (reference, seen) = (quoted(story.reference()), story.seen());
    format!("producer review resolve {reference} --version {seen} --{decision} --reason TEXT")
}

fn requests(payout: &Payout) -> String {
    match payout.intents {
        0 => "none: it was never sent".to_owned(),
        n => format!("{n}; the newest create not after {}", time(&payout.send_before)),
    }
}

/// What the provider said of each attempt.
pub fn answers(asked: &[Asked]) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    for Asked { attempt, told, is_live } in asked {
        match told {
            // No worker looks at it any more: nobody judges this but who reads it.
            Ok(Found::Absent) => {
                let text = told::not_found(*is_live);
                lines.push(("provider says", format!("of attempt {attempt}: {text}")));
            }
            Ok(found) => {
                let with = |(name, value)| match name {
                    "provider says" => (name, format!("of attempt {attempt}: {value}")),
                    _ => (name, value),
                };
                lines.extend(provider::told(found).into_iter().map(with));
            }
            Err(why) => lines.push(("not asked", format!("attempt {attempt}: {why}"))),
        }
    }
    lines
}

/// A note with its kind in words.
fn words(note: &Note) -> String {
    let Note { kind, text } = note;
    match (kind, Shipment::of_note(note)) {
        (_, Some(call)) => format!("the provider's id of a call: {}", call.handle),
        (kind, None) => format!("{}: {text}", kind_word(*kind)),
    }
}

fn kind_word(kind: NoteKind) -> &'static str {
    match kind {
        NoteKind::ProviderId => "the provider's id",
        NoteKind::Reason => "why",
        NoteKind::Cost => "what it cost",
        NoteKind::Receipt => "receipt",
        NoteKind::Evidence => "evidence",
        NoteKind::Shipment => "a call",
    }
}

/// All of it for scripts.
pub fn story_json(story: &Story, asked: &[Asked]) -> Value {
    let (row, payout) = (&story.known.row, &story.known.payout);
    let decision = |decision: Decision| {
        let judged = judge(decision, story, asked);
        json!({
            "decision": decision.name(),
            "possible": judged.is_ok(),
            "typed": judged == Ok(Consent::Typed),
            "why_not": judged.err().map(|why| why.to_string()),
            "command": command(decision, story),
        })
    };
    let attempt = |(no, name): (u8, domain::ProviderReference)| json!({ "attempt": no, "provider_reference": name.as_str() });
    let note = |note: &Note| json!({ "kind": kind_word(note.kind), "text": words(note) });
    json!({
        "reference": story.reference(),
        "batch": story.batch.id.to_string(),
        "name": story.batch.name,
        "batch_state": story.batch.state.name(),
        "line": row.line,
        "lane": story.known.lane.as_str(),
        "method": row.method.name(),
        "destination": row.destination.to_string(),
        "amount": row.money.amount().to_string(),
        "currency": row.money.currency().code(),
        "state": payout.state.name(),
        "cause": payout.cause,
        "why": payout.cause.sentence(),
        "since": time(&payout.since),
        "version": story.seen().to_string(),
        "requests": payout.intents,
        "attempts": story.attempts().map(attempt).collect::<Vec<_>>(),
        "provider_id": story.provider_id.as_deref(),
        "calls": story.calls,
        "notes": story.notes.iter().map(note).collect::<Vec<_>>(),
        "told": told::summary(asked),
        "decisions": Decision::ALL.map(decision),
    })
}
