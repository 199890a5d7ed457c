//! Failover (S15), with the real programs: what one provider refuses is paid by another, once, while
//! workers die and answers are lost; each provider's own ledger is the judge.

use serde_json::json;
use std::time::Duration;
use system_tests::batch::Batch;
use system_tests::compare::agree_by_card;
use system_tests::config_file::{Engine, Settings};
use system_tests::provider::{Lane, Provider};
use system_tests::wait::wait_until;
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(120);
const FIRST: Provider = Provider::Merchant;
const SECOND: Provider = Provider::Exchanger;
const ROWS: u32 = 150;

#[test]
fn what_one_provider_refuses_another_pays_once_on_sqlite() {
    what_one_provider_refuses_another_pays_once(Engine::Sqlite);
}

#[test]
fn what_one_provider_refuses_another_pays_once_on_redis() {
    what_one_provider_refuses_another_pays_once(Engine::Redis);
}

fn what_one_provider_refuses_another_pays_once(engine: Engine) {
    let world = World::new(&Settings {
        failover: Some(SECOND),
        ..Settings::on(engine).through([Lane::of(FIRST), Lane::of(SECOND)])
    });
    world.fetch_rules();
    let lost = json!({ "seed": 5, "faults": {
        "error_after": { "per_mille": 50 },
        "reset_after": { "per_mille": 50 },
    } });
    world.sandbox.of(SECOND).dial(&lost);
    world.sandbox.of(FIRST).dial(&lost);
    world.sandbox.of(FIRST).dial(&json!({ "faults": { "refused": { "per_mille": 300 } } }));
    let mut batch = Batch::new("failover", ROWS);
    for (row, no) in batch.rows.iter_mut().zip(0..) {
        row.amount = format!("{}.10", 200 + no);
    }
    let id = world.enqueue(&batch);
    let mut worker = world.worker();
    let took = |provider: Provider| world.sandbox.of(provider).ledger().len();
    wait_until("the second lane has begun", LONG, || took(SECOND) > 5);
    worker.kill();
    let _workers = [world.worker(), world.second_worker()];
    world.completes(&id, LONG);

    let results = world.report(&id);
    let by_first = world.sandbox.of(FIRST).ledger();
    let entries = [by_first.clone(), world.sandbox.of(SECOND).ledger()].concat();
    let tally = agree_by_card(&batch, &results, &entries);
    assert_eq!(tally.rows("paid"), batch.rows.len(), "{tally:?}");
    let refused = world.sandbox.of(FIRST).counters().struck("refused");
    assert_eq!(entries.len() - by_first.len(), usize::try_from(refused).expect("few"));
    for (row, asked) in results.iter().zip(&batch.rows) {
        assert_eq!(row.reference, asked.reference, "in its own place of the result");
        let is_first = by_first.iter().any(|entry| entry.destination == asked.card);
        let lane = if is_first { FIRST } else { SECOND };
        assert_eq!(row.lane, lane.name(), "{row:?}");
    }
    for provider in [FIRST, SECOND] {
        let counters = world.sandbox.of(provider).counters();
        assert_eq!(counters.duplicates, 0, "{}", provider.name());
        assert!(counters.struck("error_after") > 0, "{}", provider.name());
    }
}
