use super::*;
use crate::types::Opened;

async fn forget_lane(ledger: &RedisLedger) {
    let mut delete = redis::cmd("DEL");
    delete.arg(ledger.keys.lane(&lane(), "order")).arg(ledger.keys.lane(&lane(), "time"));
    ledger.link.one(delete).await.unwrap();
}

#[tokio::test]
async fn a_batch_whose_process_died_between_seal_and_the_lanes_order_is_found() {
    let server = RedisServer::with_fsync("no");
    let dying = connect(&server).await;
    let id = sealed(&dying, 1, 2, 10).await;
    forget_lane(&dying).await;
    drop(dying);

    let other = connect(&server).await;
    assert_eq!(other.take_ready(lane(), 9, LONG_MS).await.unwrap().len(), 2);
    assert!(other.batch(id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_living_process_finds_a_lost_batch_within_seconds() {
    let server = RedisServer::with_fsync("no");
    let ledger = connect(&server).await;
    assert!(ledger.take_ready(lane(), 9, LONG_MS).await.unwrap().is_empty());
    sealed(&ledger, 1, 1, 10).await;
    forget_lane(&ledger).await;

    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while ledger.take_ready(lane(), 9, LONG_MS).await.unwrap().is_empty() {
        assert!(std::time::Instant::now() < deadline, "the batch was not found");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_batch_that_is_over_leaves_the_open_ones_and_comes_back_by_a_late_fact() {
    let server = RedisServer::with_fsync("no");
    let ledger = connect(&server).await;
    let id = sealed(&ledger, 1, 1, 1).await;
    let chunk = ChunkId { batch: id, no: 0 };
    let (token, payouts) = held(&ledger, chunk).await;
    let mut rows = numbered(payouts);
    all_change(&ledger, chunk, Guard::Intent(token), intent(), &mut rows).await;
    let refused = Outcome::Refused { created_nothing: true };
    let refused = Event::Outcome { intent: 1, outcome: refused };
    all_change(&ledger, chunk, Guard::Fact, refused, &mut rows).await;
    ledger.release(chunk, token, domain::Millis::NEVER).await.unwrap();

    let other = connect(&server).await;
    assert!(other.take_ready(lane(), 9, LONG_MS).await.unwrap().is_empty());
    let mut members = redis::cmd("SMEMBERS");
    members.arg(ledger.keys.installation("open"));
    let open: Vec<String> = take(ledger.link.one(members).await.unwrap(), "a set").unwrap();
    assert!(open.is_empty(), "{open:?}");

    all_change(&ledger, chunk, Guard::Fact, Event::NewAttempt, &mut rows).await;
    assert_eq!(ledger.batch(id).await.unwrap().unwrap().state, BatchState::Active);
    assert_eq!(other.take_ready(lane(), 9, LONG_MS).await.unwrap(), [chunk]);

    // Its process dies between the fact and the lane's order: the look at all batches finds it.
    forget_lane(&ledger).await;
    let mut forget = redis::cmd("DEL");
    forget.arg(ledger.keys.installation("open")).arg(ledger.keys.installation("sweep"));
    ledger.link.one(forget).await.unwrap();
    let mut due = redis::cmd("ZADD");
    due.arg(ledger.keys.due_on(id, &lane())).arg(0).arg("00000");
    ledger.link.one(due).await.unwrap();
    let third = connect(&server).await;
    assert_eq!(third.take_ready(lane(), 9, LONG_MS).await.unwrap(), [chunk]);
}

#[tokio::test]
async fn a_rejected_batch_gives_its_memory_back() {
    let server = RedisServer::with_fsync("no");
    let ledger = connect(&server).await;
    let id = received(&ledger, 1, 300, 1).await;
    assert!(ledger.reject(id, "broken".to_owned(), false).await.unwrap());
    let left = keys_like(&ledger, &format!("*{{b:{id}}}*")).await;
    assert_eq!(left, [ledger.keys.meta(id)]);
    assert!(ledger.reject(id, "again".to_owned(), false).await.unwrap());
    assert_eq!(ledger.batch(id).await.unwrap().unwrap().reason, "broken");
}

#[tokio::test]
async fn a_batch_that_lost_its_file_to_another_leaves_no_record() {
    let server = RedisServer::with_fsync("no");
    let ledger = connect(&server).await;
    let first = received(&ledger, 1, 1, 1).await;
    let late = NewBatch { file_sha256: new_batch(1).file_sha256, ..new_batch(2) };
    // What a crash between the record and the file's hash leaves, and then the call again.
    ledger.create(&late).await.unwrap();
    assert_eq!(ledger.open_batch(late.clone()).await.unwrap(), Opened::SameFile(first));
    assert!(ledger.batch(late.id).await.unwrap().is_none());
    let listed = ledger.batches(None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|b| b.id).collect::<Vec<_>>(), [first]);
}

#[tokio::test]
async fn references_in_more_than_one_round_trip_keep_their_indices() {
    let server = RedisServer::with_fsync("no");
    let ledger = connect(&server).await;
    let wanted = references(batch_id(1), 0, 45_000);
    assert!(ledger.reserve(wanted.clone()).await.unwrap().is_empty());
    assert!(ledger.reserve(wanted.clone()).await.unwrap().is_empty());
    let others = references(batch_id(2), 44_990, 20);
    let held = ledger.reserve([&wanted[5..], &others[..]].concat()).await.unwrap();
    let indices: Vec<usize> = held.iter().map(|held| held.index).collect();
    assert_eq!(indices, (44_995..45_005).collect::<Vec<_>>());
    assert!(held.iter().all(|held| held.by.chunk.batch == batch_id(1)));
}
