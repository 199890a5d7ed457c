//! The workers: processes that are started and killed; the people beside them; and the postman.

use crate::exec::{Actor, Exec};
use crate::gateway::letters::{Told, Word, forged};
use crate::gateway::temper::Shape;
use crate::gateway::{Gateway, lane_name};
use crate::log::{By, Log};
use crate::mishaps::Mishaps;
use crate::office::Office;
use crate::operator::Operator;
use crate::person::Person;
use crate::process::{OFFICE, OPERATOR, OUTSIDE, ProcessEnv};
use crate::run::policy;
use crate::scenario::Scenario;
use crate::sides::{Gateways, Side};
use crate::store::{Connection, Link};
use domain::{BatchId, ChunkId, LedgerId, Place, Sender};
use engine::{BatchBrakeSettings, Engine, Hearing, LaneSetup, Settings};
use futures::FutureExt;
use futures::future::{Either, select};
use journal::{Entry, Remembered};
use ledger::Ledger;
use ledger::memory::MemoryLedger;
use ledger::senders::{self, Home};
use providers::{CallbackKind, CallbackRequest};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long a lease lasts: more than a request under it, and a third for renewal.
const LEASE_MS: u64 = 8_000;
/// How often a worker looks for work: again at once while there is some, else less and less.
const PUMP_MS: u64 = 250;
const PUMP_MAX_MS: u64 = 4_000;

/// How long a callback's sender waits for its answer.
const CALLER_MS: u64 = 15_000;

/// Where a second lane is being rolled out, so many in a thousand of those that start have it.
const HAS_SECOND: u64 = 600;

/// The workers.
#[derive(Clone)]
pub struct Pool {
    exec: Exec,
    memory: MemoryLedger,
    gateways: Gateways,
    scenario: Scenario,
    log: Log,
    engines: Arc<Mutex<BTreeMap<Actor, Engine>>>,
    /// What each worker remembers, over all its lives.
    journals: Arc<Mutex<BTreeMap<Actor, Remembered>>>,
    /// The highest sender's number so far: production keeps it beside the locks, outside the ledger.
    highest: Arc<AtomicU32>,
    told: Arc<Mutex<Vec<Told>>>,
    pub(crate) mishaps: Mishaps,
    /// The person in the office goes home.
    closes: Arc<AtomicBool>,
}

impl Pool {
    /// Nobody works yet.
    pub fn new(exec: Exec, memory: MemoryLedger, gateways: Gateways, scenario: Scenario) -> Pool {
        let pool = Pool {
            exec,
            memory,
            gateways: gateways.clone(),
            scenario,
            log: Log::default(),
            engines: Arc::default(),
            journals: Arc::default(),
            highest: Arc::default(),
            told: Arc::default(),
            mishaps: Mishaps::new(scenario.workers),
            closes: Arc::default(),
        };
        for gateway in gateways.all() {
            let (postman, side) = (pool.clone(), gateway.side());
            gateway.employ(Arc::new(move |place, attempt, request, word| {
                let pool = postman.clone();
                let letter = Letter { side, place, attempt, request, word: Some(word) };
                async move { pool.deliver(letter).await }.boxed()
            }));
        }
        pool
    }

    /// What happened to the ledger.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Callbacks that were answered with 200.
    pub fn told(&self) -> Vec<Told> {
        lock(&self.told).clone()
    }

    /// The person in the office decides nothing more.
    pub fn close_office(&self) {
        self.closes.store(true, Ordering::Relaxed);
    }

    /// Lets go of all engines.
    pub fn end(&self) {
        let engines = std::mem::take(&mut *lock(&self.engines));
        drop(engines);
    }

    pub(crate) fn connection(&self, by: By) -> Arc<dyn Ledger> {
        let (exec, memory, log) = (self.exec.clone(), self.memory.clone(), self.log.clone());
        let link = if self.scenario.chaos { self.scenario.link } else { Link::default() };
        Arc::new(Connection::new(exec, memory, link, by, log))
    }

    /// The number of a new life of a worker. Its earlier lives are over: nobody but the chaos
    /// starts one, and it kills the one before. Whoever is put in the place of a frozen one is another
    /// actor with a home of its own, so the frozen one stays a sender that may still wake up.
    async fn enlist(&self, ledger: &dyn Ledger, env: &dyn engine::Env, actor: Actor) -> Sender {
        let home = Home { id: home(actor), ..Home::default() };
        loop {
            let above = Sender(self.highest.load(Ordering::Relaxed));
            match senders::enlist(ledger, &home, above).await {
                Ok(number) => {
                    self.highest.fetch_max(number.0, Ordering::Relaxed);
                    return number;
                }
                Err(_) => env.sleep(100).await,
            }
        }
    }

