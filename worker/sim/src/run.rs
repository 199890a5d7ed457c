//! One run: a batch is taken in, workers pay it while they crash and freeze, and in the end
//! every checker looks at what the ledger says and what the provider did.

use crate::checkers::{self, Violation};
use crate::dice::Dice;
use crate::exec::{Actor, Exec};
use crate::gateway::{Entry, Gateway, Temper, lane_name};
use crate::store::Connection;
use crate::world::{OUTSIDE, ProcessEnv};
use domain::batch::Totals;
use domain::{
    Batch, BatchId, BatchState, ChunkId, Currencies, Destination, LedgerId, Method, Millis, Money,
    PayerReference, Payout, Place, Policy, ProviderReference, ReferenceFormat, Row, State,
};
use engine::{Engine, LaneSetup, Settings};
use futures::FutureExt;
use futures::executor::block_on;
use ledger::memory::MemoryLedger;
use ledger::{Ledger, NewBatch, NewChunk, Seal};
use providers::CallbackRequest;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use ulid::Ulid;

/// What a run is made of.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The seed: the same one gives the same run.
    pub seed: u64,
    /// Payouts.
    pub payouts: u16,
    /// Workers.
    pub workers: u32,
    /// Whether workers crash, freeze and lose the ledger.
    pub chaos: bool,
    /// How the provider behaves.
    pub temper: Temper,
}

impl Scenario {
    /// Three workers in chaos with an ordinary bad provider.
    pub fn new(seed: u64) -> Scenario {
        Scenario { seed, payouts: 60, workers: 3, chaos: true, temper: Temper::default() }
    }
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Broken invariants; empty for a good run.
    pub violations: Vec<Violation>,
    /// Payouts per final state.
    pub states: BTreeMap<State, usize>,
    /// Crashes and freezes that happened.
    pub mishaps: u32,
    /// Virtual time that passed.
    pub took_ms: u64,
}

/// What the checkers look at.
pub struct Ending {
    /// The batch as the ledger knows it.
    pub batch: Batch,
    /// Every row: its provider reference and its payout.
    pub payouts: Vec<(String, Payout)>,
    /// What the provider took, by reference.
    pub book: BTreeMap<String, Vec<Entry>>,
}

const CHUNK_ROWS: u16 = 20;
const LEASE_MS: u64 = 8_000;
/// A run that takes longer has forgotten somebody.
const LIMIT_MS: u64 = 4 * 3_600_000;

/// Short times, so that many things happen in a short run.
pub fn policy() -> Policy {
    Policy {
        send_window_ms: 1_000,
        request_timeout_ms: 3_000,
        settling_ms: 5_000,
        overdue_ms: 20_000,
        look_up_max_ms: 60_000,
        unknown_give_up_ms: 300_000,
        submitted_give_up_ms: 600_000,
        unsent_give_up_ms: 3_600_000,
    }
}

/// Runs a scenario to its end.
pub fn run(scenario: &Scenario) -> Report {
    let dice = Dice::new(scenario.seed);
    let exec = Exec::new(dice);
    let clock = exec.clone();
    // Ledger time does not begin at zero, and is not the processes' clock.
    let clock = Arc::new(move || Millis(1_700_000_000_000 + clock.now_ms()));
    let id = LedgerId::from_random(0);
    let memory = MemoryLedger::new(id, clock);
    let policy = policy();
    let gateway =
        Gateway::new(exec.clone(), scenario.temper, policy.settling_ms, policy.request_timeout_ms);
    let batch = block_on(take_in(&memory, scenario.payouts));
    let pool = Pool::new(exec.clone(), memory.clone(), gateway.clone(), scenario.chaos);
    for number in 1..=scenario.workers {
        pool.start(Actor(number));
    }
    if scenario.chaos {
        pool.spawn_chaos(scenario.workers);
    }
    let is_complete = || {
        let batch = block_on(memory.batch(batch)).ok().flatten();
        batch.is_some_and(|b| b.state == BatchState::Complete)
    };
    let mut steps = 0u64;
    while exec.now_ms() < LIMIT_MS && exec.step() {
        steps += 1;
        if steps.is_multiple_of(500) && is_complete() {
            break;
        }
    }
    let took_ms = exec.now_ms();
    settle_down(&exec, &pool);
    let ending = block_on(ending(&memory, batch, id, &gateway));
    let mut states = BTreeMap::new();
    for (_, payout) in &ending.payouts {
        *states.entry(payout.state).or_insert(0) += 1;
    }
    let mishaps = *pool.mishaps.lock().unwrap_or_else(PoisonError::into_inner);
    Report { violations: checkers::all(&ending), states, mishaps, took_ms }
}

/// The last callbacks arrive; late senders wake up and must not send.
fn settle_down(exec: &Exec, pool: &Pool) {
    pool.calm();
    let until = exec.now_ms() + 60_000;
    while exec.now_ms() < until && exec.step() {}
}

