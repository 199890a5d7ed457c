//! How many creates of a lane may be under way at once in this process: as many as its share of
//! the lane's seats, for as long as that share lasts.

use futures::channel::oneshot;
use ledger::LedgerError;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A share that nobody asks for is given back after so long: a pool at rest holds nothing, and a
/// batch that comes in slices is not given back between two of them.
const IDLE_MS: u64 = 1_000;

/// A counted window, first come, first served.
#[derive(Clone, Default)]
pub struct Window(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    size: usize,
    /// The share ends then, on our own clock.
    ends_ms: u64,
    used: usize,
    waiting: VecDeque<oneshot::Sender<Option<LedgerError>>>,
    /// Slots were taken since the last look, and when a look last found any wanted.
    was_taken: bool,
    wanted_ms: u64,
    /// Somebody renews the share, and gives it back.
    is_kept: bool,
    is_closed: bool,
    /// How often slots were lost to the pool: none of them begins anything any more.
    losses: u64,
}

/// One place in the window; free again when dropped.
pub struct Slot {
    window: Window,
    losses: u64,
}

/// What came of asking for slots.
pub(crate) enum Taken {
    /// At least one.
    Slots(Vec<Slot>),
    /// None, and there will be none: no new work is begun.
    Closed,
    /// None yet. Whoever waits is woken when to ask again, or told what keeps him from it.
    Wait {
        /// When that is.
        wake: oneshot::Receiver<Option<LedgerError>>,
        /// It is for the others in the pool to give way, and not for our own requests to end.
        has_none: bool,
        /// Nobody keeps the share: the caller has to see to it.
        wants_keeper: bool,
    },
}

impl Window {
    /// Takes what is free, at most `most`.
    pub(crate) fn take(&self, now_ms: u64, most: usize) -> Taken {
        let mut state = self.lock();
        if state.is_closed {
            return Taken::Closed;
        }
        let size = if now_ms < state.ends_ms { state.size } else { 0 };
        let count = size.saturating_sub(state.used).min(most.max(1));
        if count > 0 {
            state.used += count;
            state.was_taken = true;
            let losses = state.losses;
            let slot = |_| Slot { window: self.clone(), losses };
            return Taken::Slots((0..count).map(slot).collect());
        }
        let (tell, wake) = oneshot::channel();
        state.waiting.push_back(tell);
        let wants_keeper = !std::mem::replace(&mut state.is_kept, true);
        Taken::Wait { wake, has_none: size == 0, wants_keeper }
    }

    /// Whether the share lasts.
    pub(crate) fn lasts(&self, now_ms: u64) -> bool {
        now_ms < self.lock().ends_ms
    }

    /// No more than `size` are taken from now on. Gives how many are.
    pub(crate) fn limit(&self, size: usize) -> usize {
        let mut state = self.lock();
        state.size = state.size.min(size);
        state.used
    }

    /// The share is so large, until then, and the pool knows of `kept` slots; all who wait look
    /// again. Where more are out, their share had ended and others have their seats: what began in
    /// them has ended, too, and what has not begun must not.
    pub(crate) fn grant(&self, size: usize, kept: usize, ends_ms: u64) {
        let mut state = self.lock();
        (state.size, state.ends_ms) = (size, ends_ms);
        state.losses += u64::from(state.used > kept);
        state.wake(None);
    }

    /// When the share ends.
    pub(crate) fn ends_ms(&self) -> u64 {
        self.lock().ends_ms
    }

    /// All who wait look again; where nothing can be had, they hear why.
    pub(crate) fn wake(&self, now_ms: u64, error: Option<&LedgerError>) {
        let mut state = self.lock();
        let lasts = now_ms < state.ends_ms;
        state.wake(error.filter(|_| !lasts));
    }

    /// Whether anybody wants slots, has some, or has had some a moment ago. Where not, none are given
    /// before the next grant.
    pub(crate) fn is_wanted(&self, now_ms: u64) -> bool {
        let mut state = self.lock();
        let is_wanted = state.is_wanted(now_ms);
        if !is_wanted {
            state.size = 0;
        }
        is_wanted
    }

    /// Nobody keeps the share any more; false where somebody came to wait for it meanwhile.
    pub(crate) fn let_go(&self) -> bool {
        let mut state = self.lock();
        (state.size, state.ends_ms) = (0, 0);
        state.waiting.retain(|wake| !wake.is_canceled());
        state.is_kept = !state.waiting.is_empty() && !state.is_closed;
        if !state.is_kept {
            state.wake(None);
        }
        !state.is_kept
    }

