//! This process's share of a lane's seats ([`ledger::seats`]): claimed when a create wants to leave,
//! renewed on a clock of its own, given back soon after the last one.
//!
//! The invariant: *no create begins but under a share that lasts, and none is under way that the
//! register does not know of.* So before less is written there, the window is closed to what is too
//! many; and what is under way keeps its seats there until it has ended.
//!
//! ```text
//!  slots wanted ─▶ keeper: look ─▶ register ─▶ window ─▶ slots
//!                     ▲ every 250 ms, 100 ms while anything is to change hands
//!                     └ a write a second, and when anything changes; nothing for a request
//! ```
//!
//! Second steps and look-ups have a pace of their own and are not counted.

use crate::env::Env;
use crate::window::{Slot, Taken, Window};
use domain::{LaneName, Policy, Sender};
use futures::FutureExt;
use ledger::seats::{self, SHARE_MS, Seated, Seats, Visit};
use ledger::{Ledger, LedgerError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How often a share is looked after, and newcomers are seen.
const LOOK_MS: u64 = 250;
/// The same while seats are to come or go.
const HASTE_MS: u64 = 100;
/// A share is renewed when no more than this is left of it: once a second, with a second to spare.
const RENEW_MS: u64 = SHARE_MS / 2;
/// A chunk whose worker has had no seat for so long is given back: whoever has seats may send it.
const PATIENCE_MS: u64 = 3_000;
const _: () = assert!(HASTE_MS < LOOK_MS && LOOK_MS < RENEW_MS);

/// The window of a lane, held to this process's share.
#[derive(Clone)]
pub struct Share(Arc<Parts>);

struct Parts {
    env: Arc<dyn Env>,
    ledger: Arc<dyn Ledger>,
    lane: LaneName,
    sender: Sender,
    /// Seats of the whole pool.
    most: u16,
    /// What begins at the end of a share has ended so much later.
    tail_ms: u64,
    window: Window,
    /// A write had no answer: it may still come, unless another one comes before it.
    in_doubt: AtomicBool,
}

impl Share {
    /// Nothing yet, of `most` seats in the whole pool.
    pub fn new(
        (env, ledger): (Arc<dyn Env>, Arc<dyn Ledger>),
        lane: LaneName,
        sender: Sender,
        policy: &Policy,
        most: u16,
    ) -> Share {
        let tail_ms = policy.send_window_ms.saturating_add(policy.request_timeout_ms);
        let (most, window) = (most.max(1), Window::default());
        let in_doubt = AtomicBool::new(false);
        Share(Arc::new(Parts { env, ledger, lane, sender, most, tail_ms, window, in_doubt }))
    }

    /// Waits for at least one slot and takes at most `most`. None where the pool has no seat for this
    /// process, or no new work is begun; an error where nobody can tell.
    pub async fn take(&self, most: usize) -> Result<Vec<Slot>, LedgerError> {
        let asked_ms = self.0.env.now_ms();
        loop {
            let now_ms = self.0.env.now_ms();
            let (wake, has_none, wants_keeper) = match self.0.window.take(now_ms, most) {
                Taken::Slots(slots) => return Ok(slots),
                Taken::Closed => return Ok(Vec::new()),
                Taken::Wait { wake, has_none, wants_keeper } => (wake, has_none, wants_keeper),
            };
            if wants_keeper {
                let parts = Arc::clone(&self.0);
                let keeps = async move {
                    let _yields = YieldsInPanic(parts.window.clone());
                    parts.keep().await;
                };
                self.0.env.spawn(keeps.boxed());
            }
            if has_none && now_ms >= asked_ms.saturating_add(PATIENCE_MS) {
                return Ok(Vec::new());
            }
            // Whoever wakes nobody has gone: look again.
            if let Ok(Some(error)) = wake.await {
                return Err(error);
            }
        }
    }

    /// No slots any more; whoever waits for one goes away empty-handed.
    pub fn close(&self) {
        drop(self.0.window.close());
    }

    /// Returns when the share is given back, or left to end by itself.
    pub async fn closed(&self) {
        while let Some(wake) = self.0.window.close() {
            let _ = wake.await;
        }
    }
}

/// A keeper that panicked must not leave its lane waiting for it for ever.
struct YieldsInPanic(Window);

impl Drop for YieldsInPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.abandon();
        }
    }
}

impl Parts {
    /// Keeps the share until nobody wants it.
    async fn keep(&self) {
        loop {
            let pause_ms = match self.look().await {
                Ok(Some(pause_ms)) => pause_ms,
                Ok(None) if self.window.let_go() => return,
                Ok(None) => continue,
                Err(error) => {
                    let now_ms = self.env.now_ms();
                    self.window.wake(now_ms, Some(&error));
                    // What a share that ended held is free by itself.
                    let is_over = !self.window.lasts(now_ms) && !self.window.is_wanted(now_ms);
                    if is_over && self.window.let_go() {
                        return;
                    }
                    LOOK_MS
                }
            };
            self.env.sleep(pause_ms).await;
        }
    }

    /// One look at the register. Gives when to look again; never, where the share was given back.
    async fn look(&self) -> Result<Option<u64>, LedgerError> {
        let asked_ms = self.env.now_ms();
        if !self.window.is_wanted(asked_ms) {
            return self.give_back().await;
        }
        let now = self.ledger.about().await?.now;
        let (version, before) = seats::read(&*self.ledger, &self.lane).await?;
        let Parts { sender, most, tail_ms, .. } = *self;
        let mut seats = before.clone();
        let Seated { seats: mine, kept, is_short } = seats
            .sit(&Visit { sender, most, tail_ms, now }, |mine| {
                u16::try_from(self.window.limit(usize::from(mine))).unwrap_or(u16::MAX)
            });
        let mut ends_ms = self.window.ends_ms();
        let is_old = ends_ms <= asked_ms.saturating_add(RENEW_MS);
        if is_old || self.in_doubt.load(Ordering::Relaxed) || !seats.is_like(&before) {
            if !self.put(version, &seats).await? {
                return Ok(Some(0));
            }
            ends_ms = asked_ms.saturating_add(SHARE_MS);
        }
        self.window.grant(usize::from(mine), usize::from(kept), ends_ms);
        // Seats are to come, or to go as soon as what is under way has ended.
        Ok(Some(if is_short || kept > mine { HASTE_MS } else { LOOK_MS }))
    }

    async fn give_back(&self) -> Result<Option<u64>, LedgerError> {
        let (version, mut seats) = seats::read(&*self.ledger, &self.lane).await?;
        let is_back = !seats.leave(self.sender) || self.put(version, &seats).await?;
        Ok((!is_back).then_some(0))
    }

    async fn put(&self, version: u64, seats: &Seats) -> Result<bool, LedgerError> {
        self.in_doubt.store(true, Ordering::Relaxed);
        let is_put = seats::put(&*self.ledger, &self.lane, version, seats).await?;
        self.in_doubt.store(false, Ordering::Relaxed);
        Ok(is_put)
    }
}
