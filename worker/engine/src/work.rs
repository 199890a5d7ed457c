//! One chunk under a lease: recover what a dead sender left, ask about what is due, send what
//! is payable, give the lease back.
//!
//! Dropping this future at any point is safe: the lease ends by itself, and the next holder
//! finds every intent that was written.

use crate::ask;
use crate::astray;
use crate::batch_brakes;
use crate::clock::Clock;
use crate::counters::{Counters, count};
use crate::env::{Env, up_to};
use crate::keeper::Keeper;
use crate::lane::{Lane, Lanes};
use crate::shelf::Shelf;
use domain::{
    BatchState, ChunkId, Event, LedgerId, Millis, Payout, Place, ProviderReference,
    ReferenceFormat, Row, Sender, State, Terms,
};
use futures::FutureExt;
use futures::future::{Either, select};
use ledger::apply::{Applied, Happening, apply};
use ledger::{Claim, Guard, Ledger, LedgerError, Token, Via};
use providers::{Past, Payment};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What all chunks of the process share.
pub struct Core {
    /// Time, randomness, tasks.
    pub env: Arc<dyn Env>,
    /// The truth.
    pub ledger: Arc<dyn Ledger>,
    /// The ledger's short id, for provider references.
    pub id: LedgerId,
    /// Ledger time.
    pub clock: Clock,
    /// Rows at hand.
    pub shelf: Shelf,
    /// What happened so far.
    pub counters: Arc<Counters>,
    /// No new intents.
    pub stopping: AtomicBool,
    /// How long a lease lasts.
    pub lease_ms: u64,
    /// This process, as the ledger numbers it (S12).
    pub sender: Sender,
    /// Where intents stand before their requests leave.
    pub journal: Keeper,
    /// Senders that are known to be gone; once gone, always gone.
    pub gone: Mutex<BTreeSet<Sender>>,
    /// Why nothing is sent by this process, if so (S18).
    pub held: Mutex<Option<String>>,
}

impl Core {
    /// No new intents are written, for good or for now.
    pub fn is_stopping(&self) -> bool {
        let held = || self.held.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        self.stopping.load(Ordering::Relaxed) || held()
    }

    /// A payout as an adapter sees it.
    pub fn payment(
        &self,
        place: Place,
        attempt: u8,
        format: ReferenceFormat,
        row: Arc<Row>,
    ) -> Payment {
        let reference = ProviderReference::make(self.id, &row.reference, attempt, format);
        Payment { place, attempt, reference, row, past: Past::default() }
    }
}

/// Which payouts of a chunk are at work (S15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// All of them: there is no second lane.
    Only,
    /// Those that go by the first lane.
    First,
    /// Those that it refused, which go by the second.
    Second,
}

/// A chunk that we hold.
pub struct Held {
    /// Which.
    pub id: ChunkId,
    /// Proves that we hold it.
    pub token: Token,
    /// How provider references are made on the lane that is at work.
    pub format: ReferenceFormat,
    /// Which of its payouts are at work.
    pub side: Side,
    /// The lane that what the first one refuses goes by, where this process has it.
    pub failover: Option<Arc<Lane>>,
    /// As we know them; kept up with every write.
    pub payouts: Vec<Payout>,
    /// The batch's state when we claimed the chunk; an intent checks it again.
    pub batch: BatchState,
    /// When the batch may go; an intent checks it again.
    pub terms: Terms,
    /// Rows from this one on are not sent now: they wait for the batch's canaries.
    pub end: u16,
    /// The lease is gone: no more intents.
    pub lost: Arc<AtomicBool>,
}

impl Held {
    /// The payout of a row.
    pub fn payout(&self, row: u16) -> Option<&Payout> {
        self.payouts.get(usize::from(row))
    }

    /// Whether money may move for the batch now, as far as is known here; the ledger decides.
    pub fn may_send(&self, core: &Core) -> bool {
        self.batch == BatchState::Active
            && !self.terms.waits(core.clock.now())
            && !core.is_stopping()
    }

