//! What an audit found, and the entries of a chain.

use crate::audit::check::{Checked, TO_DO};
use crate::audit::trust::{Signer, Voucher};
use crate::report::cells::put_time;
use ledger::audit::{Entry, Hash};
use serde_json::{Value, json};
use std::fmt::Write;

/// Characters of an entry's text that are shown; `--json` shows all.
const TEXT_CHARS: usize = 160;

/// What was found where all is signed.
const UNTOUCHED: &str = "nothing was changed, taken out, moved or cut off";

/// What was found where only a part is: hashes alone fit whatever somebody writes.
const SIGNED_FITS: &str = "what is signed was not changed, taken out, moved or cut off";

/// What goes with it where a key signed that nobody outside the ledger stands for.
const IF_YOURS: &str = ", if all of these keys are yours. Whoever can write to the \
ledger can put a key of his own there and sign with it: compare the keys with what `producer audit \
key` prints on each of your machines, and run this again with --key KEY for each of them";

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
    for (fingerprint, signer) in &seen.signers {
        let _ = writeln!(out, "{}", signed_by(fingerprint, signer));
    }
    if seen.not_told_yet > 0 {
        let _ = writeln!(
            out,
            "{} chunks changed since the newest result of their batch; the next result tells of \
             them",
            seen.not_told_yet
        );
    }
    if seen.not_signed_yet > 0 {
        let _ = writeln!(
            out,
            "batches that are not signed yet, or not to their end: {}. Nobody outside the ledger \
             stands for what it says of them; they are signed when their result is written",
            seen.not_signed_yet
        );
    }
    let is_strange = seen.signers.values().any(|signer| signer.strange().is_some());
    let fits = if seen.not_signed_yet == 0 { UNTOUCHED } else { SIGNED_FITS };
    let _ = match (seen.problems.is_empty(), is_strange) {
        (true, false) => writeln!(out, "{fits}"),
        (true, true) => writeln!(out, "{fits}{IF_YOURS}"),
        (false, _) => writeln!(out, "{TO_DO}"),
    };
    out
}

/// Whose key it is.
fn signed_by(fingerprint: &str, signer: &Signer) -> String {
    let Some(key) = signer.key else {
        return format!("signed by {fingerprint}: this key is not known here");
    };
    match signer.voucher {
        Voucher::Named => format!("signed by a key that you named: {key}"),
        Voucher::Here => format!("signed by the key of this machine: {key}"),
        Voucher::OnlyTheLedger => {
            format!("signed by a key that only this ledger vouches for: {key}")
        }
    }
}

/// The same for scripts.
pub fn to_json(seen: &Checked) -> Value {
    let problems: Vec<String> = seen.problems.iter().map(ToString::to_string).collect();
    let key = |(fingerprint, signer): (&String, &Signer)| {
        (fingerprint.clone(), signer.key.map_or(Value::Null, |key| Value::from(key.to_string())))
    };
    let strange = seen.signers.values().filter_map(Signer::strange);
    json!({
        "ok": seen.problems.is_empty(),
        "chains": seen.chains,
        "entries": seen.entries,
        "batches": seen.batches,
        "chunks": seen.chunks,
        "not_told_yet": seen.not_told_yet,
        "batches_not_signed_yet": seen.not_signed_yet,
        "keys": seen.signers.iter().map(key).collect::<serde_json::Map<_, _>>(),
        "keys_that_only_the_ledger_vouches_for":
            strange.map(|key| key.to_string()).collect::<Vec<_>>(),
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
