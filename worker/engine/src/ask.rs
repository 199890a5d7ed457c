//! Asking the provider about payouts whose time has come: unknown ones, overdue ones, ones with
//! unconfirmed news.
//!
//! A "not found" counts only in a round in which the same kind of look-up found something that
//! is known to exist (S11): one of the payouts asked about, or else the lane's control. A round
//! without a live look-up proves nothing, and what it missed stays unknown.

use crate::counters::{Counters, count};
use crate::lane::Lane;
use crate::later::{self, Later};
use crate::pace::LocalPace;
use crate::senders;
use crate::steps::{self, Due};
use crate::verdict::found_notes;
use crate::work::{Core, Held};
use domain::{Event, Millis, News, Payout, Place, State};
use futures::future::BoxFuture;
use futures::stream;
use futures::{FutureExt, StreamExt};
use ledger::apply::Happening;
use ledger::told::Told as Notes;
use ledger::{Guard, LedgerError, Note, NoteKind};
use providers::{Found, LookUp, LookedUp, Past, Payment, Turns};
use std::sync::Arc;

/// Look-ups of one chunk under way at once; their own budget paces them.
const AT_ONCE: usize = 16;
/// Payouts that one claim asks about one by one, and no more than can be asked about in a second:
/// a chunk that has rows to send is not kept from it, and what was answered is written down before
/// its worker is likely to die. Where one look-up takes many, that many.
const PER_CLAIM: usize = 64;

/// A row, as it was read, and what is asked about it.
pub(crate) type Asked = (u16, Payout, Payment);
/// A row and what a look-up said of it.
pub(crate) type Told = (u16, Payout, Payment, Found);

/// Asks about payouts of a chunk that are due, as many as one claim may.
pub async fn ask(core: &Core, lane: &Lane, held: &mut Held) -> Result<(), LedgerError> {
    let now = core.clock.now();
    let per_look_up = usize::from(lane.provider.limits().rows_per_look_up.max(1));
    let mut rows = held.rows(|p| p.due <= now && needs_asking(p) && !lane.is_astray(p));
    let look_ups = lane.look_ups.in_a_second(PER_CLAIM.div_ceil(per_look_up));
    // What is in doubt first, then who has waited longest: those in front are due again before the
    // last had their turn.
    rows.sort_by_key(|row| held.payout(*row).map(|payout| (is_only_polled(payout), payout.due)));
    rows.truncate(look_ups.saturating_mul(per_look_up));
    rows.sort_unstable();
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
    lane.check_account(&*core.ledger).await?;
    let at_hand = core.shelf.rows(&*core.ledger, held.id, *first, *last).await?;
    let waits = |row: &u16| held.payout(*row).is_some_and(|p| p.state == State::Waiting);
    let is_stepped = |row: &u16| held.payout(*row).is_some_and(|p| p.stepped);
    let are_needed = rows.iter().any(|row| waits(row) || is_stepped(row));
    let mut notes = match lane.provider.limits().looks_up_by_id || are_needed {
        true => Notes::read(&*core.ledger, held.id).await?,
        false => Notes::default(),
    };
    let mut asked: Vec<Asked> = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some(payout) = held.payout(*row) else { continue };
        let place = held.place(*row);
        let mut payment = core.payment(place, payout.attempt, held.format, at_hand.get(*row)?);
        payment.past = Past::of(payout, held.id.batch, &lane.policy);
        if lane.provider.limits().looks_up_by_id {
            payment.past = payment.past.with_ids(notes.ids(*row, payout));
        }
        asked.push((*row, *payout, payment));
    }
    let (mut answers, is_live) = questions(core, lane, asked).await?;
    let proves = lane.provider.limits().idempotency.absence.proves;
    if !(is_live && proves) {
        judge_absences(core, lane, &mut answers).await?;
    }
    stop_where_refused(core, lane, &answers).await?;
    if let Some((row, ..)) = answers.iter().find(|(.., found)| can_be_control(found)) {
        lane.brakes.took(&*core.ledger, held.place(*row)).await?;
    }
    let later = later::ask(core, lane, held, &answers).await?;
    let absent = answers.iter().filter(|(.., found)| matches!(found, Found::Absent));
    let at_work = senders::at_work(core, lane, absent.map(|(_, payout, ..)| payout)).await?;
    if !at_work.is_empty() {
        // What is told already is not told again.
        notes = Notes::read(&*core.ledger, held.id).await?;
    }
    let mut due = Vec::new();
    let mut happenings = Vec::with_capacity(answers.len());
    for (row, payout, payment, found) in answers {
        let later = later.get(&row).copied().unwrap_or(Later::None);
        let overruled = later::overrules(&payout, later).filter(|_| found != Found::Absent);
        if let Some((event, note)) = overruled {
            happenings.push(Happening { row, payout, event, notes: note.into_iter().collect() });
            continue;
        }
        let mut said_again = None;
        if let Found::StepDue { provider_id } = &found {
            said_again = steps::said_once_more(&payout, notes.reason(row));
            if said_again.is_none() {
                let mut payment = payment;
                let told = provider_id.as_deref().map(Arc::from);
                payment.past.provider_id = told.or(payment.past.provider_id);
                due.push(Due { row, read: payout, payment });
            }
        }
        let missed = Missed { waits_for: at_work.get(&payout.sender).map(String::as_str), later };
        let mut happening = happening(row, payout, found, now, notes.reason(row), missed);
        happening.notes.extend(said_again);
        happenings.push(happening);
    }
    held.apply(core, lane, Guard::Fact, happenings).await?;
    give_up(core, lane, held, &rows).await?;
    steps::take(core, lane, held, due).await
}

