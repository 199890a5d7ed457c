//! Callbacks: one desk per chunk reads, verifies and writes what arrived for it.
//!
//! A callback is answered only after it is durable (S16), and it is made durable *by being
//! applied*: one atomic write changes the payout and keeps the evidence. So there is no inbox
//! that a crash could leave half read, and an intent can never overtake a callback, because the
//! write changed the version that the intent compares.
//!
//! Letters that arrive while a desk writes wait for its next round: group commit without a
//! timer.

use crate::counters::count;
use crate::lane::Lane;
use crate::late::{self, Checked};
use crate::later;
use crate::verdict::found_notes;
use crate::work::Core;
use domain::{Account, ChunkId, Event, News, Place, State};
use futures::channel::oneshot;
use ledger::apply::{Happening, apply};
use ledger::{Chunk, Guard, LedgerError, Note, NoteKind};
use providers::{CallbackRequest, Heard, Payment};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What became of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// It is durable: answer 200.
    Taken,
    /// It is kept, but nobody could tell whether it is true, and nothing will ask again: the
    /// provider is to call again.
    Unchecked,
    /// There is no such payout on that lane.
    NotOurs,
}

type Reply = oneshot::Sender<Result<Hearing, LedgerError>>;

/// A callback that waits for its desk.
struct Letter {
    row: u16,
    attempt: u8,
    request: CallbackRequest,
    reply: Reply,
}

/// The desks of a lane: of all chunks that letters came for.
#[derive(Default)]
pub struct Desks(Mutex<BTreeMap<ChunkId, Vec<Letter>>>);

/// Letters that a desk takes at once.
const PER_ROUND: usize = 500;

impl Desks {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ChunkId, Vec<Letter>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a letter down. Gives true if the chunk's desk must be opened by the caller.
    fn put(&self, chunk: ChunkId, letter: Letter) -> bool {
        let mut desks = self.lock();
        let is_new = !desks.contains_key(&chunk);
        desks.entry(chunk).or_default().push(letter);
        is_new
    }

    /// Takes a round of letters, one per row; closes the desk when there are none.
    fn take(&self, chunk: ChunkId) -> Vec<Letter> {
        let mut desks = self.lock();
        let Some(waiting) = desks.get_mut(&chunk) else { return Vec::new() };
        if waiting.is_empty() {
            desks.remove(&chunk);
            return Vec::new();
        }
        let mut rows = BTreeSet::new();
        let (now, later): (Vec<Letter>, Vec<Letter>) =
            waiting.drain(..).partition(|l| rows.len() < PER_ROUND && rows.insert(l.row));
        *waiting = later;
        now
    }

    /// Puts letters back for the next round, before the newer ones; but for those whose callers
    /// have gone: they were told to call again.
    fn put_back(&self, chunk: ChunkId, mut letters: Vec<Letter>) {
        letters.retain(|letter| !letter.reply.is_canceled());
        let mut desks = self.lock();
        let waiting = desks.entry(chunk).or_default();
        letters.append(waiting);
        *waiting = letters;
    }
}

/// A desk whose round panicked must not keep its chunk's letters waiting for ever.
struct ClosesInPanic {
    desks: Arc<Desks>,
    chunk: ChunkId,
}

impl Drop for ClosesInPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.desks.lock().remove(&self.chunk);
        }
    }
}

/// Takes a callback in. When this gives `Ok`, what it said is durable.
pub async fn hear(
    core: &Arc<Core>,
    lane: &Arc<Lane>,
    place: Place,
    attempt: u8,
    request: CallbackRequest,
) -> Result<Hearing, LedgerError> {
    let (reply, answer) = oneshot::channel();
    if lane.desks.put(place.chunk, Letter { row: place.row, attempt, request, reply }) {
        let (core, lane) = (Arc::clone(core), Arc::clone(lane));
        core.env.clone().spawn(Box::pin(async move {
            let _closes = ClosesInPanic { desks: Arc::clone(&lane.desks), chunk: place.chunk };
            loop {
                let letters = lane.desks.take(place.chunk);
                if letters.is_empty() {
                    return;
                }
                round(&core, &lane, place.chunk, letters).await;
            }
        }));
    }
    let gone = |_| LedgerError::Unavailable("the worker is stopping".to_owned());
    answer.await.map_err(gone)?
}

