//! What a worker does by itself against money that nobody notices: the daily comparison of each
//! lane with its provider's own list (S22), and a look for other ledgers before a lane is used (S5).
//!
//! One process compares for the whole pool. A difference stops the lane only if a second reading,
//! minutes later, shows it as well: what was on its way is there by then. A list that cannot be read
//! is told and tried again; nothing follows from it.

use ::reconcile::origin::{Origin, look};
use ::reconcile::{CompareError, DAY_MS, Job, Outcome, Progress, compare, lane};
use domain::{Account, LaneName, Millis, ReferenceFormat};
use engine::LaneSetup;
use futures::future::{BoxFuture, join_all};
use ledger::{Ledger, LedgerError};
use providers::{Period, Provider, Turns};
use rand::RngExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// The period that is compared each day: what was told late, or over a weekend, is seen by one of
/// three days. In milliseconds.
const BACK_MS: u64 = 3 * DAY_MS;
/// Who stops a lane, in its audit chain. Which machine it was tells its log.
const WHO: &str = "worker";
/// A start waits no longer for a provider's list.
const LOOK_TIMEOUT: Duration = Duration::from_secs(20);

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    /// Between two looks at whether a comparison is due; half to one and a half of it, by chance.
    pub between: Duration,
    /// From the first reading to the second.
    pub again_after: Duration,
}

impl Pauses {
    /// Often enough for a process that is restarted each hour to have its turn; and ten minutes are
    /// enough for a callback and a look-up.
    pub const USUAL: Pauses =
        Pauses { between: Duration::from_secs(900), again_after: Duration::from_secs(600) };
}

/// A lane whose provider has a list.
#[derive(Clone)]
pub struct Listed {
    name: LaneName,
    provider: Arc<dyn Provider>,
    turn: Duration,
}

impl Listed {
    /// The account whose list it is, by the config of this process.
    fn account(&self) -> Account {
        Account::of(self.provider.fingerprint())
    }
}

/// The lanes whose providers have a list.
pub fn listed(lanes: &[LaneSetup]) -> Vec<Listed> {
    let with_list = lanes.iter().filter(|lane| lane.provider.statement().is_some());
    let listed = with_list.map(|lane| Listed {
        name: lane.name.clone(),
        provider: Arc::clone(&lane.provider),
        turn: Duration::from_micros(lane.look_up_interval_us),
    });
    listed.collect()
}

/// Stops lanes whose account shows references of another ledger (S5). A list that cannot be read
/// stops nothing: a provider that is away at the start would keep its lane down for nothing, and
/// the daily comparison sees what is missed here.
pub async fn check_ledgers(ledger: &dyn Ledger, lanes: &[Listed]) {
    join_all(lanes.iter().map(|lane| async move {
        let name = &lane.name;
        match tokio::time::timeout(LOOK_TIMEOUT, check_ledger(ledger, lane)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(lane = %name, error, "nobody knows whether another ledger uses it");
            }
            Err(_) => tracing::warn!(
                lane = %name,
                "the provider's list is long in coming; the daily comparison looks for other ledgers"
            ),
        }
    }))
    .await;
}

async fn check_ledger(ledger: &dyn Ledger, lane: &Listed) -> Result<(), String> {
    let Some(statement) = lane.provider.statement() else { return Ok(()) };
    if lane.provider.limits().reference == ReferenceFormat::Number {
        // A number names no ledger: there is nothing to see.
        return Ok(());
    }
    let text = |error: LedgerError| error.to_string();
    let about = ledger.about().await.map_err(text)?;
    let adopted = ledger.lane(lane.name.clone()).await.map_err(text)?.adopted;
    let turns = Even::new(lane.turn);
    match look(statement, about.id, &adopted, about.now, &turns).await? {
        Origin::Clear | Origin::ClearSoFar => Ok(()),
        Origin::Another { id, reference } => {
            let name = &lane.name;
            let reason = format!(
                "the account shows {reference}, which looks like a payout of another ledger, {id} \
                 (this one is {}); two ledgers on one account may pay twice. If {id} is retired, or \
                 no ledger at all: `producer lane adopt {name} {id}`",
                about.id
            );
            tracing::error!(lane = %name, reason, "the lane is stopped");
            lane::stop(ledger, name, WHO, &reason).await.map_err(text)
        }
    }
}

/// The daily comparisons of all lanes that have a list; dropping it ends them.
pub struct Daily(JoinSet<()>);

impl Daily {
    /// Starts one for each lane.
    pub fn keep(ledger: &Arc<dyn Ledger>, lanes: Vec<Listed>, pauses: Pauses) -> Daily {
        let mut tasks = JoinSet::new();
        for lane in lanes {
            tasks.spawn(keep_one(Arc::clone(ledger), lane, pauses));
        }
        Daily(tasks)
    }

    /// Ends them; what was begun is begun again by whoever finds it due.
    pub async fn stop(mut self) {
        self.0.shutdown().await;
    }
}

async fn keep_one(ledger: Arc<dyn Ledger>, lane: Listed, pauses: Pauses) {
    loop {
        let share = rand::rng().random_range(50..150_u32);
        tokio::time::sleep(pauses.between * share / 100).await;
        if let Err(error) = compare_if_due(&*ledger, &lane, pauses).await {
            tracing::warn!(lane = %lane.name, %error, "not compared; it is tried again later");
        }
    }
}

async fn compare_if_due(
    ledger: &dyn Ledger,
    lane: &Listed,
    pauses: Pauses,
) -> Result<(), CompareError> {
    if !lane::claim(ledger, &lane.name, lane.account()).await? {
        return Ok(());
    }
    let mut outcome = compare_once(ledger, lane).await?;
    if outcome.differences() > 0 {
        tokio::time::sleep(pauses.again_after).await;
        outcome = compare_once(ledger, lane).await?.confirmed_by(&outcome);
    }
    let differences = outcome.differences();
    let Outcome { entries, ours, agree, elsewhere, untold, destroyed, .. } = outcome;
    if lane::stop_for(ledger, &lane.name, WHO, &outcome).await? {
        tracing::error!(
            lane = %lane.name, differences, entries, ours, agree, elsewhere, untold, destroyed,
            "the provider's list and the ledger differ; the lane is stopped"
        );
    } else {
        tracing::info!(
            lane = %lane.name, differences, entries, ours, agree, elsewhere, untold, destroyed,
            "the provider's list was held against the ledger"
        );
    }
    Ok(lane::ended(ledger, &lane.name).await?)
}

async fn compare_once(ledger: &dyn Ledger, lane: &Listed) -> Result<Outcome, CompareError> {
    let Some(statement) = lane.provider.statement() else { return Ok(Outcome::default()) };
    let until = ledger.about().await?.now;
    let period = Period { from: Millis(until.0.saturating_sub(BACK_MS)), until };
    let turns = Even::new(lane.turn);
    let format = lane.provider.limits().reference;
    let (lane, account) = (&lane.name, lane.account());
    let job = Job { ledger, lane, account, statement, format, period, turns: &turns };
    compare(&job, &Progress::default()).await
}

/// Requests in even steps, beside the look-ups of payouts: a list has its own budget.
struct Even {
    turn: Duration,
    next: Mutex<Instant>,
}

impl Even {
    fn new(turn: Duration) -> Even {
        Even { turn, next: Mutex::new(Instant::now()) }
    }
}

impl Turns for Even {
    fn next(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            let mut next = self.next.lock().await;
            tokio::time::sleep_until(*next).await;
            *next = Instant::now() + self.turn;
        })
    }
}

#[cfg(test)]
mod tests;
