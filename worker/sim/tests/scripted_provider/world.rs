//! One chunk, one worker, and a provider that says what the test wants, in virtual time.

use crate::seats::Cut;
use domain::{
    Account, BatchId, ChunkId, Event, Hours, LaneName, LedgerId, Millis, Outcome, Payout, Place,
    Policy, Polled, ReferenceFormat, Row, Sender, Terms,
};
use engine::{BatchBrakeSettings, Engine, Hearing, LaneSetup, Settings, SpendCaps};
use futures::FutureExt;
use futures::executor::block_on;
use futures::future::BoxFuture;
use journal::{Entry, Journal, Remembered};
use ledger::apply::{Happening, apply};
use ledger::memory::MemoryLedger;
use ledger::senders::{self, Home};
use ledger::{Guard, Ledger, Note, NoteKind, Via};
use providers::{
    Answer, CallbackKind, CallbackRequest, Callbacks, Confirm, Found, Heard, Limits, LookUp,
    LookedUp, Payment, Provider, RowProblem, Shipment, Shipped, Step, StepAnswer,
};
use sim::dice::Dice;
use sim::exec::{Actor, Exec};
use sim::gateway::lane_name;
use sim::gateway::temper::Shape;
use sim::intake::take_in;
use sim::process::{OUTSIDE, ProcessEnv};
use sim::run::{ledger_time, policy};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// The accounts: the lane's, and the second lane's.
const FINGERPRINT: &str = "scripted:1";
pub const SPARE_FINGERPRINT: &str = "scripted:2";
/// How long a request takes.
const REQUEST_MS: u64 = 20;

/// Ledger time begins at 22:13:20; so much later it is 22:53:20.
const BEFORE_THE_HOUR_MS: u64 = 40 * 60_000;

type Says<T> = Mutex<Box<dyn FnMut(&Payment) -> T + Send>>;

/// A provider of one call a payout; all callbacks are hints.
pub struct Scripted {
    exec: Exec,
    fingerprint: &'static str,
    limits: Limits,
    answers: Says<Answer>,
    finds: Says<Found>,
    steps: Says<StepAnswer>,
    /// Payments that were sent.
    pub sent: Mutex<Vec<Payment>>,
    /// When each of them was answered.
    pub sent_ms: Mutex<Vec<u64>>,
    /// Payments that were asked about.
    pub asked: Mutex<Vec<Payment>>,
    /// When, and about which rows, each look-up asked.
    pub look_ups: Mutex<Vec<(u64, Vec<u16>)>>,
    tried: Mutex<usize>,
    /// Payments whose step arrived.
    pub stepped: Mutex<Vec<Payment>>,
    /// How long a create takes; how many are under way, and the most that ever were.
    takes_ms: AtomicU64,
    under_way: AtomicUsize,
    at_once: AtomicUsize,
}

impl Scripted {
    fn new(exec: &Exec, fingerprint: &'static str, polled: Option<Polled>) -> Arc<Scripted> {
        Arc::new(Scripted {
            exec: exec.clone(),
            fingerprint,
            limits: Limits {
                rows_per_look_up: if polled.is_some_and(|p| p.together) { 500 } else { 1 },
                ..limits()
            },
            answers: Mutex::new(Box::new(|_| taken())),
            finds: Mutex::new(Box::new(|_| Found::Unclear { text: "no script".to_owned() })),
            steps: Mutex::new(Box::new(|_| StepAnswer::Taken)),
            sent: Mutex::default(),
            sent_ms: Mutex::default(),
            asked: Mutex::default(),
            look_ups: Mutex::default(),
            tried: Mutex::default(),
            stepped: Mutex::default(),
            takes_ms: AtomicU64::new(REQUEST_MS),
            under_way: AtomicUsize::default(),
            at_once: AtomicUsize::default(),
        })
    }

    /// What is answered to creates from now on.
    pub fn answers(&self, says: impl FnMut(&Payment) -> Answer + Send + 'static) {
        *self.answers.lock().expect("no panic") = Box::new(says);
    }

    /// What look-ups say from now on.
    pub fn finds(&self, says: impl FnMut(&Payment) -> Found + Send + 'static) {
        *self.finds.lock().expect("no panic") = Box::new(says);
    }

