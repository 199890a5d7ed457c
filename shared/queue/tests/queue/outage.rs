//! Redis and the ledger go and come back; work goes on by itself.

use crate::support::{Process, Shelf, within};
use queue::Queue;
use queue::pump::HINT_MS;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use system_tests::redis_server::RedisServer;

const LONG: Duration = Duration::from_secs(20);

fn command(redis: &RedisServer, words: &[&str]) -> redis::RedisResult<redis::Value> {
    let mut connection = redis::Client::open(redis.url())?.get_connection()?;
    redis::cmd(words[0]).arg(&words[1..]).query(&mut connection)
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_by_itself_after_redis_was_killed() {
    let mut redis = RedisServer::start();
    let shelf = Arc::new(Shelf::default());
    let process = Process::start(Queue::pool(&redis.url(), "payout").unwrap(), &shelf, 4);
    for round in 0..3u16 {
        let numbers = round * 100..round * 100 + 100;
        shelf.put(numbers.clone());
        within(LONG, "work is taken while Redis is there", || shelf.is_empty()).await;
        redis.kill();
        shelf.put(numbers);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!shelf.is_empty(), "without Redis nothing is taken");
        redis.restart();
        within(LONG, "work goes on after the restart", || shelf.is_empty()).await;
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_forgot_everything_is_served_again() {
    let redis = RedisServer::start();
    let shelf = Arc::new(Shelf::default());
    let process = Process::start(Queue::pool(&redis.url(), "payout").unwrap(), &shelf, 4);
    shelf.put(0..10);
    within(LONG, "work is taken", || shelf.is_empty()).await;
    command(&redis, &["FLUSHALL"]).unwrap();
    shelf.put(10..20);
    within(LONG, "work is taken by a new worker", || shelf.is_empty()).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_hint_comes_back_by_itself() {
    let redis = RedisServer::start();
    let shelf = Arc::new(Shelf::default());
    let process = Process::start(Queue::pool(&redis.url(), "payout").unwrap(), &shelf, 0);
    shelf.put([7]);
    within(LONG, "the chunk is hinted", || shelf.hinted() == 1).await;
    command(&redis, &["FLUSHALL"]).unwrap();
    process.engine.room.store(4, Ordering::SeqCst);
    let limit = Duration::from_millis(HINT_MS + 2_000);
    within(limit, "the lost hint comes back", || shelf.is_empty()).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_by_itself_after_the_ledger_was_away() {
    let shelf = Arc::new(Shelf::default());
    let process = Process::start(Queue::embedded(), &shelf, 4);
    shelf.go_away(true);
    shelf.put(0..20);
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(process.engine.count(), 0);
    shelf.go_away(false);
    within(Duration::from_secs(3), "the pump tries again", || shelf.is_empty()).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_cannot_be_reached_stops_within_a_second_or_two() {
    let mut redis = RedisServer::start();
    let shelf = Arc::new(Shelf::default());
    let process = Process::start(Queue::pool(&redis.url(), "payout").unwrap(), &shelf, 4);
    shelf.put([1]);
    within(LONG, "work is taken", || shelf.is_empty()).await;
    redis.kill();
    tokio::time::timeout(Duration::from_secs(3), process.stop()).await.expect("it stops");
}
