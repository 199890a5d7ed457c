//! What befalls the workers: power cuts, freezes that end after a while, after a long time or
//! never, and words from strangers. A worker that is frozen for longer than anybody waits has a
//! new one started in its place, and may wake up beside it at any time.

use crate::exec::{Actor, FOR_EVER};
use crate::pool::{Pool, lock};
use crate::process::OUTSIDE;
use crate::rewind::Plan;
use domain::BatchId;
use futures::FutureExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Mishaps in a thousand that come with a callback about a payout that nobody talked of.
const STRAY_HINTS: u64 = 300;

/// Freezes that nobody notices, and those after which a new worker is started.
const SHORT_MS: u64 = 30_000;
const LONG_MS: u64 = 20 * 60_000;

/// Of those frozen for ever, so many in a thousand that a person writes off: he ends the machine for
/// good and only then says that it is lost.
const WRITTEN_OFF: u64 = 300;

/// Of the dead that nobody follows, so many in a thousand whose death is noticed.
const NOTICED: u64 = 700;

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
    goes_back: Arc<AtomicBool>,
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
            goes_back: Arc::default(),
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
        let mut plan = Plan::drawn(self);
        let begun_ms = self.exec().now_ms();
        let task = async move {
            loop {
                let dice = pool.exec().dice();
                let is_late = pool.exec().now_ms() > begun_ms + BUSY_MS;
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
                pool.follow(&mut plan, batch).await;
            }
        };
        self.exec().spawn(OUTSIDE, task.boxed());
    }

    /// Whether the ledger is going back just now: nobody works.
    pub fn is_going_back(&self) -> bool {
        self.mishaps.goes_back.load(Ordering::Relaxed)
    }

    pub(crate) fn set_going_back(&self, goes_back: bool) {
        self.mishaps.goes_back.store(goes_back, Ordering::Relaxed);
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.mishaps.over.load(Ordering::Relaxed)
    }

    /// A power cut for everything: also who slept never wakes up again. Gives who is to be started.
    pub(crate) fn kill_all(&self) -> Vec<Actor> {
        for sleeper in lock(&self.mishaps.sleepers).drain(..) {
            self.kill(sleeper);
        }
        let at_work = lock(&self.mishaps.places).0.clone();
        at_work.iter().for_each(|actor| self.kill(*actor));
        at_work
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

    /// Whoever wakes up beside his successor works on for a while, until somebody ends him. Before
    /// that he is never said to be gone.
    fn end_late(&self, actor: Actor, frozen_ms: u64) {
        let pool = self.clone();
        let dice = self.exec().dice();
        let lives_ms = dice.below(LATE_LIFE_MS);
        let is_written_off = frozen_ms == FOR_EVER && dice.chance(WRITTEN_OFF);
        let ends_in_ms = match is_written_off {
            true => dice.below(LONG_MS),
            false => frozen_ms.saturating_add(lives_ms),
        };
        let is_noticed = is_written_off || dice.chance(NOTICED);
        let task = async move {
            pool.exec().sleep(ends_in_ms).await;
            lock(&pool.mishaps.sleepers).retain(|sleeper| *sleeper != actor);
            pool.kill(actor);
            if is_noticed {
                pool.notice_dead(actor);
            }
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