    /// When a payout is too old. A new attempt counts from when a person ordered it, and a row's
    /// time never begins before its batch may go.
    pub(crate) fn gives_up_at(&self, lane: &Lane, payout: &Payout) -> Millis {
        match payout.state {
            State::Accepted => {
                let begins = self.terms.not_before;
                payout.give_up_at.max(begins.plus(lane.policy.unsent_give_up_ms))
            }
            _ => payout.give_up_at,
        }
    }

    /// Takes in what a write made of a row.
    pub fn learn(&mut self, row: u16, payout: Payout) {
        if let Some(known) = self.payouts.get_mut(usize::from(row)) {
            *known = payout;
        }
    }

    /// Rows that go by the lane at work and whose payouts satisfy `wanted`, in order.
    pub fn rows(&self, wanted: impl Fn(&Payout) -> bool) -> Vec<u16> {
        let wanted = self.own().filter(|(_, payout)| wanted(payout));
        wanted.map(|(row, _)| row).collect()
    }

    /// What goes by the lane at work.
    pub fn own(&self) -> impl Iterator<Item = (u16, &Payout)> {
        (0u16..)
            .zip(&self.payouts)
            .filter(|(_, payout)| payout.moved == (self.side == Side::Second))
    }

    /// Where a row lies.
    pub fn place(&self, row: u16) -> Place {
        Place { chunk: self.id, row }
    }

    /// One event for each of some rows. Gives the rows that it changed.
    pub async fn happen(
        &mut self,
        core: &Core,
        lane: &Lane,
        guard: Guard,
        rows: &[u16],
        event: &Event,
    ) -> Result<Vec<u16>, LedgerError> {
        let happenings = rows.iter().filter_map(|row| {
            let payout = *self.payout(*row)?;
            Some(Happening { row: *row, payout, event: event.clone(), notes: Vec::new() })
        });
        let happenings: Vec<Happening> = happenings.collect();
        if happenings.is_empty() {
            return Ok(Vec::new());
        }
        self.apply(core, lane, guard, happenings).await
    }

    /// Writes happenings and takes in what became of them. Gives the rows that they changed.
    pub async fn apply(
        &mut self,
        core: &Core,
        lane: &Lane,
        guard: Guard,
        happenings: Vec<Happening>,
    ) -> Result<Vec<u16>, LedgerError> {
        let now = core.clock.now();
        let done = apply(&*core.ledger, self.id, guard, now, &lane.policy, happenings).await?;
        let Some(done) = done else {
            self.lost.store(true, Ordering::Relaxed);
            return Ok(Vec::new());
        };
        let mut changed = Vec::with_capacity(done.len());
        for (row, applied) in done {
            self.learn(row, applied.payout());
            if applied.is_changed() {
                changed.push(row);
            }
            if let Applied::Illegal(illegal, payout) = applied {
                tracing::error!(place = %self.place(row), ?payout, "{illegal}");
            }
        }
        Ok(changed)
    }
}

/// How long a chunk rests after an error.
const AFTER_ERROR_MS: u64 = 1_000;

/// How long a chunk rests at most while its lane is closed: so soon a calendar that was put right
/// is heard of by the chunks that wait for the wrong one to open.
const CLOSED_LOOK_MS: u64 = 60 * 60 * 1_000;

/// How soon another worker may look at what goes by a second lane that this one does not have.
const NO_LANE_MS: u64 = 30_000;