    /// What is answered to steps from now on.
    pub fn steps(&self, says: impl FnMut(&Payment) -> StepAnswer + Send + 'static) {
        *self.steps.lock().expect("no panic") = Box::new(says);
    }

    /// Creates take so long from now on.
    pub fn takes_ms(&self, ms: u64) {
        self.takes_ms.store(ms, Ordering::Relaxed);
    }

    /// The most creates that were under way at once.
    pub fn at_once(&self) -> usize {
        self.at_once.load(Ordering::Relaxed)
    }

    /// How often a step was tried, sent or not.
    pub fn tried(&self) -> usize {
        *self.tried.lock().expect("no panic")
    }
}

impl Provider for Scripted {
    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn fingerprint(&self) -> &'static str {
        self.fingerprint
    }

    fn validate(&self, _: &Row) -> Vec<RowProblem> {
        Vec::new()
    }

    fn submit(&self, shipment: Shipment) -> BoxFuture<'_, Shipped> {
        async move {
            let others = self.under_way.fetch_add(1, Ordering::Relaxed);
            self.at_once.fetch_max(others + 1, Ordering::Relaxed);
            self.exec.sleep(self.takes_ms.load(Ordering::Relaxed)).await;
            self.under_way.fetch_sub(1, Ordering::Relaxed);
            let mut says = self.answers.lock().expect("no panic");
            let answers: Vec<Answer> = shipment.payments.iter().map(&mut **says).collect();
            self.sent_ms.lock().expect("no panic").push(self.exec.now_ms());
            self.sent.lock().expect("no panic").extend(shipment.payments);
            answers.into()
        }
        .boxed()
    }

    fn look_up(&self, question: LookUp) -> BoxFuture<'_, LookedUp> {
        async move {
            question.turns.next().await;
            self.exec.sleep(REQUEST_MS).await;
            let mut says = self.finds.lock().expect("no panic");
            let found: Vec<Found> = question.payments.iter().map(&mut **says).collect();
            let rows = question.payments.iter().map(|payment| payment.place.row).collect();
            self.look_ups.lock().expect("no panic").push((self.exec.now_ms(), rows));
            self.asked.lock().expect("no panic").extend(question.payments);
            found.into()
        }
        .boxed()
    }

    fn callbacks(&self) -> Option<&dyn Callbacks> {
        Some(self)
    }

    fn confirm(&self) -> Option<&dyn Confirm> {
        Some(self)
    }
}

impl Callbacks for Scripted {
    fn read(&self, _: &CallbackRequest, _: &Payment) -> Heard {
        Heard::Hint { text: "somebody says something".to_owned() }
    }
}

impl Confirm for Scripted {
    fn confirm(&self, step: Step) -> BoxFuture<'_, StepAnswer> {
        async move {
            self.exec.sleep(REQUEST_MS).await;
            *self.tried.lock().expect("no panic") += 1;
            if !step.gate.is_open() {
                return StepAnswer::NotSent { text: "too late".to_owned() };
            }
            let answer = (self.steps.lock().expect("no panic"))(&step.payments[0]);
            if !matches!(answer, StepAnswer::NotSent { .. }) {
                self.stepped.lock().expect("no panic").extend(step.payments);
            }
            answer
        }
        .boxed()
    }
}

fn limits() -> Limits {
    Limits { provider: "scripted", ..sim::gateway::limits::limits(Shape::Orders) }
}

/// All that there is.
pub struct World {
    pub exec: Exec,
    pub ledger: MemoryLedger,
    pub provider: Arc<Scripted>,
    pub spare: Option<Arc<Scripted>>,
    pub engine: Engine,
    pub journal: Arc<Shaky>,
    pub chunk: ChunkId,
    /// Whether the registers of the ledger are out of reach.
    pub is_cut: Arc<AtomicBool>,
    lane: Served,
}

/// The lane, as each worker serves it.
struct Served {
    provider: Arc<Scripted>,
    spare: Option<Arc<Scripted>>,
    look_up_interval_us: u64,
    batch_brakes: BatchBrakeSettings,
    hours: Option<Hours>,
    spend: SpendCaps,
    polled: Option<Polled>,
    in_flight: u16,
    is_cut: Arc<AtomicBool>,
}

