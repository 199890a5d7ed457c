//! The engine's face: hints in, callbacks in, a graceful stop.

use crate::clock::Clock;
use crate::counters::Counters;
use crate::env::Env;
use crate::keeper::Keeper;
use crate::lane::{Lane, LaneSetup, Lanes};
use crate::news::{Hearing, hear};
use crate::shelf::Shelf;
use crate::work::{Core, work};
use domain::{Account, ChunkId, LaneName, Payout, Place, ProviderReference, Sender};
use futures::channel::oneshot;
use futures::future::join_all;
use journal::Journal;
use ledger::{Ledger, LedgerError, Life};
use providers::CallbackRequest;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What holds for all lanes of the process.
#[derive(Clone)]
pub struct Settings {
    /// How long a lease lasts without a renewal; must outlive any request under an intent (S7).
    pub lease_ms: u64,
    /// Chunks of one lane at work at once in this process.
    pub chunks_at_once: u16,
    /// This process, as the ledger numbers it (S12).
    pub sender: Sender,
    /// Where its intents stand before their requests leave (S18).
    pub journal: Arc<dyn Journal>,
}

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The ledger did not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Two lanes pay from one account (S4).
    #[error("lanes {0} and {1} have the same account; give each account one lane")]
    SameAccount(LaneName, LaneName),
    /// A lease would end before a request under it does (S7).
    #[error(
        "lease_ms is {lease_ms}, but lane {lane} needs more than {needed_ms}: send window, request timeout and a third for renewal"
    )]
    ShortLease {
        /// The lane.
        lane: LaneName,
        /// What was configured.
        lease_ms: u64,
        /// What it must exceed.
        needed_ms: u64,
    },
    /// A lane's account changed while payouts of the old one are open (S4).
    #[error(
        "lane {lane} now has another account ({now}) than the one its open payouts were sent with ({before}); configure the old account under this lane until they are final, use another lane name, or move it with `producer lane rebind {lane}`"
    )]
    AccountChanged {
        /// The lane.
        lane: LaneName,
        /// The account that the ledger knows.
        before: String,
        /// The account that was configured.
        now: String,
    },
}

/// Runs payouts. Cheap to clone; all clones are one engine.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    core: Arc<Core>,
    lanes: Lanes,
    chunks_at_once: u16,
    /// Who waits for the last chunk to be given back.
    stoppers: Mutex<Vec<oneshot::Sender<()>>>,
}

impl Engine {
    /// Checks the lanes against the ledger (S4) and starts with nothing at work.
    pub async fn start(
        env: Arc<dyn Env>,
        ledger: Arc<dyn Ledger>,
        lanes: Vec<LaneSetup>,
        settings: Settings,
    ) -> Result<Engine, StartError> {
        let (clock, about) = Clock::ask(Arc::clone(&env), &*ledger).await?;
        check_lanes(&*ledger, &lanes, settings.lease_ms).await?;
        let core = Core {
            clock,
            id: about.id,
            shelf: Shelf::default(),
            counters: Arc::default(),
            stopping: AtomicBool::new(false),
            lease_ms: settings.lease_ms,
            sender: settings.sender,
            journal: Keeper::new(settings.journal, about),
            gone: Mutex::default(),
            held: Mutex::default(),
            env: Arc::clone(&env),
            ledger,
        };
        let lanes = lanes.into_iter().map(|setup| {
            let lane = Lane::new(&env, &core.ledger, core.sender, setup);
            (lane.name.clone(), Arc::new(lane))
        });
        let lanes = lanes.collect();
        Ok(Engine(Arc::new(Inner {
            core: Arc::new(core),
            lanes,
            chunks_at_once: settings.chunks_at_once,
            stoppers: Mutex::default(),
        })))
    }

    /// How many chunks of `lane` it could take now.
    pub fn room(&self, lane: &LaneName) -> u16 {
        let Some(lane) = self.0.lanes.get(lane) else { return 0 };
        if self.0.core.is_stopping() {
            return 0;
        }
        let busy = u16::try_from(lock(&lane.at_work).len()).unwrap_or(u16::MAX);
        self.0.chunks_at_once.saturating_sub(busy)
    }

    /// A hint that `chunk` has work. Takes it or declines, at once; a declined hint is lost
    /// without harm.
    pub fn offer(&self, chunk: ChunkId, lane: &LaneName) -> bool {
        let Some(lane) = self.0.lanes.get(lane).cloned() else { return false };
        if self.room(&lane.name) == 0 || !lock(&lane.at_work).insert(chunk) {
            return false;
        }
        let at_work = AtWork { engine: self.clone(), lane, chunk };
        self.0.core.env.spawn(Box::pin(async move {
            let Inner { core, lanes, .. } = &*at_work.engine.0;
            work(core, lanes, &at_work.lane, chunk).await;
        }));
        true
    }

    /// A callback for the payout that its URL names. When this gives `Ok`, it is durable.
    pub async fn hear(
        &self,
        lane: &LaneName,
        place: Place,
        attempt: u8,
        request: CallbackRequest,
    ) -> Result<Hearing, LedgerError> {
        let Some(lane) = self.0.lanes.get(lane) else { return Ok(Hearing::NotOurs) };
        hear(&self.0.core, lane, place, attempt, request).await
    }

    /// The header that a lane's provider signs its notices with.
    pub fn signature_header(&self, lane: &LaneName) -> Option<String> {
        let lane = self.0.lanes.get(lane)?;
        lane.provider.notices()?.signature_header().map(str::to_owned)
    }

