//! Watches whether the ledger went back in time (S18), and whether a neighbour died (S12).
//!
//! The invariant: *this process sends nothing before it has compared all journals below its state
//! directory with the ledger's present life, every other sender has done the same, and nothing is
//! suspected.* Until then the engine is held, and says why.
//!
//! ```text
//!  held ──▶ journals compared ──▶ every sender has ──▶ trusted: sending
//!   ▲           │ something forgotten                    │ another life, or a suspicion
//!   │           ▼                                        │
//!   └── suspect: a person orders ▶ marked ▶ over ◀───────┘
//! ```

use crate::berth::Berth;
use domain::{LaneName, Policy};
use engine::Engine;
use journal::read::{CompareError, Compared, Then, compare_all, notice_the_dead};
use ledger::senders::{awaited, compared};
use ledger::suspicion::{self, Suspicion};
use ledger::{About, Ledger, Life};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often it is looked whether the ledger is the same.
const LOOK: Duration = Duration::from_millis(500);
/// Neighbours are looked after at every so many looks.
const LOOKS_PER_ROUND: u32 = 6;

/// A running watch. Dropping it does not end it; [`Watch::stop`] does.
pub struct Watch {
    berth: Arc<Berth>,
    ledger: Arc<dyn Ledger>,
    task: JoinHandle<()>,
}

/// What a watch needs to know.
pub struct Watched {
    /// Who sends.
    pub engine: Engine,
    /// The truth, or what is taken for it.
    pub ledger: Arc<dyn Ledger>,
    /// Where we send from.
    pub berth: Arc<Berth>,
    /// How long each lane waits for what.
    pub policies: BTreeMap<LaneName, Policy>,
    /// How long journals are kept.
    pub keep_ms: u64,
}

impl Watch {
    /// Looks once, and goes on looking. When this returns, the engine is held or may send.
    pub async fn start(watched: Watched) -> Watch {
        let (berth, ledger) = (Arc::clone(&watched.berth), Arc::clone(&watched.ledger));
        watched.engine.hold("the journals are being compared with the ledger");
        let mut looking = Looking { watched, compared: None, trusted: None };
        looking.look().await;
        let task = tokio::spawn(async move {
            for round in 1u32.. {
                tokio::time::sleep(LOOK).await;
                looking.look().await;
                if round.is_multiple_of(LOOKS_PER_ROUND) {
                    looking.neighbours().await;
                }
            }
        });
        Watch { berth, ledger, task }
    }

    /// Ends it. Where nothing is under way any more, it is said that this sender is gone.
    pub async fn stop(self, in_time: bool) {
        self.task.abort();
        let _ = self.task.await;
        if in_time && let Err(error) = self.berth.leave(&*self.ledger).await {
            tracing::debug!(%error, "the next one that takes the state directory says it");
        }
    }
}

struct Looking {
    watched: Watched,
    /// The life of the ledger that was compared with all journals.
    compared: Option<Life>,
    /// The life in which the engine may send.
    trusted: Option<Life>,
}

impl Looking {
    async fn look(&mut self) {
        if let Err(error) = self.try_look().await {
            // The ledger takes no intent meanwhile, if it is away; what is held stays held.
            tracing::debug!(%error, "the ledger was not looked at");
            if self.trusted.is_none() {
                self.watched.engine.hold(&format!("not compared with the journals yet: {error}"));
            }
        }
    }

    async fn try_look(&mut self) -> Result<(), CompareError> {
        let about = self.watched.ledger.about().await?;
        if let Some(suspicion) = suspicion::current(&*self.watched.ledger).await? {
            self.trusted = None;
            if !self.clear_up(&suspicion, about).await? {
                return Ok(());
            }
        }
        if self.compared != Some(about.life) && !self.compare(about).await? {
            return Ok(());
        }
        if self.trusted != Some(about.life) && self.all_have_compared(about.life).await? {
            self.watched.engine.resume(about.life);
            self.trusted = Some(about.life);
        }
        Ok(())
    }

