//! The one way to change payouts: decide, compare-and-set, and decide again for the rows that
//! changed meanwhile.
//!
//! [`domain::decide()`] stays the only place that knows what an event does; a ledger only stores
//! what it gives, and only onto the very payout that it was given.

use crate::api::{Ledger, LedgerError};
use crate::types::{Change, Guard, Note, NoteKind, Written};
use domain::{ChunkId, Decision, Event, IllegalEvent, Millis, News, Payout, Policy, decide};

/// An event for one row.
#[derive(Clone, Debug)]
pub struct Happening {
    /// The row.
    pub row: u16,
    /// The payout as the caller knows it; read again where it is stale.
    pub payout: Payout,
    /// What happened.
    pub event: Event,
    /// What is to be kept beside it.
    pub notes: Vec<Note>,
}

/// What became of a happening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The payout changed and stands so now.
    Changed(Payout),
    /// Kept as evidence; the payout stands so.
    Recorded(Payout),
    /// It was judged by a reading that no longer holds: nothing was written; the payout stands so.
    Overtaken(Payout),
    /// Not possible for the payout as it stands.
    Illegal(IllegalEvent, Payout),
}

impl Applied {
    /// The payout as it stands now.
    pub fn payout(&self) -> Payout {
        match self {
            Applied::Changed(p)
            | Applied::Recorded(p)
            | Applied::Overtaken(p)
            | Applied::Illegal(_, p) => *p,
        }
    }

    /// Whether it is this happening that changed the payout.
    pub fn is_changed(&self) -> bool {
        matches!(self, Applied::Changed(_))
    }
}

/// Rounds of deciding again. A row changes meanwhile when a callback meets an outcome; that it
/// does so this often within one call means that something runs wild.
const MAX_ROUNDS: usize = 16;

/// Applies happenings of one chunk, in order of the rows. Gives what became of each, in the
/// order given; `None` if the guard did not hold and nothing was written.
pub async fn apply(
    ledger: &dyn Ledger,
    chunk: ChunkId,
    guard: Guard,
    now: Millis,
    policy: &Policy,
    happenings: Vec<Happening>,
) -> Result<Option<Vec<(u16, Applied)>>, LedgerError> {
    let mut results: Vec<(u16, Option<Applied>)> =
        happenings.iter().map(|h| (h.row, None)).collect();
    let mut open: Vec<(usize, Happening)> = happenings.into_iter().enumerate().collect();
    for _ in 0..MAX_ROUNDS {
        let mut changes = Vec::with_capacity(open.len());
        let mut tried = Vec::with_capacity(open.len());
        for (index, happening) in open {
            let (to, applied) = match decide(&happening.payout, &happening.event, now, policy) {
                Ok(Decision::Change(next)) => (next, Applied::Changed(next)),
                Ok(Decision::Record) => (happening.payout, Applied::Recorded(happening.payout)),
                Err(illegal) => {
                    results[index].1 = Some(Applied::Illegal(illegal, happening.payout));
                    continue;
                }
            };
            let mut notes = happening.notes.clone();
            let changed = applied.is_changed();
            if !changed && worth_keeping(&happening.event) {
                let text = format!("{:?} while {}", happening.event, happening.payout.state);
                notes.push(Note::new(NoteKind::Evidence, text));
            }
            if changed || !notes.is_empty() {
                changes.push(Change { row: happening.row, from: happening.payout, to, notes });
                tried.push((index, happening, applied));
            } else {
                results[index].1 = Some(applied);
            }
        }
        if changes.is_empty() {
            return Ok(Some(finish(results)?));
        }
        let conflicts = match ledger.write(chunk, guard, changes).await? {
            Written::Refused => return Ok(None),
            Written::Done(conflicts) => conflicts,
        };
        open = Vec::new();
        for (index, mut happening, applied) in tried {
            match conflicts.iter().find(|(row, _)| *row == happening.row) {
                // What was judged by an old reading is not judged again by it: whoever reads
                // the new one decides anew.
                Some((_, now_stands)) if is_overtaken(&happening.event, now_stands) => {
                    results[index].1 = Some(Applied::Overtaken(*now_stands));
                }
                Some((_, now_stands)) => {
                    happening.payout = *now_stands;
                    open.push((index, happening));
                }
                None => results[index].1 = Some(applied),
            }
        }
        if open.is_empty() {
            return Ok(Some(finish(results)?));
        }
    }
    Err(LedgerError::Broken(format!("rows of {chunk} changed {MAX_ROUNDS} times during one write")))
}

/// Whether an event says nothing of a payout that has changed and stands so now.
///
/// The answer to a look-up does not answer a hint that came after its question: whoever reads
/// the hint asks again. But paid is paid, whatever the hint was about.
fn is_overtaken(event: &Event, now_stands: &Payout) -> bool {
    let is_answer = matches!(event, Event::Found { news, .. } if *news != News::Paid);
    is_judgement(event) || (is_answer && now_stands.news_pending)
}

/// Whether an event follows from how the payout was read, and not from the outside world.
fn is_judgement(event: &Event) -> bool {
    matches!(
        event,
        Event::Intent { .. }
            | Event::StepIntent
            | Event::NotFound { .. }
            | Event::Inconclusive
            | Event::TooOld
            | Event::ResolvePaid
            | Event::ResolveFailed
            | Event::NewAttempt
    )
}

/// Outcomes, news and hints are evidence even where they change nothing; a question that told
/// nothing is not.
fn worth_keeping(event: &Event) -> bool {
    matches!(
        event,
        Event::Outcome { .. }
            | Event::StepOutcome { .. }
            | Event::StepWithdrawn { .. }
            | Event::News { .. }
            | Event::Found { .. }
            | Event::Hint
            | Event::Rewound { .. }
    )
}

fn finish(results: Vec<(u16, Option<Applied>)>) -> Result<Vec<(u16, Applied)>, LedgerError> {
    let lost = || LedgerError::Broken("a row was lost between two writes".to_owned());
    results.into_iter().map(|(row, applied)| Ok((row, applied.ok_or_else(lost)?))).collect()
}
