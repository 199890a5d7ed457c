//! With a real ledger, and a provider that counts what it is asked.

use super::*;
use domain::Row;
use futures::future::BoxFuture;
use ledger::sqlite::SqliteLedger;
use providers::{Limits, LookUp, LookedUp, Prepare, RowProblem, Shipment, Shipped, registry};
use std::sync::Mutex;
use tempfile::TempDir;

const SOON: Duration = Duration::from_millis(1);
/// Longer than any test.
const NEVER: Duration = Duration::from_secs(3_600);

/// Rules that the adapter refuses.
const UNUSABLE: &str = "unusable";

/// Gives what it was told to give, fetch by fetch, and then the last of it for ever.
struct Counting {
    limits: Limits,
    gives: Vec<Result<&'static str, &'static str>>,
    fetched: Mutex<usize>,
    installed: Mutex<Vec<String>>,
}

impl Counting {
    fn giving(gives: &[Result<&'static str, &'static str>]) -> Arc<Counting> {
        let limits = registry::limits("merchant").expect("it is registered").clone();
        Arc::new(Counting {
            limits,
            gives: gives.to_vec(),
            fetched: Mutex::new(0),
            installed: Mutex::default(),
        })
    }

    fn installed(&self) -> Vec<String> {
        self.installed.lock().expect("no panic").clone()
    }

    fn fetched(&self) -> usize {
        *self.fetched.lock().expect("no panic")
    }
}

impl Provider for Counting {
    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn fingerprint(&self) -> &'static str {
        "counting:1"
    }

    fn validate(&self, _: &Row) -> Vec<RowProblem> {
        Vec::new()
    }

    fn submit(&self, _: Shipment) -> BoxFuture<'_, Shipped> {
        panic!("a fetcher of rules sends nothing")
    }

    fn look_up(&self, _: LookUp) -> BoxFuture<'_, LookedUp> {
        panic!("a fetcher of rules asks about no payout")
    }

    fn prepare(&self) -> Option<&dyn Prepare> {
        (!self.gives.is_empty()).then_some(self)
    }
}

impl Prepare for Counting {
    fn fetch(&self) -> BoxFuture<'_, Result<String, String>> {
        let mut fetched = self.fetched.lock().expect("no panic");
        let given = self.gives[(*fetched).min(self.gives.len() - 1)];
        *fetched += 1;
        Box::pin(async move { given.map(str::to_owned).map_err(str::to_owned) })
    }

    fn install(&self, rules: &str) -> Result<(), String> {
        if rules == UNUSABLE {
            return Err("no rules of ours".to_owned());
        }
        self.installed.lock().expect("no panic").push(rules.to_owned());
        Ok(())
    }
}

struct World {
    ledger: Arc<dyn Ledger>,
    _folder: TempDir,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = SqliteLedger::open(&folder.path().join("ledger")).expect("a ledger");
        World { ledger: Arc::new(ledger), _folder: folder }
    }

    async fn kept(&self, name: &str) -> Option<(domain::Millis, String)> {
        self.ledger.rules(lane(name)).await.expect("a ledger that answers")
    }

    async fn until_kept(&self, name: &str, wanted: &str) {
        until(async || self.kept(name).await.is_some_and(|(_, text)| text == wanted)).await;
    }

    fn keep(&self, lanes: &[(&str, &Arc<Counting>)], pauses: Pauses) -> Rules {
        let one = |(name, provider): &(&str, &Arc<Counting>)| {
            (lane(name), Arc::clone(provider) as Arc<dyn Provider>)
        };
        Rules::keep(&self.ledger, lanes.iter().map(one).collect(), pauses)
    }
}

fn lane(name: &str) -> LaneName {
    LaneName::new(name).expect("a name")
}

async fn until(wanted: impl AsyncFn() -> bool) {
    let all = async {
        while !wanted().await {
            tokio::time::sleep(SOON).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), all).await.expect("it comes about");
}

#[tokio::test]
async fn rules_are_fetched_at_the_start_and_again_after_each_pause() {
    let world = World::new();
    let provider = Counting::giving(&[Ok("first"), Ok("second"), Ok("third")]);
    let rules = world.keep(&[("main", &provider)], Pauses { between: SOON, after_failure: NEVER });
    world.until_kept("main", "third").await;
    rules.stop().await;
    let fetched = provider.fetched();
    assert!(fetched >= 3, "{fetched}");
    tokio::task::yield_now().await;
    assert_eq!(provider.fetched(), fetched, "and no more once it is stopped");
}

#[tokio::test]
async fn a_fetch_that_fails_is_tried_again_sooner_than_one_that_did_not() {
    let world = World::new();
    let provider = Counting::giving(&[Err("busy"), Err("busy"), Ok("rules"), Ok("too soon")]);
    // How long is long enough: another lane fails at the same pace.
    let clock = Counting::giving(&[Err("never")]);
    let pauses = Pauses { between: NEVER, after_failure: SOON };
    let _rules = world.keep(&[("main", &provider), ("clock", &clock)], pauses);
    world.until_kept("main", "rules").await;
    let since = clock.fetched();
    until(async || clock.fetched() >= since + 20).await;
    assert_eq!(provider.fetched(), 3);
    assert_eq!(world.kept("clock").await, None, "a failure keeps nothing");
}

#[tokio::test]
async fn a_provider_that_fails_leaves_the_older_rules_with_their_age() {
    let world = World::new();
    let provider = Counting::giving(&[Ok("older"), Err("away")]);
    let pauses = Pauses { between: SOON, after_failure: SOON };
    let _rules = world.keep(&[("main", &provider)], pauses);
    world.until_kept("main", "older").await;
    let before = world.kept("main").await;
    until(async || provider.fetched() >= 20).await;
    assert_eq!(world.kept("main").await, before);
}

#[tokio::test]
async fn what_was_fetched_is_what_the_adapter_pays_by() {
    let world = World::new();
    let provider = Counting::giving(&[Ok("first"), Ok("second")]);
    let _rules = world.keep(&[("main", &provider)], Pauses { between: SOON, after_failure: NEVER });
    world.until_kept("main", "second").await;
    assert_eq!(provider.installed()[..2], ["first", "second"]);
}

#[tokio::test]
async fn rules_that_the_adapter_cannot_use_replace_none() {
    let world = World::new();
    let provider = Counting::giving(&[Ok("good"), Ok(UNUSABLE)]);
    let pauses = Pauses { between: SOON, after_failure: SOON };
    let _rules = world.keep(&[("main", &provider)], pauses);
    until(async || provider.fetched() >= 20).await;
    assert_eq!(world.kept("main").await.map(|(_, text)| text).as_deref(), Some("good"));
    assert_eq!(provider.installed(), ["good"]);
}

#[tokio::test]
async fn a_provider_without_rules_is_never_asked() {
    let world = World::new();
    let (without, with) = (Counting::giving(&[]), Counting::giving(&[Ok("rules")]));
    let pauses = Pauses { between: NEVER, after_failure: NEVER };
    let rules = world.keep(&[("plain", &without), ("main", &with)], pauses);
    world.until_kept("main", "rules").await;
    assert_eq!((rules.0.len(), without.fetched()), (1, 0));
}
