//! The person who decides what no program may: he looks at the providers' own books, and then
//! resolves reviews, orders new attempts, and starts a lane that waits for him. He never guesses
//! either: what the book does not end he leaves in review.

use crate::gateway::Gateway;
use crate::gateway::book::{Entry, Fate};
use crate::person::Person;
use crate::run::policy;
use domain::{ChunkId, Event, LaneName, Payout, State};
use futures::FutureExt;
use ledger::apply::{Happening, apply};
use ledger::{Chunk, Guard, LedgerError, Note, NoteKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request that was under way when a payout came to him has ended by then, long since.
const REST_MS: u64 = 20_000;

/// Attempts of one payout that he orders at most.
const ATTEMPTS: u8 = 3;

/// Failed payouts in a thousand that he tries anew at each visit.
const TRIES_ANEW: u64 = 30;

/// The person.
#[derive(Clone)]
pub struct Office {
    /// Who sits in it, and may see the provider's book.
    pub person: Person,
    /// He goes home.
    pub closes: Arc<AtomicBool>,
}

impl Office {
    /// Visits the batch now and then, until he goes home.
    pub async fn work(self) {
        let closes = || self.closes.load(Ordering::Relaxed);
        self.person.go_round((3_000, 20_000), closes, |chunk| self.visit(chunk).boxed()).await;
    }

    /// One visit to a chunk. False if there is none.
    async fn visit(&self, id: ChunkId) -> Result<bool, LedgerError> {
        for gateway in self.person.gateways.all() {
            self.start_lane(gateway.side().lane()).await?;
        }
        let Some(chunk) = self.person.ledger.chunk(id).await? else { return Ok(false) };
        let now = self.person.ledger.about().await?.now;
        let decided = (0u16..).zip(&chunk.payouts).filter_map(|(row, payout)| {
            let rested = now.since(payout.since) > REST_MS;
            let event = rested.then(|| self.decide(&chunk, row, payout)).flatten()?;
            let notes = vec![Note::new(NoteKind::Reason, "decided by a person")];
            Some(Happening { row, payout: *payout, event, notes })
        });
        let decided: Vec<Happening> = decided.collect();
        if !decided.is_empty() {
            apply(&*self.person.ledger, id, Guard::Fact, now, &policy(), decided).await?;
        }
        Ok(true)
    }

    /// What the provider's book says of all attempts decides.
    fn decide(&self, chunk: &Chunk, row: u16, payout: &Payout) -> Option<Event> {
        let dice = self.person.exec.dice();
        let is_tried = match payout.state {
            State::Review => dice.chance(500),
            State::Failed => dice.chance(TRIES_ANEW),
            _ => false,
        };
        if !is_tried {
            return None;
        }
        let now_ms = self.person.exec.now_ms();
        // What the ledger may have forgotten, too.
        let attempts = payout.attempt.max(*payout.later_attempts().end());
        let entries = self.entries(chunk, row, attempts);
        if !entries.iter().all(|entry| entry.is_settled(now_ms)) {
            return None;
        }
        let minor = self.person.row(chunk, row).money.minor_units();
        let paid = entries.iter().find(|entry| entry.fate == Fate::Paid);
        match (payout.state, paid) {
            // Another amount than ours is for the payer and the provider to talk about.
            (State::Review, Some(entry)) => (entry.minor == minor).then_some(Event::ResolvePaid),
            (State::Failed, Some(_)) => None,
            _ if payout.attempt < ATTEMPTS && dice.chance(600) => Some(Event::NewAttempt),
            (State::Review, None) => Some(Event::ResolveFailed),
            _ => None,
        }
    }

    fn entries(&self, chunk: &Chunk, at: u16, attempts: u8) -> Vec<Entry> {
        let row = self.person.row(chunk, at);
        let gateways = &self.person.gateways;
        // Of what the ledger may have forgotten he does not know which way it went: he looks in all.
        let sides = gateways.all().map(Gateway::side);
        let names = sides.flat_map(|side| {
            let of = |attempt| self.person.reference(side, &row, attempt);
            (1..=attempts).map(of).map(move |name| (side, name)).collect::<Vec<_>>()
        });
        names.flat_map(|(side, name)| gateways.entries(side, name.as_str())).collect()
    }

    /// A lane that waits for a person is started again.
    async fn start_lane(&self, lane: LaneName) -> Result<(), LedgerError> {
        let mut record = self.person.ledger.lane(lane).await?;
        if record.stopped.as_ref().is_some_and(|stop| stop.until.is_none()) {
            record.stopped = None;
            self.person.ledger.put_lane(record).await?;
        }
        Ok(())
    }
}