async fn take_in(memory: &MemoryLedger, payouts: u16) -> BatchId {
    let id = BatchId(Ulid::from_parts(1, 1));
    let fail = "the in-memory ledger takes a batch";
    let new = NewBatch { id, name: "sim.csv".into(), file_sha256: "0".into(), lease_ms: 60_000 };
    memory.open_batch(new).await.expect(fail);
    let mut totals = Totals::default();
    let ordinals: Vec<u32> = (1..=u32::from(payouts)).collect();
    let mut chunks = 0;
    for (no, ordinals) in (0u16..).zip(ordinals.chunks(usize::from(CHUNK_ROWS))) {
        let rows: Vec<Row> = ordinals.iter().map(|ordinal| row(*ordinal)).collect();
        let chunk = ChunkId { batch: id, no };
        let places = (0u16..).map(|row| Place { chunk, row });
        let wanted = rows.iter().map(|r| r.reference.key()).zip(places).collect();
        assert!(memory.reserve(wanted).await.expect(fail).is_empty());
        rows.iter().for_each(|r| totals.add(&r.money));
        let new = NewChunk {
            id: chunk,
            lane: lane_name(),
            rows: u16::try_from(rows.len()).unwrap_or(CHUNK_ROWS),
            first_ordinal: ordinals[0],
            format: ReferenceFormat::Text { max_bytes: 64 },
            unsent_give_up_ms: policy().unsent_give_up_ms,
            blocks: ledger::rows::encode(&rows).expect(fail),
            lease_ms: 60_000,
        };
        assert!(memory.append(new).await.expect(fail));
        chunks += 1;
    }
    let seal = Seal { id, totals, chunks, state: BatchState::Active };
    assert!(memory.seal(seal).await.expect(fail));
    id
}

fn row(ordinal: u32) -> Row {
    let eur = Currencies::default().find("EUR").expect("EUR is known");
    Row {
        ordinal,
        line: ordinal + 1,
        reference: PayerReference::new(&format!("P-{ordinal}")).expect("a valid reference"),
        money: Money::parse(&format!("{ordinal}.50"), &eur, '.').expect("a valid amount"),
        method: Method::Card,
        destination: Destination::new("4111111111111111".to_owned()),
        fields: BTreeMap::new(),
    }
}

async fn ending(
    memory: &MemoryLedger,
    id: BatchId,
    ledger_id: LedgerId,
    gateway: &Gateway,
) -> Ending {
    let fail = "the in-memory ledger answers";
    let batch = memory.batch(id).await.expect(fail).expect("the batch exists");
    let mut payouts = Vec::new();
    for no in 0..batch.chunks {
        let chunk = memory.chunk(ChunkId { batch: id, no }).await.expect(fail).expect("a chunk");
        for payout in chunk.payouts {
            let ordinal = payouts.len() + 1;
            let reference = PayerReference::new(&format!("P-{ordinal}")).expect("valid");
            let made = ProviderReference::make(ledger_id, &reference, payout.attempt, chunk.format);
            payouts.push((made.as_str().to_owned(), payout));
        }
    }
    Ending { batch, payouts, book: gateway.book() }
}

/// The workers.
#[derive(Clone)]
struct Pool {
    exec: Exec,
    memory: MemoryLedger,
    gateway: Gateway,
    chaos: bool,
    engines: Arc<Mutex<BTreeMap<Actor, Engine>>>,
    mishaps: Arc<Mutex<u32>>,
    calm: Arc<Mutex<bool>>,
}

impl Pool {
    fn new(exec: Exec, memory: MemoryLedger, gateway: Gateway, chaos: bool) -> Pool {
        let pool = Pool {
            exec,
            memory,
            gateway: gateway.clone(),
            chaos,
            engines: Arc::default(),
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

    /// Starts a worker: its engine and its pump.
    fn start(&self, actor: Actor) {
        let pool = self.clone();
        let breaks = if self.chaos { 10 } else { 0 };
        let connection = Connection::new(self.exec.clone(), self.memory.clone(), breaks);
        let ledger: Arc<dyn Ledger> = Arc::new(connection);
        let env: Arc<dyn engine::Env> = Arc::new(ProcessEnv::new(self.exec.clone(), actor));
        let task = async move {
            let engine = loop {
                let setup = LaneSetup {
                    name: lane_name(),
                    provider: Arc::new(pool.gateway.clone()),
                    policy: policy(),
                    interval_us: 0,
                    in_flight: 8,
                    look_up_interval_us: 0,
                    canary: true,
                };
                let settings = Settings { lease_ms: LEASE_MS, chunks_at_once: 2 };
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

    /// A callback reaches some worker that is up; true when it was answered 200.
    async fn deliver(&self, place: Place, attempt: u8, request: CallbackRequest) -> bool {
        let engine = {
            let engines = lock(&self.engines);
            let len = u64::try_from(engines.len()).unwrap_or(0);
            let nth = usize::try_from(self.exec.dice().below(len)).unwrap_or(0);
            engines.values().nth(nth).cloned()
        };
        let Some(engine) = engine else { return false };
        engine.hear(&lane_name(), place, attempt, request).await.is_ok()
    }

    /// Kills and freezes workers at random, and starts the killed ones again.
    fn spawn_chaos(&self, workers: u32) {
        let pool = self.clone();
        let task = async move {
            loop {
                let dice = pool.exec.dice();
                pool.exec.sleep(200 + dice.below(4_000)).await;
                if *lock(&pool.calm) {
                    return;
                }
                let number = u32::try_from(dice.below(u64::from(workers))).unwrap_or(0) + 1;
                let actor = Actor(number);
                *lock(&pool.mishaps) += 1;
                if dice.chance(500) {
                    pool.exec.kill(actor);
                    lock(&pool.engines).remove(&actor);
                    pool.exec.sleep(dice.below(3_000)).await;
                    pool.start(actor);
                } else {
                    pool.exec.freeze(actor, dice.below(30_000));
                }
            }
        };
        self.exec.spawn(OUTSIDE, task.boxed());
    }

    fn calm(&self) {
        *lock(&self.calm) = true;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