/// Works on a chunk of `lane` until nothing of it can be done now: on what goes by that lane, and
/// then on what it refused and goes by the second (S15).
pub async fn work(core: &Core, lanes: &Lanes, lane: &Lane, id: ChunkId) {
    let asked_ms = core.clock.boot_ms();
    let claimed = core.ledger.claim(id, core.lease_ms).await;
    let (token, chunk, batch, terms) = match claimed {
        Ok(Claim::Held { token, chunk, batch, terms, now }) => {
            core.clock.learn(asked_ms, now);
            (token, chunk, batch, terms)
        }
        // Somebody else is at it, there is nothing to do, or the hint comes back by itself.
        Ok(Claim::Busy | Claim::Gone) => return,
        Err(error) => {
            tracing::debug!(chunk = %id, %error, "no claim");
            return;
        }
    };
    count(&core.counters.claims_total);
    let lost = Arc::new(AtomicBool::new(false));
    let mut held = Held {
        id,
        token,
        format: chunk.first.format,
        side: if chunk.second.is_some() { Side::First } else { Side::Only },
        failover: chunk.second.as_ref().and_then(|via| lanes.get(&via.lane).cloned()),
        payouts: chunk.payouts,
        batch,
        terms,
        end: u16::MAX,
        lost: Arc::clone(&lost),
    };
    let next_at = {
        let both = pin(both(core, lane, chunk.second, &mut held));
        match select(both, pin(renew(core, id, token, &lost))).await {
            Either::Left((next_at, _)) => next_at,
            // The lease is gone; what is under way must still be written down.
            Either::Right(((), both)) => both.await,
        }
    };
    release(core, id, token, next_at).await;
}

/// What goes by the first lane, then what goes by the second. An error of one keeps nothing of the
/// other waiting.
async fn both(core: &Core, lane: &Lane, second: Option<Via>, held: &mut Held) -> Millis {
    let first_at = one(core, lane, held).await;
    let Some(via) = second else { return first_at };
    (held.side, held.format, held.end) = (Side::Second, via.format, u16::MAX);
    let is_open = held.own().any(|(_, payout)| payout.state.is_open());
    match held.failover.take() {
        _ if !is_open => first_at,
        Some(lane) => first_at.min(one(core, &lane, held).await),
        None => {
            tracing::warn!(chunk = %held.id, lane = %via.lane, "payouts wait for a worker with this lane");
            first_at.min(core.clock.now().plus(NO_LANE_MS))
        }
    }
}

/// What goes by one lane. Gives when something of it is to be done again.
async fn one(core: &Core, lane: &Lane, held: &mut Held) -> Millis {
    match all(core, lane, held).await {
        Ok(wait_ms) => next_at(core, lane, held, wait_ms),
        Err(error) => {
            tracing::warn!(chunk = %held.id, %error, "the chunk is put back");
            core.clock.now().plus(AFTER_ERROR_MS)
        }
    }
}

/// Gives the lease back, asking again while the ledger is away: a chunk that is not given back
/// waits for its lease to end. Longer than that nobody needs to try.
async fn release(core: &Core, id: ChunkId, token: Token, next_at: Millis) {
    let ends_ms = core.clock.boot_ms().saturating_add(core.lease_ms);
    let mut tries = 0;
    while let Err(error) = core.ledger.release(id, token, next_at).await {
        if core.clock.boot_ms() >= ends_ms || matches!(error, LedgerError::Broken(_)) {
            tracing::debug!(chunk = %id, %error, "the lease ends by itself");
            return;
        }
        wait_for_ledger(core, &mut tries).await;
    }
}

/// A short, growing, jittered pause before the ledger is asked again.
pub async fn wait_for_ledger(core: &Core, tries: &mut u8) {
    let ceiling = 50u64 << (*tries).min(5);
    *tries = tries.saturating_add(1);
    core.env.sleep(ceiling / 2 + up_to(&*core.env, ceiling / 2)).await;
}

fn pin<'a, T>(future: impl Future<Output = T> + Send + 'a) -> futures::future::BoxFuture<'a, T> {
    future.boxed()
}