impl Served {
    fn start(
        &self,
        exec: &Exec,
        ledger: &MemoryLedger,
        sender: Sender,
        journal: Arc<Shaky>,
    ) -> Engine {
        let setup = |name: LaneName, provider: &Arc<Scripted>| LaneSetup {
            name,
            provider: provider.clone(),
            policy: Policy { polled: self.polled, ..policy() },
            interval_us: 0,
            in_flight: self.in_flight,
            look_up_interval_us: self.look_up_interval_us,
            canary: false,
            batch_brakes: self.batch_brakes,
            hours: self.hours.clone(),
            spend: self.spend.clone(),
        };
        let first = setup(lane_name(), &self.provider);
        let spare = self.spare.iter().map(|provider| setup(spare_name(), provider));
        let lanes = std::iter::once(first).chain(spare).collect();
        let env = Arc::new(ProcessEnv::new(exec.clone(), Actor(sender.0)));
        let settings = Settings { lease_ms: 8_000, chunks_at_once: 1, sender, journal };
        let ledger = Cut { inner: ledger.clone(), is_cut: Arc::clone(&self.is_cut) };
        let engine = Engine::start(env, Arc::new(ledger), lanes, settings);
        block_on(engine).expect("it starts")
    }
}

/// The lane that what the first one refuses goes by.
pub fn spare_name() -> LaneName {
    LaneName::new("spare").expect("a literal lane name")
}

/// The provider has it.
pub fn taken() -> Answer {
    Answer::Accepted { provider_id: None, cost: None }
}

/// Another worker's number.
pub const OTHER: Sender = Sender(1);

/// What is to be paid, and on what kind of lane.
struct Scene {
    rows: u16,
    chunk_rows: u16,
    look_up_interval_us: u64,
    batch_brakes: BatchBrakeSettings,
    hours: Option<Hours>,
    terms: Terms,
    spend: SpendCaps,
    polled: Option<Polled>,
    in_flight: u16,
    /// How late it is when the batch is taken.
    begins_ms: u64,
    /// It has a second lane.
    failover: bool,
}

impl Scene {
    /// So many rows in one chunk, and nothing that holds them back.
    fn of(rows: u16) -> Scene {
        Scene {
            rows,
            chunk_rows: rows,
            look_up_interval_us: 0,
            batch_brakes: BatchBrakeSettings::OFF,
            hours: None,
            terms: Terms::default(),
            spend: SpendCaps::default(),
            polled: None,
            in_flight: 8,
            begins_ms: 0,
            failover: false,
        }
    }
}

/// A journal that takes nothing while its disk is full.
#[derive(Default)]
pub struct Shaky {
    pub kept: Remembered,
    pub is_full: AtomicBool,
}

impl Journal for Shaky {
    fn append(&self, entry: Entry) -> BoxFuture<'_, Result<(), String>> {
        match self.is_full.load(Ordering::Relaxed) {
            true => futures::future::ready(Err("no space left".to_owned())).boxed(),
            false => self.kept.append(entry),
        }
    }
}

impl World {
    /// So many rows, none of them sent; look-ups and steps at most one every so many microseconds.
    pub fn new(rows: u16, look_up_interval_us: u64) -> World {
        World::at(Scene { look_up_interval_us, ..Scene::of(rows) })
    }

    /// So many rows of a batch that waits for so long.
    pub fn waiting(rows: u16, wait_ms: u64) -> World {
        let terms = Terms { not_before: ledger_time(wait_ms), ..Terms::default() };
        World::at(Scene { terms, ..Scene::of(rows) })
    }

    /// So many rows in one chunk, on a lane that has these hours.
    pub fn in_hours(rows: u16, hours: Hours) -> World {
        World::at(Scene { hours: Some(hours), ..Scene::of(rows) })
    }

    /// In chunks of so many rows, with caps on what may be spent; a few minutes before an hour ends.
    pub fn capped(rows: u16, chunk_rows: u16, spend: SpendCaps) -> World {
        World::at(Scene { chunk_rows, spend, begins_ms: BEFORE_THE_HOUR_MS, ..Scene::of(rows) })
    }

    /// So many rows in one chunk, which have a second lane.
    pub fn with_failover(rows: u16) -> World {
        World::at(Scene { failover: true, ..Scene::of(rows) })
    }