/// Whether a payout that is due is to be looked up (the other ones are to be sent).
fn needs_asking(payout: &Payout) -> bool {
    match payout.state {
        State::Submitted | State::Waiting | State::Unknown => true,
        State::Accepted => payout.news_pending,
        _ => false,
    }
}

/// Whether nobody doubts where it stands.
fn is_only_polled(payout: &Payout) -> bool {
    let is_known = matches!(payout.state, State::Submitted | State::Waiting);
    is_known && !payout.news_pending && !payout.step_open
}

/// Paces the requests of a look-up, and counts them.
struct Paced {
    counters: Arc<Counters>,
    pace: Arc<LocalPace>,
}

impl Turns for Paced {
    fn next(&self) -> BoxFuture<'_, ()> {
        async {
            self.pace.one().await;
            count(&self.counters.look_ups_total);
        }
        .boxed()
    }
}

/// All these look-ups, some at a time; and whether one by our reference found something that is known
/// to exist (S11).
pub(crate) async fn questions(
    core: &Core,
    lane: &Lane,
    asked: Vec<Asked>,
) -> Result<(Vec<Told>, bool), LedgerError> {
    let per_look_up = usize::from(lane.provider.limits().rows_per_look_up.max(1));
    let mut answers: Vec<Told> = Vec::with_capacity(asked.len());
    let mut is_live = false;
    let each: Vec<Vec<Asked>> = asked.chunks(per_look_up).map(<[Asked]>::to_vec).collect();
    let mut rounds = stream::iter(each).map(|asked| question(core, lane, asked)).buffered(AT_ONCE);
    while let Some(round) = rounds.next().await {
        let (told, live) = round?;
        is_live |= live;
        answers.extend(told);
    }
    Ok((answers, is_live))
}

