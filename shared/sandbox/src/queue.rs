//! A queue that many tasks take from; nothing is lost and nobody spins.
//!
//! Its length is bounded by what is put in: each payout has at most one callback in it.

use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::sync::Semaphore;

use crate::clock::lock;

pub(crate) struct Queue<T> {
    items: Mutex<VecDeque<T>>,
    /// One permit an item.
    ready: Semaphore,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        Self { items: Mutex::new(VecDeque::new()), ready: Semaphore::new(0) }
    }

    pub(crate) fn push(&self, item: T) {
        lock(&self.items).push_back(item);
        self.ready.add_permits(1);
    }

    /// Waits for an item. `None` only if the queue was torn down under the caller.
    pub(crate) async fn pop(&self) -> Option<T> {
        self.ready.acquire().await.ok()?.forget();
        lock(&self.items).pop_front()
    }
}
