//! A deterministic executor: tasks of actors, timers, and a clock that jumps to the next timer
//! when nobody can go on. Actors can be killed (their tasks are dropped where they stand) and
//! frozen (their tasks are not polled, whatever wakes them, for a while or for ever).
//!
//! Everything is drawn from the dice of one seed and happens on one thread, so a seed gives the
//! same steps every time.

use crate::dice::Dice;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Whose a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor(pub u32);

/// A freeze that nobody ends by itself.
pub const FOR_EVER: u64 = u64::MAX;

type TaskId = u64;
type Ready = Arc<Mutex<Vec<Arc<Alarm>>>>;

/// The executor. Cheap to clone.
#[derive(Clone)]
pub struct Exec(Arc<Parts>);

struct Parts {
    dice: Dice,
    ready: Ready,
    inner: Mutex<Inner>,
}

struct Task {
    actor: Actor,
    /// Taken out while it is polled.
    future: Option<BoxFuture<'static, ()>>,
}

#[derive(Default)]
struct Inner {
    now_ms: u64,
    tasks: BTreeMap<TaskId, Task>,
    timers: BTreeMap<(u64, u64), Waker>,
    /// Until when an actor is frozen, and its tasks that were woken since.
    frozen: BTreeMap<Actor, (u64, Vec<Arc<Alarm>>)>,
    /// When the first of them thaws, or earlier.
    next_thaw_ms: Option<u64>,
    next_id: u64,
}

impl Inner {
    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Thaws whose time has come; gives their tasks that were woken meanwhile.
    fn thaw(&mut self) -> Vec<Arc<Alarm>> {
        let now_ms = self.now_ms;
        let thawed = self.frozen.extract_if(.., |_, (until, _)| *until <= now_ms);
        let woken = thawed.flat_map(|(_, (_, woken))| woken).collect();
        let thaws = self.frozen.values().map(|(until, _)| *until);
        self.next_thaw_ms = thaws.filter(|until| *until != FOR_EVER).min();
        woken
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes one task: once in the list however often it is called.
struct Alarm {
    id: TaskId,
    is_listed: AtomicBool,
    ready: Ready,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_listed.swap(true, Ordering::Relaxed) {
            lock(&self.ready).push(Arc::clone(self));
        }
    }
}

impl Exec {
    /// An executor at the start of its time.
    pub fn new(dice: Dice) -> Exec {
        Exec(Arc::new(Parts { dice, ready: Ready::default(), inner: Mutex::default() }))
    }

    /// Virtual time.
    pub fn now_ms(&self) -> u64 {
        lock(&self.0.inner).now_ms
    }

    /// The seed's dice.
    pub fn dice(&self) -> &Dice {
        &self.0.dice
    }

    /// Starts a task of an actor.
    pub fn spawn(&self, actor: Actor, future: BoxFuture<'static, ()>) {
        let mut inner = lock(&self.0.inner);
        let id = inner.id();
        inner.tasks.insert(id, Task { actor, future: Some(future) });
        let ready = Arc::clone(&self.0.ready);
        let alarm = Arc::new(Alarm { id, is_listed: AtomicBool::new(true), ready });
        lock(&self.0.ready).push(alarm);
    }

    /// A future that ends `ms` later.
    pub fn sleep(&self, ms: u64) -> Sleep {
        let until_ms = self.now_ms().saturating_add(ms);
        Sleep { exec: self.clone(), until_ms, timer: None }
    }

    /// Drops all tasks of an actor where they stand: a power cut for that process.
    pub fn kill(&self, actor: Actor) {
        let dead: Vec<Task> = {
            let mut inner = lock(&self.0.inner);
            inner.frozen.remove(&actor);
            inner
                .tasks
                .extract_if(.., |_, task| task.actor == actor)
                .map(|(_, task)| task)
                .collect()
        };
        // What they hold may wake others or end timers: not under the lock.
        drop(dead);
    }

