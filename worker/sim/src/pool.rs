//! The workers: processes that start, crash, freeze and start again; and the person beside them.

use crate::exec::{Actor, Exec};
use crate::gateway::temper::Shape;
use crate::gateway::{Gateway, lane_name};
use crate::operator::Operator;
use crate::process::{OUTSIDE, ProcessEnv};
use crate::run::{Scenario, policy};
use crate::store::Connection;
use domain::{BatchId, ChunkId, LedgerId, Place, Sender};
use engine::{Engine, Hearing, LaneSetup, Settings};
use futures::FutureExt;
use journal::Remembered;
use ledger::Ledger;
use ledger::memory::MemoryLedger;
use ledger::senders::{self, Home};
use providers::{CallbackKind, CallbackRequest};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long a lease lasts: more than a request under it, and a third for renewal.
const LEASE_MS: u64 = 8_000;
/// Ledger calls in a thousand that fail, in chaos.
const BREAKS: u64 = 10;
/// Mishaps in a thousand that come with a callback about a payout that nobody talked of.
const STRAY_HINTS: u64 = 300;

/// The workers.
#[derive(Clone)]
pub struct Pool {
    exec: Exec,
    memory: MemoryLedger,
    gateway: Gateway,
    scenario: Scenario,
    engines: Arc<Mutex<BTreeMap<Actor, Engine>>>,
    /// What each worker remembers, over all its lives.
    journals: Arc<Mutex<BTreeMap<Actor, Remembered>>>,
    mishaps: Arc<Mutex<u32>>,
    calm: Arc<Mutex<bool>>,
}

impl Pool {
    /// Nobody works yet.
    pub fn new(exec: Exec, memory: MemoryLedger, gateway: Gateway, scenario: Scenario) -> Pool {
        let pool = Pool {
            exec,
            memory,
            gateway: gateway.clone(),
            scenario,
            engines: Arc::default(),
            journals: Arc::default(),
            mishaps: Arc::default(),
            calm: Arc::default(),
        };
        let postman = pool.clone();
        gateway.employ(Arc::new(move |place, attempt, request| {
            let pool = postman.clone();
            async move { pool.deliver(place, attempt, request).await }.boxed()
        }));
        pool
    }

    /// Crashes and freezes so far.
    pub fn mishaps(&self) -> u32 {
        *lock(&self.mishaps)
    }

    /// No more of them.
    pub fn calm(&self) {
        *lock(&self.calm) = true;
    }

    fn connection(&self) -> Arc<dyn Ledger> {
        let breaks = if self.scenario.chaos { BREAKS } else { 0 };
        Arc::new(Connection::new(self.exec.clone(), self.memory.clone(), breaks))
    }

    /// The number of a new life of a worker. Its earlier lives are over: nobody but the chaos
    /// starts one, and it kills the one before.
    async fn enlist(&self, ledger: &dyn Ledger, env: &dyn engine::Env, actor: Actor) -> Sender {
        let home = Home { id: format!("worker-{}", actor.0), ..Home::default() };
        loop {
            match senders::enlist(ledger, &home, Sender::NOBODY).await {
                Ok(number) => return number,
                Err(_) => env.sleep(100).await,
            }
        }
    }

    /// What a worker remembers of what it was about to send.
    pub fn journal(&self, actor: Actor) -> Remembered {
        lock(&self.journals).entry(actor).or_default().clone()
    }

