//! What a lane shares between the chunks of this process.

use crate::batch_brakes::{BatchBrakeSettings, BatchBrakes};
use crate::brakes::Brakes;
use crate::env::Env;
use crate::news::Desks;
use crate::pace::{LocalPace, PoolPace, slice};
use crate::share::Share;
use crate::spend::{SpendCaps, Spending};
use domain::{Account, Hours, LaneName, Millis, Payout, Policy, Sender};
use ledger::{Ledger, LedgerError};
use providers::Provider;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// A lane as the config describes it.
pub struct LaneSetup {
    /// Its name.
    pub name: LaneName,
    /// The adapter, with the lane's credentials.
    pub provider: Arc<dyn Provider>,
    /// How long to wait for what.
    pub policy: Policy,
    /// Microseconds between two creates in the whole pool; 0 for no limit.
    pub interval_us: u64,
    /// Creates under way at once in the whole pool.
    pub in_flight: u16,
    /// Microseconds between two look-ups of this process; 0 for no limit.
    pub look_up_interval_us: u64,
    /// Whether a new lane begins with a canary (S10).
    pub canary: bool,
    /// When a batch stops by itself.
    pub batch_brakes: BatchBrakeSettings,
    /// When it sends; always, where nothing is said.
    pub hours: Option<Hours>,
    /// What may be spent in an hour and in a day.
    pub spend: SpendCaps,
}

/// The lanes of a process.
pub type Lanes = BTreeMap<LaneName, Arc<Lane>>;

/// A lane at work.
pub struct Lane {
    /// Its name.
    pub name: LaneName,
    /// The adapter.
    pub provider: Arc<dyn Provider>,
    /// The account that it pays from (S4).
    pub account: Account,
    /// How long to wait for what.
    pub policy: Policy,
    /// Permits of the pool.
    pub pace: PoolPace,
    /// The look-ups' own budget.
    pub look_ups: Arc<LocalPace>,
    /// Creates under way, of those that the pool may have.
    pub share: Share,
    /// Stops, canaries, slowing down.
    pub brakes: Brakes,
    /// What keeps single batches back.
    pub batch_brakes: BatchBrakes,
    /// When it sends; always, where nothing is said.
    pub hours: Option<Hours>,
    /// What may be spent.
    pub spending: Spending,
    /// Where its callbacks are read.
    pub desks: Arc<Desks>,
    /// Chunks at work in this process.
    pub at_work: Mutex<BTreeSet<domain::ChunkId>>,
}

impl Lane {
    /// Sets a lane up, for what this sender sends.
    pub fn new(
        env: &Arc<dyn Env>,
        ledger: &Arc<dyn Ledger>,
        sender: Sender,
        setup: LaneSetup,
    ) -> Lane {
        let pool = (Arc::clone(env), Arc::clone(ledger));
        Lane {
            share: Share::new(pool, setup.name.clone(), sender, &setup.policy, setup.in_flight),
            pace: PoolPace::new(env, setup.name.clone(), setup.interval_us),
            look_ups: Arc::new(LocalPace::new(Arc::clone(env), setup.look_up_interval_us)),
            brakes: Brakes::new(setup.name.clone(), setup.canary, setup.interval_us),
            batch_brakes: BatchBrakes::new(setup.batch_brakes),
            hours: setup.hours,
            spending: Spending::new(setup.name.clone(), setup.spend),
            desks: Arc::default(),
            at_work: Mutex::new(BTreeSet::new()),
            name: setup.name,
            account: Account::of(setup.provider.fingerprint()),
            provider: setup.provider,
            policy: setup.policy,
        }
    }

    /// Reads the lane's record anew, and refuses where the pool now has this lane on another
    /// account than ours (S4): another process was started with that one.
    pub async fn check_account(&self, ledger: &dyn Ledger) -> Result<(), LedgerError> {
        let record = self.brakes.refresh(ledger).await?;
        let ours = self.provider.fingerprint();
        if record.fingerprint == ours {
            return Ok(());
        }
        Err(LedgerError::Broken(format!(
            "lane {} is on account {} in the pool and on {ours} here; nothing is sent or asked",
            self.name, record.fingerprint
        )))
    }

    /// Whether a payout may have reached another account than this lane's (S4).
    pub fn is_astray(&self, payout: &Payout) -> bool {
        payout.account != Account::NONE && payout.account != self.account
    }

    /// When its calendar lets an intent be written again, where it does not now: the lane is closed,
    /// or its cut-off is nearer than the send window, so that the request might leave after it.
    pub fn shut_until(&self, now: Millis) -> Option<Millis> {
        self.hours.as_ref()?.shut(now, self.policy.send_window_ms)
    }

    /// Rows of one provider call: what the provider takes, or less if it has said so.
    pub fn per_call(&self) -> usize {
        let told = self.brakes.record().and_then(|record| record.rows_per_call);
        let most = self.provider.limits().rows_per_call;
        usize::from(told.map_or(most, |told| told.min(most)).max(1))
    }

    /// Rows that one claim of a chunk sends, at the pace of this moment.
    pub fn slice(&self, now: Millis) -> usize {
        slice(self.brakes.interval_us(now)).saturating_mul(self.per_call())
    }
}