    /// Polls no task of an actor for `ms`, or [`FOR_EVER`].
    pub fn freeze(&self, actor: Actor, ms: u64) {
        let mut inner = lock(&self.0.inner);
        let until_ms = inner.now_ms.saturating_add(ms);
        inner.frozen.entry(actor).or_default().0 = until_ms;
        if until_ms != FOR_EVER {
            inner.next_thaw_ms = Some(inner.next_thaw_ms.map_or(until_ms, |at| at.min(until_ms)));
        }
    }

    /// Drops all that there is: tasks hold the executor that holds them.
    pub fn end(&self) {
        let (tasks, timers) = {
            let mut inner = lock(&self.0.inner);
            inner.frozen.clear();
            (std::mem::take(&mut inner.tasks), std::mem::take(&mut inner.timers))
        };
        drop((tasks, timers));
        lock(&self.0.ready).clear();
    }

    /// Polls one task, or lets time jump. False when nothing can ever happen again.
    pub fn step(&self) -> bool {
        let Some((alarm, mut future)) = self.pick() else { return self.jump() };
        let id = alarm.id;
        let waker = Waker::from(alarm);
        let is_done = future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        if is_done {
            lock(&self.0.inner).tasks.remove(&id);
        } else if let Some(task) = lock(&self.0.inner).tasks.get_mut(&id) {
            task.future = Some(future);
        }
        true
    }

    /// A random ready task of an actor that is not frozen.
    fn pick(&self) -> Option<(Arc<Alarm>, BoxFuture<'static, ()>)> {
        let mut inner = lock(&self.0.inner);
        let mut ready = lock(&self.0.ready);
        loop {
            let len = u64::try_from(ready.len()).ok().filter(|len| *len > 0)?;
            let alarm = ready.swap_remove(usize::try_from(self.0.dice.below(len)).ok()?);
            let Some(actor) = inner.tasks.get(&alarm.id).map(|task| task.actor) else { continue };
            if let Some((_, woken)) = inner.frozen.get_mut(&actor) {
                woken.push(alarm);
                continue;
            }
            alarm.is_listed.store(false, Ordering::Relaxed);
            let task = inner.tasks.get_mut(&alarm.id)?;
            return Some((alarm, task.future.take()?));
        }
    }

    /// To the next timer or thaw.
    fn jump(&self) -> bool {
        let woken: Vec<Waker> = {
            let mut inner = lock(&self.0.inner);
            let timer = inner.timers.keys().next().map(|(at, _)| *at);
            let Some(next) = timer.into_iter().chain(inner.next_thaw_ms).min() else {
                return false;
            };
            inner.now_ms = inner.now_ms.max(next);
            let now_ms = inner.now_ms;
            if inner.next_thaw_ms.is_some_and(|at| at <= now_ms) {
                lock(&self.0.ready).extend(inner.thaw());
            }
            let mut woken = Vec::new();
            while let Some(first) = inner.timers.first_entry().filter(|t| t.key().0 <= now_ms) {
                woken.push(first.remove());
            }
            woken
        };
        woken.into_iter().for_each(Waker::wake);
        true
    }
}

/// See [`Exec::sleep`].
pub struct Sleep {
    exec: Exec,
    until_ms: u64,
    /// The timer that stands, and whom it wakes.
    timer: Option<(u64, Waker)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let exec = self.exec.clone();
        let mut inner = lock(&exec.0.inner);
        if inner.now_ms >= self.until_ms {
            return Poll::Ready(());
        }
        if self.timer.as_ref().is_some_and(|(_, waker)| waker.will_wake(context.waker())) {
            return Poll::Pending;
        }
        let id = inner.id();
        let waker = context.waker().clone();
        inner.timers.insert((self.until_ms, id), waker.clone());
        if let Some((old, _)) = self.timer.replace((id, waker)) {
            inner.timers.remove(&(self.until_ms, old));
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some((id, _)) = self.timer {
            lock(&self.exec.0.inner).timers.remove(&(self.until_ms, id));
        }
    }
}
