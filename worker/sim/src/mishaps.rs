//! What befalls the workers: power cuts, freezes that end after a while, after a long time or
//! never, and words from strangers. A worker that is frozen for longer than anybody waits has a
//! new one started in its place, and may wake up beside it at any time.

use crate::exec::{Actor, FOR_EVER};
use crate::pool::{Pool, lock};
use crate::process::OUTSIDE;
use domain::BatchId;
use futures::FutureExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Mishaps in a thousand that come with a callback about a payout that nobody talked of.
const STRAY_HINTS: u64 = 300;

/// Freezes that nobody notices, and those after which a new worker is started.
const SHORT_MS: u64 = 30_000;
const LONG_MS: u64 = 20 * 60_000;

/// How long one that woke up beside its successor lives on.
const LATE_LIFE_MS: u64 = 60_000;

/// When nothing is left to do but to wait, mishaps come so many times more slowly; and so they do
/// after so long, whatever is left.
const QUIET: u64 = 10;
const BUSY_MS: u64 = 10 * 60_000;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mishap {
    /// When.
    pub at_ms: u64,
    /// Which worker.
    pub actor: Actor,
    /// A freeze of so long; `None` for a power cut.
    pub frozen_ms: Option<u64>,
}

/// What befell so far, and who is at work in which place.
#[derive(Clone)]
pub struct Mishaps {
    happened: Arc<Mutex<Vec<Mishap>>>,
    /// The processes in each place, and the number of the newest.
    places: Arc<Mutex<(Vec<Actor>, u32)>>,
    sleepers: Arc<Mutex<Vec<Actor>>>,
    quiet: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
}

impl Mishaps {
    /// So many workers, numbered from 1, to whom nothing has happened yet.
    pub fn new(workers: u32) -> Mishaps {
        Mishaps {
            happened: Arc::default(),
            places: Arc::new(Mutex::new(((1..=workers).map(Actor).collect(), workers))),
            sleepers: Arc::default(),
            quiet: Arc::default(),
            over: Arc::default(),
        }
    }

    /// All of them, in order.
    pub fn all(&self) -> Vec<Mishap> {
        lock(&self.happened).clone()
    }
}

impl Pool {
    /// Mishaps come more slowly: the batch is complete.
    pub fn quiet(&self) {
        self.mishaps.quiet.store(true, Ordering::Relaxed);
    }

    /// No more of them; half of those who slept for long wake up now.
    pub fn calm(&self) {
        self.mishaps.over.store(true, Ordering::Relaxed);
        for actor in lock(&self.mishaps.sleepers).drain(..) {
            if self.exec().dice().chance(500) {
                self.exec().freeze(actor, 0);
            }
        }
    }

    /// Brings mishaps over the workers until it is calm.
    pub fn start_chaos(&self, batch: BatchId) {
        let pool = self.clone();
        let task = async move {
            loop {
                let dice = pool.exec().dice();
                let is_late = pool.exec().now_ms() > BUSY_MS;
                let is_quiet = is_late || pool.mishaps.quiet.load(Ordering::Relaxed);
                let slower = if is_quiet { QUIET } else { 1 };
                pool.exec().sleep((200 + dice.below(4_000)) * slower).await;
                if pool.mishaps.over.load(Ordering::Relaxed) {
                    return;
                }
                if dice.chance(STRAY_HINTS) {
                    pool.strange_word(batch);
                }
                pool.befall().await;
            }
        };
        self.exec().spawn(OUTSIDE, task.boxed());
    }

    async fn befall(&self) {
        let dice = self.exec().dice();
        let at = usize::try_from(dice.below(u64::from(self.scenario().workers))).unwrap_or(0);
        let Some(actor) = lock(&self.mishaps.places).0.get(at).copied() else { return };
        let roll = dice.below(100);
        let frozen_ms = match roll {
            0..50 => None,
            50..85 => Some(dice.below(SHORT_MS)),
            85..95 => Some(dice.below(LONG_MS)),
            _ => Some(FOR_EVER),
        };
        let at_ms = self.exec().now_ms();
        lock(&self.mishaps.happened).push(Mishap { at_ms, actor, frozen_ms });
        let Some(ms) = frozen_ms else {
            self.kill(actor);
            self.exec().sleep(dice.below(3_000)).await;
            self.start(actor);
            return;
        };
        self.exec().freeze(actor, ms);
        if roll >= 85 {
            lock(&self.mishaps.sleepers).push(actor);
            self.replace(at);
            self.end_late(actor, ms);
        }
    }

    /// Whoever wakes up beside his successor works on for a while, until somebody ends him.
    fn end_late(&self, actor: Actor, frozen_ms: u64) {
        let pool = self.clone();
        let lives_ms = self.exec().dice().below(LATE_LIFE_MS);
        let task = async move {
            pool.exec().sleep(frozen_ms.saturating_add(lives_ms)).await;
            lock(&pool.mishaps.sleepers).retain(|sleeper| *sleeper != actor);
            pool.kill(actor);
        };
        self.exec().spawn(OUTSIDE, task.boxed());
    }

    /// A new process in the place of one that does not answer. The old one may wake up.
    fn replace(&self, at: usize) {
        let newcomer = {
            let mut places = lock(&self.mishaps.places);
            places.1 += 1;
            let newcomer = Actor(places.1);
            if let Some(place) = places.0.get_mut(at) {
                *place = newcomer;
            }
            newcomer
        };
        self.start(newcomer);
    }

    fn strange_word(&self, batch: BatchId) {
        let (pool, place) = (self.clone(), self.any_place(batch));
        let is_forged = self.exec().dice().chance(500);
        let word = async move {
            match is_forged {
                true => pool.forge(place).await,
                false => pool.hint(place).await,
            }
        };
        self.exec().spawn(OUTSIDE, word.boxed());
    }
}