    /// What a worker remembers of what it was about to send.
    pub fn journal(&self, actor: Actor) -> Remembered {
        lock(&self.journals).entry(actor).or_default().clone()
    }

    /// What all workers remember. They are dead, and owe no answer any more.
    pub(crate) fn remembered(&self) -> Vec<Entry> {
        let journals: Vec<Remembered> = lock(&self.journals).values().cloned().collect();
        let mut entries: Vec<Entry> = journals.iter().flat_map(Remembered::entries).collect();
        entries.iter_mut().for_each(|entry| entry.sender = Sender::NOBODY);
        entries
    }

    /// Somebody notices, after a while, that a dead worker's home is locked no more, and says that it
    /// is gone.
    pub(crate) fn notice_dead(&self, actor: Actor) {
        let pool = self.clone();
        let task = async move {
            pool.exec.sleep(pool.exec.dice().below(10_000)).await;
            let is_its = |r: &senders::SenderRecord| r.home.id == home(actor);
            let said = async || {
                let ledger = pool.connection(By::Worker);
                senders::declare_gone(&*ledger, "its process has ended", is_its).await
            };
            while said().await.is_err() {
                pool.exec.sleep(100).await;
            }
        };
        self.exec.spawn(OUTSIDE, task.boxed());
    }

    /// The callbacks after the first `count` were answered by a ledger that is gone.
    pub(crate) fn forget_told_since(&self, count: usize) {
        lock(&self.told).iter_mut().skip(count).for_each(|told| told.is_forgotten = true);
    }

    pub(crate) fn memory(&self) -> &MemoryLedger {
        &self.memory
    }

    /// Whether nothing new is begun, since the end is near.
    pub(crate) fn is_closing(&self) -> bool {
        self.closes.load(Ordering::Relaxed)
    }

    /// Starts a worker: its engine and its pump.
    pub fn start(&self, actor: Actor) {
        let pool = self.clone();
        let ledger = self.connection(By::Worker);
        let env: Arc<dyn engine::Env> = Arc::new(ProcessEnv::new(self.exec.clone(), actor));
        let task = async move {
            let sender = pool.enlist(&*ledger, &*env, actor).await;
            let engine = loop {
                let setup = |gateway: &Gateway| LaneSetup {
                    name: gateway.side().lane(),
                    provider: Arc::new(gateway.reached_by(actor)),
                    policy: policy(),
                    interval_us: pool.scenario.interval_us,
                    in_flight: pool.scenario.in_flight,
                    look_up_interval_us: 0,
                    canary: true,
                    // A person would have to let such a batch go on; they have tests of their own.
                    batch_brakes: BatchBrakeSettings::OFF,
                    hours: pool.scenario.bounds.hours(),
                    spend: pool.scenario.bounds.spend(),
                };
                let settings = Settings {
                    lease_ms: LEASE_MS,
                    chunks_at_once: 2,
                    sender,
                    journal: Arc::new(pool.journal(actor)),
                };
                let lanes = pool.served().map(setup).collect();
                match Engine::start(env.clone(), ledger.clone(), lanes, settings).await {
                    Ok(engine) => break engine,
                    Err(_) => env.sleep(100).await,
                }
            };
            lock(&pool.engines).insert(actor, engine.clone());
            let mut pause_ms = PUMP_MS;
            loop {
                let room = engine.room(&lane_name());
                if room > 0
                    && let Ok(chunks) = ledger.take_ready(lane_name(), room, 2_000).await
                {
                    let is_idle = chunks.is_empty();
                    pause_ms = if is_idle { PUMP_MAX_MS.min(pause_ms * 2) } else { PUMP_MS };
                    chunks.into_iter().for_each(|chunk| {
                        engine.offer(chunk, &lane_name());
                    });
                }
                env.sleep(pause_ms).await;
            }
        };
        self.exec.spawn(actor, task.boxed());
    }

    /// The lanes of a worker that starts now.
    fn served(&self) -> impl Iterator<Item = &Gateway> {
        let rolls_out = self.scenario.second.is_some_and(|spare| spare.rolls_out);
        let has_second = !rolls_out || self.exec.dice().chance(HAS_SECOND);
        self.gateways.all().filter(move |gateway| has_second || gateway.side() == Side::First)
    }