/// One look-up, for as many payouts as it takes; and whether it proved to be live.
async fn question(
    core: &Core,
    lane: &Lane,
    asked: Vec<Asked>,
) -> Result<(Vec<Told>, bool), LedgerError> {
    let takes_many = lane.provider.limits().rows_per_look_up > 1;
    // Where "not found" decides: what may have been sent, what a hint keeps from being sent, and
    // what may have later attempts.
    let in_doubt = asked.iter().any(|(_, payout, _)| {
        payout.past_lost || matches!(payout.state, State::Unknown | State::Accepted)
    });
    let control = if takes_many && in_doubt { control(core, lane).await? } else { None };
    let payments: Vec<Payment> = asked.iter().map(|(_, _, payment)| payment.clone()).collect();
    let asked_at = core.clock.now();
    let LookedUp { found, control_found } = look_up(core, lane, payments, control).await;
    let mut is_live = control_found == Some(true);
    let mut found = found.into_iter();
    let told = asked.into_iter().map(|(row, payout, payment)| {
        let nothing = || Found::Unclear { text: "the adapter gave no answer".to_owned() };
        let mut found = found.next().unwrap_or_else(nothing);
        // By our reference, as those that it is to speak for: a look-up by id proves itself only.
        let by_reference = payment.past.provider_id.is_none() && payment.past.shipment.is_none();
        is_live |= by_reference && !takes_many && is_alive(&found);
        // A miss that was asked for too early proves nothing, whenever it is written down.
        let is_early = asked_at < payout.may_be_missed_from(&lane.policy)
            || (payout.absences > 0 && asked_at < payout.due);
        if found == Found::Absent && payout.state != State::Accepted && is_early {
            found = Found::Unclear { text: "not found, but asked too early to mean it".to_owned() };
        }
        (row, payout, payment, found)
    });
    let told: Vec<Told> = told.collect();
    Ok((told, is_live))
}

/// Asks the provider, at the pace of look-ups.
pub async fn look_up(
    core: &Core,
    lane: &Lane,
    payments: Vec<Payment>,
    control: Option<Payment>,
) -> LookedUp {
    let turns = Paced { counters: Arc::clone(&core.counters), pace: Arc::clone(&lane.look_ups) };
    lane.provider.look_up(LookUp { payments, control, turns: Arc::new(turns) }).await
}

/// Turns every "not found" that proves nothing into "unclear".
async fn judge_absences(core: &Core, lane: &Lane, answers: &mut [Told]) -> Result<(), LedgerError> {
    let absent = |found: &Found| matches!(found, Found::Absent);
    if !answers.iter().any(|(.., found)| absent(found)) {
        return Ok(());
    }
    let limits = lane.provider.limits();
    let proves = limits.idempotency.absence.proves;
    // Where one look-up takes many, the control was asked for with them.
    if proves && limits.rows_per_look_up <= 1 && control_is_found(core, lane).await? {
        return Ok(());
    }
    let text = if proves {
        "not found, but the look-up does not find a known payout either"
    } else {
        "not found, which proves nothing on this lane"
    };
    for (.., found) in answers.iter_mut().filter(|(.., found)| absent(found)) {
        *found = Found::Unclear { text: text.to_owned() };
    }
    Ok(())
}

/// Whether it is ours that was found. A record that differs may be anybody's: a look-up that
/// finds strangers under our references proves nothing about what it misses.
fn is_alive(found: &Found) -> bool {
    matches!(found, Found::Is { .. } | Found::StepDue { .. })
}

/// Whether a payout that was found so was taken, and is found by our reference, too (S11). One
/// that ended without being paid may be nothing but a line about its rejection, which a look-up
/// by the call's id shows and a search by reference never does.
fn can_be_control(found: &Found) -> bool {
    match found {
        Found::Is { news, .. } => !matches!(news, News::Failed | News::Cancelled | News::Differs),
        Found::StepDue { .. } => true,
        Found::Differs { .. } | Found::Absent | Found::Unclear { .. } | Found::StopLane { .. } => {
            false
        }
    }
}

/// The lane's control: a payout whose create was accepted under this fingerprint, to be asked
/// for by our reference alone.
async fn control(core: &Core, lane: &Lane) -> Result<Option<Payment>, LedgerError> {
    let record = lane.brakes.refresh(&*core.ledger).await?;
    match record.control {
        Some(place) => payment_at(core, lane, place).await,
        None => Ok(None),
    }
}

