//! Who may still be sending (S12): two workers on one machine, each with a home of its own.

use serde_json::Value;
use std::time::Duration;
use system_tests::config_file::{Engine, Settings};
use system_tests::wait::{holds_for, wait_until};
use system_tests::world::World;

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_worker_that_dies_is_known_to_be_gone_although_nobody_restarts_it() {
    let world = World::new(&Settings::on(Engine::Redis));
    let mut first = world.worker();
    let mut second = world.second_worker();
    let slots = |all: &[Value]| -> Vec<String> {
        let path =
            |s: &Value| s["path"].as_str().expect("a path").rsplit('/').next().map(str::to_owned);
        all.iter().filter_map(path).collect()
    };
    assert_eq!(slots(&living(&world)), ["1", "2"]);
    holds_for("both live", Duration::from_secs(4), || living(&world).len() == 2);
    second.kill();
    wait_until("its neighbour notices", LONG, || living(&world).len() == 1);
    assert_eq!(slots(&living(&world)), ["1"]);
    second = world.second_worker();
    let alive = living(&world);
    assert_eq!(
        (slots(&alive), &alive[1]["number"]),
        (vec!["1".to_owned(), "2".to_owned()], &3.into())
    );
    first.terminate();
    second.terminate();
    assert!(first.wait(LONG).success() && second.wait(LONG).success());
    assert!(living(&world).is_empty(), "both have said so");
}

fn living(world: &World) -> Vec<Value> {
    let told = world.producer(&["worker", "list", "--json"]);
    let all: Vec<Value> = serde_json::from_str(&told).expect("JSON");
    all.into_iter().filter(|sender| sender["gone"].is_null()).collect()
}
