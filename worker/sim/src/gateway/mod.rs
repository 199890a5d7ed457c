//! A provider that pays what it accepts, forgets to answer, answers late, and tells late, twice
//! or never. It does not deduplicate: asked twice, it takes twice, and its book shows it.
//!
//! - [`temper`]: its shape, and how badly it behaves
//! - [`book`]: what it took, and every request that it saw
//! - `journey`: a request's way to it and an answer's way back
//! - `one_call`, `batches`, `orders`: creates (and second steps) in each shape
//! - `reading`: look-ups and callbacks

mod batches;
pub mod book;
mod journey;
mod one_call;
mod orders;
mod reading;
pub mod temper;

use crate::exec::{Actor, Exec};
use book::{Batch, Book, Entry, Fate, Request, Seen, Tally};
use domain::{LaneName, Method, Place, ReferenceFormat, Row};
use futures::FutureExt;
use futures::future::BoxFuture;
use ledger::Ledger;
use ledger::memory::MemoryLedger;
use providers::{
    Absence, CallbackRequest, Callbacks, Calls, Confirm, Deduplication, Idempotency, Limits,
    LookUp, LookedUp, Payment, Polling, Provider, RowProblem, SecondStep, Shipment, Shipped, Step,
    StepAnswer,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use temper::{Shape, Temper};

/// Who delivers callbacks.
pub type Postman =
    Arc<dyn Fn(Place, u8, CallbackRequest) -> BoxFuture<'static, bool> + Send + Sync>;

/// The provider, as one worker reaches it: one book for all.
#[derive(Clone)]
pub struct Gateway {
    exec: Exec,
    shape: Shape,
    temper: Temper,
    limits: Arc<Limits>,
    settling_ms: u64,
    timeout_ms: u64,
    /// Only to write down what it held when a second step left.
    ledger: MemoryLedger,
    /// Who sends through this clone.
    actor: Actor,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// More than one entry under a reference is a double payment.
    book: Book,
    batches: BTreeMap<String, Batch>,
    seen: Vec<Seen>,
    ids: u64,
    postman: Option<Postman>,
}

impl Gateway {
    /// A provider. Look-ups find a payout at most the settling time after it was taken.
    pub fn new(exec: Exec, shape: Shape, temper: Temper, ledger: MemoryLedger) -> Gateway {
        let policy = crate::run::policy();
        Gateway {
            exec,
            shape,
            temper,
            limits: Arc::new(limits(shape)),
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

    /// Who delivers the callbacks.
    pub fn employ(&self, postman: Postman) {
        self.lock().postman = Some(postman);
    }

    /// All that was taken, by reference.
    pub fn book(&self) -> Book {
        self.lock().book.clone()
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

    fn saw(&self, request: Request) {
        let (at_ms, by) = (self.exec.now_ms(), self.actor);
        self.lock().seen.push(Seen { at_ms, by, request });
    }

    /// Takes a payout: one step. Money moves, unless it waits for a second one. Gives its id.
    fn take(&self, payment: &Payment, batch: Option<&str>, waits: bool) -> String {
        let dice = self.exec.dice();
        let now = self.exec.now_ms();
        let destiny = if dice.chance(self.temper.fails) { Fate::Failed } else { Fate::Paid };
        let mut state = self.lock();
        state.ids += 1;
        let entry = Entry {
            place: payment.place,
            fate: if waits { Fate::Waits } else { destiny },
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
        state.book.entry(reference).or_default().push(entry);
        drop(state);
        if !waits && self.shape == Shape::OneCall {
            self.call_back(payment, told.0, told.1);
        }
        id
    }
}

impl Provider for Gateway {
    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn fingerprint(&self) -> &str {
        "simulated:1"
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

impl Gateway {
    /// Whether the ledger holds a step intent for this payout now.
    fn has_step_intent(&self, place: Place) -> bool {
        // The in-memory ledger answers at its first poll.
        let chunk = self.ledger.chunk(place.chunk).now_or_never();
        let payouts = chunk.and_then(Result::ok).flatten().map(|chunk| chunk.payouts);
        let payout = payouts.and_then(|all| all.get(usize::from(place.row)).copied());
        payout.is_some_and(|payout| payout.stepped)
    }
}

fn limits(shape: Shape) -> Limits {
    let (rows_per_call, rows_per_look_up) = match shape {
        Shape::Batches { rows_per_call, rows_per_look_up } => (rows_per_call, rows_per_look_up),
        Shape::OneCall | Shape::Orders => (1, 1),
    };
    Limits {
        provider: "simulated",
        rows_per_call,
        creates_per_second: 1000,
        in_flight: 8,
        look_ups_per_second: 1000,
        polling: Polling::Never,
        rows_per_look_up,
        looks_up_by_id: shape != Shape::OneCall,
        page_size: None,
        idempotency: Idempotency {
            deduplication: Deduplication::None,
            repeats_errors: false,
            found_by_reference: true,
            absence: Absence { form: "an answer that says so", proves: true },
        },
        reference: ReferenceFormat::Text { max_bytes: 64 },
        methods: &[Method::Card],
        callbacks: Calls::OurUrls,
        cancel: false,
        second_step: match shape {
            Shape::OneCall => SecondStep::None,
            Shape::Batches { .. } => SecondStep::Code,
            Shape::Orders => SecondStep::Funding,
        },
        rules: false,
        policy: domain::Policy::DEFAULT,
    }
}

/// The lane that the simulation pays on.
pub fn lane_name() -> LaneName {
    LaneName::try_from("sim".to_owned()).unwrap_or_else(|_| unreachable!("a valid name"))
}
