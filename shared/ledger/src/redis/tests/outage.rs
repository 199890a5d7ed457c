use super::*;
use crate::api::LedgerError;
use crate::types::LaneRecord;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A few seconds, with room for a busy machine.
const PATIENCE: Duration = Duration::from_secs(8);

async fn until_it_answers(ledger: &RedisLedger) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ledger.about().await {
            Ok(_) => return,
            Err(LedgerError::Unavailable(_)) => assert!(Instant::now() < deadline),
            Err(broken) => panic!("{broken}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Fails as it should: soon, and as something that passes.
async fn is_unavailable(ledger: &RedisLedger) {
    let asked = Instant::now();
    let error = ledger.about().await.unwrap_err();
    assert!(matches!(error, LedgerError::Unavailable(_)), "{error}");
    assert!(asked.elapsed() < PATIENCE, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn what_was_answered_survives_kill_9_and_calls_go_on_by_themselves() {
    let mut server = RedisServer::start();
    let ledger = Arc::new(connect(&server).await);
    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writers: Vec<_> = (0..4)
        .map(|n| {
            let (ledger, stop) = (ledger.clone(), stop.clone());
            let answered = answered.clone();
            let name = LaneName::new(&format!("lane-{n}")).unwrap();
            tokio::spawn(async move {
                let mut stored = 0;
                let mut errors = 0;
                while !stop.load(Ordering::SeqCst) {
                    match bump(&ledger, &name).await {
                        Ok(version) => {
                            stored = stored.max(version);
                            answered.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(LedgerError::Unavailable(_)) => errors += 1,
                        Err(broken) => panic!("{broken}"),
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                (name, stored, errors)
            })
        })
        .collect();

    let more_answers = async |than: u64| {
        let deadline = Instant::now() + PATIENCE;
        while answered.load(Ordering::SeqCst) <= than {
            assert!(Instant::now() < deadline, "no call is answered");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    for _ in 0..3 {
        more_answers(answered.load(Ordering::SeqCst) + 20).await;
        server.kill();
        is_unavailable(&ledger).await;
        server.restart();
    }
    more_answers(answered.load(Ordering::SeqCst) + 20).await;
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        let (name, stored, errors) = writer.await.unwrap();
        assert!(errors > 0, "the outage was seen");
        assert!(ledger.lane(name).await.unwrap().version >= stored);
    }
}

/// Stores the next version of a lane; gives the version that stands for certain.
async fn bump(ledger: &RedisLedger, name: &LaneName) -> Result<u64, LedgerError> {
    let record: LaneRecord = ledger.lane(name.clone()).await?;
    let version = record.version;
    Ok(if ledger.put_lane(record).await? { version + 1 } else { version })
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up_and_asked_again() {
    let server = RedisServer::with_fsync("no");
    let ledger = connect(&server).await;
    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, &server.pid().to_string()]).status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    is_unavailable(&ledger).await;
    signal("-CONT");
    until_it_answers(&ledger).await;
}

#[tokio::test]
async fn a_redis_that_forgot_all_scripts_is_taught_them_again() {
    let server = RedisServer::with_fsync("no");
    let ledger = connect(&server).await;
    sealed(&ledger, 1, 3, 10).await;
    let mut flush = redis::cmd("SCRIPT");
    flush.arg("FLUSH");
    ledger.link.one(flush).await.unwrap();
    assert_eq!(ledger.take_ready(lane(), 9, LONG_MS).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_a_wrong_address_is_broken() {
    let url = format!("redis://127.0.0.1:{}", system_tests::redis_server::free_port());
    let away = RedisLedger::connect(&url, "payout").await.unwrap_err();
    assert!(matches!(away, LedgerError::Unavailable(_)), "{away}");
    let wrong = RedisLedger::connect("http://user:secret@host", "payout").await.unwrap_err();
    assert!(matches!(wrong, LedgerError::Broken(_)) && !wrong.to_string().contains("secret"));
}

#[tokio::test]
async fn the_shell_learns_what_an_answer_is_worth() {
    use crate::redis::Durability;
    for (fsync, durability) in [
        ("always", Durability::Always),
        ("everysec", Durability::EverySecond),
        ("no", Durability::None),
    ] {
        let server = RedisServer::with_fsync(fsync);
        assert_eq!(connect(&server).await.durability(), durability);
    }
}

#[tokio::test]
async fn a_redis_that_was_emptied_is_not_taken_for_a_new_ledger() {
    let server = RedisServer::with_fsync("no");
    let ledger = connect(&server).await;
    let id = ledger.about().await.unwrap().id;
    assert_eq!(connect(&server).await.about().await.unwrap().id, id);
    ledger.link.one(redis::cmd("FLUSHALL")).await.unwrap();
    assert!(matches!(ledger.about().await, Err(LedgerError::Broken(_))));
}

#[tokio::test]
async fn a_redis_that_may_evict_our_records_is_refused() {
    let server = RedisServer::with_fsync("no");
    let ledger = connect(&server).await;
    let mut set = redis::cmd("CONFIG");
    set.arg("SET").arg("maxmemory-policy").arg("allkeys-lru");
    ledger.link.one(set).await.unwrap();
    let refused = RedisLedger::connect(&server.url(), "payout").await.unwrap_err();
    assert!(refused.to_string().contains("noeviction"), "{refused}");
}
