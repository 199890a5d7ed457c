//! A deterministic executor: tasks of actors, timers, and a clock that jumps to the next timer
//! when nobody can go on. Actors can be killed (their tasks are dropped where they stand) and
//! frozen (their tasks are not polled for a while, whatever wakes them).

use crate::dice::Dice;
use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Whose a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor(pub u32);

type TaskId = u64;
type Ready = Arc<Mutex<BTreeSet<TaskId>>>;

/// The executor. Cheap to clone.
#[derive(Clone)]
pub struct Exec {
    dice: Dice,
    ready: Ready,
    inner: Arc<Mutex<Inner>>,
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
    frozen_until: BTreeMap<Actor, u64>,
    next_id: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Alarm {
    id: TaskId,
    ready: Ready,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        lock(&self.ready).insert(self.id);
    }
}

impl Exec {
    /// An executor at the start of its time.
    pub fn new(dice: Dice) -> Exec {
        Exec { dice, ready: Ready::default(), inner: Arc::default() }
    }

    /// Virtual time.
    pub fn now_ms(&self) -> u64 {
        lock(&self.inner).now_ms
    }

    /// The seed's dice.
    pub fn dice(&self) -> &Dice {
        &self.dice
    }

    /// Starts a task of an actor.
    pub fn spawn(&self, actor: Actor, future: BoxFuture<'static, ()>) {
        let mut inner = lock(&self.inner);
        let id = inner.next_id;
        inner.next_id += 1;
        inner.tasks.insert(id, Task { actor, future: Some(future) });
        lock(&self.ready).insert(id);
    }

    /// A future that ends `ms` later.
    pub fn sleep(&self, ms: u64) -> Sleep {
        let until_ms = self.now_ms().saturating_add(ms);
        Sleep { exec: self.clone(), until_ms }
    }

    /// Drops all tasks of an actor where they stand: a power cut for that process.
    pub fn kill(&self, actor: Actor) {
        let dead: Vec<Task> = {
            let mut inner = lock(&self.inner);
            let ids: Vec<TaskId> =
                inner.tasks.iter().filter(|(_, t)| t.actor == actor).map(|(id, _)| *id).collect();
            inner.frozen_until.remove(&actor);
            ids.iter().filter_map(|id| inner.tasks.remove(id)).collect()
        };
        drop(dead);
    }

    /// Polls no task of an actor for `ms`.
    pub fn freeze(&self, actor: Actor, ms: u64) {
        let mut inner = lock(&self.inner);
        let until = inner.now_ms.saturating_add(ms);
        inner.frozen_until.insert(actor, until);
    }

    /// Polls one task, or lets time jump. False when nothing can ever happen again.
    pub fn step(&self) -> bool {
        if let Some((id, mut future)) = self.pick() {
            let waker = Waker::from(Arc::new(Alarm { id, ready: Arc::clone(&self.ready) }));
            let done = future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
            let mut inner = lock(&self.inner);
            if done {
                inner.tasks.remove(&id);
            } else if let Some(task) = inner.tasks.get_mut(&id) {
                task.future = Some(future);
            }
            return true;
        }
        self.jump()
    }

    /// A random ready task of an actor that is not frozen.
    fn pick(&self) -> Option<(TaskId, BoxFuture<'static, ()>)> {
        let mut inner = lock(&self.inner);
        let now_ms = inner.now_ms;
        inner.frozen_until.retain(|_, until| *until > now_ms);
        let mut ready = lock(&self.ready);
        ready.retain(|id| inner.tasks.contains_key(id));
        let can_go: Vec<TaskId> = ready
            .iter()
            .filter(|id| {
                let actor = inner.tasks.get(id).map(|t| t.actor);
                actor.is_some_and(|a| !inner.frozen_until.contains_key(&a))
            })
            .copied()
            .collect();
        let len = u64::try_from(can_go.len()).ok().filter(|len| *len > 0)?;
        let id = *can_go.get(usize::try_from(self.dice.below(len)).ok()?)?;
        ready.remove(&id);
        let future = inner.tasks.get_mut(&id)?.future.take()?;
        Some((id, future))
    }

    /// To the next timer or thaw.
    fn jump(&self) -> bool {
        let woken: Vec<Waker> = {
            let mut inner = lock(&self.inner);
            let timer = inner.timers.keys().next().map(|(at, _)| *at);
            let thaw = inner.frozen_until.values().min().copied();
            let Some(next) = timer.into_iter().chain(thaw).min() else { return false };
            inner.now_ms = inner.now_ms.max(next);
            let after = (inner.now_ms + 1, 0);
            let later = inner.timers.split_off(&after);
            std::mem::replace(&mut inner.timers, later).into_values().collect()
        };
        woken.into_iter().for_each(Waker::wake);
        true
    }
}

/// See [`Exec::sleep`].
pub struct Sleep {
    exec: Exec,
    until_ms: u64,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = lock(&self.exec.inner);
        if inner.now_ms >= self.until_ms {
            return Poll::Ready(());
        }
        let id = inner.next_id;
        inner.next_id += 1;
        inner.timers.insert((self.until_ms, id), context.waker().clone());
        Poll::Pending
    }
}
