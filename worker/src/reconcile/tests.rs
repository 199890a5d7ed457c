//! With a real ledger, and a provider whose list says what a test wants.

use super::*;
use domain::{LedgerId, Row};
use ledger::sqlite::SqliteLedger;
use providers::{
    Entry, Limits, LookUp, LookedUp, RowProblem, Shipment, Shipped, Standing, Statement,
    StatementPage, registry,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

const SOON: Duration = Duration::from_millis(1);

/// Tells one list after the other, and then the last of them for ever.
struct Telling {
    lists: Vec<Result<Vec<&'static str>, &'static str>>,
    told: AtomicUsize,
}

impl Provider for Telling {
    fn limits(&self) -> &Limits {
        registry::limits("capitalist").expect("it is registered")
    }

    fn fingerprint(&self) -> &'static str {
        "telling:1"
    }

    fn validate(&self, _: &Row) -> Vec<RowProblem> {
        Vec::new()
    }

    fn submit(&self, _: Shipment) -> BoxFuture<'_, Shipped> {
        panic!("a comparison sends nothing")
    }

    fn look_up(&self, _: LookUp) -> BoxFuture<'_, LookedUp> {
        panic!("a comparison asks about no single payout")
    }

    fn statement(&self) -> Option<&dyn Statement> {
        Some(self)
    }
}

impl Statement for Telling {
    fn page<'a>(
        &'a self,
        _: Period,
        _: Option<&'a str>,
        _: &'a dyn Turns,
    ) -> BoxFuture<'a, Result<StatementPage, String>> {
        let at = self.told.fetch_add(1, Ordering::SeqCst).min(self.lists.len() - 1);
        let entry = |reference: &&str| Entry {
            reference: (*reference).to_owned(),
            provider_id: None,
            amount: None,
            currency: None,
            destination: None,
            standing: Standing::Paid,
            at: None,
        };
        let list = self.lists[at].clone();
        let page = list.map(|references| StatementPage {
            entries: references.iter().map(entry).collect(),
            ..StatementPage::default()
        });
        Box::pin(async move { page.map_err(str::to_owned) })
    }
}

struct World {
    ledger: Arc<dyn Ledger>,
    provider: Arc<Telling>,
    _folder: TempDir,
}

impl World {
    fn telling(lists: &[Result<Vec<&'static str>, &'static str>]) -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = SqliteLedger::open(&folder.path().join("ledger")).expect("a ledger");
        let provider = Arc::new(Telling { lists: lists.to_vec(), told: AtomicUsize::new(0) });
        World { ledger: Arc::new(ledger), provider, _folder: folder }
    }

    fn listed(&self) -> Listed {
        let provider = Arc::clone(&self.provider) as Arc<dyn Provider>;
        let name = LaneName::new("main").expect("a name");
        Listed { name, provider, turn: Duration::ZERO }
    }

    async fn stop(&self) -> Option<String> {
        let record = self.ledger.lane(self.listed().name).await.expect("an answer");
        record.stopped.map(|stop| stop.reason)
    }

    async fn check_ledgers(&self) {
        check_ledgers(&*self.ledger, &[self.listed()]).await;
    }

    /// The daily comparison of a process, until the pool's is over.
    async fn compare(&self) {
        let pauses = Pauses { between: SOON, again_after: SOON };
        let processes: Vec<Daily> =
            (0..2).map(|_| Daily::keep(&self.ledger, vec![self.listed()], pauses)).collect();
        let is_over = async || {
            let record = self.ledger.lane(self.listed().name).await.expect("an answer");
            record.comparison.ended.is_some()
        };
        for _ in 0..10_000 {
            if is_over().await {
                break;
            }
            tokio::time::sleep(SOON).await;
        }
        assert!(is_over().await, "nobody compared");
        for process in processes {
            process.stop().await;
        }
    }

    fn told(&self) -> usize {
        self.provider.told.load(Ordering::SeqCst)
    }
}

/// Of a ledger that no test's is: four such letters are made by chance once in a million.
const OTHER: &str = "wxyz-INV-1";

#[tokio::test]
async fn a_lane_whose_account_shows_another_ledger_is_stopped_until_that_is_retired() {
    let world = World::telling(&[Ok(vec!["17", OTHER])]);
    world.check_ledgers().await;
    let reason = world.stop().await.expect("a stop");
    assert!(reason.contains(OTHER), "{reason}");
    assert!(reason.contains("`producer lane adopt main wxyz`"), "{reason}");

    let world = World::telling(&[Ok(vec![OTHER])]);
    let id = LedgerId::parse("wxyz").expect("an id");
    lane::adopt(&*world.ledger, &world.listed().name, id).await.expect("an answer");
    world.check_ledgers().await;
    assert_eq!(world.stop().await, None);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_at_the_start_stops_nothing() {
    let world = World::telling(&[Err("away")]);
    world.check_ledgers().await;
    assert_eq!((world.stop().await, world.told()), (None, 1));
}

#[tokio::test]
async fn a_difference_that_two_readings_show_stops_the_lane_and_one_process_reads() {
    let world = World::telling(&[Ok(vec![OTHER])]);
    world.compare().await;
    let reason = world.stop().await.expect("a stop");
    assert!(reason.contains("producer reconcile main"), "{reason}");
    assert_eq!(world.told(), 2, "two readings, by one process");
}

#[tokio::test]
async fn what_was_on_its_way_at_the_first_reading_stops_nothing() {
    let world = World::telling(&[Ok(vec![OTHER]), Ok(vec![])]);
    world.compare().await;
    assert_eq!((world.stop().await, world.told()), (None, 2));
}

#[tokio::test]
async fn where_nothing_differs_one_reading_is_enough() {
    let world = World::telling(&[Ok(vec![])]);
    world.compare().await;
    assert_eq!((world.stop().await, world.told()), (None, 1));
}

#[tokio::test]
async fn a_worker_whose_config_names_another_account_than_the_pool_reads_nothing() {
    let world = World::telling(&[Ok(vec![OTHER])]);
    let read = async || world.ledger.lane(world.listed().name).await.expect("an answer");
    let mut record = read().await;
    record.fingerprint = "after:1".to_owned();
    assert!(world.ledger.put_lane(record).await.expect("an answer"));
    let pauses = Pauses { between: SOON, again_after: SOON };
    compare_if_due(&*world.ledger, &world.listed(), pauses).await.expect("an answer");
    assert_eq!((world.stop().await, world.told()), (None, 0));
    assert_eq!(read().await.comparison.begun, None, "it is left to whoever is on the account");
}