/// All that can be done now. Gives how long sending has to wait, where it has to.
async fn all(core: &Core, lane: &Lane, held: &mut Held) -> Result<u64, LedgerError> {
    recover(core, lane, held).await?;
    cancel(core, lane, held).await?;
    expire(core, lane, held).await?;
    astray::tell(core, lane, held).await?;
    ask::ask(core, lane, held).await?;
    if !held.may_send(core) {
        return Ok(0);
    }
    // Outside its hours a lane begins nothing; `next_at` knows when they begin.
    if lane.shut_until(core.clock.now()).is_some() {
        return Ok(0);
    }
    batch_brakes::send(core, lane, held).await
}

/// What stands as being sent was sent by a holder that is gone: its fate is unknown. Never
/// payable again without proof.
async fn recover(core: &Core, lane: &Lane, held: &mut Held) -> Result<(), LedgerError> {
    let left = held.rows(|p| p.state == State::Submitting);
    if !left.is_empty() {
        tracing::info!(chunk = %held.id, rows = left.len(), "the last sender is gone; asking the provider");
    }
    let guard = Guard::Held(held.token);
    held.happen(core, lane, guard, &left, &Event::SenderLost).await.map(drop)
}

/// What a cancelled batch still holds payable is cancelled: the command that cancelled it may
/// have died half-way.
async fn cancel(core: &Core, lane: &Lane, held: &mut Held) -> Result<(), LedgerError> {
    if held.batch != BatchState::Cancelled {
        return Ok(());
    }
    let payable = held.rows(|p| p.state == State::Accepted && !p.news_pending);
    let guard = Guard::Held(held.token);
    held.happen(core, lane, guard, &payable, &Event::Cancel).await.map(drop)
}

/// What was never sent within its time fails, and what cannot be asked about goes to review (S17).
async fn expire(core: &Core, lane: &Lane, held: &mut Held) -> Result<(), LedgerError> {
    let now = core.clock.now();
    let nobody_asks = |p: &Payout| match p.state {
        State::Accepted => !p.news_pending || lane.is_astray(p),
        state => state.is_open() && lane.is_astray(p),
    };
    let old = held.rows(|p| nobody_asks(p) && held.gives_up_at(lane, p) <= now);
    let guard = Guard::Held(held.token);
    held.happen(core, lane, guard, &old, &Event::TooOld).await.map(drop)
}

/// Renews the lease on a clock of its own (S19), until it is lost.
async fn renew(core: &Core, id: ChunkId, token: Token, lost: &AtomicBool) {
    loop {
        core.env.sleep(core.lease_ms / 3).await;
        match core.ledger.renew(id, token, core.lease_ms).await {
            Ok(true) => {}
            Ok(false) => {
                lost.store(true, Ordering::Relaxed);
                return;
            }
            // Every intent checks the lease anyway; until then this is only a delay.
            Err(error) => tracing::debug!(chunk = %id, %error, "lease not renewed"),
        }
    }
}

/// When the chunk has something to do again.
fn next_at(core: &Core, lane: &Lane, held: &Held, wait_ms: u64) -> Millis {
    let now = core.clock.now();
    let opens = lane.shut_until(now).map(|opens| opens.min(now.plus(CLOSED_LOOK_MS)));
    let open = held.own().map(|(_, payout)| payout).filter(|p| p.state.is_open());
    let due = open.map(|p| match p.state {
        // Nothing but its end is to be done for it here.
        _ if lane.is_astray(p) => held.gives_up_at(lane, p),
        // A batch that is paused says when it goes on; until then only its time can run out.
        State::Accepted if held.batch != BatchState::Active && !p.news_pending => {
            held.gives_up_at(lane, p)
        }
        State::Accepted if held.terms.waits(now) && !p.news_pending => {
            p.due.max(held.terms.not_before)
        }
        // However long it has to wait, its time runs out when it runs out.
        State::Accepted
            if let Some(opens) = opens
                && !p.news_pending =>
        {
            p.due.max(opens).min(held.gives_up_at(lane, p))
        }
        State::Accepted if wait_ms > 0 && !p.news_pending => p.due.max(now.plus(wait_ms)),
        _ => p.due,
    });
    due.min().unwrap_or(Millis::NEVER)
}