    pub(crate) fn exec(&self) -> &Exec {
        &self.exec
    }

    pub(crate) fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// A power cut for a worker.
    pub fn kill(&self, actor: Actor) {
        self.exec.kill(actor);
        lock(&self.engines).remove(&actor);
    }

    fn person(&self, batch: BatchId, id: LedgerId) -> Person {
        Person {
            exec: self.exec.clone(),
            ledger: self.connection(By::Person),
            gateways: self.gateways.clone(),
            chunk_rows: self.scenario.chunk_rows,
            batch,
            id,
        }
    }

    /// Starts the person who decides reviews, where there is one.
    pub fn open_office(&self, batch: BatchId, id: LedgerId) {
        if !self.scenario.office {
            return;
        }
        let office = Office { person: self.person(batch, id), closes: Arc::clone(&self.closes) };
        self.exec.spawn(OFFICE, office.work().boxed());
    }

    /// Starts the person who enters codes, where the provider sends any.
    pub fn start_operator(&self, batch: BatchId, id: LedgerId) {
        let spare = self.scenario.second.map(|spare| spare.shape);
        let mut shapes = spare.into_iter().chain([self.scenario.shape]);
        if !shapes.any(|shape| matches!(shape, Shape::Batches { .. })) {
            return;
        }
        let operator = Operator { person: self.person(batch, id), errs: self.scenario.chaos };
        self.exec.spawn(OPERATOR, operator.work().boxed());
    }

    /// A callback reaches some worker that is up; true when it was answered 200.
    async fn deliver(&self, letter: Letter) -> bool {
        let Letter { side, place, attempt, request, word } = letter;
        let engine = {
            let engines = lock(&self.engines);
            let len = u64::try_from(engines.len()).unwrap_or(0);
            let nth = usize::try_from(self.exec.dice().below(len)).unwrap_or(0);
            engines.values().nth(nth).cloned()
        };
        let Some(engine) = engine else { return false };
        let (before, rewinds) = (self.log.touches(place), self.log.rewinds());
        let lane = side.lane();
        let hears = engine.hear(&lane, place, attempt, request).boxed();
        // Nobody waits for a worker that is frozen; what it does when it wakes up is its own.
        let Either::Left((heard, _)) = select(hears, self.exec.sleep(CALLER_MS)).await else {
            return false;
        };
        // Kept by a ledger that went back while the answer was on its way, it is forgotten.
        if matches!(heard, Ok(Hearing::Taken)) && self.log.rewinds() == rewinds {
            let is_kept = self.log.touches(place) > before;
            let at_ms = self.exec.now_ms();
            let is_forgotten = false;
            lock(&self.told).push(Told {
                at_ms,
                side,
                place,
                attempt,
                word,
                is_kept,
                is_forgotten,
            });
        }
        heard.is_ok_and(|hearing| hearing != Hearing::Unchecked)
    }

    pub(crate) fn any_place(&self, batch: BatchId) -> Place {
        let ordinal = self.exec.dice().below(u64::from(self.scenario.payouts));
        let ordinal = u16::try_from(ordinal).unwrap_or(0);
        let rows = self.scenario.chunk_rows;
        Place { chunk: ChunkId { batch, no: ordinal / rows }, row: ordinal % rows }
    }

    /// Somebody says something unverified about a payout.
    pub async fn hint(&self, place: Place) {
        let kind = CallbackKind::Error;
        let request = CallbackRequest { kind, signature: None, body: Vec::new() };
        let side = self.any_side();
        self.deliver(Letter { side, place, attempt: 1, request, word: None }).await;
    }

    /// Somebody pretends that a payout was paid.
    pub(crate) async fn forge(&self, place: Place) {
        let attempt = u8::from(self.exec.dice().chance(200)) + 1;
        let side = self.any_side();
        self.deliver(Letter { side, place, attempt, request: forged(), word: None }).await;
    }

    fn any_side(&self) -> Side {
        let has_second = self.gateways.second.is_some();
        if has_second && self.exec.dice().chance(500) { Side::Second } else { Side::First }
    }
}

/// Where a worker sends from, in all its lives.
fn home(actor: Actor) -> String {
    format!("worker-{}", actor.0)
}

/// A callback on its way.
struct Letter {
    /// The lane that it comes in by.
    side: Side,
    place: Place,
    attempt: u8,
    request: CallbackRequest,
    /// What the provider says in it; none where it is somebody else's.
    word: Option<Word>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