pub(crate) async fn control_is_found(core: &Core, lane: &Lane) -> Result<bool, LedgerError> {
    let Some(payment) = control(core, lane).await? else { return Ok(false) };
    let found = look_up(core, lane, vec![payment], None).await.found;
    Ok(found.first().is_some_and(is_alive))
}

async fn payment_at(
    core: &Core,
    lane: &Lane,
    place: Place,
) -> Result<Option<Payment>, LedgerError> {
    let Some(chunk) = core.ledger.chunk(place.chunk).await? else { return Ok(None) };
    let Some(payout) = chunk.payouts.get(usize::from(place.row)) else { return Ok(None) };
    let rows = core.shelf.rows(&*core.ledger, place.chunk, place.row, place.row).await?;
    let via = chunk.via(payout);
    // It has gone another way since: nothing here knows of it.
    if via.lane != lane.name {
        return Ok(None);
    }
    let mut payment = core.payment(place, payout.attempt, via.format, rows.get(place.row)?);
    payment.past = Past::of(payout, place.chunk.batch, &lane.policy);
    Ok(Some(payment))
}

async fn stop_where_refused(core: &Core, lane: &Lane, answers: &[Told]) -> Result<(), LedgerError> {
    let refused = answers.iter().find_map(|(.., found)| match found {
        Found::StopLane { text } => Some(text),
        _ => None,
    });
    match refused {
        Some(text) => lane.brakes.stop(&*core.ledger, &core.clock, text, None).await,
        None => Ok(()),
    }
}

/// Why a miss may prove nothing.
struct Missed<'a> {
    /// Names the sender that may still send it.
    waits_for: Option<&'a str>,
    /// What is known of later attempts.
    later: Later,
}

/// What the answer of a look-up means for the payout, which was asked not before `asked_at` and
/// is known to stand where it stands for the reason `known`.
fn happening(
    row: u16,
    payout: Payout,
    found: Found,
    asked_at: Millis,
    known: Option<&str>,
    Missed { waits_for, later }: Missed<'_>,
) -> Happening {
    let attempt = payout.attempt;
    let (event, notes) = match found {
        Found::Is { news, provider_id, cost, receipts, text } => {
            // What was told before is not told again. But where a person must act, it is by the
            // newest words: an address or an amount to pay may have changed.
            let (mut notes, is_told) = match (news, payout.state) {
                (News::InProgress, State::Submitted) => (Vec::new(), true),
                (News::Waiting, State::Waiting) => (Vec::new(), known == Some(&*text)),
                _ => (found_notes(provider_id, cost, &receipts), false),
            };
            if !is_told && !matches!(news, News::Paid | News::InProgress) {
                notes.push(Note::new(NoteKind::Reason, text));
            }
            (Event::Found { attempt, news, asked_at }, notes)
        }
        Found::StepDue { provider_id } => {
            let known = matches!(payout.state, State::Submitted | State::Waiting);
            let notes = if known { Vec::new() } else { found_notes(provider_id, None, &[]) };
            (Event::Found { attempt, news: News::InProgress, asked_at }, notes)
        }
        Found::Differs { text } => {
            let news = Event::Found { attempt, news: News::Differs, asked_at };
            (news, vec![Note::new(NoteKind::Reason, text)])
        }
        Found::Absent => {
            let told = waits_for.filter(|words| payout.asked > 0 && known != Some(*words));
            let told = told.map(|words| Note::new(NoteKind::Reason, words));
            let (event, found) = later::missed(&payout, later, waits_for.is_none());
            (event, told.into_iter().chain(found).collect())
        }
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
    let is_old = |p: &Payout| needs_asking(p) && held.gives_up_at(lane, p) <= now;
    let tired = |row: &u16| held.payout(*row).is_some_and(is_old);
    let old: Vec<u16> = asked.iter().copied().filter(tired).collect();
    held.happen(core, lane, Guard::Fact, &old, &Event::TooOld).await.map(drop)
}
