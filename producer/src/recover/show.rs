//! Senders and suspicions, for people and as JSON.

use super::Standing;
use crate::show::table::table;
use domain::Millis;
use jiff::Timestamp;
use ledger::senders::SenderRecord;
use ledger::suspicion::{Journals, Suspicion};
use serde_json::{Value, json};
use std::fmt::Write;

/// Gone senders that are listed: the newest.
const GONE_SHOWN: usize = 20;

/// What a person does about a suspicion.
const WHAT_TO_DO: &str = "\
what to do:
  1. find out since when the ledger may have forgotten: when was the copy taken that was put back?
  2. let a worker run on every machine that has sent since then: it compares its own journal
  3. a machine that will never come back:  producer worker lost NUMBER --reason …
  4. every journal is there:  producer ledger recover --lost-since TIME --journals-complete
     or one is lost:          producer ledger recover --lost-since TIME --journals-missing
";

/// A moment of the ledger's, for people.
pub fn time(at: Millis) -> String {
    let whole = i64::try_from(at.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    whole.map_or_else(|| format!("{} ms", at.0), |time| time.to_string())
}

/// Those that may still send, and the newest of those that are gone.
pub fn senders_table(senders: &[SenderRecord]) -> String {
    let gone = senders.iter().filter(|sender| sender.gone.is_some()).count();
    let mut skipped = gone.saturating_sub(GONE_SHOWN);
    let shown = senders.iter().filter(|sender| {
        let skip = sender.gone.is_some() && skipped > 0;
        skipped -= usize::from(skip);
        !skip
    });
    let row = |sender: &SenderRecord| {
        let state = match &sender.gone {
            None => "may send".to_owned(),
            Some(gone) => format!("gone since {}: {}", time(gone.since), gone.reason),
        };
        let home = &sender.home;
        let (host, path) = (home.host.clone(), home.path.clone());
        vec![sender.number.to_string(), host, path, time(sender.started), state]
    };
    let rows: Vec<Vec<String>> = shown.map(row).collect();
    table(&[">sender", "host", "state directory", "since", ""], &rows)
}

/// All senders.
pub fn senders_json(senders: &[SenderRecord]) -> Value {
    let one = |sender: &SenderRecord| {
        json!({
            "number": sender.number,
            "home": sender.home.id,
            "host": sender.home.host,
            "path": sender.home.path,
            "started": time(sender.started),
            "gone": sender.gone.as_ref().map(|gone| {
                json!({ "since": time(gone.since), "reason": gone.reason })
            }),
        })
    };
    senders.iter().map(one).collect()
}

/// Whether the ledger may have gone back in time, who was heard of it, and what to do.
pub fn status_text(standing: &Standing) -> String {
    let mut text = match &standing.suspicion {
        None => "nothing is suspected of this ledger\n".to_owned(),
        Some(suspicion) => suspected(suspicion),
    };
    let alive = standing.senders.iter().filter(|sender| sender.gone.is_none());
    for sender in alive {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "sender {} on {} ({}): {}",
            sender.number,
            sender.home.host,
            sender.home.path,
            journal(standing, sender)
        );
    }
    if standing.suspicion.as_ref().is_some_and(|suspicion| suspicion.order.is_none()) {
        text.push_str(WHAT_TO_DO);
    }
    text
}

fn suspected(suspicion: &Suspicion) -> String {
    let Suspicion { what, by, since, order, .. } = suspicion;
    let mut text = format!(
        "the ledger may have gone back in time; nothing is taken in and nothing is sent\n\
         found: {what}\nby:    {by}, {}\n",
        time(*since)
    );
    if let Some(order) = order {
        let journals = match order.journals {
            Journals::Complete => "all journals are there",
            Journals::Missing => "journals are missing; what is not paid is being marked",
            Journals::Replaced => "journals are missing; what is not paid was marked",
        };
        let _ = writeln!(text, "order: lost since {}; {journals}", time(order.lost_since));
    }
    text
}

fn journal(standing: &Standing, sender: &SenderRecord) -> &'static str {
    match &standing.suspicion {
        Some(suspicion) if suspicion.marked.contains(&sender.home.id) => "its journal was marked",
        Some(suspicion) if suspicion.order.is_some() => "its journal is still to be marked",
        _ if sender.compared == Some(standing.life) => "has compared its journal",
        _ => "has not compared its journal yet",
    }
}

/// The same as JSON.
pub fn status_json(standing: &Standing) -> Value {
    let suspicion = standing.suspicion.as_ref().map(|suspicion| {
        json!({
            "what": suspicion.what,
            "by": suspicion.by,
            "since": time(suspicion.since),
            "order": suspicion.order.map(|order| {
                json!({ "lost_since": time(order.lost_since), "journals": order.journals })
            }),
            "marked": suspicion.marked,
        })
    });
    let journals = standing.senders.iter().filter(|sender| sender.gone.is_none()).map(|sender| {
        json!({ "number": sender.number, "home": sender.home.id, "journal": journal(standing, sender) })
    });
    json!({
        "is_suspect": suspicion.is_some(),
        "suspicion": suspicion,
        "journals": journals.collect::<Vec<_>>(),
    })
}
