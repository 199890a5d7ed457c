//! What an audit found, and the entries of a chain.

use crate::audit::check::{Checked, TO_DO};
use crate::report::cells::put_time;
use ledger::audit::{Entry, Hash};
use serde_json::{Value, json};
use std::fmt::Write;

/// Characters of an entry's text that are shown; `--json` shows all.
const TEXT_CHARS: usize = 160;

/// `3 batches, 40 chunks, 92 entries`.
pub fn how_far(seen: &Checked) -> String {
    let Checked { chains, entries, batches, chunks, .. } = seen;
    format!("{chains} chains, {entries} entries, {batches} batches, {chunks} chunks")
}

/// What was found, for people.
pub fn checked(seen: &Checked) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    for problem in &seen.problems {
        let _ = writeln!(out, "{problem}");
    }
    if seen.more > 0 {
        let _ = writeln!(out, "and {} more", seen.more);
    }
    let _ = writeln!(out, "checked: {}", how_far(seen));
    for (fingerprint, key) in &seen.keys {
        let _ = match key {
            Some(key) => writeln!(out, "signed by {fingerprint}: {key}"),
            None => writeln!(out, "signed by {fingerprint}: this key is not known here"),
        };
    }
    if seen.not_told_yet > 0 {
        let _ = writeln!(
            out,
            "{} chunks changed since the newest result of their batch; the next result tells of \
             them",
            seen.not_told_yet
        );
    }
    let _ = match seen.problems.is_empty() {
        true => writeln!(out, "nothing was changed, taken out, moved or cut off"),
        false => writeln!(out, "{TO_DO}"),
    };
    out
}

/// The same for scripts.
pub fn to_json(seen: &Checked) -> Value {
    let problems: Vec<String> = seen.problems.iter().map(ToString::to_string).collect();
    let key = |(fingerprint, key): (&String, &Option<ledger::audit::PublicKey>)| {
        (fingerprint.clone(), key.map_or(Value::Null, |key| Value::from(key.to_string())))
    };
    json!({
        "ok": seen.problems.is_empty(),
        "chains": seen.chains,
        "entries": seen.entries,
        "batches": seen.batches,
        "chunks": seen.chunks,
        "not_told_yet": seen.not_told_yet,
        "keys": seen.keys.iter().map(key).collect::<serde_json::Map<_, _>>(),
        "problems": problems,
        "more": seen.more,
    })
}

/// An entry on one line.
pub fn entry(entry: &Entry) -> String {
    let mut at = String::new();
    put_time(&mut at, entry.at_ms);
    let text = entry.text.to_string();
    let mut shown: String = text.chars().take(TEXT_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{:>5}  {at}  {:<12}  {}  {shown}\n", entry.seq, entry.kind.name(), entry.who)
}

/// An entry for scripts, with its own hash.
pub fn entry_to_json(entry: &Entry, hash: Hash) -> Value {
    let mut told = serde_json::to_value(entry).unwrap_or_default();
    told["hash"] = hash.to_string().into();
    told
}
