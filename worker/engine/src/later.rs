//! Attempts that nobody remembers (S18). Where a ledger went back in time and its journals are
//! missing, a person may have ordered new attempts that stand nowhere. So of a payout whose past is
//! lost it is not enough to miss the attempt that the ledger knows: it counts as absent only if no
//! later one is found either, in the same round; and one that is found goes before a person. Nor
//! does a second step move its money, or a person hear that he may take it, before no later one is
//! found: that one may have been paid instead.
//!
//! They are asked for by our reference alone, and never where the first miss proved nothing. That
//! is many look-ups for each such payout, and only until it was missed twice, or its step is taken.

use crate::ask::{Asked, Told, control_is_found, questions};
use crate::lane::Lane;
use crate::work::{Core, Held, Side};
use domain::{Account, Event, News, Payout, Sender, State};
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

/// Whether an answer leads to money being sent: anew, or by a step.
fn may_move_money(payout: &Payout, found: &Found) -> bool {
    match found {
        Found::Absent | Found::StepDue { .. } => true,
        // Who is to confirm it may do so as soon as it waits and nothing is open any more.
        Found::Is { news: News::Waiting, .. } => payout.step_open || payout.state != State::Waiting,
        _ => false,
    }
}

/// Asks about the later attempts of all rows whose past is lost, and whose answer may move money.
pub async fn ask(
    core: &Core,
    lane: &Lane,
    held: &Held,
    answers: &[Told],
) -> Result<BTreeMap<u16, Later>, LedgerError> {
    let may_be_later = answers.iter().filter(|(_, payout, _, found)| {
        !payout.later_attempts().is_empty() && may_move_money(payout, found)
    });
    // What was forgotten may have gone by the second lane, which nobody asks about it here: a person
    // decides (S15).
    if held.side == Side::First {
        return Ok(may_be_later.map(|(row, ..)| (*row, Later::Unclear)).collect());
    }
    let asked: Vec<Asked> = may_be_later
        .flat_map(|(row, payout, payment, _)| {
            payout.later_attempts().map(move |attempt| {
                let known = payment.row.clone();
                let mut later = core.payment(payment.place, attempt, held.format, known);
                later.past =
                    Past::of_other_attempt(payout, payment.place.chunk.batch, &lane.policy);
                (*row, *payout, later)
            })
        })
        .collect();
    let mut all = BTreeMap::new();
    if asked.is_empty() {
        return Ok(all);
    }
    let (told, is_live) = questions(core, lane, asked).await?;
    let limits = lane.provider.limits();
    // A miss that still counts has shown to be live what is asked for one by one. What was found,
    // maybe by its id, has not.
    let was_missed = answers.iter().any(|(.., found)| *found == Found::Absent);
    let one_by_one = limits.rows_per_look_up <= 1;
    let is_live = limits.idempotency.absence.proves
        && (is_live || one_by_one && (was_missed || control_is_found(core, lane).await?));
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
    match later {
        Later::Found(attempt) => forgotten(payout, attempt, None),
        _ => (Event::NotFound { sender_gone, none_later: later == Later::None }, None),
    }
}

/// What stands in place of an answer that found the payout, with this of its later attempts;
/// nothing where the answer holds.
pub fn overrules(payout: &Payout, later: Later) -> Option<(Event, Option<Note>)> {
    match later {
        Later::None => None,
        Later::Found(attempt) => Some(forgotten(payout, attempt, None)),
        Later::Unclear => Some((Event::Inconclusive, None)),
    }
}

/// An attempt that the ledger has forgotten is at the provider: a person must see it. One that went
/// by the second lane went from that one's account.
pub fn forgotten(
    payout: &Payout,
    attempt: u8,
    by_second: Option<Account>,
) -> (Event, Option<Note>) {
    let event = Event::Rewound {
        attempt,
        intents: payout.intents.saturating_add(1),
        send_before: payout.send_before,
        sender: Sender::NOBODY,
        account: by_second.unwrap_or(payout.account),
        moved: by_second.is_some(),
    };
    let text = format!("attempt {attempt}, which the ledger has forgotten, is at the provider");
    (event, Some(Note::new(NoteKind::Reason, text)))
}