    /// A notice to the one URL of a lane: it goes to the payout whose reference it names. When
    /// this gives `Ok`, it is durable or nobody's.
    pub async fn hear_notice(
        &self,
        name: &LaneName,
        request: CallbackRequest,
    ) -> Result<Hearing, LedgerError> {
        let core = &self.0.core;
        let Some(lane) = self.0.lanes.get(name) else { return Ok(Hearing::NotOurs) };
        let named = lane.provider.notices().and_then(|notices| notices.reference(&request));
        let traced = named.and_then(|text| ProviderReference::trace(core.id, &text));
        let Some((key, attempt)) = traced else { return Ok(Hearing::NotOurs) };
        match core.ledger.find(key).await? {
            Some(place) => hear(core, lane, place, attempt, request).await,
            None => Ok(Hearing::NotOurs),
        }
    }

    /// Writes no new intents, and returns when everything under way is written down and every
    /// lease is given back. Callbacks are still taken.
    pub async fn stop(&self) {
        self.0.core.stopping.store(true, Ordering::Relaxed);
        self.0.lanes.values().for_each(|lane| lane.share.close());
        while self.is_busy() {
            let (wake, wait) = oneshot::channel();
            lock(&self.0.stoppers).push(wake);
            if self.is_busy() {
                let _ = wait.await;
            }
        }
        // The others need not wait until it is known that nothing of ours is under way.
        join_all(self.0.lanes.values().map(|lane| lane.share.closed())).await;
    }

    /// Writes no new intents and takes no chunks until [`Engine::resume`], for this reason: the
    /// ledger may have gone back in time (S18). Callbacks are still taken.
    pub fn hold(&self, reason: &str) {
        let mut held = lock(&self.0.core.held);
        if held.as_deref() != Some(reason) {
            tracing::warn!(reason, "nothing is sent");
        }
        *held = Some(reason.to_owned());
    }

    /// The ledger is trusted in this life: it takes intents, and work goes on.
    pub fn resume(&self, life: Life) {
        self.0.core.ledger.trust(life);
        self.0.core.journal.lives(life);
        if lock(&self.0.core.held).take().is_some() {
            tracing::info!("sending");
        }
    }

    /// Why this process sends nothing on any lane, if it does not.
    pub fn held(&self) -> Option<String> {
        lock(&self.0.core.held).clone().or_else(|| self.0.core.journal.trouble())
    }

    /// What happened since the start.
    pub fn counters(&self) -> &Counters {
        &self.0.core.counters
    }

    fn is_busy(&self) -> bool {
        self.0.lanes.values().any(|lane| !lock(&lane.at_work).is_empty())
    }

    fn wake_stoppers(&self) {
        for wake in lock(&self.0.stoppers).drain(..) {
            let _ = wake.send(());
        }
    }
}

/// A chunk at work: not any more when this is dropped, however its work ended.
struct AtWork {
    engine: Engine,
    lane: Arc<Lane>,
    chunk: ChunkId,
}

impl Drop for AtWork {
    fn drop(&mut self) {
        lock(&self.lane.at_work).remove(&self.chunk);
        self.engine.wake_stoppers();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn check_lanes(
    ledger: &dyn Ledger,
    lanes: &[LaneSetup],
    lease_ms: u64,
) -> Result<(), StartError> {
    let mut seen: BTreeMap<&str, &LaneName> = BTreeMap::new();
    for lane in lanes {
        if let Some(other) = seen.insert(lane.provider.fingerprint(), &lane.name) {
            return Err(StartError::SameAccount(other.clone(), lane.name.clone()));
        }
        let request_ms = lane.policy.send_window_ms + lane.policy.request_timeout_ms;
        let needed_ms = request_ms + lease_ms / 3;
        if lease_ms <= needed_ms {
            let lane = lane.name.clone();
            return Err(StartError::ShortLease { lane, lease_ms, needed_ms });
        }
        check_account(ledger, lane).await?;
    }
    Ok(())
}

/// A lane keeps its account while it has open payouts (S4).
async fn check_account(ledger: &dyn Ledger, lane: &LaneSetup) -> Result<(), StartError> {
    loop {
        let mut record = ledger.lane(lane.name.clone()).await?;
        let now = lane.provider.fingerprint();
        if record.fingerprint == now {
            return Ok(());
        }
        if !record.fingerprint.is_empty() && has_open_payouts(ledger, &lane.name).await? {
            let before = record.fingerprint;
            let lane = lane.name.clone();
            return Err(StartError::AccountChanged { lane, before, now: now.to_owned() });
        }
        // A new account: nothing that the old one taught holds for it.
        now.clone_into(&mut record.fingerprint);
        record.control = None;
        record.canary = None;
        record.canaries_lost = 0;
        if ledger.put_lane(record).await? {
            return Ok(());
        }
    }
}

async fn has_open_payouts(ledger: &dyn Ledger, lane: &LaneName) -> Result<bool, LedgerError> {
    let mut before = None;
    loop {
        let batches = ledger.batches(before, 100).await?;
        let Some(last) = batches.last() else { return Ok(false) };
        before = Some(last.id);
        for batch in batches.iter().filter(|b| b.state.was_sealed() && b.counts.open() > 0) {
            for no in 0..batch.chunks {
                let chunk = ledger.chunk(ChunkId { batch: batch.id, no }).await?;
                // What has just moved to a lane was not sent by it yet.
                let was_sent =
                    |p: &Payout| p.was_ever_sent() && !(p.moved && p.account == Account::NONE);
                let open = chunk
                    .is_some_and(|c| c.on(lane).any(|(_, p)| p.state.is_open() && was_sent(p)));
                if open {
                    return Ok(true);
                }
            }
        }
    }
}