    /// In chunks of so many rows, with so many creates at once in the whole pool.
    pub fn seated(rows: u16, chunk_rows: u16, in_flight: u16) -> World {
        World::at(Scene { chunk_rows, in_flight, ..Scene::of(rows) })
    }

    /// In chunks of so many rows, with brakes of the batch.
    pub fn with(
        rows: u16,
        chunk_rows: u16,
        look_up_interval_us: u64,
        batch_brakes: BatchBrakeSettings,
    ) -> World {
        World::at(Scene { chunk_rows, look_up_interval_us, batch_brakes, ..Scene::of(rows) })
    }

    /// So many rows in one chunk, on a lane that is polled so.
    pub fn polled(rows: u16, polled: Polled) -> World {
        World::at(Scene { polled: Some(polled), ..Scene::of(rows) })
    }

    fn at(scene: Scene) -> World {
        let Scene { begins_ms, rows, chunk_rows, terms, failover, .. } = scene;
        let Scene { look_up_interval_us, batch_brakes, hours, spend, polled, in_flight, .. } =
            scene;
        let exec = Exec::new(Dice::new(1));
        let clock = exec.clone();
        let ledger = MemoryLedger::new(
            LedgerId::from_random(0),
            Arc::new(move || ledger_time(clock.now_ms())),
        );
        exec.spawn(OUTSIDE, exec.sleep(begins_ms).boxed());
        while exec.now_ms() < begins_ms {
            assert!(exec.step(), "time goes by");
        }
        let second = Via { lane: spare_name(), format: ReferenceFormat::Number };
        let second = failover.then_some(second);
        let batch: BatchId = block_on(take_in(&ledger, rows, chunk_rows, terms, second));
        let provider = Scripted::new(&exec, FINGERPRINT, polled);
        let spare = failover.then(|| Scripted::new(&exec, SPARE_FINGERPRINT, polled));
        let home = |id: &str| Home { id: id.to_owned(), host: id.to_owned(), ..Home::default() };
        let enlist = |id| block_on(senders::enlist(&ledger, &home(id), Sender::NOBODY));
        assert_eq!(enlist("far").expect("a number"), OTHER);
        let sender = enlist("near").expect("a number");
        let journal = Arc::new(Shaky::default());
        let served = (provider.clone(), spare.clone());
        let is_cut = Arc::<AtomicBool>::default();
        let lane = Served {
            provider: served.0,
            spare: served.1,
            look_up_interval_us,
            batch_brakes,
            hours,
            spend,
            polled,
            in_flight,
            is_cut: Arc::clone(&is_cut),
        };
        let engine = lane.start(&exec, &ledger, sender, journal.clone());
        let chunk = ChunkId { batch, no: 0 };
        World { exec, ledger, provider, spare, engine, journal, lane, is_cut, chunk }
    }

    /// The other worker comes up.
    pub fn neighbour(&self) -> Engine {
        self.lane.start(&self.exec, &self.ledger, OTHER, Arc::default())
    }

    /// The worker stops in order.
    pub fn stop(&self) {
        let (engine, has_stopped) = (self.engine.clone(), Arc::<AtomicBool>::default());
        let tells = Arc::clone(&has_stopped);
        let task = async move {
            engine.stop().await;
            tells.store(true, Ordering::Relaxed);
        };
        self.exec.spawn(OUTSIDE, task.boxed());
        self.until(|_| has_stopped.load(Ordering::Relaxed));
    }

    pub fn payouts(&self) -> Vec<Payout> {
        block_on(self.ledger.chunk(self.chunk)).expect("it answers").expect("a chunk").payouts
    }

    pub fn payout(&self, row: u16) -> Payout {
        self.payouts()[usize::from(row)]
    }

    /// The texts of a row's notes of one kind, oldest first.
    pub fn notes(&self, row: u16, kind: NoteKind) -> Vec<String> {
        let notes = block_on(self.ledger.notes(self.chunk)).expect("it answers");
        let wanted = notes.into_iter().filter(|(at, note)| *at == row && note.kind == kind);
        wanted.map(|(_, note)| note.text).collect()
    }

