//! How many requests of a lane may be under way at once in this process.

use futures::channel::oneshot;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A counted window, first come, first served.
#[derive(Clone)]
pub struct Window(Arc<Mutex<State>>);

struct State {
    free: usize,
    waiting: VecDeque<oneshot::Sender<()>>,
}

/// One place in the window; free again when dropped.
pub struct Slot(Window);

impl Window {
    /// A window of `size` places.
    pub fn new(size: u16) -> Window {
        let state = State { free: usize::from(size.max(1)), waiting: VecDeque::new() };
        Window(Arc::new(Mutex::new(state)))
    }

    /// At least one place and at most `most`: waits until one is free, then takes what is there.
    pub async fn take(&self, most: usize) -> Vec<Slot> {
        loop {
            let wait = {
                let mut state = self.lock();
                let count = state.free.min(most.max(1));
                if count > 0 {
                    state.free -= count;
                    return (0..count).map(|_| Slot(self.clone())).collect();
                }
                let (wake, wait) = oneshot::channel();
                state.waiting.push_back(wake);
                wait
            };
            // A dropped sender is a wake-up too: look again.
            let _ = wait.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.free += 1;
        // A waiter that went away does not use up the wake-up.
        while let Some(wake) = state.waiting.pop_front() {
            if wake.send(()).is_ok() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use futures::executor::block_on;

    #[test]
    fn no_more_than_the_window_is_given_and_a_dropped_slot_wakes_the_next() {
        let window = Window::new(3);
        let mut held = block_on(window.take(10));
        assert_eq!(held.len(), 3);
        assert!(window.take(1).now_or_never().is_none(), "the window is full");
        held.pop();
        assert_eq!(block_on(window.take(10)).len(), 1);
    }
}
