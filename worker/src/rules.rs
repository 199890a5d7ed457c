//! Keeps the providers' rules for rows at hand: fetched at the start and every few minutes, given
//! to the adapter that pays and asks by them, and stored in the ledger, where intake reads them
//! on machines that have no keys.
//!
//! A fetch that fails leaves the older rules, with their age: intake warns about old ones and
//! refuses very old ones. So do rules that the adapter cannot use: what is stored is always of
//! use.

use domain::LaneName;
use ledger::Ledger;
use providers::Provider;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How long to wait after a fetch.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    /// Until the next one.
    pub between: Duration,
    /// Until one that failed is tried again.
    pub after_failure: Duration,
}

impl Pauses {
    /// Rules change by the day; a provider that is away is back within minutes.
    pub const USUAL: Pauses =
        Pauses { between: Duration::from_secs(5 * 60), after_failure: Duration::from_secs(15) };
}

/// The fetchers of all lanes that have rules to fetch; dropping it ends them.
pub struct Rules(JoinSet<()>);

impl Rules {
    /// Starts one for each lane whose provider has rules.
    pub fn keep(
        ledger: &Arc<dyn Ledger>,
        lanes: Vec<(LaneName, Arc<dyn Provider>)>,
        pauses: Pauses,
    ) -> Rules {
        let mut tasks = JoinSet::new();
        for (lane, provider) in lanes {
            if provider.prepare().is_some() {
                tasks.spawn(keep_one(Arc::clone(ledger), lane, provider, pauses));
            }
        }
        Rules(tasks)
    }

    /// Ends them.
    pub async fn stop(mut self) {
        self.0.shutdown().await;
    }
}

async fn keep_one(
    ledger: Arc<dyn Ledger>,
    lane: LaneName,
    provider: Arc<dyn Provider>,
    pauses: Pauses,
) {
    loop {
        let pause = match fetch(&*ledger, &lane, &*provider).await {
            Ok(()) => pauses.between,
            Err(error) => {
                tracing::warn!(%lane, error, "the provider's rules for rows were not fetched");
                pauses.after_failure
            }
        };
        tokio::time::sleep(pause).await;
    }
}

async fn fetch(
    ledger: &dyn Ledger,
    lane: &LaneName,
    provider: &dyn Provider,
) -> Result<(), String> {
    let Some(prepare) = provider.prepare() else { return Ok(()) };
    let rules = prepare.fetch().await?;
    prepare.install(&rules)?;
    ledger.put_rules(lane.clone(), rules).await.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
