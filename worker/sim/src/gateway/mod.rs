//! A provider that pays what it accepts, forgets to answer, answers late, and tells late, twice
//! or never. It does not deduplicate: asked twice, it takes twice, and its book shows it.
//!
//! - [`temper`]: its shape, and how badly it behaves; [`limits`](mod@limits): what it allows
//! - [`book`]: what it took, and every request that it saw
//! - `journey`: a request's way to it and an answer's way back
//! - `one_call`, `batches`, `orders`: creates (and second steps) in each shape
//! - `afterwards`: what it pays after it had said no, and what comes back after it was paid
//! - `reading`: look-ups; [`letters`]: callbacks, late, twice, out of order, forged

mod afterwards;
mod batches;
pub mod book;
mod journey;
pub mod letters;
pub mod limits;
mod one_call;
mod orders;
mod reading;
pub mod temper;

use crate::exec::{Actor, Exec};
use crate::sides::Side;
use book::{Batch, Book, Entry, Fate, Refusal, Refusals, Request, Seen, Tally};
use domain::{LaneName, Payout, Place, Row};
use futures::FutureExt;
use futures::future::BoxFuture;
use ledger::memory::MemoryLedger;
use ledger::{Chunk, Ledger};
use letters::Word;
use providers::{
    CallbackRequest, Callbacks, Confirm, Limits, LookUp, LookedUp, Payment, Provider, RowProblem,
    Shipment, Shipped, Step, StepAnswer,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use temper::{Shape, Temper};

/// Who delivers callbacks.
pub type Postman =
    Arc<dyn Fn(Place, u8, CallbackRequest, Word) -> BoxFuture<'static, bool> + Send + Sync>;

/// The provider, as one worker reaches it: one book for all.
#[derive(Clone)]
pub struct Gateway {
    exec: Exec,
    /// Which lane of the world it is.
    side: Side,
    shape: Shape,
    temper: Temper,
    limits: Arc<Limits>,
    settling_ms: u64,
    timeout_ms: u64,
    /// Only to write down what it held when a request left.
    ledger: MemoryLedger,
    /// Who sends through this clone.
    actor: Actor,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// More than one entry under a reference is a double payment.
    book: Book,
    refusals: Refusals,
    batches: BTreeMap<String, Batch>,
    /// What was sent under each reference, to write letters about.
    payments: BTreeMap<String, Payment>,
    seen: Vec<Seen>,
    ids: u64,
    postman: Option<Postman>,
}

impl Gateway {
    /// A provider. Look-ups find a payout at most the settling time after it was taken.
    pub fn new(
        exec: Exec,
        side: Side,
        shape: Shape,
        temper: Temper,
        ledger: MemoryLedger,
    ) -> Gateway {
        let policy = crate::run::policy();
        let limits = Limits { reference: side.format(), ..limits::limits(shape) };
        Gateway {
            exec,
            side,
            shape,
            temper,
            limits: Arc::new(limits),
            settling_ms: policy.settling_ms,
            timeout_ms: policy.request_timeout_ms,
            ledger,
            actor: crate::process::OUTSIDE,
            state: Arc::default(),
        }
    }

    /// The same provider, as `actor` reaches it.
    pub fn reached_by(&self, actor: Actor) -> Gateway {
        Gateway { actor, ..self.clone() }
    }

    /// Which lane of the world it is.
    pub fn side(&self) -> Side {
        self.side
    }

    /// Who delivers the callbacks.
    pub fn employ(&self, postman: Postman) {
        self.lock().postman = Some(postman);
    }

    /// Nobody does any more.
    pub fn dismiss(&self) {
        let postman = self.lock().postman.take();
        drop(postman);
    }

    /// All that was taken, by reference.
    pub fn book(&self) -> Book {
        self.lock().book.clone()
    }

    /// What was taken under a reference.
    pub fn entries(&self, reference: &str) -> Vec<Entry> {
        self.lock().book.get(reference).cloned().unwrap_or_default()
    }

    /// All that was turned away, by reference.
    pub fn refusals(&self) -> Refusals {
        self.lock().refusals.clone()
    }

    /// Every request that reached it, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.lock().seen.clone()
    }

    /// How much was asked of it.
    pub fn tally(&self) -> Tally {
        let state = self.lock();
        book::tally(&state.seen, &state.book)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives which one it is, of all that were seen.
    fn saw(&self, request: Request) -> usize {
        let (at_ms, by) = (self.exec.now_ms(), self.actor);
        let stands = match &request {
            Request::Create(rows) => self.stand(rows.iter().map(|(place, _)| *place)),
            Request::Step(rows) => self.stand(rows.iter().map(|row| row.place)),
            Request::LookUp(_) => Vec::new(),
        };
        let mut state = self.lock();
        state.seen.push(Seen { at_ms, heard_ms: None, by, side: self.side, request, stands });
        state.seen.len() - 1
    }

    fn heard(&self, number: usize) {
        let now_ms = self.exec.now_ms();
        if let Some(seen) = self.lock().seen.get_mut(number) {
            seen.heard_ms = Some(now_ms);
        }
    }

    /// Nothing was created, and whoever waits is told so: one step with the answer.
    fn turn_away(&self, payments: &[Payment], for_good: bool) {
        let refusal = Refusal { at_ms: self.exec.now_ms(), for_good };
        let mut state = self.lock();
        for payment in payments {
            let reference = payment.reference.as_str().to_owned();
            state.refusals.entry(reference).or_default().push(refusal);
        }
    }

    /// What the ledger holds of payouts now. The in-memory ledger answers at its first poll.
    fn stand(&self, places: impl Iterator<Item = Place>) -> Vec<Option<Payout>> {
        let mut read: Option<Chunk> = None;
        let mut stand = |place: Place| {
            if read.as_ref().is_none_or(|chunk| chunk.id != place.chunk) {
                read = self.ledger.chunk(place.chunk).now_or_never()?.ok()?;
            }
            read.as_ref()?.payouts.get(usize::from(place.row)).copied()
        };
        places.map(&mut stand).collect()
    }

    /// Takes a payout: one step. Money moves, unless it waits for a second one. Gives its id.
    fn take(&self, payment: &Payment, batch: Option<&str>, waits: bool) -> String {
        let fails = self.exec.dice().chance(self.temper.fails);
        self.take_for(payment, batch, waits, if fails { Fate::Failed } else { Fate::Paid })
    }

    /// The same, and what is to become of it.
    fn take_for(
        &self,
        payment: &Payment,
        batch: Option<&str>,
        waits: bool,
        destiny: Fate,
    ) -> String {
        let dice = self.exec.dice();
        let now = self.exec.now_ms();
        let minor = payment.row.money.minor_units() + i128::from(dice.chance(self.temper.differs));
        let hides = dice.chance(self.temper.flickers);
        let hidden_from_ms = now + dice.below(60_000);
        let hidden_ms = if hides { dice.below(self.settling_ms) } else { 0 };
        let mut state = self.lock();
        state.ids += 1;
        let entry = Entry {
            place: payment.place,
            fate: if waits { Fate::Waits } else { destiny },
            minor,
            turned: false,
            returned: false,
            hidden_ms: hidden_from_ms..hidden_from_ms + hidden_ms,
            id: format!("gw-{}", state.ids),
            batch: batch.map(str::to_owned),
            steps: 0,
            destiny,
            taken_at_ms: now,
            visible_at_ms: now + dice.below(self.settling_ms),
            step_visible_at_ms: u64::MAX,
            settles_at_ms: now + dice.below(8_000),
        };
        let id = entry.id.clone();
        let told = (entry.fate, entry.settles_at_ms - now);
        let reference = payment.reference.as_str().to_owned();
        state.payments.insert(reference.clone(), payment.clone());
        state.book.entry(reference).or_default().push(entry);
        drop(state);
        if self.shape == Shape::OneCall {
            self.call_back(payment, told.0, told.1);
        }
        if !waits {
            self.think_again(payment, &id, told.0, told.1);
        }
        if dice.chance(self.temper.callback_working) {
            self.say(payment, Word::Working);
        }
        id
    }
}

impl Provider for Gateway {
    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn fingerprint(&self) -> &str {
        self.side.fingerprint()
    }

    fn validate(&self, _row: &Row) -> Vec<RowProblem> {
        Vec::new()
    }

    fn submit(&self, shipment: Shipment) -> BoxFuture<'_, Shipped> {
        match self.shape {
            Shape::OneCall => self.create(shipment).boxed(),
            Shape::Batches { .. } => self.import(shipment).boxed(),
            Shape::Orders => self.order(shipment).boxed(),
        }
    }

    fn look_up(&self, question: LookUp) -> BoxFuture<'_, LookedUp> {
        self.read_back(question).boxed()
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        Some(self)
    }

    fn confirm(&self) -> Option<&dyn Confirm> {
        (self.shape != Shape::OneCall).then_some(self)
    }
}

impl Confirm for Gateway {
    fn confirm(&self, step: Step) -> BoxFuture<'_, StepAnswer> {
        self.step(step).boxed()
    }
}

/// The lane that the simulation pays on, first.
pub fn lane_name() -> LaneName {
    LaneName::try_from("sim".to_owned()).unwrap_or_else(|_| unreachable!("a valid name"))
}