    /// Starts a worker: its engine and its pump.
    pub fn start(&self, actor: Actor) {
        let pool = self.clone();
        let ledger = self.connection();
        let env: Arc<dyn engine::Env> = Arc::new(ProcessEnv::new(self.exec.clone(), actor));
        let task = async move {
            let sender = pool.enlist(&*ledger, &*env, actor).await;
            let engine = loop {
                let setup = LaneSetup {
                    name: lane_name(),
                    provider: Arc::new(pool.gateway.reached_by(actor)),
                    policy: policy(),
                    interval_us: pool.scenario.interval_us,
                    in_flight: 8,
                    look_up_interval_us: 0,
                    canary: true,
                };
                let settings = Settings {
                    lease_ms: LEASE_MS,
                    chunks_at_once: 2,
                    sender,
                    journal: Arc::new(pool.journal(actor)),
                };
                match Engine::start(env.clone(), ledger.clone(), vec![setup], settings).await {
                    Ok(engine) => break engine,
                    Err(_) => env.sleep(100).await,
                }
            };
            lock(&pool.engines).insert(actor, engine.clone());
            loop {
                let room = engine.room(&lane_name());
                if room > 0
                    && let Ok(chunks) = ledger.take_ready(lane_name(), room, 2_000).await
                {
                    chunks.into_iter().for_each(|chunk| {
                        engine.offer(chunk, &lane_name());
                    });
                }
                env.sleep(250).await;
            }
        };
        self.exec.spawn(actor, task.boxed());
    }

    /// A power cut for a worker.
    pub fn kill(&self, actor: Actor) {
        self.exec.kill(actor);
        lock(&self.engines).remove(&actor);
    }

    /// Starts the person who enters codes, where the provider sends any.
    pub fn start_operator(&self, batch: BatchId, id: LedgerId) {
        if !matches!(self.scenario.shape, Shape::Batches { .. }) {
            return;
        }
        let operator = Operator {
            exec: self.exec.clone(),
            ledger: self.connection(),
            gateway: self.gateway.clone(),
            chunk_rows: self.scenario.chunk_rows(),
            batch,
            id,
            errs: self.scenario.chaos,
        };
        self.exec.spawn(OUTSIDE, operator.work().boxed());
    }

    /// A callback reaches some worker that is up; true when it was answered 200.
    async fn deliver(&self, place: Place, attempt: u8, request: CallbackRequest) -> bool {
        let engine = {
            let engines = lock(&self.engines);
            let len = u64::try_from(engines.len()).unwrap_or(0);
            let nth = usize::try_from(self.exec.dice().below(len)).unwrap_or(0);
            engines.values().nth(nth).cloned()
        };
        let Some(engine) = engine else { return false };
        let heard = engine.hear(&lane_name(), place, attempt, request).await;
        heard.is_ok_and(|hearing| hearing != Hearing::Unchecked)
    }

    fn any_place(&self, batch: BatchId) -> Place {
        let ordinal = self.exec.dice().below(u64::from(self.scenario.payouts));
        let ordinal = u16::try_from(ordinal).unwrap_or(0);
        let rows = self.scenario.chunk_rows();
        Place { chunk: ChunkId { batch, no: ordinal / rows }, row: ordinal % rows }
    }

    /// Somebody says something unverified about a payout.
    pub async fn hint(&self, place: Place) {
        let kind = CallbackKind::Error;
        let request = CallbackRequest { kind, signature: None, body: Vec::new() };
        self.deliver(place, 1, request).await;
    }

    /// Kills and freezes workers at random, and starts the killed ones again; and brings
    /// callbacks that mean nothing.
    pub fn start_chaos(&self, batch: BatchId) {
        let (pool, exec) = (self.clone(), self.exec.clone());
        let task = async move {
            loop {
                let dice = pool.exec.dice();
                pool.exec.sleep(200 + dice.below(4_000)).await;
                if *lock(&pool.calm) {
                    return;
                }
                if dice.chance(STRAY_HINTS) {
                    let (pool, place) = (pool.clone(), pool.any_place(batch));
                    let hint = async move { pool.hint(place).await };
                    exec.spawn(OUTSIDE, hint.boxed());
                }
                let number = dice.below(u64::from(pool.scenario.workers));
                let actor = Actor(u32::try_from(number).unwrap_or(0) + 1);
                *lock(&pool.mishaps) += 1;
                if dice.chance(500) {
                    pool.kill(actor);
                    pool.exec.sleep(dice.below(3_000)).await;
                    pool.start(actor);
                } else {
                    pool.exec.freeze(actor, dice.below(30_000));
                }
            }
        };
        self.exec.spawn(OUTSIDE, task.boxed());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
