//! An idle worker starts on new work within a fraction of a second.

use crate::support::{Engine, Process, Shelf, chunk, lane, within};
use queue::{Hint, Queue, Taker};
use std::sync::Arc;
use std::time::Duration;
use system_tests::redis_server::RedisServer;

/// Longer than a worker needs to find its queue empty and fall asleep; of different lengths, so
/// that no other rhythm of the worker can stand in for its looking again.
const IDLE_MS: [u64; 3] = [2_300, 900, 1_300];

/// What a user who drops a file may wait for the queue, of a second in all.
const SOON: Duration = Duration::from_millis(700);

async fn an_idle_worker_wakes(queue: Queue) {
    let shelf = Arc::new(Shelf::default());
    let process = Process::start(queue, &shelf, 1);
    for (no, idle_ms) in (0..).zip(IDLE_MS) {
        tokio::time::sleep(Duration::from_millis(idle_ms)).await;
        shelf.put([no]);
        within(SOON, "an idle worker takes new work", || shelf.is_empty()).await;
    }
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_in_one_process_takes_new_work_within_a_second() {
    an_idle_worker_wakes(Queue::embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_of_a_pool_takes_new_work_within_a_second() {
    let redis = RedisServer::start();
    an_idle_worker_wakes(Queue::pool(&redis.url(), "payout").unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_that_another_process_pushed_is_taken_within_a_second() {
    let redis = RedisServer::start();
    let shelf = Arc::new(Shelf::default());
    let engine = Engine::new(&shelf, 1);
    let taker: Arc<dyn Taker> = engine.clone();
    let listening = Queue::pool(&redis.url(), "payout").unwrap().listen(&[lane()], &taker);
    let elsewhere = Queue::pool(&redis.url(), "payout").unwrap();
    for (no, idle_ms) in (0..).zip(IDLE_MS) {
        tokio::time::sleep(Duration::from_millis(idle_ms)).await;
        elsewhere.push(&lane(), vec![Hint { chunk: chunk(no), lane: lane() }]).await.unwrap();
        let taken = || engine.count() == usize::from(no) + 1;
        within(SOON, "a hint from elsewhere is taken", taken).await;
    }
    listening.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poked_pump_does_not_wait_for_its_next_round() {
    let shelf = Arc::new(Shelf::default());
    let process = Process::start(Queue::embedded(), &shelf, 1);
    let mut quickest = Duration::MAX;
    for no in 0..10 {
        shelf.put([no]);
        process.pump.poke();
        let taken = within(SOON, "poked work is taken", || shelf.is_empty()).await;
        quickest = quickest.min(taken);
    }
    assert!(quickest < Duration::from_millis(100), "the quickest of ten took {quickest:?}");
    process.stop().await;
}