    /// Its keeper is no more: who asks next sees to another, and those who wait ask again.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        (state.size, state.ends_ms, state.is_kept) = (0, 0, false);
        state.wake(None);
    }

    /// No slots are given any more. Gives who tells that nobody keeps the share, where somebody does.
    pub(crate) fn close(&self) -> Option<oneshot::Receiver<Option<LedgerError>>> {
        let mut state = self.lock();
        if !std::mem::replace(&mut state.is_closed, true) {
            state.wake(None);
        }
        state.is_kept.then(|| {
            let (tell, wake) = oneshot::channel();
            state.waiting.push_back(tell);
            wake
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self, error: Option<&LedgerError>) {
        for wake in self.waiting.drain(..) {
            // Whoever went away needs no waking.
            let _ = wake.send(error.cloned());
        }
    }

    fn is_wanted(&mut self, now_ms: u64) -> bool {
        if self.is_closed {
            return self.used > 0;
        }
        self.waiting.retain(|wake| !wake.is_canceled());
        let waits = !self.waiting.is_empty();
        if std::mem::take(&mut self.was_taken) || self.used > 0 || waits {
            self.wanted_ms = now_ms;
        }
        // Who has nothing has nothing to hold on to.
        let holds = self.size > 0 && now_ms < self.wanted_ms.saturating_add(IDLE_MS);
        waits || self.used > 0 || holds
    }
}

impl Slot {
    /// Whether a request may begin in it: it may have waited for long.
    pub(crate) fn holds(&self, now_ms: u64) -> bool {
        let state = self.window.lock();
        now_ms < state.ends_ms && self.losses == state.losses
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.window.lock();
        state.used -= 1;
        // A waiter that went away does not use up the wake-up.
        while let Some(wake) = state.waiting.pop_front() {
            if wake.send(None).is_ok() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    /// Slots, or a promise of them.
    fn taken(taken: Taken) -> Result<Vec<Slot>, oneshot::Receiver<Option<LedgerError>>> {
        match taken {
            Taken::Slots(slots) => Ok(slots),
            Taken::Wait { wake, .. } => Err(wake),
            Taken::Closed => panic!("it is open"),
        }
    }

    #[test]
    fn no_more_than_the_share_is_given_and_a_dropped_slot_wakes_the_next() {
        let window = Window::default();
        window.grant(3, 3, 1_000);
        let mut held = taken(window.take(0, 10)).ok().unwrap();
        assert_eq!(held.len(), 3);
        let mut wait = taken(window.take(0, 1)).err().unwrap();
        assert!((&mut wait).now_or_never().is_none(), "the window is full");
        held.pop();
        assert!(matches!(wait.now_or_never(), Some(Ok(None))));
        assert_eq!(taken(window.take(0, 10)).ok().unwrap().len(), 1);
    }

    #[test]
    fn a_share_that_ended_or_shrank_gives_nothing_whatever_was_given_before() {
        let window = Window::default();
        window.grant(3, 3, 1_000);
        let held = taken(window.take(999, 2)).ok().unwrap();
        assert!(taken(window.take(1_000, 1)).is_err() && !window.lasts(1_000));
        assert!(held[0].holds(999) && !held[0].holds(1_000));
        window.grant(3, 3, 2_000);
        assert!(held[0].holds(1_000), "it was renewed in time");
        assert_eq!(window.limit(2), 2);
        assert!(taken(window.take(1_000, 1)).is_err());
        drop(held);
        assert_eq!(taken(window.take(1_000, 9)).ok().unwrap().len(), 2);
    }

    #[test]
    fn a_slot_whose_seat_went_to_others_begins_nothing_any_more() {
        let window = Window::default();
        window.grant(3, 3, 1_000);
        let held = taken(window.take(999, 2)).ok().unwrap();
        window.grant(0, 1, 9_000);
        window.grant(3, 3, 9_000);
        assert!(!held[0].holds(2_000));
        assert!(taken(window.take(2_000, 1)).ok().unwrap()[0].holds(2_000));
    }

    #[test]
    fn a_share_is_wanted_for_a_moment_after_the_last_slot_and_not_for_longer() {
        let window = Window::default();
        assert!(!window.is_wanted(0));
        let _wait = taken(window.take(0, 1)).err().unwrap();
        assert!(window.is_wanted(0), "somebody waits");
        window.grant(1, 1, 9_000);
        let held = taken(window.take(0, 1)).ok().unwrap();
        assert!(window.is_wanted(5_000));
        drop(held);
        assert!(window.is_wanted(5_000 + IDLE_MS - 1));
        assert!(!window.is_wanted(5_000 + IDLE_MS));
        assert!(taken(window.take(0, 1)).is_err(), "on its way back");
        let wait = taken(window.take(0, 1)).err().unwrap();
        window.abandon();
        assert!(matches!(wait.now_or_never(), Some(Ok(None))), "its keeper panicked");
        assert!(matches!(window.take(0, 1), Taken::Wait { wants_keeper: true, .. }));
        assert!(window.let_go() && window.close().is_none());
        assert!(matches!(window.take(0, 1), Taken::Closed));
    }
}
