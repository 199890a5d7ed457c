//! A ledger that only knows which chunks are ready, and a taker that only counts.

use domain::{BatchId, ChunkId, LaneName};
use futures::FutureExt;
use futures::future::BoxFuture;
use ledger::LedgerError;
use queue::{Hint, Listening, Pump, Queue, Ready, Taker};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The slots of the engine that these tests pretend to have.
pub const SLOTS: u16 = 4;

pub fn lane() -> LaneName {
    LaneName::new("main").expect("a name")
}

pub fn chunk(no: u16) -> ChunkId {
    ChunkId { batch: BatchId(ulid::Ulid::from_parts(1, 2)), no }
}

/// Chunks that are ready until somebody claims them, each hinted for a while.
#[derive(Default)]
pub struct Shelf {
    ready: Mutex<BTreeMap<ChunkId, Option<Instant>>>,
    away: AtomicBool,
}

impl Shelf {
    pub fn put(&self, numbers: impl IntoIterator<Item = u16>) {
        self.ready
            .lock()
            .expect("no panic")
            .extend(numbers.into_iter().map(|no| (chunk(no), None)));
    }

    pub fn hinted(&self) -> usize {
        self.ready.lock().expect("no panic").values().flatten().count()
    }

    pub fn is_empty(&self) -> bool {
        self.ready.lock().expect("no panic").is_empty()
    }

    pub fn go_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }
}

/// The same shelf, as the pump and as takers see it.
pub struct Shared(pub Arc<Shelf>);

impl Ready for Shared {
    fn take_ready(
        &self,
        _: LaneName,
        max: u16,
        hint_ms: u64,
    ) -> BoxFuture<'_, Result<Vec<ChunkId>, LedgerError>> {
        if self.0.away.load(Ordering::SeqCst) {
            let away = LedgerError::Unavailable("switched off by the test".to_owned());
            return async { Err(away) }.boxed();
        }
        let now = Instant::now();
        let mut ready = self.0.ready.lock().expect("no panic");
        let free = ready.iter_mut().filter(|(_, until)| until.is_none_or(|until| until <= now));
        let mut given = Vec::new();
        for (chunk, until) in free.take(usize::from(max)) {
            *until = Some(now + Duration::from_millis(hint_ms));
            given.push(*chunk);
        }
        async { Ok(given) }.boxed()
    }
}

/// Takes hints and claims their chunks from the shelf at once.
pub struct Engine {
    shelf: Arc<Shelf>,
    pub room: AtomicU16,
    pub taken: Mutex<Vec<ChunkId>>,
}

impl Engine {
    pub fn new(shelf: &Arc<Shelf>, room: u16) -> Arc<Engine> {
        let taken = Mutex::default();
        Arc::new(Engine { shelf: shelf.clone(), room: AtomicU16::new(room), taken })
    }

    pub fn count(&self) -> usize {
        self.taken.lock().expect("no panic").len()
    }

    pub fn distinct(&self) -> usize {
        self.taken.lock().expect("no panic").iter().collect::<BTreeSet<_>>().len()
    }
}

impl Taker for Engine {
    fn room(&self, _: &LaneName) -> u16 {
        self.room.load(Ordering::SeqCst)
    }

    fn offer(&self, hint: Hint) -> bool {
        self.taken.lock().expect("no panic").push(hint.chunk);
        self.shelf.ready.lock().expect("no panic").remove(&hint.chunk).is_some()
    }
}

/// One process: its queue, pump and engine.
pub struct Process {
    pub queue: Queue,
    pub engine: Arc<Engine>,
    pub pump: Pump,
    pub listening: Listening,
}

impl Process {
    pub fn start(queue: Queue, shelf: &Arc<Shelf>, room: u16) -> Process {
        let engine = Engine::new(shelf, room);
        let taker: Arc<dyn Taker> = engine.clone();
        let listening = queue.listen(&[lane()], &taker);
        let ready = Arc::new(Shared(shelf.clone()));
        let pump = Pump::start(queue.clone(), ready, vec![lane()], SLOTS);
        Process { queue, engine, pump, listening }
    }

    pub async fn stop(self) {
        self.pump.stop().await;
        self.listening.stop().await;
    }
}

/// Waits for a condition and says how long it took.
pub async fn within(limit: Duration, what: &str, mut met: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !met() {
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    start.elapsed()
}
