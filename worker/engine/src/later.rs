//! Attempts that nobody remembers (S18). Where a ledger went back in time and its journals are
//! missing, a person may have ordered new attempts that stand nowhere. So of a payout whose past is
//! lost it is not enough to miss the attempt that the ledger knows: it counts as absent only if no
//! later one is found either, in the same round; and one that is found goes before a person.
//!
//! They are asked for by our reference alone, and never where the first miss proved nothing. That
//! is many look-ups for each such payout, and only until it was missed twice.

use crate::ask::{Asked, Told, questions};
use crate::lane::Lane;
use crate::work::Core;
use domain::{Event, Payout, ReferenceFormat, Sender};
use ledger::{LedgerError, Note, NoteKind};
use providers::{Found, Past};
use std::collections::BTreeMap;

/// What is known of the attempts after the one that was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Later {
    /// No look-up finds any, or there can be none.
    None,
    /// This one is at the provider.
    Found(u8),
    /// No look-up could tell.
    Unclear,
}

/// Asks about the later attempts of all rows that were missed and whose past is lost.
pub async fn ask(
    core: &Core,
    lane: &Lane,
    format: ReferenceFormat,
    answers: &[Told],
) -> Result<BTreeMap<u16, Later>, LedgerError> {
    let missed = answers.iter().filter(|(.., found)| *found == Found::Absent);
    let asked: Vec<Asked> = missed
        .flat_map(|(row, payout, payment, _)| {
            payout.later_attempts().map(move |attempt| {
                let known = payment.row.clone();
                let mut later = core.payment(payment.place, attempt, format, known);
                later.past = Past { resent: true, ..Past::of(payout, &lane.policy) };
                (*row, *payout, later)
            })
        })
        .collect();
    let mut all = BTreeMap::new();
    if asked.is_empty() {
        return Ok(all);
    }
    let (told, is_live) = questions(core, lane, asked).await?;
    // What is asked for one by one, the miss before has shown to be live.
    let is_live = is_live || lane.provider.limits().rows_per_look_up <= 1;
    for (row, _, payment, found) in told {
        let told = match found {
            Found::Absent if is_live => Later::None,
            Found::Absent | Found::Unclear { .. } | Found::StopLane { .. } => Later::Unclear,
            Found::Is { .. } | Found::StepDue { .. } | Found::Differs { .. } => {
                Later::Found(payment.attempt)
            }
        };
        let so_far = all.entry(row).or_insert(Later::None);
        // In the order of the attempts: the newest that is found counts, and it more than a doubt.
        *so_far = match (*so_far, told) {
            (_, Later::Found(attempt)) => Later::Found(attempt),
            (Later::None, told) => told,
            (known, _) => known,
        };
    }
    Ok(all)
}

/// What a miss means for the payout, with this of its later attempts.
pub fn missed(payout: &Payout, later: Later, sender_gone: bool) -> (Event, Option<Note>) {
    let Later::Found(attempt) = later else {
        return (Event::NotFound { sender_gone, none_later: later == Later::None }, None);
    };
    let event = Event::Rewound {
        attempt,
        intents: payout.intents.saturating_add(1),
        send_before: payout.send_before,
        sender: Sender::NOBODY,
        account: payout.account,
    };
    let text = format!("attempt {attempt}, which the ledger has forgotten, is at the provider");
    (event, Some(Note::new(NoteKind::Reason, text)))
}
