//! Asking the provider about payouts whose time has come: unknown ones, overdue ones, ones with
//! unconfirmed news.
//!
//! A "not found" counts only in a round in which the same kind of look-up found something that
//! is known to exist (S11): one of the payouts asked about, or else the lane's control. A round
//! without a live look-up proves nothing, and what it missed stays unknown.

use crate::counters::count;
use crate::lane::Lane;
use crate::verdict::found_notes;
use crate::work::{Core, Held};
use domain::{Event, News, Payout, Place, State};
use futures::StreamExt;
use futures::stream;
use ledger::apply::Happening;
use ledger::{Guard, LedgerError, Note, NoteKind};
use providers::{Found, Payment};

/// Look-ups of one chunk under way at once; their own budget paces them.
const AT_ONCE: usize = 16;
/// Look-ups of one claim, so that a chunk that has rows to send is not kept from it.
const PER_CLAIM: usize = 64;

/// Asks about all payouts of a chunk that are due, up to [`PER_CLAIM`].
pub async fn ask(core: &Core, lane: &Lane, held: &mut Held) -> Result<(), LedgerError> {
    let now = core.clock.now();
    let mut rows = held.rows(|p| p.due <= now && needs_asking(p));
    rows.truncate(PER_CLAIM);
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
    lane.check_account(&*core.ledger).await?;
    let at_hand = core.shelf.rows(&*core.ledger, held.id, *first, *last).await?;
    let mut payments = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some(payout) = held.payout(*row) else { continue };
        let payment =
            core.payment(held.place(*row), payout.attempt, held.format, at_hand.get(*row)?);
        payments.push((*row, *payout, payment));
    }
    let mut answers: Vec<(u16, Payout, Found)> = stream::iter(payments)
        .map(async |(row, payout, payment)| {
            let found = ask_about(core, lane, &payout, payment).await;
            (row, payout, found)
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    judge_absences(core, lane, &mut answers).await?;
    stop_where_refused(core, lane, &answers).await?;
    if let Some((row, ..)) = answers.iter().find(|(_, _, found)| matches!(found, Found::Is { .. }))
    {
        lane.brakes.took(&*core.ledger, held.place(*row)).await?;
    }
    let happenings = answers.into_iter().map(|(row, payout, found)| happening(row, payout, found));
    held.apply(core, lane, Guard::Fact, happenings.collect()).await?;
    give_up(core, lane, held, &rows).await
}

/// Whether a payout that is due is to be looked up (the other ones are to be sent).
fn needs_asking(payout: &Payout) -> bool {
    match payout.state {
        State::Submitted | State::Waiting | State::Unknown => true,
        State::Accepted => payout.news_pending,
        _ => false,
    }
}

/// One look-up. A miss that was asked for too early proves nothing (S11), whenever it is
/// written down.
async fn ask_about(core: &Core, lane: &Lane, payout: &Payout, payment: Payment) -> Found {
    lane.look_ups.one().await;
    let asked = core.clock.now();
    let found = look_up(core, lane, payment).await;
    let doubtful = payout.state != State::Accepted;
    let is_early = asked < payout.may_be_missed_from(&lane.policy)
        || (payout.absences > 0 && asked < payout.due);
    if found == Found::Absent && doubtful && is_early {
        return Found::Unclear { text: "not found, but asked too early to mean it".to_owned() };
    }
    found
}

/// Asks the provider; whoever calls keeps the pace of look-ups.
pub async fn look_up(core: &Core, lane: &Lane, payment: Payment) -> Found {
    count(&core.counters.look_ups_total);
    let nothing = || Found::Unclear { text: "the adapter gave no answer".to_owned() };
    lane.provider.look_up(vec![payment]).await.pop().unwrap_or_else(nothing)
}

/// Turns every "not found" that proves nothing into "unclear".
async fn judge_absences(
    core: &Core,
    lane: &Lane,
    answers: &mut [(u16, Payout, Found)],
) -> Result<(), LedgerError> {
    let absent = |found: &Found| matches!(found, Found::Absent);
    if !answers.iter().any(|(_, _, found)| absent(found)) {
        return Ok(());
    }
    let proves = lane.provider.limits().absence.proves;
    let found_one = answers.iter().any(|(_, _, found)| is_alive(found));
    if proves && (found_one || control_is_found(core, lane).await?) {
        return Ok(());
    }
    for (_, _, found) in answers.iter_mut().filter(|(_, _, found)| absent(found)) {
        let text = "not found, but the look-up does not find a known payout either".to_owned();
        *found = Found::Unclear { text };
    }
    Ok(())
}

fn is_alive(found: &Found) -> bool {
    matches!(found, Found::Is { .. } | Found::Differs { .. })
}

/// Looks up the lane's control: a payout whose create was accepted under this fingerprint.
async fn control_is_found(core: &Core, lane: &Lane) -> Result<bool, LedgerError> {
    let record = lane.brakes.refresh(&*core.ledger).await?;
    let Some(place) = record.control else { return Ok(false) };
    let Some(payment) = payment_at(core, place).await? else { return Ok(false) };
    lane.look_ups.one().await;
    Ok(is_alive(&look_up(core, lane, payment).await))
}

async fn payment_at(core: &Core, place: Place) -> Result<Option<Payment>, LedgerError> {
    let Some(chunk) = core.ledger.chunk(place.chunk).await? else { return Ok(None) };
    let Some(payout) = chunk.payouts.get(usize::from(place.row)) else { return Ok(None) };
    let rows = core.shelf.rows(&*core.ledger, place.chunk, place.row, place.row).await?;
    Ok(Some(core.payment(place, payout.attempt, chunk.format, rows.get(place.row)?)))
}

async fn stop_where_refused(
    core: &Core,
    lane: &Lane,
    answers: &[(u16, Payout, Found)],
) -> Result<(), LedgerError> {
    let refused = answers.iter().find_map(|(_, _, found)| match found {
        Found::StopLane { text } => Some(text),
        _ => None,
    });
    match refused {
        Some(text) => lane.brakes.stop(&*core.ledger, &core.clock, text, None).await,
        None => Ok(()),
    }
}

/// What a look-up's answer means for the payout.
fn happening(row: u16, payout: Payout, found: Found) -> Happening {
    let attempt = payout.attempt;
    let (event, notes) = match found {
        Found::Is { news, provider_id, cost, receipts, text } => {
            let mut notes = found_notes(provider_id, cost, &receipts);
            if !matches!(news, News::Paid | News::InProgress) {
                notes.push(Note::new(NoteKind::Reason, text));
            }
            if news == News::InProgress && payout.state == State::Submitted {
                notes.clear();
            }
            (Event::News { attempt, news }, notes)
        }
        Found::Differs { text } => {
            let news = Event::News { attempt, news: News::Differs };
            (news, vec![Note::new(NoteKind::Reason, text)])
        }
        Found::Absent => (Event::NotFound, Vec::new()),
        Found::Unclear { .. } | Found::StopLane { .. } => (Event::Inconclusive, Vec::new()),
    };
    Happening { row, payout, event, notes }
}

/// What nobody could tell within its time goes to a person (S17).
async fn give_up(
    core: &Core,
    lane: &Lane,
    held: &mut Held,
    asked: &[u16],
) -> Result<(), LedgerError> {
    let now = core.clock.now();
    let tired =
        |row: &u16| held.payout(*row).is_some_and(|p| needs_asking(p) && p.give_up_at <= now);
    let old: Vec<u16> = asked.iter().copied().filter(tired).collect();
    held.happen(core, lane, Guard::Fact, &old, &Event::TooOld).await
}
