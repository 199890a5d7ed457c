//! A process as the engine in it sees the world: time, randomness, and tasks that die with it.

use crate::exec::{Actor, Exec};
use engine::Env;
use futures::FutureExt;
use futures::future::BoxFuture;

/// What is not a worker: the provider, its callbacks, the chaos.
pub const OUTSIDE: Actor = Actor(0);
/// The person who enters codes, and his machine.
pub const OPERATOR: Actor = Actor(u32::MAX);
/// The person who decides reviews, and his.
pub const OFFICE: Actor = Actor(u32::MAX - 1);

/// The engine's world inside one process.
pub struct ProcessEnv {
    exec: Exec,
    actor: Actor,
}

impl ProcessEnv {
    /// The world of a process.
    pub fn new(exec: Exec, actor: Actor) -> ProcessEnv {
        ProcessEnv { exec, actor }
    }
}

impl Env for ProcessEnv {
    fn now_ms(&self) -> u64 {
        self.exec.now_ms()
    }

    fn sleep(&self, ms: u64) -> BoxFuture<'static, ()> {
        self.exec.sleep(ms).boxed()
    }

    fn random(&self) -> u64 {
        self.exec.dice().bits()
    }

    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.exec.spawn(self.actor, task);
    }
}