    /// What happened to a row before the test begins.
    pub fn happen(&self, row: u16, event: Event, notes: Vec<Note>) {
        let happening = Happening { row, payout: self.payout(row), event, notes };
        let (now, policy) = (self.now(), policy());
        let applied = apply(&self.ledger, self.chunk, Guard::Fact, now, &policy, vec![happening]);
        let applied = block_on(applied).expect("it answers").expect("no guard");
        assert!(applied.iter().all(|(_, applied)| applied.is_changed()), "{applied:?}");
    }

    /// A row was sent, and this was answered.
    pub fn sent(&self, row: u16, outcome: Outcome, notes: Vec<Note>) {
        self.intend(row, Account::of(FINGERPRINT));
        let intent = self.payout(row).intents;
        self.happen(row, Event::Outcome { intent, outcome }, notes);
    }

    /// Another worker is about to send a row.
    pub fn intend(&self, row: u16, account: Account) {
        let send_before = self.now().plus(policy().send_window_ms);
        self.happen(row, Event::Intent { send_before, sender: OTHER, account }, Vec::new());
    }

    pub fn now(&self) -> Millis {
        ledger_time(self.exec.now_ms())
    }

    /// How many payouts were asked about so far.
    pub fn asked(&self) -> usize {
        self.provider.asked.lock().expect("no panic").len()
    }

    /// What look-ups prove themselves by.
    pub fn control(&self) -> Option<Place> {
        block_on(self.ledger.lane(lane_name())).expect("it answers").control
    }

    /// The chunk is worked on as long as something can be done now.
    pub fn work(&self) {
        self.work_by(&self.engine);
    }

    /// The same, by one of two workers.
    pub fn work_by(&self, engine: &Engine) {
        assert!(engine.offer(self.chunk, &lane_name()), "nothing is at work");
        self.until(|_| engine.room(&lane_name()) > 0);
    }

    /// It is worked on again and again, for so long.
    pub fn work_for(&self, ms: u64) {
        let end_ms = self.exec.now_ms() + ms;
        while self.exec.now_ms() < end_ms {
            self.work();
            self.pass(250);
        }
    }

    pub fn pass(&self, ms: u64) {
        let end_ms = self.exec.now_ms() + ms;
        self.exec.spawn(OUTSIDE, self.exec.sleep(ms).boxed());
        self.until(|world| world.exec.now_ms() >= end_ms);
    }

    pub fn until(&self, wanted: impl Fn(&World) -> bool) {
        while !wanted(self) {
            assert!(self.exec.step(), "nothing can happen any more");
        }
    }

    /// A callback about each of these rows, all at once; and what was answered.
    pub fn hear(&self, rows: &[u16], kind: CallbackKind) -> Vec<Hearing> {
        self.hear_of(1, rows, kind)
    }

    /// The same about this attempt.
    pub fn hear_of(&self, attempt: u8, rows: &[u16], kind: CallbackKind) -> Vec<Hearing> {
        self.hear_on(&lane_name(), attempt, rows, kind)
    }

    /// The same, from this lane.
    pub fn hear_on(
        &self,
        lane: &LaneName,
        attempt: u8,
        rows: &[u16],
        kind: CallbackKind,
    ) -> Vec<Hearing> {
        let heard: Arc<Mutex<Vec<Hearing>>> = Arc::default();
        for row in rows {
            let (engine, heard) = (self.engine.clone(), Arc::clone(&heard));
            let place = Place { chunk: self.chunk, row: *row };
            let lane = lane.clone();
            let task = async move {
                let request = CallbackRequest { kind, signature: None, body: Vec::new() };
                let hearing = engine.hear(&lane, place, attempt, request).await;
                heard.lock().expect("no panic").push(hearing.expect("the ledger answers"));
            };
            self.exec.spawn(OUTSIDE, task.boxed());
        }
        self.until(|_| heard.lock().expect("no panic").len() == rows.len());
        let heard = heard.lock().expect("no panic");
        heard.clone()
    }
}

/// Found, with this news.
pub fn is(news: domain::News, provider_id: Option<&str>, text: &str) -> Found {
    Found::Is {
        news,
        provider_id: provider_id.map(str::to_owned),
        cost: None,
        receipts: Vec::new(),
        text: text.to_owned(),
    }
}