    /// Does our part of what a person has ordered. Gives whether the suspicion is over.
    async fn clear_up(&self, suspicion: &Suspicion, about: About) -> Result<bool, CompareError> {
        let Watched { engine, ledger, berth, policies, .. } = &self.watched;
        engine.hold(&format!(
            "the ledger may have gone back in time: {}; see producer ledger status",
            suspicion.what
        ));
        if suspicion.order.is_none() {
            return Ok(false);
        }
        if !suspicion.marked.contains(&berth.home.id) {
            let policy = |lane: &LaneName| policies.get(lane).cloned().unwrap_or(Policy::DEFAULT);
            let (found, marked) = self.read_journals(about, Then::Mark(&policy)).await?;
            tracing::info!(?marked, "what the journals name and the ledger forgot is marked");
            suspicion::marked(&**ledger, &found.homes).await?;
        }
        let waits = suspicion::settle(&**ledger).await?;
        if let Some(first) = waits.first() {
            engine.hold(&format!("the ledger went back in time; still to be marked by {first}"));
        }
        Ok(waits.is_empty())
    }

    /// Compares all journals with the ledger as it is now. Gives whether it knows all they name.
    async fn compare(&mut self, about: About) -> Result<bool, CompareError> {
        let Watched { engine, ledger, berth, .. } = &self.watched;
        let (found, _) = self.read_journals(about, Then::Tell).await?;
        if let Some(what) = found.words() {
            let by = format!("sender {} on {}", berth.number, berth.home.host);
            if suspicion::raise(&**ledger, &what, &by).await? {
                tracing::error!(
                    what,
                    "the ledger is suspect: intake and sending stop; see producer ledger status"
                );
            }
            engine.hold(&format!("the ledger may have gone back in time: {what}"));
            return Ok(false);
        }
        // The ledger must not have gone back while it was compared.
        if ledger.about().await?.life != about.life {
            return Ok(false);
        }
        if !compared(&**ledger, berth.number, &berth.home, about.life).await? {
            engine.hold("the ledger knows this process's number as another's: restart this worker");
            return Ok(false);
        }
        self.compared = Some(about.life);
        Ok(true)
    }

    async fn all_have_compared(&self, life: Life) -> Result<bool, CompareError> {
        let waits = awaited(&*self.watched.ledger, life).await?;
        if waits.is_empty() {
            return Ok(true);
        }
        // Perhaps it died, and nobody has noticed.
        self.neighbours().await;
        if let Some(sender) = awaited(&*self.watched.ledger, life).await?.first() {
            self.watched.engine.hold(&format!(
                "the ledger was started anew; waiting for sender {} on {} ({}) to compare its \
                 journal with it. If that machine is lost for good, say so: producer worker lost \
                 {} --reason …",
                sender.number, sender.home.host, sender.home.path, sender.number
            ));
            return Ok(false);
        }
        Ok(true)
    }

    async fn read_journals(
        &self,
        about: About,
        then: Then<'_>,
    ) -> Result<(Compared, journal::rewind::Marked), CompareError> {
        let Watched { ledger, berth, keep_ms, .. } = &self.watched;
        let keep_from = domain::Millis(about.now.0.saturating_sub(*keep_ms));
        compare_all(&**ledger, &berth.state, keep_from, then).await
    }

    /// Says in the ledger whose process below our state directory has ended.
    async fn neighbours(&self) {
        let Watched { ledger, berth, .. } = &self.watched;
        match notice_the_dead(&**ledger, &berth.state, &berth.home.id).await {
            Ok(dead) => dead.iter().for_each(|sender| {
                tracing::info!(sender = %sender.number, home = sender.home.path, "it has died");
            }),
            Err(error) => tracing::debug!(%error, "the neighbours were not looked after"),
        }
    }
}
