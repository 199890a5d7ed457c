//! How much waits where.

use crate::support::{Process, SLOTS, Shelf, lane, within};
use queue::{Queue, Ready};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use system_tests::redis_server::RedisServer;

const LONG: Duration = Duration::from_secs(20);

async fn the_queue_stays_short(queue: Queue) {
    let shelf = Arc::new(Shelf::default());
    shelf.put(0..1_000);
    let process = Process::start(queue, &shelf, 0);
    let wanted = usize::from(SLOTS) * 2;
    within(LONG, "the queue fills", || shelf.hinted() >= wanted).await;
    for _ in 0..10 {
        process.pump.poke();
        tokio::time::sleep(Duration::from_millis(30)).await;
        let backlog = process.queue.backlogs(&[lane()]).await.expect("an answer")[0];
        assert_eq!(backlog.waiting, u64::from(SLOTS) * 2);
    }
    assert_eq!(process.engine.count(), 0, "a full engine is offered nothing");
    process.engine.room.store(1, Ordering::SeqCst);
    within(LONG, "all chunks are taken", || shelf.is_empty()).await;
    assert_eq!(process.engine.distinct(), 1_000);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_thousand_ready_chunks_eight_hints_wait_in_one_process() {
    the_queue_stays_short(Queue::embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_thousand_ready_chunks_eight_hints_wait_in_a_pool() {
    let redis = RedisServer::start();
    the_queue_stays_short(Queue::pool(&redis.url(), "payout").unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_process_leaves_the_hints_to_one_that_has_room() {
    let redis = RedisServer::start();
    let shelf = Arc::new(Shelf::default());
    let full = Process::start(Queue::pool(&redis.url(), "payout").unwrap(), &shelf, 0);
    let free = Process::start(Queue::pool(&redis.url(), "payout").unwrap(), &shelf, 4);
    shelf.put(0..200);
    within(LONG, "all chunks are taken", || shelf.is_empty()).await;
    assert_eq!((full.engine.count(), free.engine.distinct()), (0, 200));
    full.stop().await;
    free.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prefixes_keep_two_ledgers_on_one_redis_apart() {
    let redis = RedisServer::start();
    let (ours, theirs) = (Arc::new(Shelf::default()), Arc::new(Shelf::default()));
    let us = Process::start(Queue::pool(&redis.url(), "ours").unwrap(), &ours, 4);
    let they = Process::start(Queue::pool(&redis.url(), "theirs").unwrap(), &theirs, 4);
    ours.put(0..50);
    within(LONG, "our chunks are taken", || ours.is_empty()).await;
    assert_eq!((us.engine.distinct(), they.engine.count()), (50, 0));
    us.stop().await;
    they.stop().await;
}

#[tokio::test]
async fn a_ledger_can_be_pumped_from() {
    fn holds<L: Ready>() {}
    holds::<Arc<dyn ledger::Ledger>>();
}