/// One round of a desk: read, verify, write, answer.
async fn round(core: &Core, lane: &Lane, id: ChunkId, letters: Vec<Letter>) {
    let mut replies: Vec<(Reply, Hearing)> = Vec::with_capacity(letters.len());
    let result = async {
        let chunk = core.ledger.chunk(id).await?;
        let mut happenings = Vec::with_capacity(letters.len());
        let first = letters.iter().map(|l| l.row).min().unwrap_or(0);
        let last = letters.iter().map(|l| l.row).max().unwrap_or(0);
        let Some(chunk) = chunk.filter(|c| usize::from(last) < c.payouts.len()) else {
            replies.extend(letters.into_iter().map(|l| (l.reply, Hearing::NotOurs)));
            return Ok(());
        };
        let rows = core.shelf.rows(&*core.ledger, id, first, last).await?;
        let mut checked = 0;
        let mut later = Vec::new();
        for letter in letters {
            let read = read(core, lane, &chunk, &letter, rows.get(letter.row)?);
            let by_second = by_second(&chunk, lane);
            let Some((mut happening, payment)) = read else {
                replies.push((letter.reply, Hearing::NotOurs));
                continue;
            };
            let mut hearing = Hearing::Taken;
            let (payout, attempt) = (happening.payout, letter.attempt);
            let is_hint = happening.event == Event::Hint;
            let may_mean = late::what_it_may_mean(&payout, attempt, letter.request.kind);
            if let Some(wanted) = may_mean.filter(|_| is_hint) {
                if checked == late::PER_ROUND {
                    later.push(letter);
                    continue;
                }
                checked += 1;
                let means = (wanted, letter.request.kind);
                match late::check(core, lane, &payout, payment, means).await? {
                    Checked::Confirmed(..) if attempt > payout.attempt => {
                        let (event, note) = later::forgotten(&payout, attempt, by_second);
                        happening.event = event;
                        happening.notes.extend(note);
                    }
                    Checked::Confirmed(news, notes) => {
                        happening.event = Event::News { attempt, news };
                        happening.notes.extend(notes);
                    }
                    Checked::Denied => {}
                    Checked::Untold => hearing = Hearing::Unchecked,
                }
            }
            // Denied, or of a failure: nothing that the newer attempt has to wait for (S3). What
            // nobody could check holds it back, and the provider tells it again.
            let is_old = attempt < payout.attempt && hearing == Hearing::Taken;
            if is_old && happening.event == Event::Hint {
                happening.event = Event::News { attempt, news: News::InProgress };
            }
            let counters = &core.counters;
            let (fact, hint) = (&counters.callbacks_fact_total, &counters.callbacks_hint_total);
            count(if is_hint { hint } else { fact });
            happenings.push(happening);
            replies.push((letter.reply, hearing));
        }
        lane.desks.put_back(id, later);
        let now = core.clock.now();
        let done = apply(&*core.ledger, id, Guard::Fact, now, &lane.policy, happenings).await?;
        let paid = done.into_iter().flatten().find(|(_, a)| {
            let payout = a.payout();
            let is_here = chunk.via(&payout).lane == lane.name;
            is_here && payout.ever_accepted && payout.state != State::Unknown
        });
        if let Some((row, _)) = paid {
            lane.brakes.took(&*core.ledger, Place { chunk: id, row }).await?;
        }
        Ok(())
    }
    .await;
    for (reply, hearing) in replies {
        // Whoever asked may be gone; the provider will call again.
        let _ = reply.send(result.clone().map(|()| hearing));
    }
}

/// A lane's account, where it is the second lane of the chunk.
fn by_second(chunk: &Chunk, lane: &Lane) -> Option<Account> {
    let is_second = chunk.second.as_ref().is_some_and(|via| via.lane == lane.name);
    is_second.then_some(lane.account)
}

/// What a letter says about its payout; `None` if there is no such attempt, and none was forgotten.
fn read(
    core: &Core,
    lane: &Lane,
    chunk: &Chunk,
    letter: &Letter,
    row: Arc<domain::Row>,
) -> Option<(Happening, Payment)> {
    let payout = *chunk.payouts.get(usize::from(letter.row))?;
    // Of a past that is lost, an attempt of this number may have gone by the second lane (S18).
    let may_have_moved = payout.past_lost && !payout.moved && letter.attempt > 1;
    let is_forgotten = payout.later_attempts().contains(&letter.attempt)
        || (may_have_moved && by_second(chunk, lane).is_some());
    if letter.attempt == 0 || (letter.attempt > payout.attempt && !is_forgotten) {
        return None;
    }
    let callbacks = lane.provider.callbacks()?;
    let via = match is_forgotten {
        // It may have gone by any lane of the chunk (S15).
        true => chunk.vias().find(|via| via.lane == lane.name)?,
        false => Some(chunk.via_of(&payout, letter.attempt)).filter(|via| via.lane == lane.name)?,
    };
    let place = Place { chunk: chunk.id, row: letter.row };
    let payment = core.payment(place, letter.attempt, via.format, row);
    let (event, notes) = match callbacks.read(&letter.request, &payment) {
        // Whatever became of it: the ledger did not know that there is one (S18).
        Heard::Fact { .. } if is_forgotten => {
            let by_second = by_second(chunk, lane);
            let (event, note) = later::forgotten(&payout, letter.attempt, by_second);
            (event, note.into_iter().collect())
        }
        Heard::Fact { news, provider_id, cost } => {
            // The create's answer tells both already, where it came.
            let told = payout.ever_accepted && news == News::Paid;
            let notes = if told { Vec::new() } else { found_notes(provider_id, cost, &[]) };
            (Event::News { attempt: letter.attempt, news }, notes)
        }
        Heard::Hint { text } => (Event::Hint, vec![Note::new(NoteKind::Evidence, text)]),
    };
    Some((Happening { row: letter.row, payout, event, notes }, payment))
}
