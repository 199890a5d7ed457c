//! Redis holds no more after a million hints than after one.

use crate::support::{Process, Shelf, within};
use queue::Queue;
use std::sync::Arc;
use std::time::Duration;
use system_tests::redis_server::RedisServer;

const LONG: Duration = Duration::from_secs(30);

fn keys(redis: &RedisServer) -> Vec<String> {
    let client = redis::Client::open(redis.url()).expect("a URL");
    let mut connection = client.get_connection().expect("a connection");
    let mut keys: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut connection).expect("keys");
    keys.sort();
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_hints_leave_no_growing_keys() {
    let redis = RedisServer::start();
    let shelf = Arc::new(Shelf::default());
    let process = Process::start(Queue::pool(&redis.url(), "payout").unwrap(), &shelf, 4);
    shelf.put(0..2_000);
    within(LONG, "all chunks are taken", || shelf.is_empty()).await;
    let lasting = |key: &String| {
        let part = key.rsplit("main:").next().unwrap_or_default();
        key == "core:apalis:queues:list" || part == "workers" || part.contains("metadata:")
    };
    let only_lasting = || keys(&redis).iter().all(lasting);
    within(LONG, "jobs, data and the list of finished jobs are gone", only_lasting).await;
    assert!(keys(&redis).len() <= 3, "{:?}", keys(&redis));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stops_leaves_nothing_of_itself() {
    let redis = RedisServer::start();
    let shelf = Arc::new(Shelf::default());
    let process = Process::start(Queue::pool(&redis.url(), "payout").unwrap(), &shelf, 4);
    shelf.put([1]);
    within(LONG, "the chunk is taken", || shelf.is_empty()).await;
    assert!(keys(&redis).iter().any(|key| key.contains(":workers")));
    process.stop().await;
    assert!(!keys(&redis).iter().any(|key| key.contains(":workers")), "{:?}", keys(&redis));
}
